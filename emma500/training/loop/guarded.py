"""What every Trainer of ours does beside its own: whole checkpoints, an end before a number that is none does harm."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500.errors import TrainingError
from emma500.storage import space_checked
from emma500.training.loop.checkpoints import PREFIX, STAGED, publish_checkpoint

if TYPE_CHECKING:
    from transformers import Trainer as _Trainer
else:
    _Trainer = object


class Guarded(_Trainer):
    """Stands before a Trainer of transformers or trl among the bases of a class."""

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

    def compute_loss(self, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the loss; with DeepSpeed look at it at once, as its engine steps at the end of the backward pass.

        Args:
            model: As the Trainer's.
            *args: As the Trainer's.
            **kwargs: As the Trainer's.

        Returns:
            The loss, or the loss and what the model returned.
        """
        found = super().compute_loss(model, *args, **kwargs)
        if self.is_deepspeed_enabled and model.training:
            self._check_finite("loss", float(found[0] if isinstance(found, tuple) else found))
        return found

    def _get_grad_norm(self, *args: Any, **kwargs: Any) -> Any:
        """Return the norm of the gradients, which the Trainer asks for right before the optimizer's step."""
        loss, self._loss = (
            float(self._loss),
            0.0,
        )  # once a step: a GPU waits for every number it is asked for
        self._check_finite("loss", loss)
        norm = super()._get_grad_norm(*args, **kwargs)
        if norm is not None:
            self._check_finite(
                "norm of the gradients", float(norm), has_stepped=self.is_deepspeed_enabled
            )
        return norm

    def _check_finite(self, name: str, value: float, *, has_stepped: bool = False) -> None:
        if math.isfinite(value):
            return
        step = self.state.global_step
        left = (
            "the last checkpoint is good"
            if has_stepped
            else f"the weights are still those of step {step}"
        )
        raise TrainingError(
            f"the {name} is {value} in step {step + 1}{self._held()}; {left}. Lower learning_rate or max_grad_norm, "
            "lengthen warmup_steps, or look at the model's weights"
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
