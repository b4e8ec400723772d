"""Tokens a second, the share of the device's peak, memory and the time that is left, over a window of steps."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emma500.storage import write_text
from emma500.training.config import TrainConfig
from emma500.training.loop.hardware import matmul_peak, memory_gb

CLOCK = "clock.json"
"""Seconds of training and what they trained, added up over interruptions; in the work folder."""


class Throughput:
    """Counts what is trained, in how many seconds; validation and checkpoints are not counted.

    Operations are counted by the length of each document: a token costs 6 for each weight that is trained and 4 for
    each that is not, embeddings that are only looked up apart, and attention 6 x layers x width for every token of its
    document before it. What is computed again for gradient checkpointing, and padding, do not count.

    Args:
        model: The model, before it is wrapped.
        config: The run's configuration.
        folder: The work folder.
        device: What this process computes on.
        n_processes: How many processes train.
    """

    def __init__(
        self, model: Any, config: TrainConfig, folder: Path, *, device: str, n_processes: int
    ) -> None:
        self.peak = matmul_peak(device, config.bf16)
        self.device = device
        self.n_processes = n_processes
        self._every = config.logging_steps
        self._a_token, self._a_square = operations(model)
        self._file = folder / CLOCK
        self._tokens: Any = 0
        self._squares: Any = 0
        self._steps = 0
        self._since = time.perf_counter()
        self._total = read_clock(folder)

    def add(self, inputs: dict[str, Any]) -> None:
        """Count a batch: its tokens that are predicted, and the squares of its documents' lengths."""
        self._tokens = self._tokens + (inputs["labels"] >= 0).sum()
        # the sum of 2p + 1 over the positions of a document is the square of its length
        self._squares = self._squares + (2 * inputs["position_ids"] + 1).sum()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the seconds of a block."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._since += time.perf_counter() - began

    def start(self) -> None:
        """Count from now on."""
        self._since = time.perf_counter()

    def step(self, step: int, n_steps: int, *, write: bool) -> dict[str, float] | None:
        """Count a step, and at the end of a window return what it shows; all processes have to ask.

        Args:
            step: The step that was done.
            n_steps: How many there are to be.
            write: Keep the sums in the work folder; True in one process.

        Returns:
            `tokens_per_second` of all processes, `mfu` (the share of the measured peak), `memory_gb` and
            `eta_seconds`; None within a window.
        """
        self._steps += 1
        if step % self._every and step != n_steps:
            return None
        seconds = time.perf_counter() - self._since
        tokens, squares = self._counted()
        operations_done = tokens * self._a_token + squares * self._a_square
        shown = {
            "tokens_per_second": tokens / seconds,
            "mfu": operations_done / seconds / (self.peak * self._n_devices),
            "memory_gb": memory_gb(self.device),
            "eta_seconds": (n_steps - step) * seconds / self._steps,
        }
        for name, value in (("seconds", seconds), ("n_tokens", tokens), ("flop", operations_done)):
            self._total[name] += value
        if write:
            write_text(self._file, json.dumps(self._total))
        self._tokens = self._squares = self._steps = 0
        self.start()
        return shown

    def _counted(self) -> tuple[int, int]:
        """Return the tokens and the squares of the window, in all processes together."""
        import torch

        counts = torch.tensor([int(self._tokens), int(self._squares)], device=self.device)
        if self.n_processes > 1:
            from accelerate.utils import reduce

            counts = reduce(counts, "sum")
        tokens, squares = counts.tolist()
        return tokens, squares

    @property
    def _n_devices(self) -> int:
        return 1 if self.device == "cpu" else self.n_processes


def read_clock(folder: Path) -> dict[str, float]:
    """Return the seconds, tokens and operations of a run so far, work that was lost and done again included."""
    nothing = {"seconds": 0.0, "n_tokens": 0, "flop": 0.0}
    try:
        return {**nothing, **json.loads((folder / CLOCK).read_text(encoding="utf-8"))}
    except (OSError, ValueError):
        return nothing


class Stopwatch:
    """Seconds that all calls worked on one thing, those that were stopped included.

    Args:
        folder: The work folder, where they are kept; None for work of one call.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._before = read_clock(folder)["seconds"] if folder is not None else 0.0
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """The seconds until now."""
        return self._before + time.perf_counter() - self._began

    def keep(self) -> None:
        """Write them down, for a call that goes on after this one was stopped."""
        if self._folder is not None:
            write_text(self._folder / CLOCK, json.dumps({"seconds": self.seconds}))


def operations(model: Any) -> tuple[float, float]:
    """Return how many operations a step of a model takes, forward and backward.

    Args:
        model: A causal language model, with its adapters if it has any.

    Returns:
        Operations a token, and operations for the square of each document's length.
    """
    read_only = None
    head = model.get_output_embeddings()
    table = model.get_input_embeddings()
    if head is None or getattr(head, "weight", None) is not getattr(table, "weight", None):
        read_only = {id(each) for each in table.parameters()}
    a_token = sum(
        each.numel() * (6 if each.requires_grad else 4)
        for each in model.parameters()
        if read_only is None or id(each) not in read_only
    )
    config = model.config.get_text_config()
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return float(a_token), 6.0 * config.num_hidden_layers * config.num_attention_heads * width


def shown_line(values: dict[str, float]) -> str:
    """Return throughput as a line, "1,234 tokens/s, 41% of peak, 3.2 GB, 2 h 05 min left"."""
    hours, rest = divmod(round(values["eta_seconds"]), 3600)
    minutes, seconds = divmod(rest, 60)
    left = f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"
    return (
        f"{values['tokens_per_second']:,.0f} tokens/s, {values['mfu']:.0%} of peak, "
        f"{values['memory_gb']:.1f} GB, {left} left"
    )
