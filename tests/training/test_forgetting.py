"""Languages the base knows: watched, warned of, stopped for, replayed more; and the best step kept."""

import shutil
from typing import Any

import pytest

from emma500.errors import LanguageError, TrainingError
from emma500.training.run import continue_pretrain
from emma500.training.validation.gate import best_step, forgotten, tracked_values
from emma500.training.validation.replay import Raise, raises, with_replay


@pytest.fixture(scope="module")
def english(tmp_path_factory, corpus, model):
    """A model that knows English."""
    from emma500.training.config import TrainConfig

    output = tmp_path_factory.mktemp("english") / "base"
    config = TrainConfig(
        languages=["eng_Latn"], components=["monolingual"], max_steps=30, max_length=64,
        gradient_accumulation_steps=2, learning_rate=1e-2, bf16=False,
    )  # fmt: skip
    return continue_pretrain(model, corpus, output, config).path


@pytest.fixture
def georgian(config):
    """A run that forgets English: nothing else than Georgian, in large steps."""

    def make(**changes):
        return config(
            **{
                "languages": ["kat_Geor"], "components": ["monolingual"], "replay_share": 0.0, "max_steps": 12,
                "eval_steps": 6, "learning_rate": 1e-2, "bf16": False, "save_steps": 4, **changes,
            }
        )  # fmt: skip

    return make


def rows(step, **values):
    return [{"step": step, "label": label, "bits_per_byte": v} for label, v in values.items()]


def test_only_watched_languages_that_lost_more_than_the_limit_are_forgotten():
    results = rows(0, a=1.0, b=2.0, c=1.0) + rows(5, a=1.1, b=2.5, c=9.0)
    assert forgotten(results, 5, ["a", "b"], 0.05) == pytest.approx({"b": 0.25, "a": 0.1})
    assert list(forgotten(results, 5, ["a", "b"], 0.05)) == ["b", "a"]
    assert list(forgotten(results, 5, ["a", "b"], 0.2)) == ["b"]
    assert forgotten(results, 5, ["d"], 0.0) == {}


def test_the_best_step_has_the_lowest_mean_over_labels_and_is_never_the_base():
    results = (
        rows(0, a=0.1, b=0.1)
        + rows(5, a=2.0, b=4.0)
        + rows(10, a=3.0, b=1.0)
        + rows(15, a=1.0, b=1.0)
    )
    assert best_step(results, 15, ["a", "b"]) == 15
    assert best_step(results, 10, ["a", "b"]) == 10
    assert best_step(results, 10, ["a"]) == 5
    assert best_step([], 7, ["a"]) == 7


def test_trackers_are_told_labels_and_the_means_of_resource_groups():
    values = tracked_values(rows(5, eng_Latn=1.0, deu_Latn=2.0, yor_Latn=4.0))
    assert values["eval_bits_per_byte/yor_Latn"] == 4.0
    assert values["eval_bits_per_byte/group/high"] == 1.5
    assert values["eval_bits_per_byte/group/all"] == pytest.approx(7 / 3)
    assert tracked_values([]) == {}


def test_a_base_language_is_validated_though_it_is_not_trained_on_and_a_loss_is_warned_of(
    tmp_path, corpus, english, georgian, caplog
):
    run = continue_pretrain(english, corpus, tmp_path / "out", georgian())
    assert run.languages == ("kat_Geor",)
    assert run.manifest["watched"] == ["eng_Latn"]
    assert sorted(run.change()) == ["eng_Latn", "kat_Geor"]
    assert run.change()["eng_Latn"] > 0.05
    assert "step 6: eng_Latn +" in caplog.text
    assert "forgetting_limit is 5.0%" in caplog.text


def test_a_language_that_was_asked_to_be_watched_must_be_there(tmp_path, corpus, model, config):
    with pytest.raises(LanguageError, match="fra_Latn"):
        continue_pretrain(
            model, corpus, tmp_path / "out", config(forgetting_languages=["fra_Latn"])
        )


def test_forgetting_stops_a_run_with_a_checkpoint_from_which_it_goes_on_when_told_to(
    tmp_path, corpus, english, georgian
):
    whole = continue_pretrain(english, corpus, tmp_path / "whole", georgian())
    for _ in range(2):  # the second call does not train past the gate
        with pytest.raises(
            TrainingError, match=r"stopped at step 6 of 12: eng_Latn \+.*on_forgetting='warn'"
        ):
            continue_pretrain(english, corpus, tmp_path / "out", georgian(on_forgetting="stop"))
    steps = []
    run = continue_pretrain(
        english, corpus, tmp_path / "out", georgian(),
        progress=lambda what, done, total: steps.append(done) if what == "training" else None,
    )  # fmt: skip
    assert steps[0] == 6
    assert (run.path / "model.safetensors").read_bytes() == (
        whole.path / "model.safetensors"
    ).read_bytes()


