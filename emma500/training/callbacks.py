"""What happens beside the steps: validation by language, and progress."""

from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback

from emma500.progress import Progress


class ValidationCallback(TrainerCallback):
    """Validate before the first step, every so many steps, and after the last one.

    Args:
        validate: Called with the model, the step, and `write`, which is True for one process only.
        every: Steps between validations; 0 for only the first and the last.
    """

    def __init__(self, validate: Callable[..., None], every: int) -> None:
        self.validate = validate
        self.every = every

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Validate the model as it came, unless the run is resumed."""
        if state.global_step == 0:
            self.validate(kwargs["model"], 0, write=state.is_world_process_zero)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Validate where it is time to."""
        step = state.global_step
        if step == state.max_steps or (self.every and step % self.every == 0):
            self.validate(kwargs["model"], step, write=state.is_world_process_zero)


class ProgressCallback(TrainerCallback):
    """Report every optimizer step.

    Args:
        progress: The callback of the library.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report where the run starts."""
        self.progress("training", state.global_step, state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report one more step."""
        self.progress("training", state.global_step, state.max_steps)
