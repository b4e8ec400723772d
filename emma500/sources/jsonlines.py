"""JSON Lines: one JSON object a line; a `.json` file may also be one array of objects, or one object.

A run of good lines is parsed by Arrow at once. Where Arrow refuses, the run is read line by line,
and each line is kept or refused on its own; both ways give the same rows.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from emma500.errors import SourceError
from emma500.sources.lines import MARK, Range, Run, open_bytes, runs, split_lines
from emma500.sources.reading import Found, Reading

# Python's int refuses 5,000 digits, Arrow does not: no column that is read is a number, so any number will do.
_DECODER = json.JSONDecoder(parse_int=float)

# Arrow's parser (25.0) crashes the process on a null where a record should be, at the start of a line or after one.
_NULL_RECORD = re.compile(rb"\}\s*null")


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonLinesTask:
    """Some lines of a JSON Lines file, or all of a compressed one."""

    reading: Reading
    part: Range

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            One batch a few megabytes; the origin is the line's number in the file.
        """
        with open_bytes(self.reading.path) as stream:
            for run in runs(stream, self.reading.max_bytes, self.part):
                batch = self._at_once(run) or self._line_by_line(run)
                if batch.num_rows:
                    yield batch

    def _at_once(self, run: Run) -> pa.RecordBatch | None:
        if run.data is None or len(run.data) > self.reading.max_bytes:
            return None
        table = _parsed(run.data, self.reading.columns.names)
        return None if table is None else self.reading.batch_of_table(table, run.first_line)

    def _line_by_line(self, run: Run) -> pa.RecordBatch:
        lines = split_lines(run, self.reading.max_bytes)
        return self.reading.batch(
            [self._row(*line) for line in lines if line[1] is None or line[1].strip()]
        )

    def _row(self, number: int, line: bytes | None) -> Found:
        if line is None:
            return self.reading.refused(number, "too_long")
        try:
            return self.reading.row(number, decode(line))
        except UnicodeDecodeError:
            return self.reading.refused(number, "invalid_utf8")
        except (ValueError, RecursionError):
            return self.reading.refused(number, "invalid_json")


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonArrayTask:
    """A `.json` file that holds one array or object; it is read as a whole."""

    reading: Reading

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            One batch; the origin counts the array's items from 1.
        """
        items = read_array(self.reading.path)
        found = [self.reading.row(number, item) for number, item in enumerate(items, start=1)]
        yield self.reading.batch(found)


def decode(line: bytes) -> Any:
    """Return the value a line of JSON holds."""
    return _DECODER.decode(line.decode("utf-8"))


def is_one_value(path: Path) -> bool:
    """Tell whether a file begins like one JSON array or one object over several lines, not like JSON Lines."""
    with open_bytes(path) as stream:
        head = stream.read(4096).removeprefix(MARK).lstrip()
    return head.startswith(b"[") or head.split(b"\n")[0].rstrip() == b"{"


def read_array(path: Path) -> list[Any]:
    """Read a JSON array, or one object as an array of one.

    Args:
        path: The file, plain or compressed.

    Returns:
        Its items.

    Raises:
        SourceError: If it is not one valid JSON value.
    """
    with open_bytes(path) as stream:
        data = stream.read()
    try:
        value = decode(data.removeprefix(MARK).strip())
    except (ValueError, RecursionError) as error:
        raise SourceError(
            f"{path} begins like one JSON array or object but is none: {error}; use one object a line"
        ) from error
    return value if isinstance(value, list) else [value]


def _parsed(data: bytes, names: tuple[str, ...]) -> pa.Table | None:
    """Parse a run of lines, or return None if any line needs a closer look."""
    import pyarrow.json

    n_lines = data.count(b"\n") + (not data.endswith(b"\n"))
    n_objects = data.startswith(b"{") + data.count(b"\n{")
    if n_objects != n_lines or _NULL_RECORD.search(data):
        return None
    try:
        _check_utf8(data)
        table = pyarrow.json.read_json(
            pa.BufferReader(data),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(data) + 1),
            parse_options=pyarrow.json.ParseOptions(
                explicit_schema=pa.schema([(name, pa.string()) for name in names]),
                unexpected_field_behavior="ignore",
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table if table.num_rows == n_lines else None


def _check_utf8(data: bytes) -> None:
    ends = pa.py_buffer(len(data).to_bytes(8, "little").rjust(16, b"\0"))
    whole = pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(data)])
    whole.validate(full=True)