def test_raised_replay_keeps_the_language_and_the_record_says_what_was_read(
    tmp_path, corpus, english, georgian, monkeypatch
):
    from emma500.training import session

    without = continue_pretrain(
        english, corpus, tmp_path / "without", georgian(max_steps=24, eval_steps=8)
    )
    config = georgian(on_forgetting="raise_replay", max_steps=24, eval_steps=8)
    run = continue_pretrain(english, corpus, tmp_path / "out", config)
    raised = run.manifest["replay_raised"]
    assert raised[0]["step"] == 8
    assert [each["replay_share"] for each in raised] == [0.05, 0.1, 0.25, 0.5][: len(raised)]
    assert run.change()["eng_Latn"] < without.change()["eng_Latn"]
    plan = {row["label"]: row for row in run.manifest["plan"]}
    assert plan["eng_Latn"]["replay"]
    assert plan["eng_Latn"]["n_tokens_trained"] > 0
    assert run.manifest["n_tokens"] == sum(row["n_tokens_trained"] for row in plan.values())

    def stop(*_, **__):
        raise KeyboardInterrupt

    with (
        monkeypatch.context() as patched
    ):  # again, killed before its end: the raises are found again
        patched.setattr(session, "export", stop)
        with pytest.raises(KeyboardInterrupt):
            continue_pretrain(english, corpus, tmp_path / "again", config)
    last = tmp_path / "again.work" / "checkpoints" / "checkpoint-24"
    shutil.rmtree(last)
    again = continue_pretrain(english, corpus, tmp_path / "again", config)
    assert again.manifest == run.manifest
    assert (again.path / "model.safetensors").read_bytes() == (
        run.path / "model.safetensors"
    ).read_bytes()


def test_replay_is_raised_again_only_where_more_is_lost():
    from types import SimpleNamespace

    plan: Any = SimpleNamespace(n_steps=100, parts=[])
    results = rows(0, a=1.0) + rows(10, a=1.2) + rows(20, a=1.1) + rows(30, a=1.3) + rows(40, a=1.5)
    found = raises(results, 40, ["a"], limit=0.05, plan=plan)
    assert [(each.step, each.share) for each in found] == [(10, 0.05), (30, 0.1), (40, 0.25)]
    assert raises(results, 25, ["a"], limit=0.05, plan=plan) == found[:1]


def test_raised_replay_is_a_stage_from_its_step_on_and_cuts_the_stages_that_were_planned(config):
    from types import SimpleNamespace

    plan: Any = SimpleNamespace(n_steps=100, parts=[])
    raised = [Raise(step=25, share=0.1, lost={"eng_Latn": 0.2})]
    changed = with_replay(config(), plan, ["kat_Geor"], raised)
    assert [(each["share"], each["replay_share"]) for each in changed.stages] == [
        (0.25, 0),
        (0.75, 0.1),
    ]
    assert changed.replay_languages == ["eng_Latn"]
    assert changed.stages[0]["weights"] == {"eng_Latn": 0.0}
    staged = config(stages=[{"share": 0.5}, {"share": 0.5, "mixture": "uniform"}])
    changed = with_replay(staged, plan, ["kat_Geor"], raised)
    assert [each["share"] for each in changed.stages] == [0.25, 0.25, 0.5]
    assert [each.get("mixture") for each in changed.stages] == [None, None, "uniform"]


@pytest.mark.parametrize("use_peft", [False, True])
def test_the_best_step_by_validation_is_what_is_exported(tmp_path, corpus, model, config, use_peft):
    from emma500.folder import Corpus
    from emma500.models import document_nll, load_model, load_tokenizer
    from emma500.training.data import prepare

    settings = config(
        keep="best", eval_steps=2, max_steps=10, save_steps=5, learning_rate=0.5, bf16=False, keep_checkpoints=True,
        lr_scheduler_type="constant", use_peft=use_peft,
    )  # fmt: skip
    run = continue_pretrain(model, corpus, tmp_path / "out", settings)
    results = [row for row in run.manifest["validation"] if row["label"] in run.languages]
    means = {
        step: sum(row["bits_per_byte"] for row in results if row["step"] == step)
        for step in (2, 4, 6, 8, 10)
    }
    kept = run.manifest["kept_step"]
    assert kept == min(means, key=lambda step: means[step])
    assert kept != 10  # else nothing is shown: at this rate the tiny model gets worse and better
    data = prepare(
        Corpus(corpus), load_tokenizer(run.path), settings, rows_per_step=2, folder=tmp_path / "t"
    )
    assert data.validation is not None
    scored = data.validation.summary(kept, document_nll(load_model(run.path), data.validation.rows))
    recorded = {row["label"]: row for row in results if row["step"] == kept}
    for row in scored:
        assert row["bits_per_byte"] == pytest.approx(
            recorded[row["label"]]["bits_per_byte"], rel=1e-5
        )
    first = {row["label"]: row for row in results if row["step"] == 0}
    assert run.change()["yor_Latn"] == pytest.approx(
        recorded["yor_Latn"]["bits_per_byte"] / first["yor_Latn"]["bits_per_byte"] - 1
    )
    left = {each.name for each in (tmp_path / "out.work" / "checkpoints").iterdir()}
    assert left == {f"checkpoint-{kept}", "checkpoint-10"}


def test_a_best_checkpoint_that_is_gone_is_not_replaced_by_the_last_weights(tmp_path):
    from types import SimpleNamespace

    from emma500.training.loop.trainer import PretrainTrainer

    trainer: Any = SimpleNamespace(args=SimpleNamespace(output_dir=str(tmp_path)))
    with pytest.raises(TrainingError, match=r"step 4 is the best .* checkpoint-4 is gone"):
        PretrainTrainer.load_step(trainer, 4)
