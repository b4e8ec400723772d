"""Bytes of files, plain or compressed, as runs of whole lines; a line over the limit is passed over, never held."""

import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from emma500.errors import SourceError

COMPRESSIONS = (".gz", ".xz", ".zst")
_CHUNK_BYTES = 8 * 2**20
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


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed by its ending (.gz, .xz, .zst).

    Args:
        path: The file.

    Yields:
        A binary stream.

    Raises:
        SourceError: If the compressed data is damaged, or the file cannot be read.
    """
    import zstandard

    try:
        with path.open("rb") as file, _decompressed(file, path.suffix) as stream:
            yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
        raise SourceError(
            f"{path} is damaged and cannot be decompressed: {error}; fetch it again"
        ) from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error


def _decompressed(file: BinaryIO, ending: str) -> BinaryIO:
    import zstandard

    if ending == ".gz":
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    if ending == ".xz":
        return cast("BinaryIO", lzma.LZMAFile(file))
    if ending == ".zst":
        _check_frames(file)
        decompressor = zstandard.ZstdDecompressor()
        return cast("BinaryIO", decompressor.stream_reader(file, read_across_frames=True))
    return file


def _check_frames(file: BinaryIO) -> None:
    """Raise EOFError if a Zstandard file ends within a frame: its stream reader takes that for the end."""
    import zstandard

    while head := file.read(18):
        if head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5:  # a frame to be skipped
            _skip(file, int.from_bytes(head[4:8], "little") + 8 - len(head))
            continue
        frame = zstandard.get_frame_parameters(head)
        file.seek(zstandard.frame_header_size(head) - len(head), 1)
        is_last = False
        while not is_last:
            block = int.from_bytes(_skip(file, 3), "little")
            is_last, is_repeat = bool(block & 1), (block >> 1) & 3 == 1
            _skip(file, 1 if is_repeat else block >> 3)
        _skip(file, 4 if frame.has_checksum else 0)
    file.seek(0)


def _skip(file: BinaryIO, n_bytes: int) -> bytes:
    """Read so many bytes; for a negative number, go back."""
    if n_bytes < 0:
        file.seek(n_bytes, 1)
        return b""
    data = file.read(n_bytes)
    if len(data) < n_bytes:
        raise EOFError("it ends within a Zstandard frame")
    return data


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
        data = carry + chunk
        cut = data.rfind(b"\n") + 1
        if cut:
            yield Run(line, data[:cut])
            line += data.count(b"\n", 0, cut)
        carry = data[cut:]
        if len(carry) > limit:
            yield Run(line, None)
            carry, skipping = b"", True
    if carry:
        yield Run(line, carry)


def _chunks(stream: BinaryIO, part: Range, size: int) -> Iterator[bytes]:
    if part.start:
        stream.seek(part.start)
    left = None if part.end is None else part.end - part.start
    first = part.start == 0
    while chunk := stream.read(size if left is None else min(size, left)):
        left = None if left is None else left - len(chunk)
        yield chunk.removeprefix(MARK) if first else chunk
        first = False


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


@dataclass(frozen=True, slots=True)
class Survey:
    """One reading of a file's bytes: what identifies them, and where they may be cut."""

    digest: str
    size: int
    ranges: tuple[Range, ...]


def survey(path: Path, range_bytes: int) -> Survey:
    """Read a file once to identify its bytes and to cut it at line ends.

    Args:
        path: The file; for a compressed one the cuts mean nothing.
        range_bytes: Each range but the last ends at the first line end after that many bytes.

    Returns:
        The digest (XXH3, 128 bits), the size in bytes, and ranges with the line each begins at.
    """
    import xxhash

    digest, starts, line, position = xxhash.xxh3_128(), [(0, 1)], 1, 0
    with path.open("rb") as file:
        while block := file.read(_CHUNK_BYTES):
            digest.update(block)
            done = 0
            while True:
                wanted = max(starts[-1][0] + range_bytes - 1 - position, done)
                at = block.find(b"\n", wanted) if wanted < len(block) else -1
                if at < 0:
                    break
                line += block.count(b"\n", done, at + 1)
                done = at + 1
                starts.append((position + done, line))
            line += block.count(b"\n", done)
            position += len(block)
    ends = [start for start, _ in starts[1:]] + [position]
    cuts = [
        Range(start, end, first)
        for (start, first), end in zip(starts, ends, strict=True)
        if start < end
    ]
    return Survey(digest.hexdigest(), position, tuple(cuts))
