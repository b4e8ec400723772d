"""Schedules of the learning rate: those of transformers with defaults for continual pre-training, and the infinite one.

Steps may be given as shares: below 1 they are a share of all steps, as `warmup_steps` is.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from emma500.errors import ConfigError

INFINITE = "infinite"
"""The schedule of Ibrahim et al. (arXiv 2403.08763), which transformers lacks."""

_DEFAULTS: dict[str, dict[str, Any]] = {
    "warmup_stable_decay": {"decay_type": "1-sqrt", "num_decay_steps": 0.2},
    "cosine_with_min_lr": {"min_lr_rate": 0.1},
    INFINITE: {
        "num_cooldown_steps": 0.6,
        "num_decay_steps": 0.15,
        "constant_lr_rate": 0.5,
        "min_lr_rate": 0.1,
    },
}

_INSTEAD = {"min_lr_rate": "min_lr"}
"""A default is left out where its other form is given."""


def schedule_arguments(name: str, given: dict[str, Any], n_steps: int) -> dict[str, Any]:
    """Return the arguments of a schedule: what was given, and our defaults for the rest.

    Args:
        name: The schedule, as `lr_scheduler_type`.
        given: As `lr_scheduler_kwargs`.
        n_steps: Optimizer steps of the whole run.

    Returns:
        The arguments; shares of steps are steps.
    """
    defaults = {
        key: value
        for key, value in _DEFAULTS.get(name, {}).items()
        if _INSTEAD.get(key) not in given
    }
    return {
        key: _steps(value, n_steps) if key.startswith("num_") and key.endswith("_steps") else value
        for key, value in {**defaults, **given}.items()
    }


def make_schedule(
    name: str, optimizer: Any, *, n_warmup: int, n_steps: int, given: dict[str, Any]
) -> Any:
    """Make the schedule of an optimizer.

    Args:
        name: The schedule: a name of transformers, or "infinite".
        optimizer: A torch optimizer.
        n_warmup: Steps of warm-up.
        n_steps: Optimizer steps of the whole run.
        given: As `lr_scheduler_kwargs`.

    Returns:
        A scheduler of torch.

    Raises:
        ConfigError: If there is no such schedule, or it does not take one of the arguments.
    """
    from torch.optim.lr_scheduler import LambdaLR
    from transformers import get_scheduler

    arguments = schedule_arguments(name, given, n_steps)
    try:
        if name == INFINITE:
            factor: Callable[[int], float] = partial(
                infinite_factor, n_warmup=n_warmup, n_steps=n_steps, **arguments
            )
            factor(0)
            return LambdaLR(optimizer, factor)
        return get_scheduler(
            name,
            optimizer,
            num_warmup_steps=n_warmup,
            num_training_steps=n_steps,
            scheduler_specific_kwargs=arguments,
        )
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"lr_scheduler_type={name!r} with lr_scheduler_kwargs={given!r} makes no schedule: {error}"
        ) from error


def infinite_factor(
    step: int,
    *,
    n_warmup: int,
    n_steps: int,
    num_cooldown_steps: int,
    num_decay_steps: int,
    constant_lr_rate: float,
    min_lr_rate: float,
) -> float:
    """Return the share of the peak learning rate that a step of the infinite schedule has.

    Warm-up, a cosine down to a constant, the constant, and an exponential annealing at the end. A run that is to go on
    later starts from a checkpoint of the constant part, whose rate does not depend on how long the run was to be.

    Args:
        step: The step, from 0.
        n_warmup: Steps of warm-up.
        n_steps: Steps of the whole run.
        num_cooldown_steps: Steps from the peak to the constant.
        num_decay_steps: Steps of the annealing.
        constant_lr_rate: The constant, as a share of the peak.
        min_lr_rate: The end, as a share of the peak.

    Returns:
        The share of the peak, between 0 and 1.
    """
    if step < n_warmup:
        return step / n_warmup
    left = n_steps - step
    if left < num_decay_steps:
        done = 1 - max(left, 0) / num_decay_steps
        return constant_lr_rate * (min_lr_rate / constant_lr_rate) ** done
    done = min(1.0, (step - n_warmup) / max(1, num_cooldown_steps))
    return constant_lr_rate + (1 - constant_lr_rate) * (1 + math.cos(math.pi * done)) / 2


def check_schedule(name: str, given: dict[str, Any]) -> None:
    """Refuse a schedule that cannot be made, before anything is read.

    Args:
        name: As `lr_scheduler_type`.
        given: As `lr_scheduler_kwargs`.

    Raises:
        ConfigError: If it cannot be made; or if it needs the Trainer's own evaluation, which does not run here.
    """
    import torch

    if name in ("reduce_lr_on_plateau", "greedy"):
        raise ConfigError(
            f"lr_scheduler_type={name!r} follows the Trainer's own evaluation, which does not run here: "
            "take warmup_stable_decay, cosine_with_min_lr or another that follows the steps"
        )
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    make_schedule(name, optimizer, n_warmup=1, n_steps=100, given=given)


def _steps(value: float, n_steps: int) -> int:
    return math.ceil(value * n_steps) if 0 < value < 1 else int(value)
