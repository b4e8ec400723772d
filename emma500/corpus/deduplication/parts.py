"""The decisions of the filter, cut into parts that fit in memory and sorted: what dedup goes through, part by part.

A *group* is what is compared with itself: a component and label, or a whole component. Small groups share a part; a
group too large for one is cut by ranges of its texts' hashes, so that exact copies are in one part all the same.
Every row has a number, its *node*: its place in all parts, one after another.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emma500.corpus.deduplication.spill import Spill, read_arrow, write_arrow
from emma500.corpus.staging import id_numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

COMPARED = (
    "component", "label", "id", "key", "unit", "n_bytes", "n_chars", "bands", "reason",
)  # fmt: skip
"""The columns that dedup compares rows by."""

_BATCH_ROWS = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """The rows of a part as arrays, one entry a row.

    Attributes:
        ids: (rows, 2) uint64.
        keys: uint64.
        groups: uint64 hash of the group.
        texts: (rows, 2) uint64, equal where the texts are.
        n_bytes: int64, size of the text.
        bands: (rows) lists of uint64.
        is_kept: bool, whether no earlier stage left the row out.
    """

    ids: "NDArray[np.uint64]"
    keys: "NDArray[np.uint64]"
    groups: "NDArray[np.uint64]"
    texts: "NDArray[np.uint64]"
    n_bytes: "NDArray[np.int64]"
    bands: pa.LargeListArray
    is_kept: "NDArray[np.bool_]"


@dataclass(frozen=True, slots=True)
class Grouping:
    """What is compared with what.

    Attributes:
        across_labels: Whether documents are compared across the labels of a component; pairs never are.
    """

    across_labels: bool

    def groups(self, table: pa.Table) -> pa.DictionaryArray:
        """Return the group of each row."""
        component, label = (
            pc.fill_null(table[name].cast(pa.string()), "") for name in ("component", "label")
        )
        both = pc.binary_join_element_wise(component, label, "\t")
        if self.across_labels:
            both = pc.if_else(pc.equal(component, "bilingual"), both, component)
        return both.combine_chunks().dictionary_encode()

    def hashes(self, table: pa.Table) -> "NDArray[np.uint64]":
        """Return the hash of each row's group."""
        from emma500.corpus.text.hashing import hashes

        groups = self.groups(table)
        return hashes(groups.dictionary)[:, 0][groups.indices.to_numpy()]

    def texts(self, table: pa.Table) -> "NDArray[np.uint64]":
        """Return two numbers a row that are equal where the texts are; ids are so only within a label."""
        ids = id_numbers(table["id"])
        if not self.across_labels:
            return ids
        sizes = (table["n_bytes"].to_numpy() << 32) ^ table["n_chars"].to_numpy()
        plain = np.stack([table["unit"].to_numpy(), sizes.astype(np.uint64)], axis=1)
        is_pair = pc.equal(table["component"], "bilingual").to_numpy()
        return np.where(is_pair[:, None], ids, plain)


