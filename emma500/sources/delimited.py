"""CSV and TSV.

CSV is RFC 4180's: a field in double quotes may hold commas, line ends and doubled quotes. TSV has no quoting (IANA's
text/tab-separated-values): a quote is a quote, as in the parallel corpora that come so. The first line names the
columns, unless `Options.column_names` does.

A row with another number of fields is refused ("malformed"). If it stands over several lines, an opening quote was
never closed: its first line is refused, and reading goes on at the second.
"""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.sources.base import Task
from emma500.sources.lines import Range, Survey, line_arrays, overlong, runs, split_lines, trimmed
from emma500.sources.options import Options
from emma500.sources.places import Place, ending, open_bytes
from emma500.sources.reading import Found, Reading
from emma500.sources.types import Types, check_names

_ROWS_AT_ONCE = 4096
_MALFORMED = "malformed"

# Each quote that was never closed halves how far the next one is followed, down to this: or a file full of them would
# be read over and over.
_LEAST_LIMIT = 2**16


def look(place: Place, options: Options) -> Types | None:
    """Return the columns of a file; None if it has no row."""
    names = _names(place, options)
    check_names(str(place), names)
    n_heads = 0 if options.column_names else 1
    with open_bytes(place) as stream:
        lines = (
            line
            for run in runs(stream, options.max_document_bytes)
            for _, line in split_lines(run, options.max_document_bytes)
            if line is None or line.strip()
        )
        has_row = sum(1 for _, _ in zip(range(n_heads + 1), lines, strict=False)) > n_heads
    return dict.fromkeys(names, pa.string()) if has_row else None


def tasks(reading: Reading, seen: Survey) -> Iterator[Task]:
    """Yield the parts of a file: ranges of a plain TSV, else all of it."""
    names = tuple(_names(reading.place, reading.options))
    if ending(reading.place.name) == ".tsv":
        yield from (TsvTask(reading=reading, part=part, names=names) for part in seen.ranges)
    else:
        yield CsvTask(reading=reading, names=names)


def _names(place: Place, options: Options) -> list[str]:
    """Return the names of a file's columns."""
    if options.column_names:
        return list(options.column_names)
    with open_bytes(place) as stream:
        first = next(runs(stream, options.max_document_bytes), None)
        line = None if first is None else next(split_lines(first, options.max_document_bytes))[1]
    text = (line or b"").decode("utf-8", "replace")
    names = text.split("\t") if ending(place.name) == ".tsv" else next(csv.reader([text]), [])
    return [name.strip() for name in names]


@dataclass(frozen=True, kw_only=True, slots=True)
class TsvTask:
    """Some lines of a TSV file, or all of a compressed one."""

    reading: Reading
    part: Range
    names: tuple[str, ...]

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            One batch a few megabytes; the origin is the line's number.
        """
        reading = self.reading
        has_head = not reading.options.column_names
        with open_bytes(reading.place) as stream:
            for first, lines in line_arrays(stream, reading.max_bytes, self.part):
                numbers = pa.array(range(first, first + len(lines)), pa.int64())
                kept = pc.fill_null(pc.greater(pc.binary_length(trimmed(lines)), 0), True)
                if has_head:
                    kept = pc.and_(kept, pc.greater(numbers, 1))
                if pc.any(kept).as_py():
                    yield self._batch(lines.filter(kept), numbers.filter(kept))

    def _batch(self, lines: pa.Array, numbers: pa.Array) -> pa.RecordBatch:
        cells = pc.split_pattern(lines, b"\t")
        n_cells = len(self.names)
        is_right = pc.fill_null(pc.equal(pc.list_value_length(cells), n_cells), False)
        reasons = pc.coalesce(
            overlong(lines), pc.if_else(is_right, pa.scalar(None, pa.string()), _MALFORMED)
        )
        flat = cells.filter(is_right).flatten()
        places = np.cumsum(np.asarray(is_right)) - 1
        columns = {}
        for number, name in enumerate(self.names):
            if name in self.reading.shape.fields.names:
                rows = pa.array(places * n_cells + number, mask=~np.asarray(is_right))
                columns[name] = trimmed(flat.take(rows))
        return self.reading.batch_of_columns(columns, numbers, reasons)


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvTask:
    """A CSV file."""

    reading: Reading
    names: tuple[str, ...]

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            Batches of up to 4,096 rows; the origin is the line a row begins at.
        """
        found: list[Found] = []
        with open_bytes(self.reading.place) as stream:
            lines = (
                line
                for run in runs(stream, self.reading.max_bytes)
                for line in split_lines(run, self.reading.max_bytes)
            )
            for each in self._records(lines):
                found.append(each)
                if len(found) >= _ROWS_AT_ONCE:
                    yield self.reading.batch(found)
                    found = []
            if found:
                yield self.reading.batch(found)

    def _records(self, lines: Iterator[tuple[int, bytes | None]]) -> Iterator[Found]:
        """Read record by record; of one that breaks the form, all lines but the first are read again."""
        csv.field_size_limit(max(csv.field_size_limit(), self.reading.max_bytes))
        supply = _Supply(lines, self.reading.max_bytes)
        is_head = not self.reading.options.column_names
        while supply.begin():
            number, origin = supply.first, self.reading.origin(supply.first)
            if supply.is_overlong:
                yield origin, {}, "too_long"
                continue
            try:
                cells = next(csv.reader(supply, strict=True))
            except (csv.Error, StopIteration):
                cells = None
            if is_head and number == 1:
                continue
            if cells is None or len(cells) != len(self.names):
                supply.give_back()
                yield origin, {}, _MALFORMED
            elif any(cells):
                yield origin, dict(zip(self.names, cells, strict=True)), None


class _Supply:
    """Lines for one record of CSV at a time; what it took can be given back but for the first line."""

    def __init__(self, lines: Iterator[tuple[int, bytes | None]], limit: int) -> None:
        self._lines = lines
        self._limit = limit
        self._ahead: deque[tuple[int, bytes | None]] = deque()
        self._taken: list[tuple[int, bytes | None]] = []
        self._size = 0
        self.first = 0
        self.is_overlong = False

    def begin(self) -> bool:
        """Go to the next record; False at the end."""
        self._taken, self._size = [], 0
        while (line := self._next()) is not None:
            if line[1] is None or line[1].strip():
                self.first, self.is_overlong = line[0], line[1] is None
                if not self.is_overlong:
                    self._ahead.appendleft(line)
                return True
        return False

    def give_back(self) -> None:
        """Give back the lines of the record but its first."""
        self._ahead.extendleft(reversed(self._taken[1:]))
        if len(self._taken) > 1:
            self._limit = max(self._limit // 2, _LEAST_LIMIT)

    def __iter__(self) -> "_Supply":
        return self

    def __next__(self) -> str:
        line = self._next()
        if line is None or line[1] is None or self._size > self._limit:
            if line is not None:
                self._ahead.appendleft(line)
            raise StopIteration
        self._taken.append(line)
        self._size += len(line[1]) + 1
        # What is no UTF-8 becomes surrogates, which a reading refuses.
        return line[1].decode("utf-8", "surrogateescape") + "\n"

    def _next(self) -> tuple[int, bytes | None] | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)
