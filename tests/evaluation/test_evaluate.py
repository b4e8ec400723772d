import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from emma500.errors import ConfigError, LanguageError, OutputError, SourceError
from emma500.evaluation import evaluate as room
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.gathering import is_contaminated
from emma500.evaluation.scores import Scores

CONFIG = EvalConfig(max_length=128)


def files_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_model_is_scored_on_every_label_with_n_and_standard_error(tiny_model, parallel_texts):
    scores = evaluate(tiny_model, [str(parallel_texts)], config=CONFIG)
    assert len(scores.rows) == 3 * 3
    for row in scores.rows:
        assert row["n"] == 4
        assert row["stderr"] > 0
        assert row["model"] == "tiny"
        assert len(row["model_revision"]) == len(row["data_revision"]) == 16
    (mean,) = [
        row
        for row in scores.aggregates
        if (row["metric"], row["group"]) == ("bits_per_byte", "all")
    ]
    assert mean["clustered_by"] == "parallel_id"
    assert mean["value"] == pytest.approx(
        sum(scores.value("quartet", label) or 0 for label in ("eng_Latn", "swa_Latn", "yor_Latn"))
        / 3
    )


def test_finished_scores_are_returned_without_scoring_again(
    tiny_model, parallel_texts, tmp_path, monkeypatch
):
    first = evaluate(tiny_model, [str(parallel_texts)], config=CONFIG, output=tmp_path / "scores")
    monkeypatch.setattr(room, "score_wanted", None)
    again = evaluate(tiny_model, [str(parallel_texts)], config=CONFIG, output=tmp_path / "scores")
    assert again.manifest == first.manifest
    with pytest.raises(OutputError, match="holds another result"):
        evaluate(
            tiny_model,
            [str(parallel_texts)],
            config=EvalConfig(max_length=64),
            output=tmp_path / "scores",
        )


def test_the_same_call_writes_the_same_bytes_and_no_path_of_the_machine(
    tiny_model, parallel_texts, tmp_path
):
    for name in ("one", "two"):
        config = EvalConfig(max_length=128, data_dir=str(parallel_texts), device="cpu")
        evaluate(tiny_model, ["text"], config=config, output=tmp_path / name)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    for content in files_of(tmp_path / "one").values():
        assert str(tmp_path.parent).encode() not in content
        assert b"/" + tiny_model.parent.name.encode() not in content


def test_other_weights_are_another_revision(tiny_model, other_model, parallel_texts):
    one, two = (
        evaluate(model, [str(parallel_texts)], config=CONFIG) for model in (tiny_model, other_model)
    )
    assert one.manifest["model"]["revision"] != two.manifest["model"]["revision"]
    assert one.manifest["fingerprint"] != two.manifest["fingerprint"]
    frame = two.compare(one)
    mean = frame[(frame["label"] == "mean") & (frame["resource_group"] == "all")].iloc[0]
    assert mean["difference"] == pytest.approx(mean["after"] - mean["before"])
    assert mean["stderr"] > 0


def test_languages_are_asked_for_in_any_code_and_missing_is_not_zero(tiny_model, parallel_texts):
    scores = evaluate(tiny_model, [str(parallel_texts)], ["swh_Latn", "yo", "nqo"], CONFIG)
    assert {row["label"] for row in scores.rows} == {"swa_Latn", "yor_Latn"}
    assert scores.manifest["matched"] == [
        {"benchmark": "quartet", "asked": "swh_Latn", "label": "swa_Latn"}
    ]
    assert [row["label"] for row in scores.missing] == ["nqo_Nkoo"]
    assert "no data: nqo_Nkoo" in repr(scores)
    with pytest.raises(LanguageError, match="quartet has no text in nqo"):
        evaluate(tiny_model, [str(parallel_texts)], ["nqo"], CONFIG)


def test_fewer_documents_are_the_same_ones_in_every_language(tiny_model, parallel_texts):
    config = EvalConfig(max_length=128, limit=2, seed=3)
    details = evaluate(tiny_model, [str(parallel_texts)], config=config).details.to_pylist()
    chosen: dict[str, list[str]] = {}
    for row in details:
        chosen.setdefault(row["label"], []).append(row["parallel_id"])
    assert len({tuple(ids) for ids in chosen.values()}) == 1
    assert all(len(ids) == 2 for ids in chosen.values())


def test_bits_per_byte_stands_for_what_the_configuration_names(tiny_model, parallel_texts):
    config = EvalConfig(max_length=128, data=[f"text={parallel_texts}"])
    scores = evaluate(tiny_model, config=config, languages=["eng"])
    assert [row["name"] for row in scores.manifest["benchmarks"]] == ["quartet"]