class Parts:
    """All rows, written to disk in sorted parts.

    Args:
        folder: Where the parts are written.
        decisions: The folder of the decisions, Parquet files in any order.
        schema: Their columns that are kept.
        grouping: What is compared with what.
        memory_rows: The most rows of a part, but for copies of one text.
    """

    def __init__(
        self,
        folder: Path,
        decisions: Path,
        *,
        schema: pa.Schema,
        grouping: Grouping,
        memory_rows: int,
    ) -> None:
        self._folder = folder
        self._schema = schema
        self._grouping = grouping
        self._files = sorted(decisions.rglob("*.parquet"))
        self._only: pa.Table | None = None
        self._plan(memory_rows)
        spill = Spill(folder / "unsorted", schema, memory_rows)
        for table in self._batches(schema.names):
            spill.add(table, self._part(table))
        if self._n_parts > 1:
            spill.flush()
        sizes = [self._sort(spill, part) for part in range(self._n_parts)]
        self.starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        """(parts + 1) the first node of each part."""

    def __len__(self) -> int:
        return self._n_parts

    @cached_property
    def units(self) -> list[range]:
        """Ranges of parts that hold whole groups: one part, or all those of a large group."""
        firsts = sorted(set(self._first.tolist()))
        return [
            range(first, end)
            for first, end in zip(firsts, [*firsts[1:], self._n_parts], strict=True)
        ]

    def part_of(self, nodes: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the part each node is in."""
        return np.searchsorted(self.starts, nodes, "right") - 1

    def read(self, part: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the sorted rows of a part, or some of their columns."""
        if self._only is not None:
            return self._only if columns is None else self._only.select(list(columns))
        return read_arrow(self._folder / f"{part}.arrow", columns).combine_chunks()

    def rows(self, table: pa.Table) -> Rows:
        """Take the arrays out of a table with the compared columns."""
        return Rows(
            ids=id_numbers(table["id"]),
            keys=table["key"].to_numpy(),
            groups=self._grouping.hashes(table),
            texts=self._grouping.texts(table),
            n_bytes=table["n_bytes"].to_numpy(),
            bands=table["bands"].combine_chunks(),
            is_kept=pc.is_null(table["reason"]).to_numpy(zero_copy_only=False),
        )

    def _plan(self, memory_rows: int) -> None:
        """Choose the parts of every group: the first one, and how many ranges of hashes it is cut into."""
        sizes: Counter[str] = Counter()
        for table in self._batches(("component", "label")):
            counts = self._grouping.groups(table).value_counts()
            sizes.update({each["values"].as_py(): each["counts"].as_py() for each in counts})
        self._names = pa.array(sorted(sizes), pa.string())
        first, ranges, end, held = [], [], 0, memory_rows
        for name in sorted(sizes):
            size = sizes[name]
            if held + size > memory_rows:
                end, held = end + -(-size // memory_rows), 0
            held = held + size if size <= memory_rows else memory_rows
            ranges.append(-(-size // memory_rows))
            first.append(end - ranges[-1])
        self._first, self._ranges = np.array(first, np.int64), np.array(ranges, np.int64)
        self._n_parts = end

    def _batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        for each in self._files:
            for batch in pq.ParquetFile(each).iter_batches(_BATCH_ROWS, columns=list(columns)):
                fields = [self._schema.field(name) for name in batch.schema.names]
                yield pa.Table.from_batches([batch]).cast(pa.schema(fields)).select(list(columns))

    def _numbers(self, groups: pa.DictionaryArray) -> "NDArray[np.int64]":
        numbers = pc.index_in(groups.dictionary, self._names).to_numpy().astype(np.int64)
        return numbers[groups.indices.to_numpy()]

    def _part(self, table: pa.Table) -> "NDArray[np.int64]":
        numbers = self._numbers(self._grouping.groups(table))
        top = (self._grouping.texts(table)[:, 0] >> np.uint64(32)).astype(np.int64)
        return self._first[numbers] + ((top * self._ranges[numbers]) >> 32)

    def _sort(self, spill: Spill, part: int) -> int:
        """Write a part, sorted by group, text, id and key, or keep the only one; return how many rows it has."""
        table = spill.read(part)
        spill.drop(part)
        groups = self._numbers(self._grouping.groups(table))
        texts, ids = self._grouping.texts(table), id_numbers(table["id"])
        left_out = pc.is_valid(table["reason"]).to_numpy(zero_copy_only=False)
        keys = [left_out, table["key"].to_numpy(), ids[:, 1], ids[:, 0]]
        if self._grouping.across_labels:
            keys += [texts[:, 1], texts[:, 0]]
        order = np.lexsort([*keys, groups])
        table = table.take(pa.array(order))
        if self._n_parts == 1:
            self._only = table.combine_chunks()
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_arrow(self._folder / f"{part}.arrow", table)
        return len(table)
