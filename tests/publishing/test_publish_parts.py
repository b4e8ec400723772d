"""Leaderboards, generations, and what stays at home."""

import json
from dataclasses import fields
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from emma500 import storage
from emma500.errors import OutputError, SourceError
from emma500.evaluation.scores import Scores
from emma500.folder import Corpus
from emma500.publishing.checks import check_secrets
from emma500.publishing.corpus_card import corpus_card, license_file
from emma500.publishing.generations import _SETTINGS, generation_rows
from emma500.publishing.leaderboard import leaderboard_rows, leaderboard_table
from emma500.publishing.publish import PublishConfig, publish

pytestmark = pytest.mark.usefixtures("placeholders")


def scores_of(model, values, *, metric="chrf", stderr=0.5):
    """A manifest of scores with one measure by label."""
    keys = {"benchmark": "flores200", "mode": "fixed", "metric": metric}
    numbers = [each for each in values.values() if each is not None]
    mean = {"group": "all", "value": sum(numbers) / len(numbers), "stderr": stderr}
    return {
        "model": {"name": model, "revision": "r"},
        "results": [keys | {"label": label, "value": value} for label, value in values.items()],
        "aggregates": [keys | mean],
    }


def test_models_are_ranked_on_the_labels_that_all_of_them_have():
    rows = leaderboard_rows(
        [
            scores_of("easy", {"a": 10.0, "b": 20.0, "easy": 90.0}),
            scores_of("both", {"a": 20.0, "b": 20.0, "c": None}),
            scores_of("same", {"a": 30.0, "b": 10.0}),
            scores_of("same", {"a": 99.0, "b": 99.0}),
        ]
    )
    told = [
        (row["rank"], row["model"], row["value"], row["stderr"], row["n_labels"]) for row in rows
    ]
    assert told == [
        (1, "both", 20.0, 0.5, 2),
        (1, "same", 20.0, 0.5, 2),
        (3, "easy", 15.0, None, 2),
    ]


def test_less_is_better_where_it_is_and_models_without_common_labels_are_not_compared():
    for metric in ("nll_window_sum", "bits_per_byte"):
        rows = leaderboard_rows(
            [
                scores_of("one", {"a": 1.5}, metric=metric),
                scores_of("two", {"a": 1.0}, metric=metric),
            ]
        )
        assert [(row["model"], row["lower_is_better"]) for row in rows] == [
            ("two", True),
            ("one", True),
        ]
        assert leaderboard_table(rows).rows[0][2:5] == (f"`{metric}` ↓", "1", "`two`")
    assert leaderboard_rows([scores_of("one", {"a": 1.0}), scores_of("two", {"b": 2.0})]) == []


def test_any_number_of_scores_is_ranked_on_the_card_of_scores(after, before, tmp_path):
    third = type(after)(json.loads(json.dumps(after.manifest)), after.details)
    third.manifest["model"]["name"] = "third"
    done = publish(after, "user/scores", scores=[before, third, before], directory=tmp_path)
    assert done.path is not None
    rows = pq.read_table(done.path / "leaderboard.parquet").to_pylist()
    assert {row["model"] for row in rows} == {
        each.manifest["model"]["name"] for each in (after, before, third)
    }
    card = (done.path / "README.md").read_text(encoding="utf-8")
    assert "## Leaderboard" in card
    assert "| `third` |" in card


def test_an_output_has_its_prompt_its_settings_and_whether_its_language_is_right(written):
    rows = generation_rows(written)
    assert [(row["benchmark"], row["language"], row["number"]) for row in rows] == [
        ("flores200", "yor_Latn", 0),
        ("flores200", "nqo_Nkoo", 0),
        ("humaneval", "code-python", 0),
        ("humaneval", "code-python", 1),
    ]
    assert [row["is_right_language"] for row in rows] == [True, False, None, None]
    assert rows[3]["output"] == "    return 1"
    assert {row["model"] for row in rows} == {written.manifest["model"]["name"]}


