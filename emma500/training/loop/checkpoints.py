"""Checkpoints that are whole or not there: which one to go on from."""

import json
import logging
import os
import shutil
from pathlib import Path

from emma500.storage import space_checked

PREFIX = "checkpoint-"

logger = logging.getLogger(__name__)

_NEEDED = [
    ("model", "adapter_model", "pytorch_model"),
    ("optimizer",),
    ("scheduler",),
    ("rng_state",),
]
"""Beginnings of the names of the files a checkpoint needs, one of each."""

STAGED = "staged.tmp"
"""Where a checkpoint is written before it is renamed; what is left of a kill is removed by the next run."""


def latest_complete(folder: Path) -> Path | None:
    """Return the newest checkpoint that is complete, or None; half-written ones are passed over."""
    every = list(folder.glob(f"{PREFIX}*"))
    found = [each for each in every if is_complete(each)]
    if every and not found:
        logger.warning(
            "%s holds %d checkpoints, but none is complete: the run starts from the beginning",
            folder, len(every),
        )  # fmt: skip
    return max(found, key=_step, default=None)


def is_complete(checkpoint: Path) -> bool:
    """Tell whether a checkpoint holds all that going on exactly needs."""
    step = checkpoint.name.removeprefix(PREFIX)
    if not step.isdigit():
        return False
    try:
        state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    names = [each.name for each in checkpoint.iterdir()]
    needed = [("rng_state",)] if _is_deepspeed(checkpoint) else _NEEDED
    return state.get("global_step") == int(step) and all(
        any(name.startswith(beginning) for name in names) for beginning in needed
    )


def _is_deepspeed(checkpoint: Path) -> bool:
    """Tell whether DeepSpeed wrote it: its last file, `latest`, names the folder of weights and optimizer."""
    try:
        state = (checkpoint / "latest").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return False
    folder = checkpoint / state
    return bool(state) and folder.is_dir() and any(folder.iterdir())


def publish_checkpoint(staged: Path, final: Path, keep: int, *, kept_step: int = 0) -> None:
    """Give a finished checkpoint its name, and remove all but the newest ones.

    Args:
        staged: The checkpoint under its temporary name.
        final: Its name, `checkpoint-<step>`.
        keep: How many checkpoints stay, the new one included.
        kept_step: The step whose checkpoint stays besides, as the best one.
    """
    with space_checked(final):
        for file in sorted(staged.rglob("*")):
            if file.is_file():
                _to_disk(file)
        shutil.rmtree(final, ignore_errors=True)
        staged.rename(final)
        staged.parent.rmdir()
    for old in sorted(final.parent.glob(f"{PREFIX}*"), key=_step)[:-keep]:
        if _step(old) != kept_step:
            shutil.rmtree(old, ignore_errors=True)


def _step(checkpoint: Path) -> int:
    step = checkpoint.name.removeprefix(PREFIX)
    return int(step) if step.isdigit() else -1


def _to_disk(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
