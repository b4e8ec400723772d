"""From a configuration to what takes part, and to a plan before anything is tokenized."""

import json

import pytest

from emma500.errors import ConfigError, LanguageError
from emma500.folder import Corpus
from emma500.models import load_tokenizer
from emma500.training.config import TrainConfig
from emma500.training.data import prepare
from emma500.training.planning.mixing import Mix, plan_mixture


@pytest.fixture(scope="module")
def sized(tmp_path_factory, corpus):
    """The tiny corpus with a manifest that tells true sizes, as those that are built do."""
    root = tmp_path_factory.mktemp("sized") / "tiny"
    root.symlink_to(corpus)
    found = Corpus(root)
    found.manifest["stages"], found.manifest["counts"] = ["split"], []
    for row in found.manifest["splits"]:
        table = found.read(row["component"], row["label"], row["split"])
        assert table is not None
        columns = [
            name for name in ("text", "source_text", "target_text") if name in table.column_names
        ]
        texts = [text for name in columns for text in table[name].to_pylist()]
        row["n_bytes"] = sum(len(text.encode()) for text in texts)
        row["n_words"] = sum(len(text.split()) for text in texts)
        for source in table["source"].unique().to_pylist():
            found.manifest["counts"].append(
                {"component": row["component"], "label": row["label"], "source": source, "stage": "split",
                 "n_bytes": row["n_bytes"]}
            )  # fmt: skip
    return found


def shares(mixture):
    return {part.available.chosen.label: part.share for part in mixture.parts}


def test_a_plan_from_counts_is_close_to_that_of_the_tokens(sized, model, tmp_path):
    config = TrainConfig(languages=["yor_Latn", "kat_Geor"], max_length=64, max_steps=20)
    before = plan_mixture(sized, config, model=model, rows_per_step=2)
    after = prepare(
        sized, load_tokenizer(model), config, rows_per_step=2, folder=tmp_path / "tokens"
    ).rows.plan
    assert before.unit == "estimated tokens"
    assert before.n_steps == after.n_steps == 20
    assert before.tokens_per_step == after.tokens_per_step == 128
    assert shares(before) == pytest.approx(shares(after), rel=0.1)


def test_without_a_model_the_plan_counts_words(sized):
    mixture = plan_mixture(sized, TrainConfig(languages=["yor_Latn"], max_steps=1, max_length=16))
    assert mixture.unit == "words"
    assert mixture.tokens_per_step == 4 * 16  # rows of a step on one device
    [yoruba] = [p.available for p in mixture.parts if p.available.chosen.label == "yor_Latn"]
    [row] = [
        row
        for row in sized.manifest["splits"]
        if (row["label"], row["split"]) == ("yor_Latn", "train")
    ]
    assert yoruba.n_tokens == row["n_words"]
    assert f"of {row['n_words']:,} words" in repr(mixture)


def test_what_weights_name_is_checked_before_anything_is_tokenized(sized):
    with pytest.raises(LanguageError, match="no text in 'yor_Arab'; nearest: yor_Latn"):
        Mix.of(sized, TrainConfig(weights={"yor_Arab": 2}))
    with pytest.raises(ConfigError, match="shares names 'papers', but there is no text"):
        Mix.of(sized, TrainConfig(shares={"papers": 0.1}))


def test_a_component_that_is_named_and_empty_is_refused(sized):
    with pytest.raises(
        ConfigError,
        match="tiny has no papers text to train on; it has: monolingual, bilingual, code",
    ):
        Mix.of(sized, TrainConfig(components=["monolingual", "papers"]))


def test_a_published_mixture_takes_its_own_components_and_replays_nothing_unasked(sized):
    with pytest.raises(ConfigError, match=r"emma500 has papers, .*\['monolingual', 'code'\]"):
        Mix.of(sized, TrainConfig(mixture="emma500"))
    mix = Mix.of(sized, TrainConfig(mixture="emma500", components=["monolingual", "code"]))
    assert not any(each.replay for each in mix.chosen)
    assert {each.component for each in mix.chosen} == {"monolingual", "code"}


def test_a_stage_may_have_replay_of_its_own(sized):
    stages = [{"share": 0.5}, {"share": 0.5, "replay_share": 0.4}]
    config = TrainConfig(stages=stages, replay_share=0.1, max_steps=10, max_length=16)
    english = plan_mixture(sized, config).parts[0]
    assert english.available.chosen.replay
    assert english.stage_shares == pytest.approx((0.1, 0.4))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"mixture": "random"}, "TrainConfig.mixture must be one of proportional, uniform"),
        ({"weights": {"low": -1}}, "TrainConfig.weights must be 0 or more each"),
        ({"weights": {"low": "much"}}, "TrainConfig.weights must be 0 or more each"),
        ({"shares": {"code": 1.5}}, "TrainConfig.shares must be between 0 and 1 each"),
        (
            {"shares": {"code": 0.7}, "replay_share": 0.4},
            r"add up to 110.0% of the tokens \(code 70.0%, replay_share 40.0%\)",
        ),
        (
            {"stages": [{"share": 0.5}]},
            "TrainConfig.stages must be the whole run together, not 50.0%",
        ),
        (
            {"stages": [{"mixture": "uniform"}]},
            "stages: stage 1 has no share of the steps; a stage",
        ),
        (
            {"stages": [{"share": 1, "steps": 3}]},
            "stage 1 has no field 'steps'; a stage needs share, and may have mixture",
        ),
        (
            {"stages": [{"share": 1, "temperature": 0}]},
            "TrainConfig.stages: stage 1.temperature must be above 0, not 0",
        ),
    ],
)
def test_a_mixture_that_breaks_a_rule_is_refused(fields, said):
    with pytest.raises(ConfigError, match=said):
        TrainConfig(**fields)


def test_a_mixture_can_be_given_on_the_command_line(sized, capsys, tmp_path):
    from emma500 import cli

    folder = tmp_path / "corpus"
    folder.mkdir()
    for path in (tmp_path / sized.root).resolve().iterdir():
        if path.name != "manifest.json":
            (folder / path.name).symlink_to(path)
    (folder / "manifest.json").write_text(json.dumps(sized.manifest), encoding="utf-8")
    words = ["train", "mixture", "--dataset_name", str(folder), "--weights", "{kat_Geor: 0}",
             "--shares", "{bilingual: 0.5}", "--stages", "{share: 0.5}", "{share: 0.5, mixture: uniform}",
             "--max_steps", "4", "--max_length", "16", "--output", str(tmp_path / "out")]  # fmt: skip
    assert cli.main(words) == 0
    shown = capsys.readouterr().out
    assert "stage 2: steps 3 to 4, uniform weights kat_Geor 0 shares bilingual 0.5" in shown
    assert "left out with weight 0: 1 label" in shown
    assert (tmp_path / "out" / "mixture.png").read_bytes().startswith(b"\x89PNG")
    header = (tmp_path / "out" / "mixture.csv").read_text(encoding="utf-8").split("\n")[0]
    assert header.startswith("component,group,label,replay,sources")
