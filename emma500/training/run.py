"""`continue_pretrain`: go on training a causal language model on a corpus."""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from emma500.configuration import as_dict
from emma500.errors import ConfigError
from emma500.folder import Corpus
from emma500.gguf import local_model, without_bars
from emma500.manifest import fingerprint, versions, write_manifest
from emma500.models import (
    check_isolation,
    load_model,
    load_tokenizer,
    model_identity,
    trained_sources,
)
from emma500.progress import Progress
from emma500.storage import locked, replace_folder, space_checked
from emma500.training.arguments import training_arguments
from emma500.training.config import TrainConfig
from emma500.training.data import RunData, prepare
from emma500.training.result import KIND, TrainingRun
from emma500.training.validation import Validator
from emma500.training.work import Workplace

__all__ = ["TrainingRun", "continue_pretrain"]


def continue_pretrain(
    model: str | Path,
    corpus: Corpus | str | Path,
    output: str | Path,
    config: TrainConfig | None = None,
    *,
    progress: Progress | None = None,
) -> TrainingRun:
    """Go on training a causal language model on a corpus.

    The Trainer of transformers trains on packed rows in which documents do not see each other. A call that was killed
    is repeated to go on from its last complete checkpoint, and ends with the same weights, bit for bit; a call that is
    finished returns at once. Another model, corpus or configuration is another run: it never goes on from this one's
    checkpoints, and replaces them or its output only with `overwrite`.

    Args:
        model: A Hub id, a folder, or a `.gguf` file.
        corpus: A corpus, its folder, or its Hub id.
        output: The folder of the trained model. It is written at the end; until then `<output>.work` holds the run.
        config: What to train on and how.
        progress: Called as the work goes on.

    Returns:
        The finished run: the model's folder and its manifest.

    Raises:
        SourceError: If the model or the corpus is not there.
        LanguageError: If the corpus lacks a language that was asked for.
        ConfigError: If the corpus lacks a source that is named, or the text is too little for the steps.
        OutputError: If the output holds something else, or another run, or another process is training into it.
        TrainingError: If the loss or the gradients are no longer finite.
    """
    config = config or TrainConfig()
    corpus = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
    local = Path(local_model(model, progress=progress))
    name, revision = model_identity(model, config.model_revision)
    identity = {
        "base_model": {"name": name, "revision": revision},
        "corpus": {key: corpus.manifest[key] for key in ("name", "fingerprint", "digest")},
        "config": config.settings,
    }
    place = Workplace(
        output=Path(output).absolute(), fingerprint=fingerprint(identity), identity=identity
    )
    if place.is_finished:
        with locked(place.folder) if place.was_left else nullcontext():
            place.close(config.keep_checkpoints)
        return TrainingRun(output)
    base = _Base(
        name=model,
        revision=None if local.is_dir() else revision,
        trained_sources=sorted(trained_sources(local)),
    )
    arguments = training_arguments(config, place.checkpoints)
    rows = arguments.train_batch_size * arguments.gradient_accumulation_steps
    place = replace(place, rows_per_step=rows * arguments.world_size)
    with without_bars():
        _run(base, corpus, config, place=place, arguments=arguments, progress=progress)
    return TrainingRun(output)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Base:
    """The model to go on from: the commit, if it is on the Hub, and what emma500 trained it on, if it did."""

    name: str | Path
    revision: str | None
    trained_sources: list[str]


def _run(
    base: _Base,
    corpus: Corpus,
    config: TrainConfig,
    *,
    place: Workplace,
    arguments: Any,
    progress: Progress | None,
) -> None:
    """Run in one process or in several, of which only the first writes anything but its share of a checkpoint."""
    is_first = arguments.process_index == 0
    with ExitStack() as held:
        with arguments.main_process_first(local=False):
            if is_first:
                held.enter_context(locked(place.folder))
            checkpoint = place.open(config) if is_first else place.join()
        tokenizer = load_tokenizer(base.name, base.revision)
        with arguments.main_process_first(local=False):
            data = prepare(
                corpus,
                tokenizer,
                config,
                rows_per_step=place.rows_per_step,
                folder=place.folder / "tokens",
                progress=progress,
            )
        arguments.max_steps = data.rows.plan.n_steps
        _train(
            base,
            tokenizer,
            data,
            config,
            place=place,
            arguments=arguments,
            checkpoint=checkpoint,
            progress=progress,
        )
        if is_first:
            place.close(config.keep_checkpoints)


