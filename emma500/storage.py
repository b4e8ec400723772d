"""Files that are whole or absent: written under a temporary name, renamed when done.

Whatever is killed leaves at worst a `*.tmp` that the next run removes.
"""

import errno
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emma500.errors import EmmaError, OutputError, StorageError

_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.EIO,
}
"""No folder can be made there, or no file written."""

_OVERTAKEN = {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST}
"""What a rename fails with that another process made superfluous: its source is gone, or its target is there."""

_NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}
_PATIENCE = 3.0
"""Seconds to wait for a lock: a killed process and its children take a moment to end."""


@contextmanager
def space_checked(path: Path) -> Iterator[None]:
    """Turn a full or refusing disk into a StorageError that names the path.

    Args:
        path: What is being written.

    Yields:
        Nothing.

    Raises:
        StorageError: If the disk is full or the path cannot be written.
        EmmaError: Any one of ours, as it came.
        Exception: Any other error, as it came.
    """
    try:
        yield
    except EmmaError:
        raise
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        if number in _SPACE or "No space left" in str(error):  # safetensors has an error of its own
            raise StorageError(
                f"no space left while writing {path}: free some space, or write elsewhere, "
                "and run the same call again; what is finished is kept"
            ) from error
        if isinstance(error, OSError) and number in _REFUSED:
            raise StorageError(
                f"{path} cannot be written ({error.strerror}): choose another output, or make that place writable"
            ) from error
        raise


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Write a file through a temporary name beside it.

    Args:
        path: The final name; its folder is created.

    Yields:
        The temporary name to write to. It becomes `path` if the block ends without an error, and vanishes otherwise.
    """
    temporary = path.with_name(path.name + ".tmp")
    with space_checked(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def locked(output: Path) -> Iterator[None]:
    """Keep other processes from writing the same output.

    The lock is the kernel's: it ends with the process, however that ends. A process that was just killed is waited for.
    A file system without locks keeps nobody away.

    Args:
        output: What is being written; the lock file `<output>.lock` stands beside it meanwhile.

    Yields:
        Nothing.

    Raises:
        OutputError: If another process is writing there.
    """
    path = output.with_name(output.name + ".lock")
    with space_checked(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(path: Path) -> int:
    deadline = time.monotonic() + _PATIENCE
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        except FileNotFoundError:  # its last owner removed the file in between
            pass
        except BlockingIOError as error:
            os.close(descriptor)
            if time.monotonic() > deadline:
                output = path.with_suffix("")
                raise OutputError(
                    f"another process is writing {output}: wait for it, or choose another output"
                ) from error
            time.sleep(0.1)
            continue
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return descriptor
            os.close(descriptor)
            raise
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def replace_folder(staged: Path, final: Path) -> None:
    """Put a finished folder in its place; an older folder there is replaced.

    A kill between the two renames leaves the old folder under `<final>.old.tmp`, which `recover_folder` brings back. So
    does a reader that comes between them: then both are made again.

    Raises:
        OSError: If the folder cannot be put there.
    """
    old = final.with_name(final.name + ".old.tmp")
    for is_last in (False, False, True):
        shutil.rmtree(old, ignore_errors=True)
        try:
            if final.exists():
                final.rename(old)
            staged.rename(final)
            break
        except OSError as error:
            if is_last or error.errno not in _OVERTAKEN:
                raise
    shutil.rmtree(old, ignore_errors=True)


def recover_folder(final: Path) -> None:
    """Undo a replacement that was killed half-way."""
    old = final.with_name(final.name + ".old.tmp")
    if old.exists() and not final.exists():
        try:
            old.rename(final)
        except OSError as error:  # the writer was not killed
            if error.errno not in _OVERTAKEN:
                raise
    shutil.rmtree(old, ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`: a hard link where the file system allows it, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as temporary:
        temporary.unlink(missing_ok=True)
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)


def refuse_foreign(
    folder: Path, *, kind: str, overwrite: bool, fingerprint: str | None = None
) -> None:
    """Refuse an output folder whose content is not ours to replace.

    Args:
        folder: The output folder.
        kind: The kind of manifest that may be replaced, as "corpus".
        overwrite: Replace whatever is there.
        fingerprint: Only a folder with this fingerprint may be replaced; any of the kind by default.

    Raises:
        OutputError: If the folder is a file, or holds something that may not be replaced.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; the output must be a folder")
    if folder.is_symlink() and not folder.exists():
        raise OutputError(
            f"{folder} is a link that leads nowhere: make what it names, or choose another output"
        )
    if overwrite or not folder.exists() or not any(folder.iterdir()):
        return
    way_out = "choose another output, or pass overwrite=True (--overwrite) to replace it"
    found = _manifest_of(folder)
    if found.get("kind") != kind:
        raise OutputError(f"{folder} exists and is not a finished {kind} of emma500: {way_out}")
    if fingerprint not in (None, found.get("fingerprint")):
        raise OutputError(
            f"{folder} holds another result of this kind ({kind}), made of other input or with another "
            f"configuration: {way_out}"
        )


def _manifest_of(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}
