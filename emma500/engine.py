"""The corpus engine: pure functions over Arrow batches, streamed by Daft. The only file that imports Daft.

A `Flow` is a lazy table. It starts from tasks, which read sources or row groups of what an earlier stage wrote, may go
through functions batch -> batch, and ends as a folder of Parquet files or as one Arrow table. The engine schedules,
streams and writes; it promises no order of rows and no file names, so whoever needs the same bytes twice takes them
from the data.

The native runner is embedded. `EMMA500_RUNNER=ray` (or `runner="ray"`) runs the same flows on a Ray cluster.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

# Daft would report its use over the network, and logs the tracebacks of errors that are raised anyway.
os.environ.setdefault("DAFT_ANALYTICS_ENABLED", "0")
os.environ.setdefault("DAFT_PROGRESS_BAR", "0")

import daft
from daft.io.source import DataSource, DataSourceTask
from daft.recordbatch import RecordBatch
from daft.schema import Schema

from emma500.configuration import n_cores
from emma500.errors import ConfigError, EmmaError
from emma500.storage import space_checked

BatchFunction = Callable[[pa.RecordBatch], pa.RecordBatch]

_BATCH_ROWS = 1024
_COMPRESSION = "lz4"  # what a flow writes is read once or twice, and deleted
_GROUP_BYTES = 32 << 20  # a row group as it is written; it is held whole before, some times larger
_PARTED_GROUP_BYTES = 1 << 20  # of each of many folders that are written to at once
_PROBE_BYTES = 1 << 20

logging.getLogger("daft_local_execution").setLevel(logging.CRITICAL)


class Task(Protocol):
    """A part of a source that is read on its own; it can be pickled."""

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows, always the same ones in the same order."""
        ...


def use_runner(name: str) -> None:
    """Choose what runs the flows of this process.

    Args:
        name: "native" or "ray"; the environment variable `EMMA500_RUNNER` wins over it.

    Raises:
        ConfigError: If the name is neither, or the process already runs flows on the other one.
    """
    name = os.environ.get("EMMA500_RUNNER", name)
    if name not in {"native", "ray"}:
        raise ConfigError(f"the runner must be 'native' or 'ray', not {name!r}")
    setters = {"native": daft.set_runner_native, "ray": daft.set_runner_ray}
    try:
        setters[name]()
    except Exception as error:
        if (
            daft.get_or_infer_runner_type() == name
        ):  # it was set before, which Daft takes for an error
            return
        raise ConfigError(f"the runner {name!r} cannot be used in this process: {error}") from error


class _Here:
    """A callback of this process: sent to another one, as Ray does, it stays behind and does nothing there."""

    def __init__(self, function: Callable[..., None] | None) -> None:
        self._function = function

    def __call__(self, *values: int) -> None:
        if self._function is not None:
            self._function(*values)

    def __reduce__(self) -> "tuple[type[_Here], tuple[None]]":
        return _Here, (None,)


