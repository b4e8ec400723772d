"""Where rows end up: a plan of parts, shards and buckets, and the writer of the final Parquet files.

Rows are numbered in their final order (component, label, split, shard, id). A bucket is a range of these numbers that
fits in memory and holds whole shards; the engine routes rows into buckets, then each bucket is sorted and written. So
the bytes of a shard depend on its rows alone.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emma500.corpus.splitting import shard_numbers
from emma500.corpus.staging import RowIndex, id_numbers, staged_schema
from emma500.errors import FailureError
from emma500.folder import FOLDERS
from emma500.progress import Progress, tracked
from emma500.records import document_schema, pair_schema
from emma500.storage import atomic_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXCLUDED = "excluded"

_BUCKET_BYTES = 64 << 20
_ROW_GROUP_BYTES = 64 << 20
_ROUTED = ("row", "bucket")
_WORDS = ("label", "source_label", "target_label", "iso639_3", "script", "macrolanguage", "original_code",
          "target_original_code", "source", "source_license", "lid_label", "lid_verdict", "component",
          "stage", "reason")  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Where each row goes.

    Attributes:
        rows: The rows to write, in their final order; columns of the decisions, `cluster_size` and `split`.
        shards: One dictionary a shard: component, label, split, file, and the range of its rows, first and end.
        buckets: (buckets) first row of each bucket.
    """

    rows: pa.Table
    shards: list[dict[str, Any]]
    buckets: "NDArray[np.int64]"

    def route(self) -> "Route":
        """Return the function that tells the engine where staged rows go."""
        ids, keys = id_numbers(self.rows["id"]), self.rows["key"].to_numpy()
        index = RowIndex(ids, keys, np.arange(len(self.rows), dtype=np.int64))
        return Route(index=index, buckets=self.buckets)


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """The function the split sends every staged batch through; it can be pickled."""

    index: RowIndex
    buckets: "NDArray[np.int64]"

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Add the row number (-1 for a row that is not written) and the bucket."""
        rows = self.index.find(batch)
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
    written = {*document_schema().names, *pair_schema().names, *_excluded_schema().names, "key"}
    return [name for name in staged_schema().names if name in written]


def routed_schema() -> pa.Schema:
    """Return the schema of routed rows."""
    staged = staged_schema()
    fields = [staged.field(name) for name in routed_columns()]
    return pa.schema([*fields, ("row", pa.int64()), ("bucket", pa.int64())])


def plan_shards(rows: pa.Table, shard_bytes: int) -> Plan:
    """Plan the shards of rows.

    Args:
        rows: The rows to write, with `split`.
        shard_bytes: About how much text a shard holds, in bytes.

    Returns:
        The plan; shards of a part are ranges of ids.
    """
    part = pc.binary_join_element_wise(rows["component"], rows["label"], rows["split"], "\t")
    names = sorted(part.unique().to_pylist())
    parts = pc.index_in(part, pa.array(names, part.type)).to_numpy().astype(np.int64)
    n_bytes = np.bincount(parts, rows["n_bytes"].to_numpy(), len(names))
    n_shards = np.maximum(1, np.ceil(n_bytes / shard_bytes)).astype(np.int64)
    ids = id_numbers(rows["id"])
    shard = shard_numbers(ids, parts, n_shards)
    order = np.lexsort((rows["key"].to_numpy(), ids[:, 1], ids[:, 0], shard, parts))
    # A range of ids without any row is no shard.
    places, counts = np.unique(np.stack([parts, shard])[:, order], axis=1, return_counts=True)
    ends = np.cumsum(counts)
    totals = np.bincount(places[0])
    shards = [
        _shard(
            names[part],
            int(each - np.searchsorted(places[0], part)),
            int(totals[part]),
            int(end - count),
            int(end),
        )
        for each, part, end, count in zip(
            np.arange(len(ends)), places[0], ends, counts, strict=True
        )
    ]
    rows = rows.take(pa.array(order))
    return Plan(rows=rows, shards=shards, buckets=_buckets(rows["n_bytes"].to_numpy(), ends))


def _shard(name: str, number: int, total: int, first: int, end: int) -> dict[str, Any]:  # noqa: PLR0917
    component, label, split = name.split("\t")
    folder = f"{EXCLUDED}/{FOLDERS[component]}" if split == EXCLUDED else FOLDERS[component]
    file = f"{folder}/{label}/{split}-{number:05}-of-{total:05}.parquet"
    return {
        "component": component,
        "label": label,
        "split": split,
        "file": file,
        "first": first,
        "end": end,
    }


def _buckets(n_bytes: "NDArray[np.int64]", ends: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Cut the rows at ends of shards into ranges of about equal size; return where each starts."""
    firsts = np.concatenate([[0], ends[:-1]])
    before = np.concatenate([[0], np.cumsum(n_bytes)])[firsts]
    return firsts[np.unique(before // _BUCKET_BYTES, return_index=True)[1]]


def write_shards(plan: Plan, routed: Path, output: Path, progress: Progress | None) -> None:
    """Write the shards from the routed rows.

    Args:
        plan: The plan they were routed by.
        routed: The folder of the routed rows, a folder `bucket=<n>` each.
        output: The folder of the corpus.
        progress: Called as buckets are written.

    Raises:
        FailureError: If a row the plan holds was not routed.
    """
    bounds = [*plan.buckets.tolist(), len(plan.rows)]
    for number in tracked(range(len(plan.buckets)), progress, "writing shards"):
        first, end = bounds[number], bounds[number + 1]
        files = sorted((routed / f"bucket={number}").glob("*.parquet"))
        table = _sorted(pa.concat_tables(pq.read_table(each, partitioning=None) for each in files))
        if table["row"].to_pylist() != list(range(first, end)):
            raise FailureError(
                f"{routed}: {len(table)} rows were routed to bucket {number}, not {end - first}"
            )
        for shard in plan.shards:
            if first <= shard["first"] < shard["end"] <= end:
                size = shard["end"] - shard["first"]
                _write(plan, shard, table.slice(shard["first"] - first, size), output)


def _sorted(table: pa.Table) -> pa.Table:
    """Sort by row number; a row that stands in the sources twice under one name comes once."""
    ties = ("row", "original_code", "target_original_code", "url", "source_license")
    order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in ties])
    rows = table["row"].take(order).to_numpy()
    return table.take(order.filter(pa.array(np.concatenate([[True], rows[1:] != rows[:-1]]))))


