import os
import shutil
from pathlib import Path
from typing import Any

import datasets
import pytest

from emma500.errors import UsageError
from emma500.evaluation.evaluate import evaluate
from emma500.evaluation.polywrite.build import PolyWriteConfig, build_polywrite
from emma500.manifest import read_manifest, write_manifest
from emma500.publishing import scores_figures as figures
from emma500.publishing.polywrite_figure import tasks_figure
from emma500.publishing.publish import publish
from emma500.publishing.scores_figures import scores_figures


class Backwards:
    def __init__(self):
        self.description = {"name": "backwards", "revision": "abc", "num_beams": 1}

    def supports(self, label):
        return True

    def translate(self, texts, *, source, target):
        lost = "letter" if target == "fin_Latn" else "\0"
        return ["lost" if lost in each else each[::-1] for each in texts]


@pytest.fixture(scope="module")
def polywrite(tmp_path_factory):
    config = PolyWriteConfig(categories=["letter", "lesson", "recipe"])
    output = tmp_path_factory.mktemp("polywrite") / "small"
    return build_polywrite(Backwards(), ["fi", "swh", "ka"], output, config)


def test_a_repository_has_the_records_their_card_and_the_figure_of_tasks(polywrite, tmp_path):
    repo = publish(polywrite.path, "user/small-polywrite", directory=tmp_path)
    assert set(repo.files) == {
        "README.md", "manifest.json", "fin_Latn.jsonl", "kat_Geor.jsonl", "swh_Latn.jsonl", "excluded.jsonl",
        "figures/tasks.png", "figures/tasks.svg",
    }  # fmt: skip
    card = (tmp_path / "user/small-polywrite" / "README.md").read_text(encoding="utf-8")
    kept = sum(row["n_kept"] for row in polywrite.manifest["languages"])
    assert kept < 45
    assert f"{kept} prompts to write something, in 3 languages: 3 tasks" in card
    assert "The translator was `backwards` (revision `abc`)" in card
    assert "These are machine translations." in card
    assert "| `fin_Latn` | Finnish |" in card
    assert publish(polywrite.path, "user/small-polywrite", directory=tmp_path).n_uploaded == 0


def test_the_rendered_example_is_what_the_template_gives(polywrite, tmp_path):
    folder = tmp_path / "made"
    shutil.copytree(polywrite.path, folder)
    manifest = read_manifest(folder)
    fixed = {"versions": {"emma500": "0.1.0"}, "fingerprint": "0" * 32}
    write_manifest(folder, manifest | fixed)
    publish(folder, "user/polywrite", directory=tmp_path)
    text = (tmp_path / "user/polywrite/README.md").read_text(encoding="utf-8")
    example = Path(__file__).parents[2] / "dataset_cards" / "example-polywrite" / "README.md"
    if os.environ.get("EMMA500_UPDATE_EXAMPLES"):
        example.parent.mkdir(exist_ok=True)
        example.write_text(text, encoding="utf-8")
    assert example.read_text(encoding="utf-8") == text, "render again: EMMA500_UPDATE_EXAMPLES=1"


def test_datasets_loads_all_languages_one_and_what_was_left_out(polywrite, tmp_path):
    repo = publish(polywrite.path, "user/small-polywrite", directory=tmp_path)
    cache = {"cache_dir": str(tmp_path / "cache"), "split": "train"}
    every = datasets.load_dataset(str(repo.path), **cache)
    one = datasets.load_dataset(str(repo.path), "fin_Latn", **cache)
    excluded = datasets.load_dataset(str(repo.path), "excluded", **cache)
    assert len(every) + len(excluded) == 45
    assert one["prompt_en"] == [row["prompt_en"] for row in polywrite.rows("fin_Latn")]
    assert set(excluded["reason"]) == {"bleu"}


