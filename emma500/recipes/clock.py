"""Steps of a pipeline, each in a process of its own, with its seconds and its memory."""

import json
import multiprocessing
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from emma500.storage import write_text

Made = TypeVar("Made")


class Clock:
    """Runs the steps, and keeps their wall time and peak memory over several runs in `timings.json`.

    Times are the one thing a second run may change, so they stand in a file of their own and in no other.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.steps: dict[str, dict[str, float]] = (
            json.loads(file.read_text()) if file.exists() else {}
        )
        self.rows: list[tuple[str, float, float]] = []

    def step(self, name: str, work: Callable[..., Made], *arguments: Any) -> Made:
        """Do the work of one step in a process of its own, and note its seconds and the peak memory.

        What a step allocates goes back to the machine when it is done. The peak is that of both processes together.

        Args:
            name: The step's name.
            work: What to do.
            *arguments: What to do it with.

        Returns:
            What the work returns.
        """
        sys.stderr.write(f"== {name}\n")
        start = time.monotonic()
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, spawn, _follow, (os.getpid(),)) as pool:
            made, peak = pool.submit(_measured, work, *arguments).result()
        seconds, peak = time.monotonic() - start, peak + _peak_gib()
        self.rows.append((name, seconds, peak))
        earlier = self.steps.get(name, {"seconds": 0.0, "peak_gib": 0.0})
        self.steps[name] = {
            "seconds": round(max(seconds, earlier["seconds"]), 1),
            "peak_gib": round(max(peak, earlier["peak_gib"]), 2),
        }
        write_text(self.file, json.dumps(self.steps, indent=1) + "\n")
        return made

    def table(self) -> str:
        """Return the steps of this run with their seconds and their peak memory."""
        lines = [f"{'step':<22}{'seconds':>9}{'peak GiB':>10}"]
        lines += [f"{name:<22}{seconds:>9.1f}{peak:>10.2f}" for name, seconds, peak in self.rows]
        seconds = sum(row[1] for row in self.rows)
        return "\n".join(
            [*lines, f"{'all':<22}{seconds:>9.1f}{max(row[2] for row in self.rows):>10.2f}"]
        )


def _measured(work: Callable[..., Made], *arguments: Any) -> tuple[Made, float]:
    return work(*arguments), _peak_gib()


def _peak_gib() -> float:
    """Return the peak resident memory of this process so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def _follow(parent: int) -> None:
    """End this process when its parent is gone, or a killed run would go on and meet its own second run."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
