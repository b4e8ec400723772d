"""What happens beside the steps: validation by language, SIGTERM, throughput, loss spikes, and progress."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median
from typing import Any

from transformers import TrainerCallback

from emma500.progress import Progress
from emma500.training.loop.checkpoints import PREFIX
from emma500.training.loop.throughput import Stopwatch, Throughput, shown_line
from emma500.training.stopping import on_sigterm

_SPIKE_WINDOW = 50
_SPIKE_DEVIATIONS = 8.0
_SPIKE_RATIO = 1.1

logger = logging.getLogger(__name__)


class ValidationCallback(TrainerCallback):
    """Validate before the first step, every so many steps, and after the last one, and do as it says.

    Args:
        validate: Called with the model and the step; returns "" to go on, "save" to keep a checkpoint of the step, or
            "stop" to keep one and end training.
        every: Steps between validations; 0 for only the first and the last.
    """

    def __init__(self, validate: Callable[[Any, int], str], every: int) -> None:
        self.validate = validate
        self.every = every

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Validate the model as it came, unless the run is resumed."""
        if state.global_step == 0:
            self.validate(kwargs["model"], 0)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Validate where it is time to."""
        step = state.global_step
        if step == state.max_steps or (self.every and step % self.every == 0):
            verdict = self.validate(kwargs["model"], step)
            control.should_save = control.should_save or verdict != ""
            control.should_training_stop = control.should_training_stop or verdict == "stop"


class TerminationCallback(TrainerCallback):
    """After SIGTERM in any process, keep a checkpoint of the step and end training.

    The Trainer's own `enable_jit_checkpoint` saves in each process on its own clock, and may save between the backward
    pass and the optimizer's step; here all processes agree at the end of a step, and nothing of it is lost.

    Args:
        accelerator: Asks the other processes.
    """

    def __init__(self, accelerator: Any) -> None:
        self.accelerator = accelerator
        self.is_stopped = False

    def listening(self) -> AbstractContextManager[None]:
        """Take SIGTERM as a wish to stop while a block runs; signals reach only the main thread."""
        return on_sigterm(self.accelerator.set_trigger)

    def was_asked(self) -> bool:
        """Tell whether a process was asked to stop after the last step; all processes have to look."""
        return bool(self.accelerator.check_trigger())

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop if one process was asked to, and the run is not done anyway."""
        if self.accelerator.check_trigger() and state.global_step < state.max_steps:
            self.is_stopped = control.should_save = control.should_training_stop = True


class ThroughputCallback(TrainerCallback):
    """Tell the trackers and the progress display how fast it goes.

    Args:
        throughput: What counts.
        log: Tells the trackers.
        progress: The callback of the library; it is shown the line if it has a place for notes.
    """

    def __init__(
        self,
        throughput: Throughput,
        log: Callable[[dict[str, float]], None],
        progress: Progress | None,
    ) -> None:
        self.throughput = throughput
        self.log = log
        self.note = getattr(progress, "note", None)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count from the first step."""
        self.throughput.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Count a step."""
        first = state.is_world_process_zero
        shown = self.throughput.step(state.global_step, state.max_steps, write=first)
        if shown is not None and first:
            self.log(shown)
            if self.note is not None:
                self.note(shown_line(shown))


class StopwatchCallback(TrainerCallback):
    """Write down after every step how long the work took.

    Args:
        stopwatch: What counts.
    """

    def __init__(self, stopwatch: Stopwatch) -> None:
        self.stopwatch = stopwatch

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Keep the seconds; in one process."""
        if state.is_world_process_zero:
            self.stopwatch.keep()


class CheckpointCallback(TrainerCallback):
    """Hand every finished checkpoint on, in one process.

    Args:
        keep: Called with its folder.
    """

    def __init__(self, keep: Callable[[Path], None]) -> None:
        self.keep = keep

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Hand on the checkpoint of this step."""
        if state.is_world_process_zero:
            self.keep(Path(args.output_dir) / f"{PREFIX}{state.global_step}")


class SpikeCallback(TrainerCallback):
    """Warn of a step whose loss is far above those before it."""

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at the last step that was logged."""
        losses = [row["loss"] for row in state.log_history[-4 * _SPIKE_WINDOW :] if "loss" in row]
        if "loss" in (kwargs.get("logs") or {}) and is_spike(losses, len(losses) - 1):
            logger.warning(
                "step %d: the loss jumped to %.3f; the median of the steps before it was %.3f",
                state.global_step, losses[-1], median(losses[-_SPIKE_WINDOW - 1 : -1]),
            )  # fmt: skip


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


def is_spike(losses: Sequence[float], index: int) -> bool:
    """Tell whether a loss is a spike: far above those of the fifty steps before it.

    Far is 8 times the median absolute deviation above the median, and a tenth of it at least; the first ten steps are
    never spikes.

    Args:
        losses: Losses of all steps, in order.
        index: Which one.

    Returns:
        True for a spike.
    """
    before = losses[max(0, index - _SPIKE_WINDOW) : index]
    if len(before) < 10:
        return False
    middle = median(before)
    deviation = median(abs(each - middle) for each in before)
    return losses[index] > max(middle + _SPIKE_DEVIATIONS * deviation, middle * _SPIKE_RATIO)