def test_bits_per_byte_alone_runs_on_the_passages_that_pip_installed(tiny_model):
    pytest.importorskip("gflanguages")
    scores = evaluate(tiny_model, languages=["yor", "swh"], config=EvalConfig(max_length=256))
    (benchmark,) = scores.manifest["benchmarks"]
    assert (benchmark["name"], benchmark["n_labels"], benchmark["license"]) == (
        "gflanguages",
        2,
        "Apache-2.0",
    )
    rows = [
        row
        for row in scores.aggregates
        if (row["metric"], row["group"]) == ("bits_per_byte", "all")
    ]
    assert rows[0]["clustered_by"] == "label"  # the passages are not aligned


@pytest.fixture
def trained(tiny_model, tmp_path):
    """The tiny model as continue_pretrain would leave it."""
    import shutil

    folder = tmp_path / "run"
    shutil.copytree(tiny_model, folder)
    manifest = {
        "kind": "training-run", "base_model": {"name": "tiny"}, "corpus": {"digest": "c" * 64},
        "plan": [{"component": "monolingual", "label": "yor_Latn", "sources": ["gflanguages"]}],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_a_benchmark_the_model_was_trained_on_is_flagged(trained, parallel_texts):
    class Run:
        path = trained

    scores = evaluate(
        Run(), ["gflanguages", str(parallel_texts)], ["yor"], EvalConfig(max_length=256)
    )
    assert {row["name"]: row["contaminated"] for row in scores.manifest["benchmarks"]} == {
        "gflanguages": True,
        "quartet": False,
    }
    model = scores.manifest["model"]
    assert (model["base_model"], model["trained_labels"]) == ("tiny", ["yor_Latn"])
    assert "contaminated" in repr(scores)


def test_the_held_out_text_of_the_corpus_of_a_model_is_no_contamination():
    benchmark = SimpleNamespace(sources={"udhr"}, data=SimpleNamespace(revision="0123"))
    models = [
        SimpleNamespace(corpus_digest=digest, trained_sources={source})
        for digest, source in (("012345", "udhr"), ("987654", "udhr"), ("987654", "ntrex"))
    ]
    assert [is_contaminated(benchmark, each) for each in models] == [False, True, False]


def test_wrong_usage_names_the_way_out(tiny_model, parallel_texts, tmp_path):
    with pytest.raises(ConfigError, match=r"EvalConfig.limit must be at least 1, not 0"):
        EvalConfig(limit=0)
    with pytest.raises(ConfigError, match=r"unknown benchmark 'belebeel'.*nearest: belebele"):
        evaluate(tiny_model, ["belebeel"], config=CONFIG)
    with pytest.raises(ConfigError, match=r"name of its own.*quartet"):
        evaluate(tiny_model, [str(parallel_texts), f"text={parallel_texts}"], config=CONFIG)
    with pytest.raises(SourceError, match=r"holds no config.json"):
        evaluate(tmp_path, [str(parallel_texts)], config=CONFIG)
    with pytest.raises(SourceError, match=r"neither a folder nor can it be read from the Hub"):
        evaluate("nobody/nothing", [str(parallel_texts)], config=CONFIG)
    (tmp_path / "notes").write_text("x")
    with pytest.raises(OutputError, match="not a finished scores"):
        evaluate(tiny_model, [str(parallel_texts)], config=CONFIG, output=tmp_path)


def test_two_documents_with_one_id_are_refused(tiny_model, tmp_path):
    (tmp_path / "eng_Latn.jsonl").write_text('{"id": 1, "text": "a"}\n{"id": 1, "text": "b"}\n')
    with pytest.raises(SourceError, match=r"two documents with the id '1' in eng_Latn"):
        evaluate(tiny_model, [str(tmp_path)], config=CONFIG)


def test_the_configuration_becomes_flags_and_a_yaml_file(tmp_path):
    from trl import TrlParser

    (tmp_path / "run.yaml").write_text("max_length: 64\ndata: [sib200, validation]\n")
    parser = TrlParser([EvalConfig])
    (config,) = parser.parse_args_and_config(
        ["--config", str(tmp_path / "run.yaml"), "--seed", "7"]
    )
    assert (config.max_length, config.data, config.seed) == (64, ["sib200", "validation"], 7)


def test_importing_the_room_loads_nothing_heavy():
    code = (
        "import sys, emma500.evaluation.evaluate, emma500.evaluation.scores;"
        "print([name for name in ('torch', 'datasets', 'evaluate', 'pandas', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_saved_scores_are_found_again_by_another_process(tiny_model, parallel_texts, tmp_path):
    evaluate(tiny_model, [str(parallel_texts)], config=CONFIG, output=tmp_path / "scores")
    assert Scores.load(tmp_path / "scores").manifest["kind"] == "scores"
