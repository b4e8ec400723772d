"""Parquet files, a task a row group."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from emma500.errors import SourceError
from emma500.sources.reading import Reading

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class ParquetTask:
    """One row group of a Parquet file; `first_row` counts from 1."""

    reading: Reading
    group: int
    first_row: int

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            One batch a few thousand rows; the origin is the row's number in the file, from 1.

        Raises:
            SourceError: If the file is damaged.
        """
        row, names = self.first_row, [*self.reading.columns.names]
        try:
            with pq.ParquetFile(self.reading.path) as file:
                for batch in file.iter_batches(
                    _ROWS_AT_ONCE, row_groups=[self.group], columns=names
                ):
                    yield table_rows(self.reading, pa.Table.from_batches([batch]), row)
                    row += batch.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            raise SourceError(
                f"{self.reading.path} is damaged after row {row - 1}: {error}; fetch it again"
            ) from error


def table_rows(reading: Reading, table: pa.Table, first: int) -> pa.RecordBatch:
    """Build a batch of raw rows from a table, whose strings may be invalid UTF-8.

    Args:
        reading: Which of its columns hold what.
        table: The rows.
        first: The number of the first one.

    Returns:
        The batch, by records.raw_schema().
    """
    names = reading.columns.names
    arrays = [_bytes(table[name]) for name in names]
    try:
        strings = [each.cast(pa.large_string()) for each in arrays]
    except pa.ArrowInvalid:
        return _one_by_one(reading, dict(zip(names, arrays, strict=True)), first)
    return reading.batch_of_table(pa.table(strings, names=[*names]), first)


def _one_by_one(reading: Reading, arrays: dict[str, pa.ChunkedArray], first: int) -> pa.RecordBatch:
    cells = zip(*(each.to_pylist() for each in arrays.values()), strict=True)
    return reading.batch(
        [
            reading.row(number, dict(zip(arrays, map(_decoded, values), strict=True)))
            for number, values in enumerate(cells, start=first)
        ]
    )


def _bytes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.large_binary())


def _decoded(value: bytes | None) -> str | None:
    # Invalid bytes become surrogates, which Reading.row refuses.
    return None if value is None else value.decode("utf-8", "surrogateescape")


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column of this type can hold text."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    is_string = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return is_string or pa.types.is_string_view(kind)


def row_groups(path: Path) -> list[int]:
    """Return how many rows each row group of a file has."""
    metadata = pq.read_metadata(path)
    return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]


def column_types(path: Path) -> dict[str, pa.DataType]:
    """Return the columns of a Parquet file.

    Args:
        path: The file.

    Returns:
        Type by name, in the file's order.

    Raises:
        SourceError: If it is no Parquet file.
    """
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise SourceError(f"{path} is no Parquet file: {error}") from error
    return {field.name: field.type for field in schema}
