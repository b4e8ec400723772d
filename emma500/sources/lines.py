"""Lines: bytes as runs of whole lines, a line over the limit passed over, never held; and where a file may be cut."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.sources.places import DAMAGED, Place, is_plain, problems_told

_CHUNK_BYTES = 8 * 2**20
_PIECE_BYTES = 2**16
MARK = b"\xef\xbb\xbf"  # the byte order mark some editors write at the start of UTF-8 files


@dataclass(frozen=True, slots=True)
class Run:
    """Whole lines of a file that follow each other; `data` is None for one line over the limit."""

    first_line: int
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Range:
    """Whole lines of a plain file: bytes from `start` up to `end` (None: its end), `first_line` counting from 1."""

    start: int = 0
    end: int | None = None
    first_line: int = 1


def runs(stream: BinaryIO, limit: int, part: Range | None = None) -> Iterator[Run]:
    """Cut a stream into runs of whole lines of a few megabytes.

    Args:
        stream: The bytes, from the start of the file.
        limit: The most bytes a line may have; a run may still hold a longer one that ended within
            it.
        part: Only these lines.

    Yields:
        The runs in order; every line is in exactly one.
    """
    part = part or Range()
    line, carry, skipping = part.first_line, b"", False
    for chunk in _chunks(stream, part, min(_CHUNK_BYTES, max(limit, 1))):
        if skipping:
            at = chunk.find(b"\n")
            if at < 0:
                continue
            chunk, skipping = chunk[at + 1 :], False
            line += 1
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield Run(line, b"".join((carry, memoryview(chunk)[:cut])))
            line += int(np.count_nonzero(np.frombuffer(chunk, np.uint8, cut) == ord("\n")))
        carry = chunk[cut:] if cut else carry + chunk
        if len(carry) > limit:
            yield Run(line, None)
            carry, skipping = b"", True
    if carry:
        yield Run(line, carry)


def _chunks(stream: BinaryIO, part: Range, size: int) -> Iterator[bytes]:
    if part.start:
        stream.seek(part.start)
    left = None if part.end is None else part.end - part.start
    first, error = part.start == 0, None
    while error is None:
        chunk, error = _filled(stream, size if left is None else min(size, left))
        left = None if left is None else left - len(chunk)
        if chunk:
            yield chunk.removeprefix(MARK) if first else chunk
        elif error is None:
            return
        first = False
    raise error


def _filled(stream: BinaryIO, size: int) -> tuple[bytes, Exception | None]:
    """Read so many bytes, or up to the end; of damaged data what comes before the damage, and the error."""
    read = getattr(
        stream, "read1", stream.read
    )  # `read` of many bytes loses those before the damage
    pieces: list[bytes] = []
    held = 0
    while held < size:
        try:
            piece = read(min(_PIECE_BYTES, size - held))
        except (*DAMAGED, OSError) as error:
            return b"".join(pieces), error
        if not piece:
            break
        pieces.append(piece)
        held += len(piece)
    return b"".join(pieces), None


def split_lines(run: Run, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield (line number, line without its end) of a run; None for a line over the limit."""
    if run.data is None:
        yield run.first_line, None
        return
    lines = run.data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, start=run.first_line):
        yield number, line.removesuffix(b"\r") if len(line) <= limit else None


def line_arrays(
    stream: BinaryIO, limit: int, part: Range | None = None
) -> Iterator[tuple[int, pa.Array]]:
    """Cut a stream into arrays of lines.

    Args:
        stream: The bytes, from the start of the file.
        limit: The most bytes a line may have.
        part: Only these lines.

    Yields:
        The number of the first line, and the lines as large binaries with their ends; null is a line over
        the limit.
    """
    for run in runs(stream, limit, part):
        yield run.first_line, _lines_of(run.data)


def _lines_of(data: bytes | None) -> pa.Array:
    if data is None:
        return pa.nulls(1, pa.large_binary())
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + 1
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    offsets = np.concatenate([[0], ends]).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_binary(), len(ends), buffers)


def trimmed(lines: pa.Array) -> pa.Array:
    """Return lines without the white space around them; where one is no UTF-8, without that of ASCII."""
    try:
        texts = lines.cast(pa.large_string())
    except pa.ArrowInvalid:
        kept = [None if each is None else each.strip() for each in lines.to_pylist()]
        return pa.array(kept, pa.large_binary())
    return pc.utf8_trim_whitespace(texts)


def overlong(lines: pa.Array) -> pa.Array:
    """Return the reason "too_long" where a line is null, else null."""
    return pc.if_else(pc.is_null(lines), "too_long", pa.scalar(None, pa.string()))


@dataclass(frozen=True, slots=True)
class Survey:
    """One reading of a file's bytes: what identifies them, and where they may be cut."""

    digest: str
    ranges: tuple[Range, ...]


def survey(place: Place, range_bytes: int) -> Survey:
    """Read a file once to identify its bytes and, of a plain one, to cut it at line ends.

    Args:
        place: The file; a compressed one is not cut.
        range_bytes: Each range but the last ends at the first line end after that many bytes.

    Returns:
        The digest (XXH3, 128 bits), and ranges with the line each begins at.
    """
    import xxhash

    digest, starts, line, position = xxhash.xxh3_128(), [(0, 1)], 1, 0
    with problems_told(place), place.open() as file:
        while block := file.read(_CHUNK_BYTES):
            digest.update(block)
            done = 0
            while is_plain(place):
                wanted = max(starts[-1][0] + range_bytes - 1 - position, done)
                at = block.find(b"\n", wanted) if wanted < len(block) else -1
                if at < 0:
                    break
                line += block.count(b"\n", done, at + 1)
                done = at + 1
                starts.append((position + done, line))
            line += block.count(b"\n", done)
            position += len(block)
    if not is_plain(place):
        return Survey(digest.hexdigest(), (Range(),))
    ends = [start for start, _ in starts[1:]] + [position]
    cuts = [
        Range(start, end, first)
        for (start, first), end in zip(starts, ends, strict=True)
        if start < end
    ]
    return Survey(digest.hexdigest(), tuple(cuts))
