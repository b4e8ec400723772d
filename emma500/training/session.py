"""One process's part of a run: load, train, do what validation says, and write the output."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emma500.errors import StoppedError, TrainingError
from emma500.folder import Corpus
from emma500.models import check_isolation
from emma500.progress import Progress
from emma500.training.config import TrainConfig
from emma500.training.data import RunData, prepare
from emma500.training.export import export
from emma500.training.loop.adapters import load_base, with_adapters
from emma500.training.loop.checkpoints import latest_complete
from emma500.training.loop.checks import memory_explained
from emma500.training.origin import Origin
from emma500.training.record import log_rows, plan_record, spike_rows
from emma500.training.result import KIND
from emma500.training.validation.gate import best_step, forgotten, told, tracked_values
from emma500.training.validation.replay import Raise, Switched, raises, with_replay
from emma500.training.validation.scoring import HeldOut, Validator
from emma500.training.waiting import first_process_first
from emma500.training.work import Workplace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """What a run is made of.

    Attributes:
        base: The model to go on from.
        tokenizer: Its tokenizer.
        corpus: The corpus.
        config: The configuration.
        place: Where the run works.
        arguments: TrainingArguments.
        data: What it trains on, as planned at the start.
        held_out: What it validates on.
        watched: The labels of the languages the base knows.
        progress: Called as the work goes on.
        keep: Called with every finished checkpoint, or None.
    """

    base: Origin
    tokenizer: Any
    corpus: Corpus
    config: TrainConfig
    place: Workplace
    arguments: Any
    data: RunData
    held_out: HeldOut | None
    watched: list[str]
    progress: Progress | None
    keep: Callable[[Path], None] | None = None

    def run(self, checkpoint: Path | None) -> None:
        """Train to the end and write the output.

        Args:
            checkpoint: The checkpoint to go on from, or None.

        Raises:
            StoppedError: If the process was asked to stop; a checkpoint is kept.
            TrainingError: If training cannot go on, or a language is being forgotten and that is to stop it.
        """
        device = str(self.arguments.device)
        with memory_explained(self.config, device):
            while not _Attempt(self, checkpoint).is_done():
                checkpoint = latest_complete(self.place.checkpoints)


class _Attempt:
    """One Trainer's work: to the end, or to where more replay is needed and the rows are planned anew."""

    def __init__(self, session: Session, checkpoint: Path | None) -> None:
        self.session = session
        self.checkpoint = checkpoint
        self.step = int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0
        self.validator = Validator(
            session.held_out,
            session.place.folder / "validation",
            batch_size=session.config.per_device_train_batch_size,
            bf16=session.config.bf16,
            progress=session.progress,
        )
        self.raises = self._raises(self.step)
        self.is_raising = False

    def is_done(self) -> bool:
        """Train; False if another attempt has to go on from the last checkpoint."""
        from transformers import set_seed

        from emma500.training.loop.callbacks import CheckpointCallback
        from emma500.training.loop.trainer import make_trainer

        session, config = self.session, self.session.config
        self._refuse_forgetting(self.step)
        set_seed(config.seed)
        model = load_base(session.base.name, session.base.revision, config)
        if config.packing == "isolated" or session.data.validation is not None:
            check_isolation(model)
        n_parameters, use_cache = (
            sum(each.numel() for each in model.parameters()),
            model.config.use_cache,
        )
        if config.use_peft:
            model = with_adapters(model, config)
        rows = self._rows()
        trainer, termination = make_trainer(
            model,
            session.arguments,
            rows,
            self._validate,
            config=config,
            folder=session.place.folder,
            progress=session.progress,
        )
        trainer.kept_step = self._best(self.step)
        if session.keep is not None:
            trainer.add_callback(CheckpointCallback(session.keep))
        with termination.listening():
            trainer.train(resume_from_checkpoint=str(self.checkpoint) if self.checkpoint else None)
            step = trainer.state.global_step
            if termination.is_stopped or (self.is_raising and termination.was_asked()):
                raise StoppedError(
                    f"training was asked to stop (SIGTERM): step {step} is kept; the same call goes on from there"
                )
            self._refuse_forgetting(step)
            if not self.is_raising:
                self._finish(trainer, rows, n_parameters, use_cache)
        return not self.is_raising

    def _finish(self, trainer: Any, rows: Any, n_parameters: int, use_cache: bool) -> None:
        """Write the output, with the weights of the step that is to be kept."""
        session, step = self.session, trainer.state.global_step
        manifest = self._manifest(trainer, replace(session.data, rows=rows), n_parameters)
        if manifest["kept_step"] != step:
            trainer.load_step(manifest["kept_step"])
        export(
            trainer,
            session.tokenizer,
            manifest,
            config=session.config,
            place=session.place,
            base=(session.base.name, session.base.revision),
            use_cache=use_cache,
        )

    def _validate(self, trainer: Any, model: Any, step: int) -> str:
        """Score a step, tell the trackers, and say what follows from it."""
        rows = self.validator(model, step)
        if rows:
            trainer.log_beside(tracked_values(rows))
        if step == 0:
            return ""
        verdict = ""
        lost = self._lost(step)
        if lost:
            verdict = self._on_forgetting(lost, step, step == trainer.state.max_steps)
        if self.session.config.keep == "best" and self._best(step) == step:
            trainer.kept_step = step
            verdict = verdict or "save"
        return verdict

    def _on_forgetting(self, lost: dict[str, float], step: int, is_last: bool) -> str:
        config = self.session.config
        more = config.on_forgetting == "raise_replay" and len(self._raises(step)) > len(self.raises)
        if more and not is_last:
            self.is_raising = True
            share = self._raises(step)[-1].share
            logger.warning("step %d: %s; replay is raised to %s", step, told(lost), f"{share:.0%}")
            return "stop"
        logger.warning(
            "step %d: %s bits per byte against step 0; forgetting_limit is %s (replay_share, learning_rate)",
            step, told(lost), f"{config.forgetting_limit:.1%}",
        )  # fmt: skip
        return "stop" if config.on_forgetting == "stop" and not is_last else ""

    def _refuse_forgetting(self, step: int) -> None:
        """Raise a TrainingError where a language was forgotten and that is to stop the run."""
        config, n_steps = self.session.config, self.session.data.rows.plan.n_steps
        lost = self._lost(step)
        if lost and config.on_forgetting == "stop" and step < n_steps:
            raise TrainingError(
                f"training stopped at step {step} of {n_steps}: {told(lost)} bits per byte against step 0, and "
                f"forgetting_limit is {config.forgetting_limit:.1%}. The checkpoint is kept: on_forgetting='warn' goes "
                "on from it; a larger replay_share or a lower learning_rate is another run"
            )

    def _lost(self, step: int) -> dict[str, float]:
        """Return what the languages that the base knows have lost at a step; nothing at step 0."""
        session = self.session
        if step == 0 or session.held_out is None:
            return {}
        return forgotten(
            self.validator.results(), step, session.watched, session.config.forgetting_limit
        )

    def _best(self, step: int) -> int:
        """Return the best step until now, where the best is to be kept; else 0."""
        if self.session.config.keep == "last" or step == 0:
            return 0
        return best_step(self.validator.results(), step, self.session.data.labels)

    def _raises(self, step: int) -> list[Raise]:
        """Return where replay was raised until a step: a function of the validation results."""
        session = self.session
        if session.config.on_forgetting != "raise_replay":
            return []
        return raises(
            self.validator.results(), step, session.watched,
            limit=session.config.forgetting_limit, plan=session.data.rows.plan,
        )  # fmt: skip

    def _rows(self) -> Any:
        """Return the rows: as planned at the start, and with more replay from where it was raised."""
        first, raised = self.session.data.rows, self.raises
        if not raised:
            return first
        more = [self._prepare(raised[:n]) for n in range(1, len(raised) + 1)]
        rows_per_step = self.session.place.rows_per_step
        return Switched([first, *more], [0, *(each.step * rows_per_step for each in raised)])

    def _prepare(self, raised: list[Raise]) -> Any:
        session = self.session
        plan = session.data.rows.plan
        trained = {
            each.available.chosen.language
            for each in plan.parts
            if not each.available.chosen.replay
        }
        with first_process_first(session.arguments):
            data = prepare(
                session.corpus,
                session.tokenizer,
                with_replay(session.config, plan, trained, raised),
                rows_per_step=session.place.rows_per_step,
                folder=session.place.folder / "tokens",
                progress=session.progress,
            )
        return data.rows

    def _manifest(self, trainer: Any, data: RunData, n_parameters: int) -> dict[str, Any]:
        session, step = self.session, trainer.state.global_step
        place = session.place
        base_model = {
            **place.identity["base_model"],
            "n_parameters": n_parameters,
            "trained_sources": session.base.trained_sources,
        }
        history = trainer.state.log_history
        return {
            "kind": KIND,
            "fingerprint": place.fingerprint,
            "identity": place.identity,
            **plan_record(data, session.config, place, base_model),
            "kept_step": self._best(step) or step,
            "watched": session.watched,
            "replay_raised": [each.row() for each in self.raises],
            "validation": self.validator.results(),
            "log": log_rows(history, session.config.logging_steps),
            "loss_spikes": spike_rows(history),
        }
