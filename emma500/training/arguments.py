"""From our configuration to TrainingArguments."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from emma500.errors import ConfigError
from emma500.folder import nearest
from emma500.training.config import TrainConfig

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


def training_arguments(config: TrainConfig, checkpoints: Path) -> Any:
    """Return the TrainingArguments of a run; `max_steps` is filled in when the plan is made.

    Args:
        config: The run's configuration.
        checkpoints: The folder of its checkpoints.

    Returns:
        A `transformers.TrainingArguments`.

    Raises:
        ConfigError: If `trainer_args` names an argument that is unknown, or is set by `TrainConfig` or by emma500.
    """
    import torch
    from transformers import TrainingArguments

    known = {each.name for each in fields(TrainingArguments)}
    checkpointing = "activation_checkpointing"  # its name until transformers 5.15 was the other
    ours: dict[str, Any] = {
        **{name: getattr(config, name) for name in _PASSED},
        checkpointing
        if checkpointing in known
        else "gradient_checkpointing": config.gradient_checkpointing,
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
    device = torch.accelerator.is_available()
    defaults = {"use_cpu": not device, "dataloader_pin_memory": device, "save_total_limit": 1}
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
    return TrainingArguments(**ours, **{**defaults, **config.trainer_args})