def test_the_settings_of_an_output_are_options_that_there_are(written):
    from emma500.evaluation.evaluate import EvalConfig

    assert set(_SETTINGS) <= {each.name for each in fields(EvalConfig)}
    manifest = written.manifest | {"config": {"max_prompt": 64, "seed": 7, "limit": 3}}
    rows = generation_rows(Scores(manifest, written.details, samples=written.samples))
    assert json.loads(rows[0]["settings"]) == {"max_prompt": 64, "seed": 7}


def test_two_processes_do_not_lay_out_one_repository(after, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "_PATIENCE", 0.1)
    with (
        storage.locked(tmp_path / "user" / "scores.staged.tmp"),
        pytest.raises(OutputError, match="another process is writing"),
    ):
        publish(after, "user/scores", directory=tmp_path)
    assert publish(after, "user/scores", directory=tmp_path).n_uploaded > 0


def test_scores_without_outputs_have_no_generations(after, tmp_path):
    with pytest.raises(SourceError, match="these scores hold no outputs"):
        publish(after, "user/x", PublishConfig(generations=True), directory=tmp_path / "out")
    assert not list(tmp_path.rglob("*.tmp"))


def test_decisions_stay_at_home_unless_they_are_asked_for(corpus, tmp_path):
    root = Path(corpus.root)
    for name in ("decisions", "clusters"):
        (root / name).mkdir()
        (root / name / "part-00000.parquet").write_bytes(b"ids")
    manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    for name in ("decisions", "clusters"):
        manifest[name] = {"files": [f"{name}/part-00000.parquet"]}
    (root / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for config, has_decisions in ((PublishConfig(), False), (PublishConfig(decisions=True), True)):
        done = publish(root, "user/mala", config, directory=tmp_path / "out")
        assert ("decisions/part-00000.parquet" in done.files) == has_decisions
        assert "clusters/part-00000.parquet" in done.files
        assert done.path is not None
        assert ("decisions" in Corpus(done.path).manifest) == has_decisions


def test_a_private_corpus_without_a_token_and_one_that_is_not_there_are_told(client, corpus):
    client(f'publish({corpus.root!r}, "emma/mala", PublishConfig(private=True, **quick))')
    told = client(
        """
from emma500 import Corpus
told = []
for name in ("emma/mala", "emma/none", "no name"):
    try:
        Corpus.from_hub(name)
    except Exception as error:
        told.append([type(error).__name__, str(error)])
print(json.dumps(told))
""",
        token=False,
    )
    assert [kind for kind, _ in told] == ["SourceError"] * 3
    assert "there is no such data set or revision, or the token may not see it" in told[0][1]
    assert "cannot read emma/none on the Hub" in told[1][1]
    assert "named user/name, not 'no name'" in told[2][1]


@pytest.mark.parametrize("name", ["settings.JSON", "thresholds.tsv", "report.html"])
def test_a_token_in_any_text_file_is_refused(tmp_path, name):
    (tmp_path / name).write_text("hf_" + "aB3" * 12)
    with pytest.raises(SourceError, match=f"{name} would hold an access token"):
        check_secrets(tmp_path)


@pytest.mark.parametrize(
    ("licenses", "said"), [(("", ""), "2 of 2"), (("MIT", ""), "1 of 2"), (("MIT", "MIT"), "")]
)
def test_a_corpus_says_how_many_of_its_sources_state_no_licence(manifests, licenses, said):
    manifest = manifests["corpus"]
    source = manifest["sources"][0]
    sources = [source | {"name": f"s{n}", "license": each} for n, each in enumerate(licenses)]
    manifest = manifest | {"sources": sources}
    card = corpus_card(manifest, {}, repo_id="user/mala", config=PublishConfig())
    for text in (license_file(manifest), card.render()):
        assert ("No licence is stated of" in text) == bool(said)
        assert f"No licence is stated of {said}" in text or not said
    assert ("text under one licence" in license_file(manifest)) == ("MIT" in licenses)
