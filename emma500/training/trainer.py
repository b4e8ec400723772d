"""The Trainer of transformers, with two things continual pre-training needs and it lacks.

Checkpoints are whole or not there, and training ends before a loss or gradient that is no number reaches the weights.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, Trainer, default_data_collator

from emma500.errors import TrainingError
from emma500.progress import Progress
from emma500.storage import space_checked
from emma500.training.callbacks import ProgressCallback, ValidationCallback
from emma500.training.checkpoints import PREFIX, STAGED, publish_checkpoint


class PackedTrainer(Trainer):
    """Train on packed rows; everything that is not here is the Trainer's own."""

    _staging: str | None = None

    def training_step(self, *args: Any, **kwargs: Any) -> Any:
        """Run one forward and backward pass.

        Args:
            *args: As the Trainer's.
            **kwargs: As the Trainer's.

        Returns:
            The loss.

        Raises:
            TrainingError: If the loss is not finite.
        """
        loss = super().training_step(*args, **kwargs)
        self._check_finite("loss", float(loss))
        return loss

    def _get_grad_norm(self, *args: Any, **kwargs: Any) -> Any:
        """Return the norm of the gradients, which the Trainer asks for right before the optimizer's step."""
        norm = super()._get_grad_norm(*args, **kwargs)
        if norm is not None:
            self._check_finite("norm of the gradients", float(norm))
        return norm

    def _check_finite(self, name: str, value: float) -> None:
        if not math.isfinite(value):
            raise TrainingError(
                f"the {name} is {value} in step {self.state.global_step + 1}; the weights are still those of "
                f"step {self.state.global_step}. Lower learning_rate or max_grad_norm, lengthen warmup_steps, or "
                "look at the model's weights"
            )

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
                folder / STAGED / name, folder / name, self.args.save_total_limit or 1
            )
        self.accelerator.wait_for_everyone()


def make_trainer(
    model: Any,
    arguments: Any,
    rows: Any,
    validate: Callable[..., None],
    *,
    every: int,
    progress: Progress | None,
) -> PackedTrainer:
    """Put a Trainer together.

    Args:
        model: The model, with its adapters if it has any.
        arguments: TrainingArguments.
        rows: The packed rows, a map-style dataset in the order of training.
        validate: Called as `ValidationCallback` says.
        every: Steps between validations; 0 for only the first and the last.
        progress: Called as steps are done.

    Returns:
        The Trainer.
    """
    trainer = PackedTrainer(
        model=model, args=arguments, train_dataset=rows, data_collator=default_data_collator
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(ValidationCallback(validate, every))
    if progress is not None and trainer.is_world_process_zero():
        trainer.add_callback(ProgressCallback(progress))
    return trainer
