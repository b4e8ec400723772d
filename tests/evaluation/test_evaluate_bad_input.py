"""What a user gets wrong, or a model, each with an error that names it: one test a line of the list in the issue."""

import json
import shutil

import pytest

from emma500 import models
from emma500.errors import ConfigError, FailureError, LanguageError, SourceError
from emma500.evaluation import scoring
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.likelihood import scorer
from emma500.evaluation.tasks.generation import TransformersGenerator
from tests.benchmarks.published_files import jsonl, lines, write

SHORT = {"limit": 2, "max_length": 64, "max_new_tokens": 4, "device": "cpu"}
SHAPES = ("xcopa", "mgsm", "text")


@pytest.fixture
def data(tmp_path):
    """A benchmark of each shape."""
    for name in ("xcopa", "mgsm"):
        write(name, tmp_path / "data" / name)
    lines(tmp_path / "data/text/sw.txt", ["Maji ni uhai.", "Maji tena."])
    return tmp_path / "data"


def run(model, benchmark, data, languages=None, **options):
    return evaluate(
        model, [benchmark], languages, EvalConfig(data_dir=str(data), **SHORT | options)
    )


def test_an_unknown_benchmark_or_language_is_told_with_the_nearest(tiny_model, data):
    with pytest.raises(ConfigError, match=r"unknown benchmark 'xcoppa'.*nearest: xcopa"):
        run(tiny_model, "xcoppa", data)
    with pytest.raises(LanguageError, match=r"unknown language 'swahilli'.*[Ss]wahili"):
        run(tiny_model, "xcopa", data, ["swahilli"])
    with pytest.raises(LanguageError, match=r"nearest: xcopa for swb_Latn: swa_Latn"):
        run(tiny_model, "xcopa", data, ["swb_Latn"])


def test_missing_data_are_named_by_file_or_id(tiny_model, tmp_path):
    (tmp_path / "xcopa").mkdir()
    with pytest.raises(SourceError, match=r"xcopa is not in .*\{code\}/\{split\}.*xcopa=FOLDER"):
        run(tiny_model, "xcopa", tmp_path)
    with pytest.raises(SourceError, match=r"xcopa@042f789.* cache .*and HF_HUB_OFFLINE"):
        evaluate(tiny_model, ["xcopa"], config=EvalConfig(**SHORT))


def test_a_model_without_a_tokenizer_is_named(tiny_model, data, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(tiny_model, bare, ignore=shutil.ignore_patterns("*token*", "*.model"))
    for shape in SHAPES:
        with pytest.raises(SourceError, match=r"bare.*tokenizer"):
            run(bare, shape, data)


def test_a_context_longer_than_the_window_loses_its_start_and_is_counted(tiny_model, data):
    for shape, options in (("xcopa", {"max_prompt": 16}), ("mgsm", {"max_prompt": 8})):
        scores = run(tiny_model, shape, data, switches=["truncation=left"], **options)
        assert scores.manifest["benchmarks"][0]["n_truncated"] == 2, shape
        assert "2 prompts were longer than the window" in repr(scores)


def test_a_label_that_tokenises_to_nothing_is_named(tiny_model, tmp_path):
    row = {"sentence": "Is it _", "option1": "a", "option2": "b", "answer": "1"}
    jsonl(tmp_path / "test/en.jsonl", [row])
    with pytest.raises(ConfigError, match=r"xwinograd, eng_Latn: .*has no tokens"):
        run(tiny_model, f"xwinograd={tmp_path}", tmp_path)


def test_two_items_of_one_id_are_named(tiny_model, data):
    (file,) = (data / "xcopa").rglob("test.sw.jsonl")
    file.write_text(file.read_text().splitlines()[0] + "\n" + file.read_text())
    with pytest.raises(SourceError, match=r"xcopa has two records with the id '0' in swa_Latn"):
        run(tiny_model, "xcopa", data)


def test_a_missing_column_is_named_with_those_that_are_there(tiny_model, data):
    (file,) = (data / "xcopa").rglob("test.sw.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    jsonl(file, [{key: each for key, each in row.items() if key != "choice2"} for row in rows])
    with pytest.raises(SourceError, match=r"record 1, has no column 'choice2'.*it has: premise"):
        run(tiny_model, "xcopa", data)


def test_logits_that_are_no_numbers_are_an_error_in_every_shape(tiny_model, data, tmp_path):
    from emma500.models import load_model

    broken = tmp_path / "broken"
    shutil.copytree(tiny_model, broken)
    model = load_model(tiny_model)
    model.lm_head.weight.data[:] = float("nan")
    model.save_pretrained(broken)
    told = {
        "xcopa": "xcopa swa_Latn 0, option",
        "mgsm": "logits are not numbers after the prompt 'Swali",
        "text": r"not finite on 2 of 2 documents, first on 1 \(swa_Latn, text\)",
    }
    for shape, message in told.items():
        with pytest.raises(FailureError, match=message):
            run(broken, shape, data)


@pytest.mark.filterwarnings("ignore:memory ran out")
def test_where_memory_runs_out_the_batch_is_halved_and_said_so(tiny_model, data, monkeypatch):
    """The engines of choices and outputs are tested for themselves: here, that of texts, and that all are reached."""
    expected = run(tiny_model, "text", data).details["nll"].to_pylist()
    sizes, real = [], models.document_nll

    def tight(model, rows, *, batch_size, **options):
        sizes.append(batch_size)
        if batch_size > 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return real(model, rows, batch_size=batch_size, **options)

    monkeypatch.setattr(scoring, "document_nll", tight)
    with pytest.warns(UserWarning, match=r"memory ran out: going on with [42] rows a pass"):
        found = run(tiny_model, "text", data, batch_size=8)
    assert sizes == [8, 4, 2]
    assert found.details["nll"].to_pylist() == pytest.approx(expected, rel=1e-5)

    def refuse(*_, **__):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(scoring, "document_nll", refuse)
    monkeypatch.setattr(TransformersGenerator, "_run", refuse)
    monkeypatch.setattr(scorer.LikelihoodScorer, "_run", refuse)
    for shape in SHAPES:
        with pytest.raises(FailureError, match=r"memory r[au]ns? out"):
            run(tiny_model, shape, data)
