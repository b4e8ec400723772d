"""Sources that fail without spoiling the rest: what cannot be read leaves one row that says why.

    resolve(names, strict=False)      a source that cannot be opened is a `FailedSource`
    task.read() of such sources       a task that fails ends with a row of the reason `failed`

The row's origin is what failed and why, as "part-3.jsonl.gz: … is damaged …"; rows that were read before it stay. So a
failure goes the way of all rows, from any process, and a manifest can tell of it (`failures_of`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from emma500.errors import EmmaError
from emma500.manifest import fingerprint
from emma500.sources.base import FAILED, UNKNOWN_LANGUAGE, Source, SourceInfo, Task, rows


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What could not be read, and why.

    Attributes:
        source: The name of the source.
        reason: The error's message.
    """

    source: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedSource:
    """A source that could not be opened."""

    info: SourceInfo
    reason: str

    def tasks(self) -> list[Task]:
        """Return one task, whose one row says why."""
        return [FailedTask(info=self.info, reason=self.reason)]

    def fingerprint(self) -> str:
        """Return what no source that can be read has: a build without it is another one."""
        return fingerprint(self.info, FAILED)


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedTask:
    """The one row of what could not be read."""

    info: SourceInfo
    reason: str

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the row.

        Yields:
            One batch of one row.
        """
        yield failed_row(self.info, self.reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class TolerantTask:
    """A task that ends with a row where it would end with an error; `root` is left out of the reason."""

    task: Task
    info: SourceInfo
    root: str

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            The task's batches, and if it fails one more.
        """
        try:
            yield from self.task.read()
        except EmmaError as error:
            yield failed_row(self.info, told(error, self.root))


class TolerantSource:
    """A source whose tasks do not fail.

    Args:
        source: The source.
        root: The folder it lies in, as its errors begin their paths: no path of a machine goes into a
            manifest.
    """

    def __init__(self, source: Source, root: str) -> None:
        self._source = source
        self._root = root

    @property
    def info(self) -> SourceInfo:
        """Its name, component, revision and licence."""
        return self._source.info

    def tasks(self) -> list[Task]:
        """Return its tasks; one that says why if they cannot be told."""
        try:
            return [
                TolerantTask(task=each, info=self.info, root=self._root)
                for each in self._source.tasks()
            ]
        except EmmaError as error:
            return [FailedTask(info=self.info, reason=told(error, self._root))]

    def fingerprint(self) -> str:
        """Return the source's fingerprint, or that of a failed one if it cannot be read for it."""
        try:
            return self._source.fingerprint()
        except EmmaError:
            return fingerprint(self.info, FAILED)

    def __repr__(self) -> str:
        return repr(self._source)


def told(error: EmmaError, root: str) -> str:
    """Return an error's message without the folder its source lies in."""
    return str(error).replace(root, "") if root else str(error)


def failed_row(info: SourceInfo, reason: str) -> pa.RecordBatch:
    """Return the one row that tells of a failure."""
    return rows(
        info,
        pa.nulls(1, pa.large_string()),
        codes=UNKNOWN_LANGUAGE,
        origins=pa.array([reason], pa.string()),
        reasons=pa.array([FAILED], pa.string()),
    )


def failures_of(columns: Iterable[dict[str, Any]]) -> list[Failure]:
    """Return the failures among rows.

    Args:
        columns: Rows with at least `source`, `origin` and `reason`.

    Returns:
        Each once, by source and reason.
    """
    found = {(str(row["source"]), str(row["origin"])) for row in columns if row["reason"] == FAILED}
    return [Failure(source=source, reason=reason) for source, reason in sorted(found)]
