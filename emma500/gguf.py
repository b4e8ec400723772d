"""A `.gguf` file becomes a folder of safetensors, once, in a cache."""

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emma500.errors import SourceError
from emma500.manifest import file_digest
from emma500.progress import Progress
from emma500.storage import space_checked


def cache_folder() -> Path:
    """Return the folder for converted models: `EMMA500_CACHE`, else `~/.cache/emma500`."""
    return Path(os.environ.get("EMMA500_CACHE", "~/.cache/emma500")).expanduser()


def local_model(name: str | Path, *, progress: Progress | None = None) -> str:
    """Return what transformers can load: a `.gguf` file becomes a folder of safetensors in the cache.

    Args:
        name: A Hub id, a folder or a `.gguf` file.
        progress: Called before and after a conversion, which takes a while.

    Returns:
        A Hub id or a folder.

    Raises:
        SourceError: If the `.gguf` file is not there.
    """
    if not str(name).endswith(".gguf"):
        return str(name)
    file = Path(name)
    if not file.is_file():
        raise SourceError(f"{file} is not there; a model is a Hub id, a folder or a .gguf file")
    folder = cache_folder() / f"{file.stem}-{file_digest(file)[:16]}"
    if not folder.exists():
        _remove_stale(folder)
        if progress is not None:
            progress("converting", 0, 1)
        _convert_gguf(file, folder)
        if progress is not None:
            progress("converting", 1, 1)
    return str(folder)


def _remove_stale(folder: Path) -> None:
    """Remove what killed conversions left; those of processes that live are going on."""
    for staged in folder.parent.glob(f"{glob.escape(folder.name)}.*.tmp"):
        pid = staged.name.split(".")[-2]
        if not (pid.isdigit() and _is_alive(int(pid))):
            shutil.rmtree(staged, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True


def _convert_gguf(file: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    staged = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    with space_checked(folder), without_bars():
        model = AutoModelForCausalLM.from_pretrained(
            file.parent,
            gguf_file=file.name,
            dtype=torch.float32,
            quantization_config=GgufConfig(dequantize=True),
        )
        model.config._name_or_path = file.stem
        model.save_pretrained(staged)
        AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(staged)
        try:
            staged.rename(folder)
        except OSError:  # another process converted it in the meantime
            shutil.rmtree(staged)


@contextmanager
def without_bars() -> Iterator[None]:
    """Keep transformers from drawing progress bars of its own in the meantime."""
    from transformers.utils import logging

    were_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if were_on:
            logging.enable_progress_bar()