def test_a_model_writes_on_what_was_built_or_published(polywrite, tiny_model, tmp_path):
    from emma500.evaluation.evaluate import EvalConfig

    repo = publish(polywrite.path, "user/small-polywrite", directory=tmp_path)
    config = EvalConfig(limit=2, max_new_tokens=4)
    built, published = (
        evaluate(tiny_model, [f"polywrite={path}"], ["fi", "ka"], config)
        for path in (polywrite.path, repo.path)
    )
    assert built.rows == published.rows
    assert {row["label"] for row in built.rows} == {"fin_Latn", "kat_Geor"}
    texts = {row["prompt_translated"] for row in polywrite.rows("fin_Latn")}
    assert set(built.samples.to_pylist()[0]["prompt"].splitlines()) <= texts


def test_the_figure_of_tasks_is_the_same_each_time(polywrite, tmp_path):
    one = tasks_figure(polywrite.manifest, tmp_path / "one")
    other = tasks_figure(polywrite.manifest, tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()
    assert one.with_suffix(".png").read_bytes() == other.with_suffix(".png").read_bytes()


def test_scores_are_drawn_by_benchmark_and_model(tiny_model, save_model, tmp_path):
    from emma500.evaluation.evaluate import EvalConfig

    folder = tmp_path / "texts"
    folder.mkdir()
    for n, label in enumerate(["eng_Latn", "fin_Latn", "swh_Latn", "kat_Geor"], start=1):
        (folder / f"{label}.txt").write_text("One two three.\nFour.\n" * n, encoding="utf-8")
    scores = [
        evaluate(model, [str(folder)], config=EvalConfig(max_length=64))
        for model in (tiny_model, save_model("small", seed=3))
    ]
    drawn = scores_figures(scores, tmp_path / "figures")
    assert [path.name for path in drawn] == [
        "languages-texts-fixed-bits_per_byte.svg",
        "slopes-texts-fixed-bits_per_byte.svg",
        "groups-texts-fixed-bits_per_byte.svg",
        "reliability-texts-fixed-bits_per_byte-tiny.svg",
        "reliability-texts-fixed-bits_per_byte-small.svg",
    ]
    assert all(path.with_suffix(".png").is_file() for path in drawn)
    assert "tiny" in drawn[tmp_path / "figures" / "slopes-texts-fixed-bits_per_byte.svg"]
    alone = scores_figures(scores[:1], tmp_path / "alone")
    assert [path.name for path in alone] == [
        "languages-texts-fixed-bits_per_byte.svg", "reliability-texts-fixed-bits_per_byte.svg",
    ]  # fmt: skip
    few = evaluate(tiny_model, [str(folder)], ["fin", "eng"], EvalConfig(max_length=64))
    with pytest.raises(UsageError, match="nothing to draw: no benchmark has 3 languages"):
        scores_figures([few], tmp_path / "none")


def test_what_a_model_was_trained_on_is_marked_and_its_clean_items_have_a_column(
    tiny_model, monkeypatch, tmp_path
):
    from emma500.evaluation.evaluate import EvalConfig

    folder = tmp_path / "texts"
    folder.mkdir()
    labels = ["eng_Latn", "fin_Latn", "swh_Latn"]
    for label in labels:
        (folder / f"{label}.txt").write_text("One two three.\nFour.\n", encoding="utf-8")
    scores = evaluate(tiny_model, [str(folder)], config=EvalConfig(max_length=64))
    scores.manifest["benchmarks"][0]["contaminated"] = True
    key = {"benchmark": "texts", "mode": "fixed", "metric": "bits_per_byte"}
    scores.manifest["clean"] = [
        {**key, "label": label, "value_clean": value, "n": 2, "n_clean": n_clean}
        for label, value, n_clean in zip(labels, (1.5, None, 2.0), (1, 0, 2), strict=True)
    ]
    drawn = dict[str, Any]()

    def record(values, *_, **how):
        drawn.update(values, **how)
        return tmp_path

    monkeypatch.setattr(figures, "heatmap_figure", record)
    scores_figures([scores], tmp_path / "figures")
    assert set(drawn["tiny †"]) == set(labels)
    assert drawn["tiny, clean items"] == {"eng_Latn": 1.5, "fin_Latn": None}  # of swh_Latn all are
    assert drawn["title"].endswith("† trained on its source")
