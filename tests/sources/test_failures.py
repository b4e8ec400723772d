"""A source that fails does not spoil the others: it leaves one row that says why."""

import gzip
import pickle

import pyarrow as pa
import pytest

from emma500.errors import SourceError
from emma500.records import raw_schema
from emma500.sources.failures import Failure, failures_of
from emma500.sources.resolve import resolve


def rows_of(sources):
    batches = [
        batch
        for source in sources
        for task in source.tasks()
        for batch in pickle.loads(pickle.dumps(task)).read()
    ]
    return pa.Table.from_batches(batches, raw_schema()).to_pylist()


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.jsonl"
    path.write_text('{"text": "one"}\n{"text": "two"}\n')
    return path


@pytest.fixture
def damaged(tmp_path):
    folder = tmp_path / "damaged"
    folder.mkdir()
    lines = b"".join(
        b'{"text": "text %d", "n": %d}\n' % (n, n * 2654435761) for n in range(400_000)
    )
    data = gzip.compress(lines, 1)
    (folder / "a.jsonl.gz").write_bytes(data[: len(data) * 9 // 10])
    (folder / "b.jsonl").write_text('{"text": "beside"}\n')
    return folder


def test_what_cannot_be_read_to_its_end_keeps_what_came_before_and_what_lies_beside(good, damaged):
    rows = rows_of(resolve([good, damaged], strict=False))
    texts = [row["text"] for row in rows if row["text"]]
    assert texts[:2] == ["one", "two"]
    assert texts[-1] == "beside"
    assert len(texts) > 100_000
    (failure,) = failures_of(rows)
    assert failure.source == "damaged"
    assert failure.reason.startswith("damaged/a.jsonl.gz is damaged and cannot be decompressed")


def test_a_source_that_cannot_be_opened_is_a_row_without_a_path_of_the_machine(good, tmp_path):
    missing = tmp_path / "not" / "there.jsonl"
    found = resolve([good, missing], strict=False)
    assert [source.info.name for source in found] == ["good.jsonl", "there.jsonl"]
    (failure,) = failures_of(rows_of(found))
    assert failure.source == "there.jsonl"
    assert "'there.jsonl' is not found: a source is" in failure.reason
    assert str(tmp_path) not in failure.reason


def test_a_source_that_cannot_be_opened_has_a_fingerprint_of_its_own(good, tmp_path):
    path = tmp_path / "late.jsonl"
    before = resolve([good, path], strict=False)[1].fingerprint()
    path.write_text('{"text": "now"}\n')
    assert resolve([good, path], strict=False)[1].fingerprint() != before


def test_if_nothing_can_be_opened_it_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="is not found"):
        resolve([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], strict=False)


def test_a_strict_reading_stops_at_the_first_failure(good, damaged, tmp_path):
    with pytest.raises(SourceError, match="is not found"):
        resolve([good, tmp_path / "missing.jsonl"])
    with pytest.raises(SourceError, match="is damaged"):
        rows_of(resolve([good, damaged]))


def test_failures_are_told_once_and_rows_without_one_tell_none():
    row = {"source": "s", "origin": "why", "reason": "failed"}
    assert failures_of([row, row, {"source": "s", "origin": "a:1", "reason": "no_text"}]) == [
        Failure(source="s", reason="why")
    ]


def test_an_unknown_option_is_an_error_that_names_those_there_are(good):
    with pytest.raises(SourceError, match="unknown option 'txt_column'; there are: attempts"):
        resolve(good, txt_column="x")
