"""A training made small: the same run with fewer tokens."""

import pytest

from emma500 import TrainConfig
from emma500.recipes.scaling import scaled

PRESETS = ("emma500-llama2", "emma500-llama3-mono", "emma500-llama3-bi")


def tokens(config):
    return config.max_steps * config.global_batch_size * config.max_length


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("scale", [1e-8, 1e-6, 1e-4, 0.01, 0.5])
def test_a_scaled_run_has_its_part_of_the_tokens_to_half_a_step(name, scale):
    whole = TrainConfig.preset(name)
    small = scaled(whole, scale)
    step = small.global_batch_size * small.max_length
    assert abs(tokens(small) - scale * tokens(whole)) <= step / 2
    assert small.max_steps <= whole.max_steps
    assert small.max_length <= whole.max_length
    assert step <= whole.global_batch_size * whole.max_length


def test_a_scaled_run_keeps_the_mix_the_rate_and_the_schedule():
    whole = TrainConfig.preset("emma500-llama2")
    small = scaled(whole, 1e-6)
    for name in ("mixture", "learning_rate", "lr_scheduler_type", "max_epochs", "optim", "seed"):
        assert getattr(small, name) == getattr(whole, name), name
    assert small.warmup_steps == pytest.approx(500 / 12_000)
    assert (small.max_steps, small.global_batch_size, small.max_length) == (112, 7, 256)


def test_the_whole_scale_changes_nothing():
    whole = TrainConfig.preset("emma500-llama3-bi")
    assert scaled(whole, 1) is whole
