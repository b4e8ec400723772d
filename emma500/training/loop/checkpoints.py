"""Checkpoints that are whole or not there: which one to go on from."""

import json
import logging
import os
import shutil
from pathlib import Path
from zipfile import is_zipfile

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

_BINARY = (".safetensors", ".pt", ".pth", ".bin")
_ZIP = b"PK\x03\x04"

STAGED = "staged.tmp"
"""Where a checkpoint is written before it is renamed; what is left of a kill is removed by the next run."""


def latest_complete(folder: Path) -> Path | None:
    """Return the newest checkpoint that is complete, or None; others are passed over with a warning."""
    every = sorted(folder.glob(f"{PREFIX}*"), key=_step)
    found = [each for each in every if is_complete(each)]
    if every and not found:
        logger.warning(
            "%s holds %d checkpoints, but none is complete: the run starts from the beginning",
            folder, len(every),
        )  # fmt: skip
    elif found and every[-1] != found[-1]:
        logger.warning(
            "%s is not complete: the run goes on from %s", every[-1].name, found[-1].name
        )
    return found[-1] if found else None


def is_complete(checkpoint: Path) -> bool:
    """Tell whether a checkpoint holds all that going on exactly needs."""
    step = checkpoint.name.removeprefix(PREFIX)
    if not step.isdigit():
        return False
    try:
        state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    files = list(checkpoint.iterdir())
    names = [each.name for each in files]
    needed = [("rng_state",)] if _is_deepspeed(checkpoint) else _NEEDED
    return (
        state.get("global_step") == int(step)
        and all(any(name.startswith(beginning) for name in names) for beginning in needed)
        and all(_is_whole(each) for each in files if each.suffix in _BINARY)
    )


def _is_whole(file: Path) -> bool:
    """Tell whether a file is as long as its own beginning says; a copy that broke off is not."""
    with file.open("rb") as opened:
        start = opened.read(9)
        if start.startswith(_ZIP):  # what torch.save writes; its end is an index
            return is_zipfile(file)
        if file.suffix != ".safetensors" or not start.endswith(b"{"):
            return bool(start)
        n_header = int.from_bytes(start[:8], "little")
        try:
            header = json.loads(start[8:] + opened.read(n_header - 1))
        except ValueError:
            return False
    ends = [each["data_offsets"][1] for name, each in header.items() if name != "__metadata__"]
    return file.stat().st_size == 8 + n_header + max(ends, default=0)


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
