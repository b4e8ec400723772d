"""From our configuration to TrainingArguments."""

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

from emma500.errors import ConfigError, MissingExtraError
from emma500.folder import nearest
from emma500.training.config import TrainConfig
from emma500.training.loop.schedules import INFINITE, check_schedule

_PASSED = (
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "learning_rate",
    "lr_scheduler_type",
    "warmup_steps",
    "weight_decay",
    "max_grad_norm",
    "optim",
    "bf16",
    "seed",
    "report_to",
)

_NO_TRACKER = ("none", "all")


def training_arguments(config: TrainConfig, checkpoints: Path) -> Any:
    """Return the TrainingArguments of a run; `max_steps` is filled in when the plan is made.

    Args:
        config: The run's configuration.
        checkpoints: The folder of its checkpoints.

    Returns:
        A `transformers.TrainingArguments`.

    Raises:
        ConfigError: If `trainer_args` names an argument that is unknown, or is set by `TrainConfig` or by emma500; if
            a GPU is asked for and there is none; if the schedule or the rows of a step cannot be made.
    """
    import torch
    from transformers import TrainingArguments

    known = {each.name for each in fields(TrainingArguments)}
    has_gpu = torch.accelerator.is_available()
    _check(config, has_gpu)
    ours = _ours(config, checkpoints, known)
    _check_trainer_args(config, known, ours)
    use_cpu = config.use_cpu if config.use_cpu is not None else not has_gpu
    defaults = {
        "dataloader_pin_memory": not use_cpu,
        "ddp_find_unused_parameters": False,  # looking for them costs a walk through the graph every step
        "save_total_limit": 1,
    }
    found = TrainingArguments(use_cpu=use_cpu, **ours, **{**defaults, **config.trainer_args})
    if config.global_batch_size:
        rows = found.train_batch_size * found.gradient_accumulation_steps * found.world_size
        _check_rows(config, rows, found.train_batch_size * found.world_size)
    return found


def _ours(config: TrainConfig, checkpoints: Path, known: set[str]) -> dict[str, Any]:
    """Return what TrainConfig or emma500 sets."""
    checkpointing = "activation_checkpointing"  # its name until transformers 5.15 was the other
    ours: dict[str, Any] = {
        **{name: getattr(config, name) for name in _PASSED},
        checkpointing
        if checkpointing in known
        else "gradient_checkpointing": config.gradient_checkpointing and not _fsdp_does(),
        "output_dir": str(checkpoints),
        "max_steps": 1,
        "save_strategy": "steps" if config.save_steps else "no",
        "save_steps": config.save_steps or 1,
        "eval_strategy": "no",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "train_sampling_strategy": "sequential",
        "remove_unused_columns": False,
        "disable_tqdm": True,
    }
    if config.lr_scheduler_type == INFINITE:  # PackedTrainer makes it
        ours["lr_scheduler_type"] = "constant_with_warmup"
    if config.global_batch_size:
        together = config.per_device_train_batch_size * int(os.environ.get("WORLD_SIZE", "1"))
        ours["gradient_accumulation_steps"] = max(1, config.global_batch_size // together)
    return ours


def _fsdp_does() -> bool:
    """Tell whether `accelerate launch` was told that FSDP is to checkpoint activations; doing both is refused."""
    names = ("ACCELERATE_USE_FSDP", "FSDP_ACTIVATION_CHECKPOINTING")
    return all(os.environ.get(name) == "true" for name in names)


def _check(config: TrainConfig, has_gpu: bool) -> None:
    if config.use_cpu is False and not has_gpu:
        raise ConfigError(
            "use_cpu=False asks for a GPU, but torch sees none: install a build of torch for it and check its driver, "
            "or leave use_cpu out to train on the CPU"
        )
    check_schedule(config.lr_scheduler_type, config.lr_scheduler_kwargs)
    _check_trackers(config.report_to)


def _check_rows(config: TrainConfig, rows: int, together: int) -> None:
    if rows != config.global_batch_size:
        raise ConfigError(
            f"global_batch_size={config.global_batch_size} is no multiple of the {together} rows that all devices take "
            f"at once: take {max(1, config.global_batch_size // together) * together}, or another "
            "per_device_train_batch_size"
        )


def _check_trainer_args(config: TrainConfig, known: set[str], ours: dict[str, Any]) -> None:
    refused = sorted(
        set(config.trainer_args) & {*ours, *(each.name for each in fields(TrainConfig))}
    )
    unknown = sorted(set(config.trainer_args) - known)
    if refused:
        raise ConfigError(
            f"trainer_args must not set {', '.join(refused)}: TrainConfig or emma500 does"
        )
    if unknown:
        raise ConfigError(
            f"trainer_args: TrainingArguments has no {unknown[0]!r}; nearest: {nearest(unknown[0], known) or 'none'}"
        )


def _check_trackers(report_to: str) -> None:
    """Refuse an experiment tracker that there is not, before the data is read."""
    if report_to in _NO_TRACKER:
        return
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    if report_to not in INTEGRATION_TO_CALLBACK:
        near = nearest(report_to, INTEGRATION_TO_CALLBACK)
        raise ConfigError(
            f"report_to={report_to!r} is no integration of transformers; nearest: {near or 'none'}"
        )
    try:
        INTEGRATION_TO_CALLBACK[report_to]()
    except (ImportError, RuntimeError) as error:
        raise MissingExtraError(
            f"report_to={report_to!r} cannot be used here: {error}; install it, or pass report_to='none'"
        ) from error
