"""Moses pairs: two files of the same lines in two languages, `corpus.en` beside `corpus.sw`.

Line n of one translates line n of the other, so files of different lengths cannot be paired at all. Where more than
two files belong together, each is paired with the English one, or with the first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from emma500.errors import SourceError
from emma500.sources.base import Task
from emma500.sources.lines import Survey, line_arrays, overlong, trimmed
from emma500.sources.listing import Listed, is_code, is_english, kind_of, pair_in_path, programs
from emma500.sources.options import Options
from emma500.sources.places import Place, ending, open_bytes, uncompressed
from emma500.sources.reading import Reading
from emma500.sources.types import Types

COLUMNS = ("source_text", "target_text", "source_lang", "target_lang")
_COUNTED_AT_ONCE = 8 << 20

# Endings of other files that are language codes too: one of them alone makes no pair.
_OTHER_ENDINGS = frozenset({"bak", "bin", "dat", "doc", "log", "map", "so", "tar", "tmp"})


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a pair of files: the file and its language code."""

    place: Place
    code: str


@dataclass(frozen=True, slots=True)
class PairOfFiles:
    """Two files of the same lines, as one place."""

    source: Side
    target: Side
    name: str
    digest: str = ""

    def open(self) -> BinaryIO:
        """Open the source side."""
        return self.source.place.open()

    def __str__(self) -> str:
        return f"{self.source.place} and {self.target.place}"


def grouped(files: Sequence[Listed]) -> tuple[list[Listed], list[Listed]]:
    """Find the pairs among files.

    Args:
        files: The files; those with an ending that is read otherwise are no side of a pair.

    Returns:
        The pairs, and the files that belong to none.
    """
    stems: dict[str, list[tuple[Listed, str]]] = {}
    for file in files:
        name = uncompressed(file.name)
        code = ending(file.name).removeprefix(".")
        if kind_of(file.name) is None and is_code(code):
            stems.setdefault(name.removesuffix(f".{code}"), []).append((file, code))
    pairs: list[Listed] = []
    used: set[str] = set()
    for stem, sides in sorted(stems.items()):
        codes = {code for _, code in sides}
        if len(codes) < 2 or all(_is_other(code) for code in codes):
            continue
        pairs += _paired(stem, sides)
        used |= {file.name for file, _ in sides}
    return pairs, [file for file in files if file.name not in used]


def is_side(code: str) -> bool:
    """Tell whether an ending is a language code, and no usual ending of other files."""
    return is_code(code) and not _is_other(code)


def _is_other(code: str) -> bool:
    return code in _OTHER_ENDINGS or f".{code}" in programs()


def _paired(stem: str, sides: list[tuple[Listed, str]]) -> list[Listed]:
    """Pair the files of one stem: in the order the stem names, else English first, else by code."""
    order = pair_in_path([PurePosixPath(stem).name])
    ranked = sorted(
        sides,
        key=lambda side: (
            order.index(side[1]) if side[1] in order else 2,
            not is_english(side[1]),
            side[1],
            side[0].name,
        ),
    )
    first, *others = (Side(file.place, code) for file, code in ranked)
    found = []
    for other in others:
        name = stem if len(others) == 1 else f"{stem}.{first.code}-{other.code}"
        digests = [side.place.digest for side in (first, other)]
        digest = "-".join(digests) if all(digests) else ""
        found.append(Listed(PairOfFiles(first, other, name, digest), name))
    return found


def look(place: Place, options: Options) -> Types | None:
    """Return the columns of a pair of files; None if it has no line."""
    del options
    if not isinstance(place, PairOfFiles):
        raise SourceError(f"{place} is no pair of files")
    if place.digest:  # a file of the Hub is not fetched for that: reading it tells
        return dict.fromkeys(COLUMNS, pa.string())
    counts = [_count(side.place) for side in (place.source, place.target)]
    if counts[0] != counts[1]:
        raise SourceError(
            f"{place.source.place} has {counts[0]:,} lines and {place.target.place} {counts[1]:,}: "
            "line by line they are no translations of each other; align them first, or leave them out"
        )
    return dict.fromkeys(COLUMNS, pa.string()) if counts[0] else None


def _count(place: Place) -> int:
    """Count the lines of a file."""
    count, last = 0, b"\n"
    with open_bytes(place) as stream:
        while chunk := stream.read(_COUNTED_AT_ONCE):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")


def tasks(reading: Reading, seen: Survey) -> Iterator[Task]:
    """Yield one task a pair of files."""
    del seen
    yield MosesTask(reading=reading)


@dataclass(frozen=True, kw_only=True, slots=True)
class MosesTask:
    """Two files of the same lines."""

    reading: Reading

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            Batches of a few megabytes; the origin is the line's number.

        Raises:
            SourceError: If one file ends before the other.
        """
        pair = self.reading.place
        if not isinstance(pair, PairOfFiles):
            raise SourceError(f"{pair} is no pair of files")
        limit = self.reading.max_bytes
        with open_bytes(pair.source.place) as one, open_bytes(pair.target.place) as other:
            for first, source, target in _side_by_side(
                line_arrays(one, limit), line_arrays(other, limit)
            ):
                if source is None or target is None:
                    raise SourceError(f"{pair} no longer have the same number of lines")
                yield self._batch(pair, first, source, target)

    def _batch(
        self, pair: PairOfFiles, first: int, source: pa.Array, target: pa.Array
    ) -> pa.RecordBatch:
        codes = (
            pa.repeat(pa.scalar(side.code), len(source)) for side in (pair.source, pair.target)
        )
        columns = dict(zip(COLUMNS, (trimmed(source), trimmed(target), *codes), strict=True))
        reasons = pc.coalesce(overlong(source), overlong(target))
        return self.reading.batch_of_columns(columns, first, reasons)


Lines = Iterator[tuple[int, pa.Array]]


def _side_by_side(
    one: Lines, other: Lines
) -> Iterator[tuple[int, pa.Array | None, pa.Array | None]]:
    """Cut two streams of lines at the same places; at the end of one alone, its side is None."""
    line, held = 1, [pa.array([], pa.large_binary())] * 2
    while True:
        for place, stream in enumerate((one, other)):
            if not len(held[place]):
                held[place] = next(stream, (0, held[place]))[1]
        n_lines = min(len(each) for each in held)
        if not n_lines:
            if any(len(each) for each in held):
                sides = [each if len(each) else None for each in held]
                yield line, sides[0], sides[1]
            return
        yield line, held[0][:n_lines], held[1][:n_lines]
        line += n_lines
        held = [each[n_lines:] for each in held]
