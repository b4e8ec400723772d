"""Progress as one callback: `progress(description, done, total)`.

Library functions take `progress=None` and stay silent; the command line passes `Bars()`.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, TypeVar

Progress = Callable[[str, int, int | None], None]
"""Called with a description, how much is done, and the total (None if unknown)."""

Item = TypeVar("Item")


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


class Bars:
    """A progress callback that draws one tqdm bar a description on standard error."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._description = ""

    def __call__(self, description: str, done: int, total: int | None) -> None:
        """Move the bar of `description` to `done`, and start it if it is a new one."""
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

    def close(self) -> None:
        """Finish the bar that is being drawn, if any."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None
        self._description = ""
