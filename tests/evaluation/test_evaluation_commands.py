import csv
import io
import json
from pathlib import Path

import pytest

from emma500.cli import main
from emma500.evaluation.aggregation import details_schema
from emma500.evaluation.metrics.measured import mean_of
from emma500.evaluation.model_comparison import compare_scores
from emma500.evaluation.scores import Scores
from emma500.evaluation.significance import benjamini_hochberg
from emma500.evaluation.tasks.results import measures_schema
from emma500.languages.labels import inventory

MANY = [each.label for each in inventory() if each.script == "Latn"][:60]


def scores_of(name, right, n=40):
    """Scores of a model that is right on so many of the same items in each language."""
    import pyarrow as pa

    measured = {
        label: mean_of("accuracy", [1.0] * count + [0.0] * (n - count))
        for label, count in right.items()
    }
    base = {"benchmark": "sib200", "mode": "faithful", "metric": "accuracy"}
    measures = [
        {**base, "label": label, "id": str(row), "parallel_id": str(row), "statistics": values}
        for label, each in measured.items()
        for row, values in enumerate(each.rows.tolist())
    ]
    results = [
        {**base, "label": label, "resource_group": "high", "resource_match": "exact", "value": each.value,
         "stderr": each.stderr, "n": n, "n_bytes": None, "n_tokens": None, "model": name, "model_revision": "1",
         "data_revision": "1", "seed": 42}
        for label, each in measured.items()
    ]  # fmt: skip
    mean = sum(row["value"] for row in results) / len(results)
    aggregate = {**base, "group": "all", "value": mean, "stderr": 0.01, "n": n, "n_labels": len(results)}  # fmt: skip
    manifest = {
        "kind": "scores", "fingerprint": name, "model": {"name": name, "revision": "1"}, "config": {}, "versions": {},
        "benchmarks": [{"name": "sib200", "metrics": ["accuracy"], "shape": "classification"}],
        "results": results, "aggregates": [aggregate], "matched": [], "missing": [],
    }  # fmt: skip
    return Scores(
        manifest,
        details_schema().empty_table(),
        measures=pa.Table.from_pylist(measures, schema=measures_schema()),
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One model that is much better in the first ten languages, worse in one, and equal in the others."""
    root = tmp_path_factory.mktemp("scores")
    before = scores_of("old", dict.fromkeys(MANY, 15))
    right = [35] * 10 + [2] + [15] * 49
    after = scores_of("new", dict(zip(MANY, right, strict=True)))
    return [str(each.save(root / name)) for name, each in (("after", after), ("before", before))]


def test_benjamini_hochberg_is_the_published_procedure():
    p = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
        0.759, 1.0,
    ]  # fmt: skip
    adjusted = benjamini_hochberg(p)  # the example of the 1995 paper: four are found at 5%
    assert [each < 0.05 for each in adjusted] == [True] * 4 + [False] * 11
    assert adjusted[3] == pytest.approx(0.0095 * 15 / 4)
    assert benjamini_hochberg(p[::-1]) == adjusted[::-1]
    assert benjamini_hochberg([None, 0.5, None]) == [None, 0.5, None]
    assert benjamini_hochberg([]) == []


def test_the_languages_that_differ_are_found_and_which_model_is_better(folders):
    frame = compare_scores(*map(Scores.load, folders)).set_index("label")
    assert set(frame.index[frame["better"] == "after"]) == {*MANY[:10], "all"}
    assert list(frame.index[frame["better"] == "before"]) == [MANY[10]]
    assert frame.loc[MANY[0], "difference"] == pytest.approx(0.5)
    assert frame.loc[MANY[20], "p_fdr"] == 1.0
    assert (frame["p_holm"] >= frame["p_fdr"]).all()
    assert frame.loc["all", "n"] == 60 * 40


def test_two_models_on_texts_are_judged_where_less_is_better(tiny_model, other_model, tmp_path):
    from emma500.evaluation.evaluate import EvalConfig, evaluate

    for word, label in zip(
        ("kala", "samaki", "fish"), ("fin_Latn", "swh_Latn", "eng_Latn"), strict=True
    ):
        lines = "".join(f"{word} {word * (n % 5)} {n}\n" for n in range(40))
        (tmp_path / f"{label}.txt").write_text(lines, encoding="utf-8")
    one, other = (
        evaluate(model, [str(tmp_path)], config=EvalConfig(max_length=64, batch_size=8))
        for model in (tiny_model, other_model)
    )
    frame = compare_scores(one, other).set_index("label")
    mirrored = compare_scores(other, one).set_index("label")
    assert list(frame.index) == ["eng_Latn", "fin_Latn", "swh_Latn", "all"]
    assert frame["difference"].tolist() == (-mirrored["difference"]).tolist()
    for label, row in frame[frame["better"] != ""].iterrows():
        assert (row["better"] == "after") == (row["difference"] < 0)
        assert mirrored.loc[label, "better"] != row["better"]
    paired = one.compare(other).set_index("label")
    assert frame.loc["eng_Latn", "difference"] == paired.loc["eng_Latn", "difference"]
    assert (frame["better"] != "").any()


def test_compare_prints_the_means_and_the_languages_that_differ_most(folders, capsys):
    assert main(["evaluate", "compare", *folders, "--most", "12"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("new against old: difference [95%], means over languages\n")
    assert "better in 10 and worse in 1 of 60 languages (p_fdr < 0.05); the 12 largest" in told
    lines = told.splitlines()
    assert sum(line.endswith("better") for line in lines) == 10
    assert sum(line.endswith("worse") for line in lines) == 1
    assert max(map(len, lines)) <= 120


def test_sixty_copies_of_the_same_items_are_no_more_evidence_than_one():
    one, other = (scores_of(name, dict.fromkeys(MANY, n)) for name, n in (("new", 25), ("old", 15)))
    frame = compare_scores(one, other).set_index("label")
    width = frame["high"] - frame["low"]
    assert width["all"] == pytest.approx(width[MANY[0]], rel=0.2)


def test_items_are_paired_by_their_ids_whatever_their_order():
    one, other = (scores_of(name, dict.fromkeys(MANY, n)) for name, n in (("new", 25), ("old", 15)))
    places = list(range(len(other.measures)))[::-1]
    turned = Scores(other.manifest, other.details, measures=other.measures.take(places))
    assert compare_scores(one, turned).equals(compare_scores(one, other))


def test_compare_says_what_is_not_the_same_in_both(tmp_path, capsys):
    one, other = (scores_of(name, dict.fromkeys(MANY, 15)) for name in ("new", "old"))
    assert compare_scores(one, other).attrs["unlike"] == []
    for row in one.manifest["results"][:3]:
        row["data_revision"] = "2"
    told = "sib200 (faithful): other data or prompts in 3 languages"
    assert compare_scores(one, other).attrs["unlike"] == [told]
    one.manifest["config"] |= {"shots": 3, "limit": 9}
    folders = [str(each.save(tmp_path / name)) for name, each in (("one", one), ("other", other))]
    assert main(["evaluate", "compare", *folders]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[1] == "  not the same in both: shots: 3 after, none given before"
    assert not any("other data" in line for line in shown)


def test_compare_prints_csv_and_json_of_all_languages(folders, capsys):
    assert main(["evaluate", "compare", *folders, "--form", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 61
    assert main(["evaluate", "compare", *folders, "--form", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["label"] for row in found] == [row["label"] for row in rows]
    assert found[0]["difference"] == pytest.approx(float(rows[0]["difference"]))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["compare", "ONE"], "two folders of scores are compared, not 1: emma500 evaluate compare"),
        (["compare", "ONE", "ONE", "--metrics", "bleu"], "share neither a document nor an item"),
        (["lint"], "no scores: emma500 evaluate lint FOLDER"),
        (["figures"], "no scores: emma500 evaluate figures FOLDER"),
        (["published"], "--scores is required"),
        (["prompts", "ONE"], "no benchmark was asked with several prompts"),
        (["export", "ONE"], "--output is required"),
        (["polywrite", "--languages", "sw"], "--translator is required"),
    ],
)
def test_a_wrong_call_says_what_is_missing(folders, capsys, words, told):
    assert main(["evaluate", *(folders[0] if word == "ONE" else word for word in words)]) == 2
    assert told in capsys.readouterr().err


def test_lint_names_each_kind_of_fault_once_and_says_when_there_is_none(folders, capsys, tmp_path):
    copy = scores_of("copy", {label: 2 + n for n, label in enumerate(MANY[:30])})
    other = scores_of("other", {label: 2 + n for n, label in enumerate(MANY[:30])})
    paths = [str(each.save(tmp_path / each.manifest["model"]["name"])) for each in (copy, other)]
    assert main(["evaluate", "lint", *paths, "--identifier", ""]) == 0
    told = capsys.readouterr().out
    assert told.startswith("identical (1): two models have the same numbers in every language")
    assert "copy = other: the same numbers in all 30 languages" in told
    assert main(["evaluate", "lint", *paths, "--identifier", "", "--form", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["models"] == "copy other"
    assert main(["evaluate", "lint", paths[0], "--identifier", ""]) == 0
    assert capsys.readouterr().out == "no faults found\n"


def test_lint_finds_the_known_faults_of_the_published_tables(shared, capsys):
    assert main(["evaluate", "lint", str(shared / "published" / "evaluation_results")]) == 0
    told = capsys.readouterr().out
    assert {line.split()[0] for line in told.splitlines() if not line.startswith(" ")} == {
        "identical", "constant", "average", "unsegmented",
    }  # fmt: skip
    assert "constant (10)" in told
    assert "average (28)" in told


def test_published_lays_scores_beside_the_tables_and_says_what_is_not_comparable(folders, capsys):
    assert main(["evaluate", "published", folders[0]]) == 0
    told = capsys.readouterr().out
    assert "68.93  Qwen3-14B-Base" in told
    assert "60 of 205" in told
    assert "not all languages of the published tables" in told
    assert "faithful mode" not in told
    assert main(["evaluate", "published", folders[0], "--form", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["benchmark"], row["all_labels"], row["published_labels"]) == ("sib200", False, 205)


def test_figures_and_export_print_what_they_wrote(folders, capsys, tmp_path):
    assert main(["evaluate", "figures", *folders, "--output", str(tmp_path / "figures")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0].rpartition("/")[2] for line in lines] == [
        "languages-sib200-faithful-accuracy.svg", "slopes-sib200-faithful-accuracy.svg",
        "groups-sib200-faithful-accuracy.svg", "wins-new.svg", "wins-old.svg",
    ]  # fmt: skip
    assert main(["evaluate", "export", folders[0], "--output", str(tmp_path / "out")]) == 0
    written = capsys.readouterr().out.strip()
    assert (
        json.loads(Path(written).read_text(encoding="utf-8"))["groups"]["sib200"]["acc,none"] > 0.4
    )


def test_polywrite_is_built_from_the_command_line(tiny_model, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("EMMA500_PROGRESS", "0")
    words = [str(tiny_model), "--languages", "fi", "--categories", "fable"]
    monkeypatch.setattr(
        "emma500.evaluation.polywrite.translators.CausalTranslator.translate",
        lambda self, texts, *, source, target: [each[::-1] for each in texts],
    )
    assert main(["evaluate", "polywrite", *words, "--output", str(tmp_path / "p")]) == 0
    assert "PolyWrite of tiny: 5 of 5 prompts kept, 1 languages, 1 tasks" in capsys.readouterr().out
