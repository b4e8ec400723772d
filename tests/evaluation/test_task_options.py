"""What a task has on request: drawn programs beside the likeliest, BERTScore of summaries; and its progress."""

from types import SimpleNamespace

import pytest

from emma500.errors import ConfigError, SourceError
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.model_comparison import compare_scores
from emma500.evaluation.tasks import running
from emma500.evaluation.tasks.generation import Generated
from emma500.evaluation.tasks.practice import practices
from tests.benchmarks.published_files import jsonl, parquet, write


class Writer:
    """A model that writes a right program where it is greedy, and in every other draw."""

    def __init__(self, *_, **__):
        self.asked = []

    def generate(self, wanted, sampling=None, *, progress=None):
        self.asked.append((len(wanted), None if sampling is None else sampling.temperature))
        good, bad = "    return a + b\n", "    return a - b\n"
        return [
            Generated(good if sampling is None or n % 2 == 0 else bad, False)
            for n in range(len(wanted))
        ]


@pytest.fixture
def problems(tmp_path):
    return write("humaneval", tmp_path / "humaneval")


def run(tiny_model, problems, monkeypatch, **options):
    from emma500.evaluation import loaded

    writer = Writer()
    monkeypatch.setattr(loaded.Loaded, "generator", lambda _: writer)
    config = EvalConfig(**{"limit": 2, "run_code": True, "device": "cpu"} | options)
    return evaluate(tiny_model, [f"humaneval={problems}"], config=config), writer


def test_drawn_programs_stand_beside_the_likeliest(tiny_model, problems, monkeypatch):
    scores, writer = run(tiny_model, problems, monkeypatch, switches=["samples=10"])
    assert writer.asked == [(2, None), (20, 0.8)]
    if notes := scores.manifest["benchmarks"][0]["notes"]:
        pytest.skip(notes[0])
    found = {row["metric"]: row["value"] for row in scores.rows}
    assert found == {"pass@1": 1.0, "pass@1_t0.8": 0.5, "pass@10_t0.8": 1.0}
    (sample, _) = scores.samples.to_pylist()
    assert len(sample["outputs"]) == 11


def test_the_paper_draws_and_another_temperature_is_a_switch(tiny_model, problems, monkeypatch):
    scores, writer = run(tiny_model, problems, monkeypatch, mode="faithful", run_code=False)
    assert writer.asked == [(100, 0.1)]
    assert {row["metric"] for row in scores.rows} == {"pass@1_t0.1", "pass@10_t0.1"}
    _, writer = run(tiny_model, problems, monkeypatch, switches=["samples=2", "temperature=0.2"])
    assert writer.asked == [(2, None), (4, 0.2)]
    for value in ("0", "hot", "-1"):
        with pytest.raises(ConfigError, match="temperature must be one of"):
            practices("fixed", [f"temperature={value}"])


def test_each_mode_is_shown_and_compared_by_its_own_metric(tiny_model, problems, monkeypatch):
    scores, _ = run(tiny_model, problems, monkeypatch, mode="both", switches=["samples=1"])
    shown = [line.split() for line in repr(scores).splitlines() if " all " in line]
    assert [(words[-2], words[-1]) for words in shown] == [
        ("pass@1_t0.1", "faithful+samples=1"), ("pass@1", "fixed"),
    ]  # fmt: skip
    compared = compare_scores(scores, scores)
    assert set(compared["metric"]) == {"pass@1_t0.1", "pass@1"}


def test_summaries_have_bertscore_on_request(tiny_model, encoder, tmp_path, monkeypatch):
    from emma500.evaluation import loaded

    texts = ["the cat 0", ""]
    writer = SimpleNamespace(
        generate=lambda wanted, *_, **__: [Generated(text, False) for text in texts]
    )
    monkeypatch.setattr(loaded.Loaded, "generator", lambda _: writer)
    rows = [{"id": str(n), "summary": f"the cat {n}", "text": f"Habari {n}."} for n in range(2)]
    jsonl(tmp_path / "swahili_test.jsonl", rows)
    config = EvalConfig(bertscore=f"{encoder}:2", device="cpu")
    scores = evaluate(tiny_model, [f"xlsum={tmp_path}"], config=config)
    assert scores.value("xlsum", "swh_Latn", "bertscore") == pytest.approx(0.5, abs=1e-5)
    assert scores.manifest["config"]["bertscore"].startswith("bert")
    assert scores.manifest["config"]["bertscore"].endswith(":2")
    plain = evaluate(tiny_model, [f"xlsum={tmp_path}"], config=EvalConfig(device="cpu"))
    assert "bertscore" not in {row["metric"] for row in plain.rows}
    with pytest.raises(SourceError, match="neither a folder nor can it be read from the Hub"):
        evaluate(tiny_model, [f"xlsum={tmp_path}"], config=EvalConfig(bertscore="nobody/no"))


def test_progress_is_by_benchmark_with_the_languages_beside_it(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "ITEMS_AT_ONCE", 6)
    for code in ("sw", "th", "tr"):
        rows = [
            {"premise": f"{n}.", "choice1": "a", "choice2": "b", "question": "cause", "label": 0, "idx": n}
            for n in range(4)
        ]  # fmt: skip
        jsonl(tmp_path / f"xcopa/data/{code}/test.{code}.jsonl", rows)
    parquet(
        tmp_path / "mgsm/sw/test/0000.parquet",
        [{"question": "1?", "answer": None, "answer_number": 1}],
    )
    (tmp_path / "text").mkdir()
    (tmp_path / "text/sw.txt").write_text("Maji.\n")
    seen: list[tuple[str, int, int | None]] = []
    notes: list[str] = []

    class Shown:
        note = staticmethod(notes.append)

        def __call__(self, description, done, total):
            seen.append((description, done, total))

    config = EvalConfig(data_dir=str(tmp_path), max_new_tokens=3, max_length=32, device="cpu")
    evaluate(tiny_model, ["text", "xcopa", "mgsm"], config=config, progress=Shown())
    assert list(dict.fromkeys(told[0] for told in seen)) == [
        "text (text)",
        "xcopa (fixed)",
        "mgsm (fixed)",
    ]
    assert notes == ["swa_Latn", "tha_Thai", "tur_Latn", "swa_Latn"]
    counts = [told[1:] for told in seen if told[0] == "xcopa (fixed)"]
    assert [done for done, _ in counts] == sorted(done for done, _ in counts)
    assert (counts[0], counts[-1]) == ((0, 12), (12, 12))
    assert (4, 12) in counts