def _write(plan: Plan, shard: dict[str, Any], table: pa.Table, output: Path) -> None:
    decided = plan.rows.slice(shard["first"], len(table))
    for name in ("cluster_size", "stage", "reason"):
        if name in table.column_names:
            table = table.drop_columns(name)
        table = table.append_column(name, decided[name])
    schema = _schema(shard)
    if shard["component"] == "bilingual" and shard["split"] != EXCLUDED:
        table = table.rename_columns({"text": "source_text"})
    table = table.select(schema.names).cast(schema)
    n_bytes = max(1, pc.sum(decided["n_bytes"]).as_py())
    with atomic_file(output / shard["file"]) as temporary:
        pq.write_table(
            table,
            temporary,
            compression="zstd",
            compression_level=3,
            use_dictionary=[name for name in schema.names if name in _WORDS],
            row_group_size=max(1, len(table) * _ROW_GROUP_BYTES // n_bytes),
            write_page_index=True,
            use_content_defined_chunking=True,
        )


def _schema(shard: dict[str, Any]) -> pa.Schema:
    if shard["split"] == EXCLUDED:
        return _excluded_schema()
    return pair_schema() if shard["component"] == "bilingual" else document_schema()


def _excluded_schema() -> pa.Schema:
    text, name = pa.large_string(), pa.string()
    return pa.schema(
        [
            ("id", name), ("component", name), ("label", name), ("stage", name), ("reason", name), ("text", text),
            ("target_text", text), ("source", name), ("source_license", name), ("url", name), ("origin", name),
        ]
    )  # fmt: skip
