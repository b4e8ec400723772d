import json

import pytest

from emma500.errors import SourceError
from emma500.evaluation.metrics.comet import read_comet


def test_the_json_of_comet_score_is_read(tmp_path):
    path = tmp_path / "comet.json"
    rows = [{"src": "a", "mt": "b", "COMET": 0.5}, {"src": "c", "mt": "d", "COMET": 0.75}]
    path.write_text(json.dumps({"out.txt": rows}))
    found = read_comet(path, n=2)
    assert (found.value, found.n) == (0.625, 2)


def test_what_comet_score_prints_is_read(tmp_path):
    path = tmp_path / "comet.txt"
    path.write_text(
        "out.txt\tSegment 1\tscore: 0.9\nout.txt\tSegment 0\tscore: -0.1\nout.txt\tscore: 0.4\n"
    )
    assert list(read_comet(path).each) == [-0.1, 0.9]


@pytest.mark.parametrize(
    ("text", "problem"),
    [("", "must hold scores of segments, and has 0"), ("{", "is no JSON"), ('{"a": [], "b": []}', "of 2 outputs"),
     ('{"a": [{"bleu": 1}]}', "number under 'COMET'")],
)  # fmt: skip
def test_a_file_without_scores_is_refused(tmp_path, text, problem):
    path = tmp_path / "comet.json"
    path.write_text(text)
    with pytest.raises(SourceError, match=problem):
        read_comet(path)


def test_the_number_of_segments_must_agree(tmp_path):
    path = tmp_path / "comet.txt"
    path.write_text("x Segment 0 score: 0.9")
    with pytest.raises(SourceError, match="must hold 3 scores of segments, and has 1"):
        read_comet(path, n=3)
    with pytest.raises(SourceError, match="no COMET scores can be read"):
        read_comet(tmp_path / "missing")
