"""What a folder has that a repository has not: hashes on both sides, and the plan that follows from them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from emma500.manifest import MANIFEST
from emma500.progress import Progress, tracked
from emma500.publishing.tables import counted, size

CARD = "README.md"
LAST = frozenset({CARD, MANIFEST})
"""What describes the rest, and is committed after it."""

_CHUNK = 1 << 20
_MOST_SHOWN = 5

Remote = Mapping[str, tuple[str, str]]
"""What a repository holds: ("sha256", of large files, or "sha1", git's name of small ones; digest) by path."""


@dataclass(frozen=True, slots=True)
class Ids:
    """The two names git and LFS know a file's bytes by, and how many bytes there are."""

    sha256: str
    sha1: str
    n_bytes: int

    def same(self, remote: tuple[str, str] | None) -> bool:
        """Tell whether a file of a repository has these bytes."""
        return remote is not None and getattr(self, remote[0]) == remote[1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """What would make a repository hold a folder.

    Attributes:
        new: Files it has not.
        changed: Files it has with other bytes.
        stale: Files of ours that the folder has not.
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    stale: tuple[str, ...]

    @property
    def upload(self) -> tuple[str, ...]:
        """The files that are new or changed."""
        return tuple(sorted((*self.new, *self.changed)))

    @property
    def lost(self) -> set[str]:
        """The files of the repository that would be deleted or get other bytes, its card apart."""
        return {*self.stale, *self.changed} - {CARD}

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.stale)


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishPlan:
    """What publishing would do: shown before it is done.

    Attributes:
        where: The repository, its branch or pull request.
        notes: What is done besides uploading: it is created, as private, gated, tagged.
        new: Files that it does not have.
        changed: Files that it has with other bytes.
        deleted: Files that it would lose.
        n_files: How many files it will have of ours.
        n_bytes: How many bytes are uploaded.
        verb: What is done with them.
    """

    where: str
    notes: tuple[str, ...]
    new: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    n_files: int
    n_bytes: int
    verb: str = "upload"

    def __str__(self) -> str:
        lines = [f"{self.where}: {', '.join(self.notes)}" if self.notes else self.where]
        for what, paths in (
            ("new", self.new), ("changed", self.changed), ("deleted", self.deleted),
        ):  # fmt: skip
            if paths:
                lines.append(f"  {what}: {counted(len(paths), 'file')}, {_shown(paths)}")
        lines.append(
            f"  {size(self.n_bytes)} to {self.verb}; {counted(self.n_files, 'file')} in all"
            if len(lines) > 1
            else f"  nothing to {self.verb}: all of it is there"
        )
        return "\n".join(lines)


def compare(ids: Mapping[str, Ids], remote: Remote, owned: Iterable[str]) -> Difference:
    """Return what makes a repository hold the files of a folder.

    Args:
        ids: The folder's files.
        remote: The repository's.
        owned: Patterns of the files that are ours to delete.

    Returns:
        The difference, each list sorted.
    """
    patterns = tuple(owned)
    return Difference(
        new=tuple(sorted(path for path in ids if path not in remote)),
        changed=tuple(
            sorted(path for path in ids if path in remote and not ids[path].same(remote[path]))
        ),
        stale=tuple(
            sorted(
                path
                for path in remote
                if path not in ids and any(fnmatchcase(path, pattern) for pattern in patterns)
            )
        ),
    )


def plan_of_folder(folder: Path, there: Mapping[str, Ids], ours: Mapping[str, Ids]) -> PublishPlan:
    """Return what a folder gets and loses where it becomes a repository's copy.

    Args:
        folder: The folder.
        there: The files it holds.
        ours: Those of the repository.

    Returns:
        The plan.
    """
    found = compare(ours, {path: ("sha256", each.sha256) for path, each in there.items()}, ("*",))
    return PublishPlan(
        where=f"folder {folder}",
        notes=(),
        new=found.new,
        changed=found.changed,
        deleted=found.stale,
        n_files=len(ours),
        n_bytes=sum(ours[path].n_bytes for path in found.upload),
        verb="write",
    )


def local_ids(folder: Path, progress: Progress | None = None) -> dict[str, Ids]:
    """Return the hashes of all files of a folder by their paths in it.

    Args:
        folder: The folder.
        progress: Called as files are hashed.

    Returns:
        The hashes, sorted by path.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hash_file(path)
        for path in tracked(paths, progress, "hashing")
    }


def hash_file(path: Path) -> Ids:
    """Return the hashes of a file."""
    n_bytes = path.stat().st_size
    sha256 = hashlib.sha256()
    sha1 = hashlib.sha1(b"blob %d\0" % n_bytes, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha256.update(chunk)
            sha1.update(chunk)
    return Ids(sha256.hexdigest(), sha1.hexdigest(), n_bytes)


def _shown(paths: tuple[str, ...]) -> str:
    more = len(paths) - _MOST_SHOWN
    return ", ".join(paths[:_MOST_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
