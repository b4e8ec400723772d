"""The corpus engine: pure functions over Arrow batches, streamed by Daft. The only file that imports Daft.

A `Flow` is a lazy table. It starts from tasks, which read sources or row groups of what an earlier stage wrote, may go
through a function batch -> batch, and ends as a folder of Parquet files or as one Arrow table. The engine schedules,
streams and spreads rows; it promises no order of rows and no file names, so whoever needs the same bytes twice takes
them from the data.

The native runner is embedded. `EMMA500_RUNNER=ray` (or `runner="ray"`) runs the same flows on a Ray cluster.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

# Daft would report its use over the network, and logs the tracebacks of errors that are raised anyway.
os.environ.setdefault("DAFT_ANALYTICS_ENABLED", "0")
os.environ.setdefault("DAFT_PROGRESS_BAR", "0")

import daft
from daft.io.source import DataSource, DataSourceTask
from daft.recordbatch import RecordBatch
from daft.schema import Schema

from emma500.bundles import COUNTED, BatchFunction, Bundle, Parted, Task, Written
from emma500.configuration import n_cores
from emma500.errors import ConfigError, EmmaError
from emma500.storage import space_checked

_BATCH_ROWS = 1024
_PROBE_BYTES = 1 << 20
_BUNDLES_A_CORE = (
    16  # tasks of unequal size are spread evenly; a thousand small files are not a thousand again
)
_BUNDLES_ELSEWHERE = 4096

logging.getLogger("daft_local_execution").setLevel(logging.CRITICAL)


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
        tasks: Its tasks.
        schema: The schema of their batches.
        on_done: Called after each task (native runner only).
        on_rows: Called with the rows of each batch that is done, from any thread (native runner only).
        function: What every batch goes through; it can be pickled, and returns batches of the schema.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        schema: pa.Schema,
        *,
        on_done: Callable[[], None] | None = None,
        on_rows: Callable[[int], None] | None = None,
        function: BatchFunction | None = None,
    ) -> None:
        self._tasks = tasks
        self._schema = schema
        self._function = function
        self._calls: dict[str, Any] = {"on_done": _Here(on_done), "on_rows": _Here(on_rows)}

    def write(self, folder: Path, partition_by: str | None = None) -> None:
        """Write all rows as Parquet files into a folder, or into its folders `<column>=<value>`.

        Raises:
            StorageError: If the disk is full.
        """
        folder.mkdir(parents=True, exist_ok=True)
        here = daft.get_or_infer_runner_type() == "native"
        bundles = self._bundles(_BUNDLES_A_CORE * n_cores() if here else _BUNDLES_ELSEWHERE)
        files: list[Task] = []
        for number, bundle in enumerate(bundles):
            stem = folder / f"part-{number:05}"
            if partition_by is None:
                files.append(Written(bundle=bundle, schema=self._schema, stem=stem))
            else:
                files.append(Parted(bundle=bundle, column=partition_by, stem=stem))
        with _Running(folder) as run:
            run.frame(files, COUNTED).collect()

    def collect(self) -> pa.Table:
        """Return all rows as one Arrow table, in any order."""
        with _Running(None) as run:
            return run.frame(self._bundles(len(self._tasks)), self._schema).to_arrow()

    def _bundles(self, most: int) -> list[Bundle]:
        """Deal the tasks out to at most so many bundles."""
        n_bundles = min(most, len(self._tasks))
        ahead = 1 + n_cores() // max(n_bundles, 1)
        return [
            Bundle(
                tasks=self._tasks[number::n_bundles],
                function=self._function,
                ahead=ahead,
                **self._calls,
            )
            for number in range(n_bundles)
        ]


class _Running:
    """Run tasks with bounded batches, and give their errors back as what they were."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._failures: list[EmmaError] = []
        # Daft's own defaults, 131,072 rows a batch and 8 files read at once, are gigabytes of text.
        self._settings = daft.execution_config_ctx(
            default_morsel_size=_BATCH_ROWS,
            scantask_max_parallel=n_cores(),
        )

    def frame(self, tasks: Sequence[Task], schema: pa.Schema) -> Any:
        """Return the data frame of what tasks yield."""
        return _Tasks(tasks, schema, self._failures).read()

    def __enter__(self) -> "_Running":
        self._settings.__enter__()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._settings.__exit__(kind, error, trace)
        if error is None or isinstance(error, EmmaError):
            return
        if self._failures:  # Daft turns the errors of tasks into its own
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

    def __init__(self, tasks: Sequence[Task], schema: pa.Schema, failures: list[EmmaError]) -> None:
        self._tasks = [_Part(task, schema, failures) for task in tasks]
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
    """One task as Daft reads it; it can be pickled, and leaves its errors behind where it is not."""

    def __init__(self, task: Task, schema: pa.Schema, failures: list[EmmaError]) -> None:
        self._task = task
        self._schema = schema
        self._failures = failures

    @property
    def schema(self) -> Any:
        return Schema.from_pyarrow_schema(self._schema)

    async def read(self) -> AsyncIterator[RecordBatch]:
        try:
            batches = iter(self._task.read())
            # Daft reads all tasks on one thread: what blocks it there, or works, keeps the others waiting.
            while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                yield RecordBatch.from_arrow_record_batches([batch], self._schema)
        except EmmaError as error:
            self._failures.append(error)
            raise
