"""The Trainer of transformers, with what continual pre-training needs and it lacks.

Checkpoints are whole or not there, training ends before a loss or gradient that is no number reaches the weights, the
schedules include the infinite one, and embeddings may have a learning rate of their own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, Trainer, default_data_collator

from emma500.errors import TrainingError
from emma500.progress import Progress
from emma500.training.config import TrainConfig
from emma500.training.loop.callbacks import (
    ProgressCallback,
    SpikeCallback,
    TerminationCallback,
    ThroughputCallback,
    ValidationCallback,
)
from emma500.training.loop.checkpoints import PREFIX, is_complete
from emma500.training.loop.guarded import Guarded
from emma500.training.loop.loss import loss_beside
from emma500.training.loop.schedules import make_schedule
from emma500.training.loop.throughput import Throughput


class PackedTrainer(Guarded, Trainer):
    """A Trainer of packed rows."""


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
    trainer = PretrainTrainer(
        config, throughput, model=model, args=arguments, train_dataset=rows,
        compute_loss_func=loss_beside(model, arguments),
    )  # fmt: skip
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
