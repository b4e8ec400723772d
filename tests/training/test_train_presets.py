"""Presets of training: a table of fields, each with how sure it is."""

from dataclasses import fields

import pytest

from emma500 import TrainConfig
from emma500.cli.commands import COMMANDS
from emma500.cli.parsing import parse
from emma500.errors import ConfigError, UsageError
from emma500.mixture.planning.presets import published_rates
from emma500.tables import read_table
from emma500.training.presets import preset_fields, preset_names


def test_the_papers_preset_is_its_tokens_and_steps():
    config = TrainConfig.preset("emma500-llama2")
    assert config.global_batch_size * config.max_length == 16_777_216
    assert config.max_steps * config.global_batch_size * config.max_length == 201_326_592_000
    assert config.mixture == "emma500"
    rates = published_rates("emma500").values()
    assert config.max_epochs >= max(rates)
    assert (config.learning_rate, config.lr_scheduler_type, config.warmup_steps) == (
        1e-4,
        "cosine",
        500,
    )


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_a_configuration_and_can_be_changed(name):
    assert TrainConfig.preset(name, seed=7) == TrainConfig(**preset_fields(name), seed=7)
    assert TrainConfig.preset(name, max_length=128).max_length == 128


def test_every_value_says_how_sure_it_is():
    known = {each.name for each in fields(TrainConfig)}
    for row in read_table("train_presets"):
        assert row["field"] in known
        assert row["grade"] in {"derived", "noted", "remembered", "measured", "ours"}
    remembered = [
        row["field"] for row in read_table("train_presets") if row["grade"] == "remembered"
    ]
    assert remembered == ["learning_rate", "lr_scheduler_type", "warmup_steps", "optim", "bf16"]


def test_an_unknown_preset_is_refused_with_the_nearest():
    with pytest.raises(
        ConfigError, match="no preset 'emma500-llama' of training; did you mean emma500-llama2"
    ):
        TrainConfig.preset("emma500-llama")


def train(*words):
    return parse("train", COMMANDS["train"], list(words))


def test_flags_override_the_preset_on_the_command_line():
    _, config = train("--preset", "emma500-llama2", "--max_steps", "7")
    assert config == TrainConfig.preset("emma500-llama2", max_steps=7)
    _, config = train("--preset=cpu-demo")
    assert config == TrainConfig.preset("cpu-demo")


def test_a_file_may_name_the_preset_and_override_it(tmp_path):
    file = tmp_path / "train.yaml"
    file.write_text("preset: cpu-demo\nmax_length: 96\n")
    arguments, config = train("--config", str(file), "--seed", "3")
    assert arguments.preset == "cpu-demo"
    assert config == TrainConfig.preset("cpu-demo", max_length=96, seed=3)


def test_an_unknown_preset_on_the_command_line_is_wrong_usage():
    with pytest.raises(UsageError, match="no preset 'x' of training"):
        train("--preset", "x")
