"""Row groups of the staged rows: what the later stages read, several at once, on any machine that sees the files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from emma500.corpus.staging import TEXTS

_BATCH_ROWS = 8192
_TEXT_ROWS = 2048  # where their text is read, too


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group of a Parquet file; it can be pickled.

    Attributes:
        file: The file.
        number: Its number in it.
    """

    file: Path
    number: int

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield some columns of its rows, some thousand rows at a time."""
        with pq.ParquetFile(self.file) as parquet:
            some = {"row_groups": [self.number], "columns": list(columns)}
            n_rows = _BATCH_ROWS if set(TEXTS).isdisjoint(columns) else _TEXT_ROWS
            for batch in parquet.iter_batches(n_rows, **some):
                yield batch.select(list(columns))


@dataclass(frozen=True, slots=True)
class Mapped:
    """A task of the engine: a row group whose batches go through a function; it can be pickled.

    Attributes:
        rows: The row group.
        columns: The columns the function reads.
        function: Returns a batch for a batch, with as many rows or fewer.
    """

    rows: RowGroup
    columns: tuple[str, ...]
    function: Callable[[pa.RecordBatch], pa.RecordBatch]

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield what the function returns."""
        for batch in self.rows.batches(self.columns):
            yield self.function(batch)


def row_groups(folder: Path) -> list[RowGroup]:
    """Return all row groups of the Parquet files of a folder, always in the same order."""
    return [
        RowGroup(file, number)
        for file in sorted(folder.rglob("*.parquet"))
        for number in range(pq.read_metadata(file).num_row_groups)
    ]


def mapped(
    folder: Path, columns: Sequence[str], function: Callable[[pa.RecordBatch], pa.RecordBatch]
) -> list[Mapped]:
    """Return the tasks that send all rows of a folder through a function."""
    return [Mapped(each, tuple(columns), function) for each in row_groups(folder)]
