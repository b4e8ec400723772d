"""SIGTERM, by which a scheduler says that the time of a job is over."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emma500.errors import StoppedError


@contextmanager
def on_sigterm(act: Callable[[], object]) -> Iterator[None]:
    """Act on SIGTERM while a block runs; signals reach only the main thread, elsewhere nothing is changed.

    Args:
        act: What to do, in place of what was done before.

    Yields:
        Nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: act())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stoppable(kept: str) -> Iterator[None]:
    """End a block at once on SIGTERM: for work whose files are whole or absent, so that nothing is half done.

    Args:
        kept: What is kept, for the message.

    Yields:
        Nothing.

    Raises:
        StoppedError: Where SIGTERM comes.
    """

    def stop() -> None:
        raise StoppedError(
            f"the run was asked to stop (SIGTERM): {kept}; the same call goes on from there"
        )

    with on_sigterm(stop):
        yield
