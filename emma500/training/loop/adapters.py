"""Adapters by PEFT: LoRA over weights as they are or in 4 bits (QLoRA), embeddings trained beside them where asked."""

import importlib.util
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emma500.errors import ConfigError, MissingExtraError
from emma500.models import load_model, local_model
from emma500.training.config import TrainConfig


def load_base(name: str | Path, revision: str | None, config: TrainConfig) -> Any:
    """Load the model to go on from.

    Args:
        name: A Hub id, a folder or a `.gguf` file.
        revision: Commit on the Hub.
        config: The run's configuration.

    Returns:
        The model: its weights in float32, or in 4 bits with `load_in_4bit`.

    Raises:
        MissingExtraError: If 4 bits are asked for without bitsandbytes.
    """
    if not config.load_in_4bit:
        return load_model(name, revision, dtype="float32")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtraError(
            "load_in_4bit needs bitsandbytes (pip install bitsandbytes) and a GPU; without it, train LoRA over weights "
            "as they are: leave load_in_4bit out"
        )
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    return AutoModelForCausalLM.from_pretrained(
        local_model(name),
        revision=revision,
        use_safetensors=True,
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        ),
    )


def with_adapters(model: Any, config: TrainConfig) -> Any:
    """Return a model with LoRA adapters.

    Args:
        model: The model, from `load_base`.
        config: The run's configuration.

    Returns:
        The model of PEFT; only adapters and what is trained beside them asks for gradients.

    Raises:
        ConfigError: If the model lacks a module that is named.
    """
    from peft import get_peft_model, prepare_model_for_kbit_training

    _check_modules(model, config)
    if config.load_in_4bit:
        model = prepare_model_for_kbit_training(model, config.gradient_checkpointing)
    with warnings.catch_warnings():  # peft 0.21 asks transformers 5.23 by a name it gave up
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return get_peft_model(model, _lora(model, config))


def _check_modules(model: Any, config: TrainConfig) -> None:
    """Refuse a module the model lacks: of those trained whole, peft leaves it out without a word."""
    there = {part for name, _ in model.named_modules() for part in _endings(name)}
    for field in ("lora_target_modules", "lora_modules_to_save"):
        for asked in getattr(config, field):
            if asked not in there:
                last = sorted(
                    {name.rpartition(".")[2] for name in there if not name[-1:].isdigit()}
                )
                raise ConfigError(
                    f"{field} has {asked!r}, but the model has no such module; it has: {', '.join(last)}"
                )


def _endings(name: str) -> Iterator[str]:
    """Yield the names a module can be called by: its path, and every end of it."""
    while name:
        yield name
        name = name.partition(".")[2]


def _lora(model: Any, config: TrainConfig) -> Any:
    from peft import LoraConfig

    return LoraConfig(
        task_type="CAUSAL_LM",
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=config.lora_target_modules or "all-linear",
        modules_to_save=config.lora_modules_to_save or None,
        trainable_token_indices=config.trainable_token_indices or None,
        ensure_weight_tying=bool(config.lora_modules_to_save and model.config.tie_word_embeddings),
    )


def merged(
    model: Any, config: TrainConfig, folder: Path, *, name: str | Path, revision: str | None
) -> Any:
    """Return the model with its adapters added to the weights.

    Adapters over 4 bits are added to the weights as they were before: rounded ones would be written otherwise.

    Args:
        model: The model of PEFT.
        config: The run's configuration.
        folder: A folder that the adapters may be written to meanwhile.
        name: The base model.
        revision: Its commit on the Hub.

    Returns:
        A model of transformers.
    """
    if not config.load_in_4bit:
        return model.merge_and_unload()
    from peft import PeftModel

    model.save_pretrained(folder)
    base = load_model(name, revision, dtype="float32")
    return PeftModel.from_pretrained(base, folder).merge_and_unload()
