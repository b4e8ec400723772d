"""Which rows are candidates, found on disk by name; and the task that sends their shingles where they belong."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.corpus.deduplication.spill import Spill
from emma500.corpus.row_groups import RowGroup
from emma500.corpus.staging import TEXTS, id_numbers, row_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NAMES = ("id", "key")
_ENTRY = pa.schema([("name", pa.uint64()), ("node", pa.int64()), ("pack", pa.int64())])
_HELD_ROWS = 1 << 20
_N_RANGES = 64


class ShingleIndex:
    """Finds candidates by name, on disk: what is looked at is all that is in memory. It can be pickled once sorted.

    Args:
        folder: Where it is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._spill: Spill | None = Spill(folder / "unsorted", _ENTRY, _HELD_ROWS)
        self._n_rows = 0

    def __len__(self) -> int:
        return self._n_rows

    def add(
        self,
        names: "NDArray[np.uint64]",
        nodes: "NDArray[np.int64]",
        packs: "NDArray[np.int64]",
    ) -> None:
        """Add candidates: the name, the node and the pack of each."""
        if self._spill is not None:
            self._n_rows += len(names)
            ranges = (names >> np.uint64(58)).astype(np.int64)
            self._spill.add(pa.table([names, nodes, packs], schema=_ENTRY), ranges)

    def sorted(self) -> "ShingleIndex":
        """Sort what was added, range by range of names; nothing can be added after that."""
        spill, self._spill = self._spill, None
        if spill is None:
            return self
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._path("name").open("wb") as names, self._path("place").open("wb") as places:
            for number in range(_N_RANGES):
                table = spill.read(number)
                order = np.argsort(table["name"].to_numpy())
                table["name"].to_numpy()[order].tofile(names)
                both = [table[name].to_numpy()[order] for name in ("node", "pack")]
                np.stack(both, axis=1).tofile(places)
                spill.drop(number)
        return self

    def find(self, batch: pa.RecordBatch) -> "NDArray[np.int64]":
        """Return the node and the pack of each row of a batch with `id` and `key`, (rows, 2); -1 for no candidate."""
        names, places = self._opened
        wanted = row_names(id_numbers(batch["id"]), batch["key"].to_numpy())
        at = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
        return np.where((names[at] == wanted)[:, None], places[at], -1)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_opened"}

    @cached_property
    def _opened(self) -> "tuple[NDArray[np.uint64], NDArray[np.int64]]":
        names = np.memmap(self._path("name"), np.uint64, "r")
        return names, np.memmap(self._path("place"), np.int64, "r").reshape(-1, 2)

    def _path(self, name: str) -> Path:
        return self._folder / name


@dataclass(frozen=True, slots=True)
class Shingle:
    """Reads the sorted, distinct shingles of the candidates of a row group; a task of the engine, it can be pickled.

    Attributes:
        index: The candidates.
        ngram: Words a shingle.
        rows: The row group.
    """

    index: ShingleIndex
    ngram: int
    rows: RowGroup

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield `row`, `pack` and `shingles` of its candidates; without any, its text isn't read."""
        if not any((self.index.find(each) >= 0).any() for each in self.rows.batches(_NAMES)):
            return
        for batch in self.rows.batches((*_NAMES, *TEXTS)):
            yield self.shingled(batch)

    def shingled(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return `row`, `pack` and `shingles` of the candidates of a batch."""
        from emma500.corpus.deduplication import graph_kernels
        from emma500.corpus.text.tokens import shingles, tokenise

        found = self.index.find(batch)
        places = np.flatnonzero(found[:, 0] >= 0)
        sides = [batch[name].take(pa.array(places)).cast(pa.large_string()) for name in TEXTS]
        sides = [pc.fill_null(each, "") for each in sides]
        joined = pc.binary_join_element_wise(*sides, pa.scalar("\n\0\n", pa.large_string()))
        grams, offsets = shingles(tokenise(joined), self.ngram)
        ends = np.zeros(len(offsets), np.int64)
        graph_kernels.sort_distinct(grams, offsets, ends)
        lists = pa.LargeListArray.from_arrays(pa.array(ends), pa.array(grams[: ends[-1]]))
        own = found[places]
        columns = [pa.array(own[:, 0].copy()), pa.array(own[:, 1].copy()), lists]
        return pa.RecordBatch.from_arrays(columns, schema=shingle_schema())


def shingle_schema() -> pa.Schema:
    """Return the schema of what `Shingle` answers."""
    lists = pa.large_list(pa.uint64())
    return pa.schema([("row", pa.int64()), ("pack", pa.int64()), ("shingles", lists)])
