"""Where rows end up: a plan of parts, shards and buckets.

Rows are numbered in their final order (component, label, split, shard, id). A bucket is a range of these numbers that
fits in memory and holds whole shards.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.corpus.output.splitting import EXCLUDED, shard_numbers, split_names
from emma500.corpus.staging import (
    Decisions,
    Numbers,
    RowIndex,
    changes,
    id_numbers,
    row_names,
    staged_schema,
)
from emma500.folder import FOLDERS
from emma500.records import document_schema, pair_schema
from emma500.sources.base import REASONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PLANNED = (
    "id", "key", "component", "label", "n_words", "n_chars", "n_bytes", "cluster_size", "stage", "reason",
)  # fmt: skip
_SIZES = ("n_documents", "n_words", "n_chars", "n_bytes")
_PART = ("component", "label", "split", "stage")
_COUNTED = ("n_words", "n_chars", "n_bytes", "cluster_size")
_ROUTED = ("row", "bucket")
_KINDS = (
    ("key", np.uint64), ("n_words", np.int64), ("n_chars", np.int64), ("n_bytes", np.int64),
    ("cluster_size", np.int32), ("part", np.int32), ("reason", np.int32),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Where each row goes.

    Attributes:
        route: The function that tells the engine where staged rows go.
        decided: What was decided about the rows to write, in their final order: cluster_size, stage and reason.
        shards: One dictionary a shard: component, label, split, stage, file, and the range of its rows, first and end.
        buckets: (buckets) first row of each bucket.
        sizes: One dictionary a component, label, split and stage ("" but for what was left out): its sizes and files.
    """

    route: "Route"
    decided: pa.Table
    shards: list[dict[str, Any]]
    buckets: "NDArray[np.int64]"
    sizes: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """The function the split sends every staged batch through; it can be pickled."""

    index: RowIndex
    buckets: "NDArray[np.int64]"

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows that are written, with the row number and the bucket of each."""
        batch, rows = self.index.known(batch)
        buckets = np.searchsorted(self.buckets, rows, "right") - 1
        schema = routed_schema()
        columns = [batch[name] for name in schema.names if name not in _ROUTED]
        arrays = [*columns, pa.array(rows), pa.array(buckets)]
        return pa.RecordBatch.from_arrays(
            [array.cast(field.type) for array, field in zip(arrays, schema, strict=True)],
            schema=schema,
        )


def routed_columns() -> list[str]:
    """Return the columns of staged rows that end up in shards."""
    shapes = ("documents", "pairs", f"{EXCLUDED} documents", f"{EXCLUDED} pairs")
    written = {"key", *(name for shape in shapes for name in shard_schema(shape).names)}
    return [name for name in staged_schema().names if name in written]


def routed_schema() -> pa.Schema:
    """Return the schema of routed rows."""
    staged = staged_schema()
    fields = [staged.field(name) for name in routed_columns()]
    return pa.schema([*fields, ("row", pa.int64()), ("bucket", pa.int64())])


@cache
def shard_schema(shape: str) -> pa.Schema:
    """Return the schema of shards of documents or pairs, or of what was left out of them ("excluded pairs")."""
    schema = pair_schema() if shape.endswith("pairs") else document_schema()
    if not shape.startswith(EXCLUDED):
        return schema
    return pa.schema([*schema, *((name, pa.string()) for name in ("origin", "stage", "reason"))])


def plan_shards(
    decisions: Decisions,
    splits: "NDArray[np.uint8]",
    *,
    shard_bytes: int,
    bucket_bytes: int = 1 << 27,
    keep_excluded: bool = False,
) -> Plan:
    """Plan the shards.

    Args:
        decisions: All decisions. A row that the sources hold twice under one name is written once, the one that is
            kept before one that is not.
        splits: (rows) the place of each row's split in `SPLIT_NAMES`; what is past its end is left out.
        shard_bytes: About how much text a shard holds, in bytes.
        bucket_bytes: About how much text is sorted at once, in bytes; a shard is never divided.
        keep_excluded: Plan shards of what was left out, too, if it could be read.

    Returns:
        The plan; shards of a part are ranges of ids.
    """
    rows = _Rows.of(decisions, splits, keep_excluded=keep_excluded)
    names, parts = rows.part_names()
    sums = rows.sums(names, parts)
    n_bytes = np.bincount(parts, rows.columns["n_bytes"], len(names))
    n_shards = np.maximum(1, np.ceil(n_bytes / shard_bytes)).astype(np.int64)
    shard = shard_numbers(rows.ids, parts, n_shards)
    order = np.lexsort((rows.keys, rows.ids[:, 1], rows.ids[:, 0], shard, parts))
    # A range of ids without any row is no shard.
    ends = np.append(changes(parts[order], shard[order]), len(order))[1:]
    placed = parts[order[ends - 1]]
    totals = np.bincount(placed, minlength=len(names))
    firsts = np.concatenate([[0], ends[:-1]])
    numbers = np.arange(len(ends)) - np.searchsorted(placed, placed)
    shards = [
        _shard(names[part], number, int(totals[part]), first, end)
        for part, number, first, end in zip(
            placed, numbers.tolist(), firsts.tolist(), ends.tolist(), strict=True
        )
    ]
    before = np.concatenate([[0], np.cumsum(rows.columns.pop("n_bytes")[order])])[firsts]
    del parts, shard
    buckets = firsts[np.unique(before // bucket_bytes, return_index=True)[1]]
    return Plan(
        decided=rows.decided(order),
        route=Route(index=rows.index(order), buckets=buckets),
        shards=shards,
        buckets=buckets,
        sizes=_sizes(shards, sums),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rows:
    """The rows to write, about 50 bytes each.

    Attributes:
        ids: (rows, 2) their ids.
        keys: (rows) their keys.
        columns: (rows) arrays: n_words, n_chars, n_bytes, cluster_size (0: null), part and reason.
        parts: Names of parts by number: component, label, split and stage, tabs between them.
        reasons: Reasons by number.
    """

    ids: "NDArray[np.uint64]"
    keys: "NDArray[np.uint64]"
    columns: "dict[str, NDArray[Any]]"
    parts: Numbers
    reasons: Numbers

    @classmethod
    def of(
        cls, decisions: Decisions, splits: "NDArray[np.uint8]", *, keep_excluded: bool
    ) -> "_Rows":
        """Read what is to be written; of two rows of one name, one."""
        parts, reasons, start, size = Numbers(), Numbers(None), 0, 0
        columns: dict[str, NDArray[Any]] = {
            name: np.empty(len(splits), kind) for name, kind in _KINDS
        }
        columns["ids"] = np.empty((len(splits), 2), np.uint64)
        for part in decisions.parts(_PLANNED):
            own = splits[start : start + len(part)]
            start += len(part)
            is_written = pc.is_null(part["reason"])
            if keep_excluded:
                is_read = pc.invert(pc.is_in(part["reason"], pa.array(sorted(REASONS))))
                is_written = pc.or_(is_written, is_read)
            names = split_names(own).filter(is_written.combine_chunks())
            rows = part.filter(is_written)
            stage = pc.if_else(pc.equal(names, EXCLUDED), rows["stage"], "")
            named = (rows["component"], rows["label"], names, stage)
            place = slice(size, size + len(rows))
            size += len(rows)
            columns["part"][place] = parts.of(pc.binary_join_element_wise(*named, "\t"))
            columns["reason"][place] = reasons.of(rows["reason"])
            columns["ids"][place] = id_numbers(rows["id"])
            for name in ("key", *_COUNTED):
                columns[name][place] = rows[name].fill_null(0).to_numpy()
        columns = {name: column[:size] for name, column in columns.items()}
        is_first = _is_first(columns["ids"], columns["key"], columns["reason"] > 0)
        if is_first is not None:
            columns = {name: column[is_first] for name, column in columns.items()}
        return cls(
            ids=columns.pop("ids"),
            keys=columns.pop("key"),
            columns=columns,
            parts=parts,
            reasons=reasons,
        )

    def part_names(self) -> "tuple[list[str], NDArray[np.int32]]":
        """Return the parts in their order, and the place of each row's part in it."""
        names = sorted(str(name) for name in self.parts.values)
        places = {name: place for place, name in enumerate(names)}
        order = np.array([places[str(name)] for name in self.parts.values], np.int32)
        return names, order[self.columns["part"]] if len(order) else self.columns["part"]

    def sums(self, names: list[str], parts: "NDArray[np.int32]") -> dict[str, dict[str, int]]:
        """Return the sizes of each part, and let go of those of rows."""
        sums = {"n_documents": np.bincount(parts, minlength=len(names))}
        for size in _SIZES[1:]:
            sums[size] = np.bincount(parts, self.columns[size], len(names))
        del self.columns["n_words"], self.columns["n_chars"]
        return {
            name: {size: int(sums[size][place]) for size in _SIZES}
            for place, name in enumerate(names)
        }

    def index(self, order: "NDArray[np.int64]") -> RowIndex:
        """Return what finds the place of a row in an order."""
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        return RowIndex(self.ids, self.keys, places)

    def decided(self, order: "NDArray[np.int64]") -> pa.Table:
        """Return what was decided about the rows, in an order, and let go of it."""
        stages = pa.array(
            [str(name).split("\t")[-1] or None for name in self.parts.values], pa.string()
        )
        sizes = self.columns.pop("cluster_size")[order]
        return pa.table({
            "cluster_size": pa.array(sizes, pa.int32(), mask=sizes == 0),
            "stage": pa.DictionaryArray.from_arrays(self.columns.pop("part")[order], stages),
            "reason": pa.DictionaryArray.from_arrays(
                self.columns.pop("reason")[order], pa.array(self.reasons.values, pa.string())
            ),
        })  # fmt: skip