def _train(
    base: _Base,
    tokenizer: Any,
    data: RunData,
    config: TrainConfig,
    *,
    place: Workplace,
    arguments: Any,
    checkpoint: Path | None,
    progress: Progress | None,
) -> None:
    """Load, train, and write the output."""
    from transformers import set_seed

    from emma500.training.trainer import make_trainer

    set_seed(config.seed)
    model = load_model(base.name, base.revision, dtype="float32")
    _check_length(model, config.max_length)
    check_isolation(model)
    base_model = {
        **place.identity["base_model"],
        "n_parameters": sum(each.numel() for each in model.parameters()),
        "trained_sources": base.trained_sources,
    }
    use_cache = model.config.use_cache
    if config.use_peft:
        model = _with_adapters(model, config)
    validator = Validator(
        data.validation,
        place.folder / "validation",
        batch_size=config.per_device_train_batch_size,
        bf16=config.bf16,
        progress=progress,
    )
    trainer = make_trainer(
        model, arguments, data.rows, validator, every=config.eval_steps, progress=progress
    )
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    manifest = {
        "kind": KIND,
        "fingerprint": place.fingerprint,
        "identity": place.identity,
        **_record(data, config, place, base_model),
        "validation": validator.results(),
        "log": _log(trainer.state.log_history, config.logging_steps),
    }
    _export(trainer, tokenizer, manifest, place=place, use_cache=use_cache)


def _check_length(model: Any, max_length: int) -> None:
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit is not None and max_length > limit:
        raise ConfigError(
            f"max_length is {max_length}, but the model takes at most {limit} tokens: lower it"
        )


def _with_adapters(model: Any, config: TrainConfig) -> Any:
    from peft import LoraConfig, get_peft_model

    return get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM",
            r=config.lora_r,
            lora_alpha=config.lora_alpha,
            lora_dropout=config.lora_dropout,
            target_modules=config.lora_target_modules or "all-linear",
        ),
    )


def _record(
    data: RunData, config: TrainConfig, place: Workplace, base_model: dict[str, Any]
) -> dict[str, Any]:
    """Return what the manifest says about a run before it has run."""
    rows = data.rows
    return {
        "base_model": base_model,
        "corpus": place.identity["corpus"],
        "config": as_dict(config),
        "versions": versions(),
        "plan": rows.plan.rows(rows.n_tokens_trained),
        "languages": list(data.labels),
        "n_steps": rows.plan.n_steps,
        "n_tokens": sum(rows.n_tokens_trained),
    }


def _log(history: Sequence[dict[str, Any]], logging_steps: int) -> list[dict[str, Any]]:
    """Return one row for every `logging_steps` steps: their mean loss, the last learning rate and norm of gradients.

    The Trainer logs every step, since its own windows do not survive an interruption.
    """
    steps = [row for row in history if "loss" in row]
    starts = [*range(0, len(steps), logging_steps), len(steps)]
    windows = [steps[start:stop] for start, stop in pairwise(starts)]
    return [
        {
            "step": rows[-1]["step"],
            "loss": sum(row["loss"] for row in rows) / len(rows),
            "learning_rate": rows[-1]["learning_rate"],
            "grad_norm": rows[-1].get("grad_norm"),
        }
        for rows in windows
    ]


def _export(
    trainer: Any, tokenizer: Any, manifest: dict[str, Any], *, place: Workplace, use_cache: bool
) -> None:
    """Write the model's folder under a temporary name and put it in its place."""
    staged = place.folder / "model"
    if trainer.args.should_save:
        shutil.rmtree(staged, ignore_errors=True)
    if trainer.is_fsdp_enabled:  # sharded state would save nothing here, without an error
        trainer.accelerator.state.fsdp_plugin.set_state_dict_type("FULL_STATE_DICT")
    with space_checked(place.output):
        if hasattr(trainer.model, "merge_and_unload"):
            trainer.model = trainer.model.merge_and_unload()
            trainer.model_wrapped = trainer.model
        trainer.model.config.use_cache = use_cache
        trainer.save_model(str(staged))
        if trainer.args.should_save:
            (staged / "training_args.bin").unlink(missing_ok=True)  # holds paths of this machine
            tokenizer.save_pretrained(staged)
            write_manifest(staged, manifest)
            replace_folder(staged, place.output)
    trainer.accelerator.wait_for_everyone()
