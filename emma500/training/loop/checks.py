"""What is refused before the work begins, and memory that runs out explained."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emma500.errors import ConfigError, SourceError, TrainingError
from emma500.models import local_model
from emma500.training.config import TrainConfig

_OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "DefaultCPUAllocator",
)


def model_config(name: str | Path, revision: str | None) -> Any:
    """Read the configuration of a model, without its weights.

    Args:
        name: A Hub id, a folder or a `.gguf` file.
        revision: Branch, tag or commit on the Hub.

    Returns:
        The configuration of its language model.

    Raises:
        SourceError: If it cannot be read.
    """
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(local_model(name), revision=revision).get_text_config()
    except (OSError, ValueError) as error:
        raise SourceError(f"the configuration of {str(name)!r} cannot be read: {error}") from error


def check_fit(found: Any, tokenizer: Any, config: TrainConfig) -> None:
    """Refuse a tokenizer that is not the model's, and rows the model does not take.

    Args:
        found: The model's configuration.
        tokenizer: The tokenizer.
        config: The run's configuration.

    Raises:
        ConfigError: If the tokenizer has more entries than the model has embeddings, rows are too
            long, or `trainable_token_indices` names rows there are none of.
    """
    if len(tokenizer) > found.vocab_size:
        raise ConfigError(
            f"the tokenizer has {len(tokenizer):,} entries, but the model has embeddings for {found.vocab_size:,}: it "
            "is not this model's tokenizer; put the right one into its folder, or extend the model's vocabulary"
        )
    limit = getattr(found, "max_position_embeddings", None)
    if limit is not None and config.max_length > limit:
        raise ConfigError(
            f"max_length is {config.max_length}, but the model takes at most {limit} tokens: lower it"
        )
    beyond = [each for each in config.trainable_token_indices if not 0 <= each < found.vocab_size]
    if beyond:
        raise ConfigError(
            f"trainable_token_indices has {beyond[0]}, but the model has embeddings 0 to {found.vocab_size - 1}: name "
            "rows of its vocabulary"
        )


@contextmanager
def memory_explained(config: TrainConfig, device: str) -> Iterator[None]:
    """Tell which setting to change when memory runs out.

    Args:
        config: The run's configuration.
        device: As "cuda:0".

    Yields:
        Nothing.

    Raises:
        TrainingError: If memory runs out in the block.
        RuntimeError: Any other one, as it came.
        MemoryError: Never; it is explained.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch's own is a RuntimeError
        if not isinstance(error, MemoryError) and not any(
            each in str(error) for each in _OUT_OF_MEMORY
        ):
            raise
        raise TrainingError(_advice(config, device)) from error


def _advice(config: TrainConfig, device: str) -> str:
    rows, times = config.per_device_train_batch_size, config.gradient_accumulation_steps
    ways = []
    if rows > 1:
        ways.append(
            f"per_device_train_batch_size={rows // 2} with gradient_accumulation_steps={times * 2}, which trains the "
            "same"
        )
    if not config.gradient_checkpointing:
        ways.append("gradient_checkpointing=True")
    if not config.use_peft:
        ways.append("use_peft=True, or more devices with FSDP")
    elif not config.load_in_4bit and device != "cpu":
        ways.append("load_in_4bit=True")
    ways.append("a smaller max_length")
    return (
        f"{device} ran out of memory with {rows} rows of {config.max_length} tokens at once: try {'; or '.join(ways)}. "
        "`emma500 train --plan` says what needs how much; the last checkpoint is good"
    )