def _is_first(
    ids: "NDArray[np.uint64]", keys: "NDArray[np.uint64]", is_out: "NDArray[np.bool_]"
) -> "NDArray[np.bool_] | None":
    """Choose one row of each name, one that is kept before one that is not; None if no two rows share one."""
    names = np.sort(row_names(ids, keys))
    if not (names[1:] == names[:-1]).any():
        return None
    del names
    order = np.lexsort((is_out, keys, ids[:, 1], ids[:, 0]))
    is_first = np.zeros(len(order), bool)
    is_first[order[changes(ids[order, 0], ids[order, 1], keys[order])]] = True
    return is_first


def _sizes(shards: list[dict[str, Any]], sums: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {}
    for shard in shards:
        name = "\t".join(shard[each] for each in _PART)
        if name not in parts:
            parts[name] = {each: shard[each] for each in _PART} | sums[name] | {"files": []}
        parts[name]["files"].append(shard["file"])
    return list(parts.values())


def _shard(name: str, number: int, total: int, first: int, end: int) -> dict[str, Any]:  # noqa: PLR0917
    component, label, split, stage = name.split("\t")
    folder = f"{EXCLUDED}/{stage}/{FOLDERS[component]}" if stage else FOLDERS[component]
    file = f"{folder}/{label}/{split}-{number:05}-of-{total:05}.parquet"
    return {
        "component": component,
        "label": label,
        "split": split,
        "stage": stage,
        "file": file,
        "first": first,
        "end": end,
    }