class Flow:
    """A lazy table of Arrow batches.

    Args:
        frame: A Daft data frame.
        failures: Where its tasks leave the errors they raise, which Daft would turn into its own. What runs in
            another process leaves none here.
    """

    def __init__(self, frame: Any, failures: list[EmmaError] | None = None) -> None:
        self._frame = frame
        self._failures = failures if failures is not None else []

    @classmethod
    def of_tasks(
        cls,
        tasks: Sequence[Task],
        schema: pa.Schema,
        on_done: Callable[[], None] | None = None,
        on_rows: Callable[[int], None] | None = None,
    ) -> "Flow":
        """Start from tasks whose batches have one schema.

        Args:
            tasks: The tasks.
            schema: The schema of their batches.
            on_done: Called after each task (native runner only).
            on_rows: Called with the rows of each batch, from any thread (native runner only).

        Returns:
            The flow of their rows.
        """
        failures: list[EmmaError] = []
        calls = {"on_done": _Here(on_done), "on_rows": _Here(on_rows)}
        return cls(_Tasks(tasks, schema, failures, **calls).read(), failures)

    def map(self, function: BatchFunction, schema: pa.Schema) -> "Flow":
        """Send every batch through a function.

        Args:
            function: Takes a batch and returns one with as many rows; it can be pickled.
            schema: The schema it returns.

        Returns:
            The flow of its results.
        """
        names = list(self._frame.column_names)

        def over_series(*series: Any) -> pa.StructArray:
            batch = pa.RecordBatch.from_arrays([each.to_arrow() for each in series], names=names)
            result = function(batch)
            return pa.StructArray.from_arrays(result.columns, fields=list(schema))

        mapped = daft.func.batch(
            return_dtype=daft.DataType.from_arrow_type(pa.struct(list(schema))),
            unnest=True,
            use_process=False,
            batch_size=_BATCH_ROWS,
        )(over_series)
        return Flow(self._frame.select(mapped(*map(daft.col, names))), self._failures)

    def write(self, folder: Path, partition_by: str | None = None) -> None:
        """Write all rows as Parquet files into a folder, or into its folders `<column>=<value>`.

        Raises:
            StorageError: If the disk is full.
        """
        columns = [partition_by] if partition_by else None
        with self._run(folder, _PARTED_GROUP_BYTES if partition_by else _GROUP_BYTES):
            self._frame.write_parquet(str(folder), compression=_COMPRESSION, partition_cols=columns)

    def collect(self) -> pa.Table:
        """Return all rows as one Arrow table, in any order."""
        with self._run(None):
            return self._frame.to_arrow()

    def _run(self, folder: Path | None, group_bytes: int = _GROUP_BYTES) -> "_Running":
        return _Running(folder, self._failures, group_bytes)


class _Running:
    """Run a flow with bounded batches, and give its errors back as what they were."""

    def __init__(self, folder: Path | None, failures: list[EmmaError], group_bytes: int) -> None:
        self._folder = folder
        self._failures = failures
        # Daft's own defaults, 131,072 rows a batch and 8 files read at once, are gigabytes of text.
        self._settings = daft.execution_config_ctx(
            default_morsel_size=_BATCH_ROWS,
            parquet_target_filesize=256 << 20,
            parquet_target_row_group_size=group_bytes,
            scantask_max_parallel=n_cores(),
        )

    def __enter__(self) -> None:
        self._settings.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._settings.__exit__(kind, error, trace)
        if error is None or isinstance(error, EmmaError):
            return
        if self._failures:
            raise self._failures[0] from error
        if self._folder is not None and not isinstance(error, KeyboardInterrupt):
            _check_space(self._folder)


def _check_space(folder: Path) -> None:
    """Raise a StorageError if a folder takes no more: what Daft says of a full disk may be "channel closed"."""
    probe = folder / "probe.tmp"
    with space_checked(folder):
        try:
            with probe.open("wb") as file:
                file.write(bytes(_PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        finally:
            probe.unlink(missing_ok=True)


class _Tasks(DataSource):
    """Tasks as a source of Daft."""

    def __init__(
        self,
        tasks: Sequence[Task],
        schema: pa.Schema,
        failures: list[EmmaError],
        *,
        on_done: _Here,
        on_rows: _Here,
    ) -> None:
        calls = {"on_done": on_done, "on_rows": on_rows}
        self._tasks = [_Part(task, schema, failures, **calls) for task in tasks]
        self._schema = schema

    @property
    def name(self) -> str:
        return "sources"

    @property
    def schema(self) -> Any:
        return Schema.from_pyarrow_schema(self._schema)

    async def get_tasks(self, pushdowns: Any) -> AsyncIterator[DataSourceTask]:
        for task in self._tasks:
            yield task


class _Part(DataSourceTask):
    """One task as Daft reads it; it can be pickled."""

    def __init__(
        self,
        task: Task,
        schema: pa.Schema,
        failures: list[EmmaError],
        *,
        on_done: _Here,
        on_rows: _Here,
    ) -> None:
        self._task = task
        self._schema = schema
        self._failures = failures
        self._on_done = on_done
        self._on_rows = on_rows

    @property
    def schema(self) -> Any:
        return Schema.from_pyarrow_schema(self._schema)

    async def read(self) -> AsyncIterator[RecordBatch]:
        try:
            batches = iter(self._task.read())
            # Daft reads all tasks on one thread: what blocks it there, or works, keeps the others waiting.
            while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                yield RecordBatch.from_arrow_record_batches([batch], self._schema)
                self._on_rows(len(batch))
        except EmmaError as error:
            self._failures.append(error)
            raise
        self._on_done()
