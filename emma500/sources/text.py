"""Plain text: what is one document in a `.txt` file (`Options.segments`).

document    all of it
paragraph   what blank lines part (CC-100's form)
line        each line that is not blank (a file of sentences)
auto        a file under 1 MiB is one document; a larger one whose first MiB holds a blank line is
            read by paragraphs, one without by lines
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from emma500.sources.base import Task
from emma500.sources.lines import (
    MARK,
    Range,
    Survey,
    line_arrays,
    overlong,
    runs,
    split_lines,
    trimmed,
)
from emma500.sources.options import Options
from emma500.sources.places import Place, open_bytes
from emma500.sources.reading import Found, Reading
from emma500.sources.types import Types

WHOLE_FILE_BYTES = 2**20
_BATCH_BYTES = 8 * 2**20
_BLANK_LINE = re.compile(rb"\n[ \t\r]*\n")

Block = tuple[int, bytes | None]
"""The number of its first line, and its bytes (None: over the limit)."""


def look(place: Place, options: Options) -> Types | None:
    """Return the column of the text; None if there is none."""
    with open_bytes(place) as stream:
        while part := stream.read(2**20):
            if part.strip():
                return {options.column("text") or options.text_column: pa.string()}
    return None


def segments_of(place: Place, asked: str) -> str:
    """Return what is one document of a file: "document", "paragraph" or "line"."""
    if asked != "auto":
        return asked
    with open_bytes(place) as stream:
        head = b"".join(_read_up_to(stream.read, WHOLE_FILE_BYTES))
    if len(head) < WHOLE_FILE_BYTES:
        return "document"
    return "paragraph" if _BLANK_LINE.search(head) else "line"


def tasks(reading: Reading, seen: Survey) -> Iterator[Task]:
    """Yield the parts of a file: ranges of a plain one that is read by lines, else all of it."""
    segments = segments_of(reading.place, reading.options.segments)
    if segments == "line":
        yield from (LineTask(reading=reading, part=part) for part in seen.ranges)
    else:
        yield TextTask(reading=reading, is_whole=segments == "document")


@dataclass(frozen=True, kw_only=True, slots=True)
class LineTask:
    """Some lines of a text file, or all of a compressed one; each is a document."""

    reading: Reading
    part: Range

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            One batch a few megabytes; the origin is the line's number.
        """
        limit, (text,) = self.reading.max_bytes, self.reading.shape.texts
        with open_bytes(self.reading.place) as stream:
            for first, lines in line_arrays(stream, limit, self.part):
                texts, reasons = trimmed(lines), overlong(lines)
                numbers = pa.array(range(first, first + len(lines)), pa.int64())
                kept = pc.fill_null(pc.greater(pc.binary_length(texts), 0), True)
                if pc.any(kept).as_py():
                    yield self.reading.batch_of_columns(
                        {text: texts.filter(kept)}, numbers.filter(kept), reasons.filter(kept)
                    )


@dataclass(frozen=True, kw_only=True, slots=True)
class TextTask:
    """One text file, plain or compressed, as one document or by paragraphs."""

    reading: Reading
    is_whole: bool

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            One batch a few megabytes; the origin is the line a document begins at.
        """
        found, size = [], 0
        for block in self._blocks():
            found.append(self._found(block))
            size += len(block[1] or b"")
            if size >= _BATCH_BYTES:
                yield self.reading.batch(found)
                found, size = [], 0
        if found:
            yield self.reading.batch(found)

    def _blocks(self) -> Iterator[Block]:
        limit = self.reading.max_bytes
        with open_bytes(self.reading.place) as stream:
            if self.is_whole:
                data = b"".join(_read_up_to(stream.read, limit + len(MARK) + 1)).removeprefix(MARK)
                if data.strip():
                    yield 1, data if len(data) <= limit else None
                return
            lines = chain.from_iterable(split_lines(run, limit) for run in runs(stream, limit))
            yield from _joined(lines, limit)

    def _found(self, block: Block) -> Found:
        number, data = block
        origin, (name,) = self.reading.origin(number), self.reading.shape.texts
        if data is None:
            return origin, {}, "too_long"
        try:
            return origin, {name: data.decode("utf-8").replace("\r\n", "\n").strip()}, None
        except UnicodeDecodeError:
            return origin, {}, "invalid_utf8"


def _joined(lines: Iterator[Block], limit: int) -> Iterator[Block]:
    """Join the lines between blank ones; a block over the limit is passed over, not held."""
    held: list[bytes] = []
    first, size, is_long = 0, 0, False
    for number, line in chain(lines, [(0, b"")]):
        if line is not None and not line.strip():
            if is_long or held:
                yield first, None if is_long else b"\n".join(held)
            held, size, is_long = [], 0, False
            continue
        if not held and not is_long:
            first = number
        size += len(line or b"") + 1
        if is_long or line is None or size > limit + 1:
            held, is_long = [], True
        else:
            held.append(line)


def _read_up_to(read: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    """Read so many bytes, or up to the end: a stream may give less than it is asked for."""
    while size > 0 and (part := read(size)):
        yield part
        size -= len(part)
