"""Memory, time and cost of a run before it starts, from the model's configuration alone: no weights are loaded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emma500.errors import ConfigError
from emma500.tables import read_table
from emma500.training.config import TrainConfig
from emma500.training.loop.adapters import with_adapters
from emma500.training.loop.checks import model_config
from emma500.training.loop.hardware import device_row, footprint
from emma500.training.loop.throughput import operations

DEVICES = ("RTX-4090", "A100-80GB", "H100-80GB", "A100-80GB:8", "H100-80GB:8", "H100-80GB:64")

_MFU = 0.4
"""Assumed share of a device's peak; published trainings of 7B models reach .33 to .57."""

_OVERHEAD_GB, _FRAGMENTS = 1.0, 1.05
"""Of a GPU: its context and libraries, and what lies between the blocks of its memory."""

_OPTIMIZER_BYTES = (("8bit", 2), ("adafactor", 0), ("sgd", 0), ("lion", 4), ("", 8))
"""Bytes a weight by what the optimizer's name holds; AdamW keeps two float32."""

_4BIT = 0.516
"""Bytes of a weight in nf4 with double quantization."""

_LOGITS = 18
"""Bytes of a logit: bfloat16, its float32 copy, the log-softmax, and the gradients of both."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Bytes that training needs on one device that holds all; `weights` to `optimizer` can be shared among devices."""

    weights: float
    gradients: float
    optimizer: float
    copies: float
    activations: float
    logits: float

    def on(self, n_devices: int) -> float:
        """Return the GB that each of some devices needs, its overhead included; FSDP shares the weights and states."""
        shared = (self.weights + self.gradients + self.optimizer + self.copies) / n_devices
        own = self.activations + self.logits
        return (shared + own) / 1e9 * _FRAGMENTS + _OVERHEAD_GB


@dataclass(frozen=True, kw_only=True, slots=True)
class DevicePlan:
    """A run on some devices: GB needed and there, days, energy, and what to change where it does not fit."""

    device: str
    n_devices: int
    memory_gb: float
    needed_gb: float
    days: float | None
    kwh: float | None
    way_out: str

    @property
    def fits(self) -> bool:
        """True if the memory is enough."""
        return self.needed_gb <= self.memory_gb


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingPlan:
    """What a run needs.

    Attributes:
        model: The model's name.
        n_parameters: Its weights.
        n_trainable: Those that are trained, adapters included.
        rows_per_step: Rows of an optimizer step on one device as configured, or `global_batch_size`.
        n_steps: Optimizer steps; None where only the corpus tells.
        tokens_per_step: Tokens of a step.
        memory: Bytes on one device.
        devices: The run on each of the devices asked for.
    """

    model: str
    n_parameters: int
    n_trainable: int
    rows_per_step: int
    n_steps: int | None
    tokens_per_step: int
    memory: Memory
    devices: tuple[DevicePlan, ...]

    @property
    def n_tokens(self) -> int | None:
        """Tokens of the run, or None where only the corpus tells."""
        return None if self.n_steps is None else self.n_steps * self.tokens_per_step

    def __repr__(self) -> str:
        steps = "steps as the corpus allows" if self.n_steps is None else f"{self.n_steps:,} steps"
        tokens = "" if self.n_tokens is None else f" = {self.n_tokens:,} tokens"
        sizes = [(name, getattr(self.memory, name)) for name in Memory.__slots__]
        return "\n".join(
            [
                f"TrainingPlan: {self.model}, {self.n_parameters:,} parameters, {self.n_trainable:,} trained",
                f"  {steps} x {self.tokens_per_step:,} tokens{tokens}",
                "  memory on one device: "
                + ", ".join(f"{name} {size / 1e9:.2f} GB" for name, size in sizes),
                f"  time at {_MFU:.0%} of each device's peak (an assumption):",
                *(f"  {_line(each)}" for each in self.devices),
            ]
        )


