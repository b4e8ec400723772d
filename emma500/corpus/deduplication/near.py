"""Near-duplicates: rows that share a band are candidates, and their shingles say which of them resemble each other.

Candidates are joined into connected components, and components into packs small enough to hold their shingles. One pass
over the staged text sends the shingles of every candidate to its pack. Within a pack each row, longest first, is folded
into the first row that stays and resembles it, ties going to the smaller id; so what is folded resembles what stays.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emma500.corpus.deduplication.copies import exact_owners
from emma500.corpus.deduplication.parts import COMPARED, Parts, Rows
from emma500.corpus.deduplication.shingle_index import ShingleIndex
from emma500.corpus.deduplication.spill import Spill
from emma500.corpus.staging import row_names
from emma500.errors import FailureError
from emma500.progress import Progress, tracked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Compared = tuple[Rows, NDArray[np.int64], NDArray[np.int64]]

PACK_BYTES = 64 << 20
"""Text of the candidates whose shingles are held at once, in bytes; a larger component is held all the same."""

MOST_COMPARED = 1024
"""Rows that stay, of one bucket, that another one is compared with: what bounds the time a bucket takes."""

ShingleRouter = Callable[[ShingleIndex, Path], None]
"""Writes the shingles of the rows an index knows into `folder/pack=<n>/*.parquet`: `row` (the node) and `shingles`."""

_CANDIDATE = pa.schema(
    [
        ("node", pa.int64()), ("high", pa.uint64()), ("low", pa.uint64()), ("key", pa.uint64()),
        ("n_bytes", pa.int64()), ("copies", pa.int32()), ("bands", pa.large_list(pa.uint64())),
    ]
)  # fmt: skip
_FOLDED = pa.schema(
    [("node", pa.int64()), ("high", pa.uint64()), ("low", pa.uint64()), ("jaccard", pa.float32())]
)
_GROWN = pa.schema([("node", pa.int64()), ("copies", pa.int32())])
_BAND = pa.schema([("value", pa.uint64()), ("place", pa.int64())])


class Near:
    """Finds the near-duplicates of all parts.

    Args:
        folder: For what does not fit in memory.
        parts: The rows.
        memory_rows: Rows that are held in memory.
        threshold: The least exact Jaccard similarity of a near-duplicate to the row it is folded into.
    """

    def __init__(self, folder: Path, parts: Parts, *, memory_rows: int, threshold: float) -> None:
        self._folder = folder
        self.parts = parts
        self._memory_rows = memory_rows
        self._threshold = threshold
        self._candidates = Spill(folder / "candidates", _CANDIDATE, memory_rows)
        self._index = ShingleIndex(folder / "index")
        self._n_packs = 0
        self._last: tuple[int, _Compared] | None = None
        self.folded = Spill(folder / "folded", _FOLDED, memory_rows)
        """By part: each row that is folded, the id of the row it is folded into, and their similarity."""
        self.grown = Spill(folder / "grown", _GROWN, memory_rows)
        """By part: each row that stays, and the copies of a row that is folded into it."""

    def run(
        self,
        is_out: "Callable[[int], NDArray[np.int64]]",
        route: ShingleRouter,
        progress: Progress | None,
    ) -> None:
        """Fill `folded` and `grown`.

        Args:
            is_out: Returns the places of the rows of a part that another rule of dedup leaves out.
            route: Writes the shingles of candidates.
            progress: Called as parts are compared and packs are verified.
        """
        self._is_out = is_out
        for unit in tracked(self.parts.units, progress, "looking for near-duplicates"):
            self._look(unit)
        packs = self._candidates.numbers()
        if packs:
            route(self._index.sorted(), self._folder / "shingles")
        for pack in tracked(packs, progress, "verifying near-duplicates"):
            self._fold(pack)
            self._candidates.drop(pack)

    def _look(self, unit: range) -> None:
        """Join the rows of some whole groups that share bands, and set the components aside as packs."""
        from emma500.corpus.deduplication import graph_kernels

        first, end = self.parts.starts[unit.start], self.parts.starts[unit.stop]
        parents = np.arange(end - first)
        n_bytes = np.zeros(end - first, np.int64)
        for values, places in self._buckets(unit, n_bytes):
            order = np.argsort(values)
            graph_kernels.unite(parents, values[order], places[order])
        graph_kernels.settle(parents)
        packs = self._packs(parents, n_bytes)
        for part in unit:
            start = self.parts.starts[part] - first
            size = self.parts.starts[part + 1] - self.parts.starts[part]
            own = packs[start : start + size]
            if (own >= 0).any():
                self._set_aside(part, own)
        self._last = None

    def _buckets(
        self, unit: range, n_bytes: "NDArray[np.int64]"
    ) -> "Iterator[tuple[NDArray[np.uint64], NDArray[np.int64]]]":
        """Yield band hashes and the places in the unit of their rows, equal ones together; fill in sizes."""
        first = self.parts.starts[unit.start]
        n_bands = 0
        spill = Spill(self._folder / "bands", _BAND, 4 * self._memory_rows)
        for part in unit:
            rows, places, _ = self._compared(part)
            offset = self.parts.starts[part] - first
            n_bytes[offset : offset + len(rows.keys)] = rows.n_bytes
            matrix = _salted(rows, places)
            n_bands = max(n_bands, matrix.shape[1])
            for values in np.ascontiguousarray(matrix.T):
                if len(unit) == 1:
                    yield values, places
                else:
                    table = pa.table([values, places + offset], schema=_BAND)
                    top = (values >> np.uint64(32)).astype(np.int64)
                    spill.add(table, (top * len(unit) * n_bands) >> 34)
        for number in spill.numbers():
            table = spill.read(number)
            yield table["value"].to_numpy(), table["place"].to_numpy()
            spill.drop(number)

    def _compared(self, part: int) -> "_Compared":
        """Return the rows of a part, the places of those that are compared, and how many copies every row has."""
        if self._last is not None and self._last[0] == part:
            return self._last[1]
        rows = self.parts.rows(self.parts.read(part, COMPARED))
        rows.is_kept[self._is_out(part)] = False
        owners = exact_owners(rows)
        copies = np.bincount(owners[rows.is_kept], minlength=len(owners))
        lengths = np.diff(rows.bands.offsets.to_numpy())
        stays = rows.is_kept & (owners == np.arange(len(owners))) & (lengths > 0)
        self._last = part, (rows, np.flatnonzero(stays), copies)
        return self._last[1]

    def _packs(
        self, parents: "NDArray[np.int64]", n_bytes: "NDArray[np.int64]"
    ) -> "NDArray[np.int64]":
        """Return the pack of each row; -1 for one that shares no band."""
        packs = np.full(len(parents), -1, np.int64)
        members = np.flatnonzero(np.bincount(parents)[parents] > 1) if len(parents) else parents
        if not len(members):
            return packs
        members = members[np.argsort(parents[members], kind="stable")]
        sizes, component = np.cumsum(n_bytes[members]), parents[members]
        # A component belongs to the pack that its last member falls into.
        last = np.searchsorted(component, component, "right") - 1
        _, number = np.unique(sizes[last] // PACK_BYTES, return_inverse=True)
        packs[members] = number + self._n_packs
        self._n_packs += int(number[-1]) + 1
        return packs

    def _set_aside(self, part: int, packs: "NDArray[np.int64]") -> None:
        rows, _, copies = self._compared(part)
        places = np.flatnonzero(packs >= 0)
        nodes, ids, keys = places + self.parts.starts[part], rows.ids[places], rows.keys[places]
        matrix = _salted(rows, places)
        offsets = np.arange(len(places) + 1) * matrix.shape[1]
        lists = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(matrix.ravel()))
        columns = [nodes, ids[:, 0], ids[:, 1], keys, rows.n_bytes[places],
                   copies[places].astype(np.int32), lists]  # fmt: skip
        self._candidates.add(pa.table(columns, schema=_CANDIDATE), packs[places])
        self._index.add(row_names(ids, keys), nodes, packs[places])

    def _fold(self, pack: int) -> None:
        """Fold the near-duplicates of a pack."""
        from emma500.corpus.deduplication import graph_kernels

        table = self._candidates.read(pack)
        n_bytes, high, low, key = (
            table[name].to_numpy() for name in ("n_bytes", "high", "low", "key")
        )
        order = np.lexsort((key, low, high, -n_bytes))
        nodes, copies = (table[name].to_numpy()[order] for name in ("node", "copies"))
        high, low = high[order], low[order]
        matrix = table["bands"].combine_chunks().flatten().to_numpy().reshape(len(order), -1)
        grams, offsets = _shingles(self._folder / "shingles" / f"pack={pack}", nodes)
        owners, similarity = np.empty(len(order), np.int64), np.empty(len(order))
        graph_kernels.fold(
            *_numbered(matrix[order]), grams, offsets, self._threshold, MOST_COMPARED, owners, similarity
        )  # fmt: skip
        folded = np.flatnonzero(owners != np.arange(len(owners)))
        kept = owners[folded]
        found = [nodes[folded], high[kept], low[kept], similarity[folded].astype(np.float32)]
        self.folded.add(pa.table(found, schema=_FOLDED), self.parts.part_of(nodes[folded]))
        grown = pa.table([nodes[kept], copies[folded]], schema=_GROWN)
        self.grown.add(grown, self.parts.part_of(nodes[kept]))


def _salted(rows: Rows, places: "NDArray[np.int64]") -> "NDArray[np.uint64]":
    """Return the bands of some rows, (rows, bands); equal ones of different groups differ."""
    from emma500.languages.writing.utf8_kernel import mix

    lists = rows.bands.take(pa.array(places))
    if not len(places):
        return np.zeros((0, 0), np.uint64)
    matrix = lists.flatten().to_numpy().reshape(len(places), -1)
    with np.errstate(over="ignore"):
        return np.asarray(mix(matrix ^ rows.groups[places][:, None]))


def _numbered(matrix: "NDArray[np.uint64]") -> "tuple[NDArray[np.int64], int]":
    """Return the bucket of each band, -1 where no other row is in it, and how many buckets there are."""
    _, buckets, counts = np.unique(matrix.ravel(), return_inverse=True, return_counts=True)
    numbers = np.where(counts > 1, np.cumsum(counts > 1) - 1, -1)
    return numbers[buckets].reshape(matrix.shape), int((counts > 1).sum())


def _shingles(
    folder: Path, nodes: "NDArray[np.int64]"
) -> "tuple[NDArray[np.uint64], NDArray[np.int64]]":
    """Read the shingles of nodes: all of them, and where each node's begin and end."""
    files = sorted(folder.glob("*.parquet"))
    table = pa.concat_tables(pq.ParquetFile(each).read(["row", "shingles"]) for each in files)
    # A row that the sources hold twice under one name comes twice: the first is as good as the second.
    found, first = np.unique(table["row"].to_numpy(), return_index=True)
    places = np.searchsorted(found, nodes)
    if len(found) != len(nodes) or (found[places] != nodes).any():
        raise FailureError(f"{folder}: {len(found)} rows were routed here, not {len(nodes)}")
    lists = table["shingles"].combine_chunks().take(pa.array(first[places]))
    return lists.flatten().to_numpy(), lists.offsets.to_numpy() - lists.offsets[0].as_py()
