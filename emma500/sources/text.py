"""Plain text: what is one document in a `.txt` file.

- A file under 1 MiB is one document.
- In a larger file whose first MiB holds a blank line, documents are what blank lines part (CC-100's
  form).
- In a larger file without one, each line is a document (a file of sentences).
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, cast

import pyarrow as pa

from emma500.sources.lines import MARK, open_bytes, runs, split_lines
from emma500.sources.reading import Found, Reading

WHOLE_FILE_BYTES = 2**20
_BATCH_BYTES = 8 * 2**20
_BLANK_LINE = re.compile(rb"\n[ \t\r]*\n")

Block = tuple[int, bytes | None]
"""The number of its first line, and its bytes (None: over the limit)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextTask:
    """One text file, plain or compressed."""

    reading: Reading

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            One batch a few megabytes; the origin is the line a document begins at.
        """
        with open_bytes(self.reading.path) as stream:
            found, size = [], 0
            for block in self._blocks(stream):
                found.append(self._row(block))
                size += len(block[1] or b"")
                if size >= _BATCH_BYTES:
                    yield self.reading.batch(found)
                    found, size = [], 0
            if found:
                yield self.reading.batch(found)

    def _blocks(self, stream: BinaryIO) -> Iterator[Block]:
        head = _read_up_to(stream, WHOLE_FILE_BYTES)
        rest = cast("BinaryIO", _Chained(head, stream))
        if len(head) < WHOLE_FILE_BYTES:
            data = head.removeprefix(MARK)
            whole: list[Block] = (
                [(1, data if len(data) <= self.reading.max_bytes else None)] if data.strip() else []
            )
            return iter(whole)
        lines = chain.from_iterable(
            split_lines(run, self.reading.max_bytes) for run in runs(rest, self.reading.max_bytes)
        )
        if _BLANK_LINE.search(head):
            return _joined(lines, self.reading.max_bytes)
        return (line for line in lines if line[1] is None or line[1].strip())

    def _row(self, block: Block) -> Found:
        number, data = block
        if data is None:
            return self.reading.refused(number, "too_long")
        try:
            text = data.decode("utf-8").replace("\r\n", "\n").strip()
        except UnicodeDecodeError:
            return self.reading.refused(number, "invalid_utf8")
        return self.reading.row(number, {self.reading.columns.text: text})


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


def _read_up_to(stream: BinaryIO, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class _Chained(io.RawIOBase):
    """A stream that gives back the head that was read from it before."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        head, self._head = self._head, b""
        return head or self._stream.read(size)