def plan_training(
    model: Any,
    config: TrainConfig,
    *,
    devices: Sequence[str] = DEVICES,
    n_steps: int | None = None,
    revision: str | None = None,
) -> TrainingPlan:
    """Plan memory and time of a run.

    Args:
        model: A Hub id, a folder or a `.gguf` file, of which only the configuration is read; or a
            configuration of transformers.
        config: What to train and how.
        devices: Names of `tables/accelerators.tsv`, as "A100-80GB", or "A100-80GB:8" for eight of them.
        n_steps: Optimizer steps, where `max_steps` is -1 and they are known.
        revision: Branch, tag or commit of the model on the Hub.

    Returns:
        The plan; it prints as a table.

    Raises:
        ConfigError: If a device is not in the table.
        SourceError: If the model's configuration cannot be read.
    """
    is_named = isinstance(model, str | Path)
    found = model_config(model, revision) if is_named else model
    shape = _Shape.of(found, config)
    rows = config.global_batch_size or (
        config.per_device_train_batch_size * config.gradient_accumulation_steps
    )
    steps = config.max_steps if config.max_steps > 0 else n_steps
    tokens = rows * config.max_length
    flop = None if steps is None else float(steps) * tokens * shape.flop_a_token
    return TrainingPlan(
        model=_name(model if is_named else found.name_or_path),
        n_parameters=shape.n_parameters,
        n_trainable=shape.n_trainable,
        rows_per_step=rows,
        n_steps=steps,
        tokens_per_step=tokens,
        memory=shape.memory,
        devices=tuple(_on_device(each, found, config, shape, flop=flop) for each in devices),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shape:
    """A model's sizes, as it would be trained."""

    n_parameters: int
    n_trainable: int
    flop_a_token: float
    memory: Memory

    @classmethod
    def of(cls, found: Any, config: TrainConfig) -> "_Shape":
        """Count on the meta device, where tensors have shapes and no bytes."""
        import torch
        from transformers import AutoModelForCausalLM

        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(found)
            n_parameters = sum(each.numel() for each in model.parameters())
            tables = {id(model.get_input_embeddings().weight)}
            head = model.get_output_embeddings()
            tables |= {id(head.weight)} if head is not None else set()
            linear = sum(each.numel() for each in model.parameters() if id(each) not in tables)
            if config.use_peft:
                model = with_adapters(model, replace(config, load_in_4bit=False))
        trained = sum(each.numel() for each in model.parameters() if each.requires_grad)
        added = sum(each.numel() for each in model.parameters()) - n_parameters
        a_token, a_square = operations(model)
        quantized = linear if config.load_in_4bit else 0
        weights = 4.0 * (n_parameters + added - quantized) + _4BIT * quantized
        tokens = config.per_device_train_batch_size * config.max_length
        return cls(
            n_parameters=n_parameters,
            n_trainable=trained,
            flop_a_token=a_token + a_square * config.max_length,
            memory=Memory(
                weights=weights,
                gradients=4.0 * trained,
                optimizer=float(next(size for key, size in _OPTIMIZER_BYTES if key in config.optim))
                * trained,
                copies=2.0 * linear if config.bf16 and not config.gradient_checkpointing else 0.0,
                activations=float(tokens) * _activation_bytes(found, config),
                logits=float(tokens) * found.vocab_size * _LOGITS,
            ),
        )


def _activation_bytes(found: Any, config: TrainConfig) -> float:
    """Return the bytes that a token leaves in all layers for the backward pass.

    For layers as Llama's: two norms, projections, attention that keeps no scores, a gated feed-forward. The residual
    stream is float32; the rest is bfloat16 with autocast. With gradient checkpointing each layer keeps its input, and
    one layer at a time keeps all.
    """
    hidden = found.hidden_size
    heads = found.num_attention_heads
    keys = hidden // heads * (getattr(found, "num_key_value_heads", None) or heads)
    inner = getattr(found, "intermediate_size", None) or 4 * hidden
    sizes = (28, 6, 8) if config.bf16 else (32, 12, 16)
    layer = sizes[0] * hidden + sizes[1] * keys + sizes[2] * inner
    if config.use_peft:  # each adapter keeps its input once more, in float32
        layer += 4 * (6 * hidden + inner)
    if config.gradient_checkpointing:
        return float(found.num_hidden_layers * 4 * hidden + layer)
    return float(found.num_hidden_layers * layer)


def _name(model: str | Path) -> str:
    """Return a Hub id as it is, and of a folder or a file its own name."""
    if "/" in str(model) and not Path(model).exists():
        return str(model)
    return Path(model).stem if str(model).endswith(".gguf") else Path(model).name


def _on_device(
    name: str, found: Any, config: TrainConfig, shape: _Shape, *, flop: float | None
) -> DevicePlan:
    kind, _, number = name.partition(":")
    row = device_row(kind)
    if row is None or not (number or "1").isdigit():
        known = ", ".join(each["device"] for each in read_table("accelerators"))
        raise ConfigError(
            f"the device {name!r} is not known; it is one of {known}, or DEVICE:N for N of them"
        )
    n_devices, memory = int(number or 1), float(row["memory_gb"])
    needed = shape.memory.on(n_devices)
    seconds = None if flop is None else flop / (n_devices * float(row["peak_tflops"]) * 1e12 * _MFU)
    cost = footprint(seconds or 0.0, float(row["tdp_watts"]), n_devices)
    return DevicePlan(
        device=row["device"],
        n_devices=n_devices,
        memory_gb=memory,
        needed_gb=needed,
        days=None if seconds is None else seconds / 86400,
        kwh=None if seconds is None else cost["kwh"],
        way_out="" if needed <= memory else _way_out(found, config, memory, n_devices),
    )


def _way_out(found: Any, config: TrainConfig, memory: float, n_devices: int) -> str:
    """Return the first change with which the run fits: one that trains the same before one that does not."""
    one_row: dict[str, Any] = {"per_device_train_batch_size": 1}
    if not config.global_batch_size:
        times = config.per_device_train_batch_size * config.gradient_accumulation_steps
        one_row["gradient_accumulation_steps"] = times
    less = {**one_row, "gradient_checkpointing": True}
    for changes in (one_row, {"gradient_checkpointing": True}, less):
        if _Shape.of(found, replace(config, **changes)).memory.on(n_devices) <= memory:
            return _told(changes, config)
    smallest = _Shape.of(found, replace(config, **less)).memory
    for more in (2, 4, 8, 16, 32, 64):
        if more > n_devices and smallest.on(more) <= memory:
            return f"{more} of them with FSDP, or {_smaller(found, config, less, memory)}"
    return _smaller(found, config, less, memory)


def _smaller(found: Any, config: TrainConfig, less: dict[str, Any], memory: float) -> str:
    lighter: list[dict[str, Any]] = [{"use_peft": True}, {"use_peft": True, "load_in_4bit": True}]
    for lora in lighter:
        if _Shape.of(found, replace(config, **less, **lora)).memory.on(1) <= memory:
            return _told({**less, **lora}, config)
    return "a smaller max_length or model"


def _told(changes: dict[str, Any], config: TrainConfig) -> str:
    return ", ".join(
        f"{name}={value}" for name, value in changes.items() if getattr(config, name) != value
    )


def _line(each: DevicePlan) -> str:
    name = f"{each.n_devices} x {each.device}"
    time = "" if each.days is None else f", {_time(each.days)}, {each.kwh:,.1f} kWh"
    verdict = "fits" if each.fits else f"DOES NOT FIT: {each.way_out}"
    return f"{name:<18} {each.needed_gb:7.1f} of {each.memory_gb:.0f} GB each{time}; {verdict}"


def _time(days: float) -> str:
    return f"{days:,.1f} days" if days >= 1 else f"{days * 24:,.1f} hours"
