"""Tasks read together: their batches brought to one size, through a function on all cores, into Parquet files.

A batch has the size the kernels are quickest with: far smaller ones pay for the calls, larger ones for the caches they
leave. Files are written where the rows are, so that nothing but their number passes through the engine.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emma500.configuration import n_cores
from emma500.storage import space_checked

BatchFunction = Callable[[pa.RecordBatch], pa.RecordBatch]

COUNTED = pa.schema([("n_rows", pa.int64())])
"""What the engine is told of a file: how many rows it holds."""

_BATCH_BYTES = 8 << 20
_BATCH_ROWS = 1 << 14
_FILE_BATCHES = 32
_PART_BYTES = 1 << 20  # a row group of each of many files that are written at once
COMPRESSION = "lz4"  # what is written is read once or twice, and deleted


class Task(Protocol):
    """A part of a source that is read on its own; it can be pickled."""

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows, always the same ones in the same order."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """Some tasks as one; it can be pickled if its callbacks can.

    Attributes:
        tasks: The tasks.
        function: What every batch goes through, or None.
        ahead: How many batches may wait for the function at once.
        on_done: Called after each task.
        on_rows: Called with the rows of each batch.
    """

    tasks: Sequence[Task]
    function: BatchFunction | None
    ahead: int
    on_done: Callable[[], None]
    on_rows: Callable[[int], None]

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of all tasks, as the function returns them."""
        batches = sized(self._raw())
        for batch in batches if self.function is None else self._through(batches, self.function):
            yield batch
            self.on_rows(len(batch))

    def _raw(self) -> Iterator[pa.RecordBatch]:
        for task in self.tasks:
            yield from task.read()
            self.on_done()

    def _through(
        self, batches: Iterator[pa.RecordBatch], function: BatchFunction
    ) -> Iterator[pa.RecordBatch]:
        """Send batches through the function, several at a time, and yield the results in their order."""
        waiting: deque[Future[pa.RecordBatch]] = deque()
        try:
            for batch in batches:
                waiting.append(_pool().submit(function, batch))
                if len(waiting) > self.ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A bundle whose rows go to Parquet files; a task itself.

    Attributes:
        bundle: The bundle.
        schema: The schema of its rows.
        stem: The files' path without `-<number>.parquet`.
    """

    bundle: Bundle
    schema: pa.Schema
    stem: Path

    def read(self) -> Iterator[pa.RecordBatch]:
        """Write its files.

        Yields:
            A batch for each: how many rows it holds.

        Raises:
            StorageError: If the disk is full.
        """
        batches, number = self.bundle.read(), 0
        while (some := next(batches, None)) is not None:
            file = self.stem.with_name(f"{self.stem.name}-{number:05}.parquet")
            yield pa.record_batch([pa.array([self._write(file, some, batches)])], schema=COUNTED)
            number += 1

    def _write(self, file: Path, first: pa.RecordBatch, more: Iterator[pa.RecordBatch]) -> int:
        n_rows = 0
        temporary = file.with_name(file.name + ".tmp")
        # The folder is not made here: where a build has failed, and is cleared away, a thread of it may still go on.
        with space_checked(file):
            try:
                with _writer(temporary, self.schema) as writer:
                    for batch in chain([first], islice(more, _FILE_BATCHES - 1)):
                        writer.write_batch(batch)
                        n_rows += len(batch)
                temporary.replace(file)
            finally:
                temporary.unlink(missing_ok=True)
        return n_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class Parted:
    """A bundle whose rows go to a folder a value of one of their columns; a task itself.

    Attributes:
        bundle: The bundle.
        column: The column, of int64; the files do not hold it.
        stem: The files' paths without `<column>=<value>`, and their name without `.parquet`.
    """

    bundle: Bundle
    column: str
    stem: Path

    def read(self) -> Iterator[pa.RecordBatch]:
        """Write its files, several megabytes at a time.

        Yields:
            One batch: how many rows they hold.

        Raises:
            StorageError: If the disk is full.
        """
        n_rows = 0
        with ExitStack() as stack:
            parts: dict[int, _PartFile] = {}
            for batch in self.bundle.read():
                n_rows += len(batch)
                for value, rows in _by_value(batch, self.column):
                    if value not in parts:
                        folder = self.stem.parent / f"{self.column}={value}"
                        file = folder / f"{self.stem.name}.parquet"
                        parts[value] = stack.enter_context(_PartFile(file, rows.schema))
                    parts[value].add(rows)
        yield pa.record_batch([pa.array([n_rows])], schema=COUNTED)


class _PartFile:
    """A file that is written a megabyte at a time, under a temporary name until it is whole."""

    def __init__(self, file: Path, schema: pa.Schema) -> None:
        self._file = file
        self._temporary = file.with_name(file.name + ".tmp")
        self._held: list[pa.RecordBatch] = []
        self._size = 0
        with space_checked(file):
            file.parent.mkdir(exist_ok=True)
            self._writer = _writer(self._temporary, schema)

    def add(self, rows: pa.RecordBatch) -> None:
        self._held.append(rows)
        self._size += rows.nbytes
        if self._size >= _PART_BYTES:
            self._write()

    def _write(self) -> None:
        with space_checked(self._file):
            self._writer.write_batch(pa.concat_batches(self._held))
        self._held, self._size = [], 0

    def __enter__(self) -> "_PartFile":
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            if error is None and self._held:
                self._write()
            with space_checked(self._file):
                self._writer.close()
                if error is None:
                    self._temporary.replace(self._file)
        finally:
            self._temporary.unlink(missing_ok=True)


def _writer(file: Path, schema: pa.Schema) -> pq.ParquetWriter:
    plain = {"use_dictionary": False, "write_statistics": False}
    return pq.ParquetWriter(file, schema, compression=COMPRESSION, **plain)


def _by_value(batch: pa.RecordBatch, column: str) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the rows of each value of a column, without it; copies, so that none keeps the whole batch in memory."""
    values = batch[column].to_numpy()
    rest = batch.drop_columns([column])
    for value in np.unique(values).tolist():
        is_own = values == value
        yield value, rest if is_own.all() else rest.take(pa.array(np.flatnonzero(is_own)))


def sized(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Join small batches and cut large ones: about 8 MiB and at most 16,384 rows each; empty ones are dropped."""
    held: list[pa.RecordBatch] = []
    n_rows = n_bytes = 0
    for batch in batches:
        if not len(batch):
            continue
        size = batch.nbytes
        if held and (n_rows + len(batch) > _BATCH_ROWS or n_bytes + size > _BATCH_BYTES):
            yield from _cut(held, n_bytes)
            held, n_rows, n_bytes = [], 0, 0
        held.append(batch)
        n_rows += len(batch)
        n_bytes += size
    if held:
        yield from _cut(held, n_bytes)


def _cut(held: list[pa.RecordBatch], n_bytes: int) -> Iterator[pa.RecordBatch]:
    batch = held[0] if len(held) == 1 else pa.concat_batches(held)
    n_parts = max(-(-len(batch) // _BATCH_ROWS), round(n_bytes / _BATCH_BYTES))
    step = -(-len(batch) // max(n_parts, 1))
    for start in range(0, len(batch), step):
        yield batch.slice(start, step)


@lru_cache(1)
def _pool() -> ThreadPoolExecutor:
    """The threads that run functions, those of all bundles of this process."""
    return ThreadPoolExecutor(n_cores(), thread_name_prefix="emma500")
