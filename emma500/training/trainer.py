"""The Trainer of transformers, with what continual pre-training needs and it lacks.

Checkpoints are whole or not there, training ends before a loss or gradient that is no number reaches the weights, the
schedules include the infinite one, and embeddings may have a learning rate of their own.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, Trainer, default_data_collator

from emma500.errors import TrainingError
from emma500.progress import Progress
from emma500.storage import space_checked
from emma500.training.callbacks import (
    ProgressCallback,
    SpikeCallback,
    TerminationCallback,
    ThroughputCallback,
    ValidationCallback,
)
from emma500.training.checkpoints import PREFIX, STAGED, is_complete, publish_checkpoint
from emma500.training.config import TrainConfig
from emma500.training.schedules import make_schedule
from emma500.training.throughput import Throughput


class PackedTrainer(Trainer):
    """A Trainer whose checkpoints are whole or not there, and that ends before a number that is none does harm."""

    kept_step = 0
    """The step whose checkpoint stays whatever comes after it; 0 for none."""

    _staging: str | None = None
    _loss: Any = 0.0

    def training_step(self, *args: Any, **kwargs: Any) -> Any:
        """Run one forward and backward pass.

        Args:
            *args: As the Trainer's.
            **kwargs: As the Trainer's.

        Returns:
            The loss.
        """
        loss = super().training_step(*args, **kwargs)
        self._loss = self._loss + loss
        return loss

    def _get_grad_norm(self, *args: Any, **kwargs: Any) -> Any:
        """Return the norm of the gradients, which the Trainer asks for right before the optimizer's step."""
        loss, self._loss = (
            float(self._loss),
            0.0,
        )  # once a step: a GPU waits for every number it is asked for
        self._check_finite("loss", loss)
        norm = super()._get_grad_norm(*args, **kwargs)
        if norm is not None:
            self._check_finite("norm of the gradients", float(norm))
        return norm

    def _check_finite(self, name: str, value: float) -> None:
        if not math.isfinite(value):
            raise TrainingError(
                f"the {name} is {value} in step {self.state.global_step + 1}{self._held()}; the weights are still "
                f"those of step {self.state.global_step}. Lower learning_rate or max_grad_norm, lengthen "
                "warmup_steps, or look at the model's weights"
            )

    def _held(self) -> str:
        """Return what the step's rows hold, as words in brackets, or "" where the rows cannot say it."""
        return ""

    def _get_output_dir(self, trial: Any) -> str:
        return self._staging or super()._get_output_dir(trial)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write a checkpoint under a temporary name and rename it."""
        folder = Path(self.args.output_dir)
        name = f"{PREFIX}{self.state.global_step}"
        self._staging = str(folder / STAGED)
        try:
            with space_checked(folder / name):
                super()._save_checkpoint(model, trial)
        finally:
            self._staging = None
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            publish_checkpoint(
                folder / STAGED / name,
                folder / name,
                self.args.save_total_limit or 1,
                kept_step=self.kept_step,
            )
        self.accelerator.wait_for_everyone()


class PretrainTrainer(PackedTrainer):
    """Train on packed rows; everything that is not here is the Trainer's own.

    Args:
        config: The run's configuration.
        throughput: What counts tokens and seconds.
        **kwargs: As the Trainer's.
    """

    lr_scheduler: Any

    def __init__(self, config: TrainConfig, throughput: Throughput, **kwargs: Any) -> None:
        self.config = config
        self.throughput = throughput
        super().__init__(data_collator=default_data_collator, **kwargs)

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Run one forward and backward pass, and count its tokens.

        Args:
            model: As the Trainer's.
            inputs: As the Trainer's.
            *args: As the Trainer's.
            **kwargs: As the Trainer's.

        Returns:
            The loss.
        """
        self.throughput.add(inputs)
        return super().training_step(model, inputs, *args, **kwargs)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Make the schedule of the learning rate.

        Args:
            num_training_steps: Optimizer steps of the whole run.
            optimizer: The optimizer; the Trainer's own by default.

        Returns:
            A scheduler of torch.
        """
        if self.lr_scheduler is None:
            self.lr_scheduler = make_schedule(
                self.config.lr_scheduler_type,
                optimizer or self.optimizer,
                n_warmup=self.args.get_warmup_steps(num_training_steps),
                n_steps=num_training_steps,
                given=self.config.lr_scheduler_kwargs,
            )
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def create_optimizer(self, model: Any = None) -> Any:
        """Make the optimizer; the embeddings become a group of their own if they have their own learning rate.

        Args:
            model: The model; the Trainer's own by default.

        Returns:
            An optimizer of torch.
        """
        is_new = self.optimizer is None
        optimizer = super().create_optimizer(*([] if model is None else [model]))
        rate = self.config.embedding_learning_rate
        if is_new and rate is not None:
            own = self.model if model is None else model
            tables = [own.get_input_embeddings(), own.get_output_embeddings()]
            theirs = {id(each) for table in tables if table for each in table.parameters()}
            for group in list(optimizer.param_groups):
                moved = [each for each in group["params"] if id(each) in theirs]
                if moved:
                    group["params"] = [each for each in group["params"] if id(each) not in theirs]
                    optimizer.add_param_group({**group, "params": moved, "lr": rate})
        return optimizer

    def log_beside(self, values: dict[str, float]) -> None:
        """Log values beside those of the step, which the Trainer logs afterwards.

        Args:
            values: The values by name.
        """
        is_due = self.control.should_log
        self.log(values)
        self.control.should_log = is_due

    def load_step(self, step: int) -> None:
        """Load the weights of an earlier checkpoint.

        Args:
            step: Its step.

        Raises:
            TrainingError: If it is not there any more; the Trainer would go on with the weights it has.
        """
        checkpoint = Path(self.args.output_dir) / f"{PREFIX}{step}"
        if not is_complete(checkpoint):
            raise TrainingError(
                f"step {step} is the best by validation, but its checkpoint {checkpoint.name} is gone: run it again "
                "with resume=False, or with keep='last'"
            )
        self.state.best_model_checkpoint = str(checkpoint)
        self._load_best_model()

    def _held(self) -> str:
        step = self.state.global_step
        rows = self.args.train_batch_size * self.args.gradient_accumulation_steps
        rows *= self.args.world_size
        held = self.train_dataset.seen(step * rows, (step + 1) * rows)
        return f" (its rows hold {', '.join(' '.join(each) for each in held)})"

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        with self.throughput.paused():
            super()._save_checkpoint(model, trial)


def make_trainer(
    model: Any,
    arguments: Any,
    rows: Any,
    validate: Callable[["PretrainTrainer", Any, int], str],
    *,
    config: TrainConfig,
    folder: Path,
    progress: Progress | None,
) -> tuple[PretrainTrainer, TerminationCallback]:
    """Put a Trainer together.

    Args:
        model: The model, with its adapters if it has any.
        arguments: TrainingArguments.
        rows: The packed rows, a map-style dataset in the order of training.
        validate: Called with the Trainer and as `ValidationCallback` says.
        config: The run's configuration.
        folder: The work folder.
        progress: Called as steps are done.

    Returns:
        The Trainer, and what listens for SIGTERM.
    """
    throughput = Throughput(
        model, config, folder, device=str(arguments.device), n_processes=arguments.world_size
    )
    trainer = PretrainTrainer(config, throughput, model=model, args=arguments, train_dataset=rows)
    trainer.remove_callback(PrinterCallback)
    is_first = trainer.is_world_process_zero()

    def validate_paused(net: Any, step: int) -> str:
        with throughput.paused():
            return validate(trainer, net, step)

    termination = TerminationCallback(trainer.accelerator)
    trainer.add_callback(ValidationCallback(validate_paused, config.eval_steps))
    trainer.add_callback(
        ThroughputCallback(throughput, trainer.log_beside, progress if is_first else None)
    )
    trainer.add_callback(termination)
    trainer.add_callback(SpikeCallback())
    if progress is not None and is_first:
        trainer.add_callback(ProgressCallback(progress))
    return trainer, termination
