"""`continue_pretrain`: go on training a causal language model on a corpus."""

from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from emma500.folder import Corpus
from emma500.gguf import without_bars
from emma500.manifest import fingerprint
from emma500.models import load_tokenizer
from emma500.progress import Progress
from emma500.storage import locked
from emma500.training.config import TrainConfig
from emma500.training.data import RunData, prepare
from emma500.training.keeping import CheckpointKeeper
from emma500.training.loop.arguments import training_arguments
from emma500.training.loop.checks import check_fit, model_config
from emma500.training.origin import Origin
from emma500.training.result import TrainingRun
from emma500.training.session import Session
from emma500.training.stopping import stoppable
from emma500.training.validation.gate import base_languages
from emma500.training.validation.scoring import HeldOut, with_base_languages
from emma500.training.waiting import first_process_first
from emma500.training.work import Workplace

__all__ = ["TrainingRun", "continue_pretrain"]


def continue_pretrain(
    model: str | Path,
    corpus: Corpus | str | Path,
    output: str | Path,
    config: TrainConfig | None = None,
    *,
    progress: Progress | None = None,
    checkpoints: CheckpointKeeper | None = None,
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
        checkpoints: What keeps checkpoints elsewhere too, as `HubCheckpoints`, so that another machine can go on.

    Returns:
        The finished run: the model's folder and its manifest.

    Raises:
        SourceError: If the model or the corpus is not there.
        LanguageError: If the corpus lacks a language that was asked for.
        ConfigError: If the corpus lacks a source that is named, the text is too little for the steps, the tokenizer
            is not the model's, or a GPU is asked for and there is none.
        MissingExtraError: If the tracker of `report_to`, or bitsandbytes for `load_in_4bit`, is not installed.
        OutputError: If the output holds something else, or another run, or another process is training into it.
        StoppedError: If SIGTERM asked for the end. A checkpoint is kept; the process exits with 0 if nobody catches it.
        TrainingError: If the loss or the gradients are no longer finite, memory runs out, or a language is forgotten
            with `on_forgetting="stop"`.
    """
    config = config or TrainConfig()
    corpus = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
    base = Origin.of(model, corpus, config, progress)
    place = Workplace(
        output=Path(output).absolute(),
        fingerprint=fingerprint(base.identity),
        identity=base.identity,
    )
    if place.is_finished:
        with locked(place.folder) if place.was_left else nullcontext():
            place.close(config.keep_checkpoints)
        return TrainingRun(output)
    arguments = training_arguments(config, place.checkpoints)
    rows = arguments.train_batch_size * arguments.gradient_accumulation_steps
    place = replace(place, rows_per_step=rows * arguments.world_size)
    kept = "finished shards of tokens are kept, and the last checkpoint if there is one"
    with without_bars(), stoppable(kept):
        _run(
            base,
            corpus,
            config,
            place=place,
            arguments=arguments,
            progress=progress,
            keeper=checkpoints,
        )
    return TrainingRun(output)


def _run(
    base: Origin,
    corpus: Corpus,
    config: TrainConfig,
    *,
    place: Workplace,
    arguments: Any,
    progress: Progress | None,
    keeper: CheckpointKeeper | None = None,
) -> None:
    """Run in one process or in several, of which only the first writes anything but its share of a checkpoint."""
    is_first = arguments.process_index == 0
    with ExitStack() as held:
        tokenizer = load_tokenizer(base.name, base.revision)
        check_fit(model_config(base.name, base.revision), tokenizer, config)
        watched = base_languages(
            corpus, config.forgetting_languages, TrainConfig().forgetting_languages
        )
        with first_process_first(arguments):
            if is_first:
                held.enter_context(locked(place.folder))
                if keeper is not None and config.resume:
                    keeper.bring(place.folder, place.fingerprint)
            checkpoint = place.open(config) if is_first else place.join()
        with first_process_first(arguments):
            data = prepare(
                corpus,
                tokenizer,
                config,
                rows_per_step=place.rows_per_step,
                folder=place.folder / "tokens",
                progress=progress,
            )
        arguments.max_steps = data.rows.plan.n_steps
        session = Session(
            base=base,
            tokenizer=tokenizer,
            corpus=corpus,
            config=config,
            place=place,
            arguments=arguments,
            data=data,
            held_out=_held_out(data, corpus, tokenizer, config, watched=watched),
            watched=watched,
            progress=progress,
            keep=keeper.keep if keeper is not None and is_first else None,
        )
        _train(session, checkpoint, keeper if is_first else None)
        if is_first:
            place.close(config.keep_checkpoints)


def _train(session: Session, checkpoint: Path | None, keeper: CheckpointKeeper | None) -> None:
    """Run, and wait in the end, however it comes, until the checkpoints are kept."""
    try:
        session.run(checkpoint)
    finally:
        if keeper is not None:
            keeper.close(session.place.folder, is_finished=session.place.is_finished)


def _held_out(
    data: RunData, corpus: Corpus, tokenizer: Any, config: TrainConfig, *, watched: list[str]
) -> HeldOut | None:
    """Return what is validated: the languages that are trained on, and those the base knows."""
    return with_base_languages(
        data.validation,
        corpus,
        watched,
        tokenizer=tokenizer,
        max_length=config.max_length,
        max_bytes=config.max_validation_bytes,
    )
