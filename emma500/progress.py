"""Progress as one callback: `progress(description, done, total)`.

Library functions take `progress=None` and stay silent, so that a notebook does; the command line passes `Bars()`: one
live bar a stage on a terminal, one line a stage in a log, nothing with `EMMA500_PROGRESS=0`.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, TypeVar

from emma500.processes import is_first_process

Progress = Callable[[str, int, int | None], None]
"""Called with a description, how much is done, and the total (None if unknown)."""

Item = TypeVar("Item")

LOG_EVERY = 60.0
"""Seconds between two lines of a log about what is not done yet."""


def tracked(
    items: Iterable[Item], progress: Progress | None, description: str, total: int | None = None
) -> Iterator[Item]:
    """Yield the items and report each one done.

    Args:
        items: What to iterate over.
        progress: The callback, or None for silence.
        description: What is being done, as "reading".
        total: How many items there are, where `len` does not tell.

    Yields:
        The items, unchanged.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    if progress is not None:
        progress(description, 0, total)
    for done, item in enumerate(items, start=1):
        yield item
        if progress is not None:
            progress(description, done, total)


def named(progress: Progress | None, description: str) -> Progress | None:
    """Return a callback that says the same under another description; None for silence."""
    if progress is None:
        return None
    return lambda _, done, total: progress(description, done, total)


class Bars:
    """A progress callback for a terminal or a log, on standard error.

    A terminal shows one tqdm bar a description. Elsewhere each description writes one line when it ends: how much was
    done in how many seconds; and one a minute before: how much is done, and how long the rest takes.
    `EMMA500_PROGRESS=0` silences both, `EMMA500_PROGRESS=1` draws bars anyway. Of several processes the first speaks.
    """

    def __init__(self) -> None:
        wish = os.environ.get("EMMA500_PROGRESS", "")
        self._is_silent = wish == "0" or not is_first_process()
        self._is_live = wish == "1" or sys.stderr.isatty()
        self._started: dict[str, tuple[float, int]] = {}
        self._said = time.monotonic()
        self._bar: Any = None
        self._description = ""
        self._note = ""

    def __call__(self, description: str, done: int, total: int | None) -> None:
        """Move the bar of `description` to `done`, and start it if it is a new one."""
        if self._is_silent:
            return
        if self._is_live:
            self._draw(description, done, total)
            return
        now = time.monotonic()
        started, first = self._started.setdefault(description, (now, done))
        note = self._note and f" ({self._note})"
        if total is not None and done >= total:
            del self._started[description]
            self._note = ""
            if total:
                self._say(f"{description}: {total:,} in {now - started:.1f} s{note}")
        elif total is not None and done > first and now - self._said > LOG_EVERY:
            left = (total - done) * (now - started) / (done - first)
            self._say(f"{description}: {done:,} of {total:,}, {shown_time(left)} left{note}")

    def _say(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
        self._said = time.monotonic()

    def _draw(self, description: str, done: int, total: int | None) -> None:
        if description != self._description:
            self.close()
            if total is not None and done >= total:
                return  # the last word of something that was interrupted by another bar
            from tqdm import tqdm

            self._bar = tqdm(
                desc=f"{description:<28}", total=total, initial=done, file=sys.stderr, leave=True
            )
            self._description = description
        if total is not None and self._bar.total != total:
            self._bar.total = total
        self._bar.update(done - self._bar.n)
        if total is not None and done >= total:
            self.close()

    def note(self, text: str) -> None:
        """Show a line beside the bar that is being drawn; what is left of it stands in the last word of a log."""
        self._note = text
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def close(self) -> None:
        """Finish the bar that is being drawn, if any."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None
        self._description = ""


def shown_time(seconds: float) -> str:
    """Return a duration as it is read.

    >>> shown_time(42), shown_time(130), shown_time(9000)
    ('42 s', '2 min', '2 h 30 min')
    """
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
