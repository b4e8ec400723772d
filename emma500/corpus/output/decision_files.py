"""What was measured of every row and decided about it, as Parquet files beside the corpus (`keep_decisions`)."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emma500.corpus.output.splitting import split_names
from emma500.corpus.row_groups import mapped
from emma500.corpus.staging import (
    Decisions,
    Numbers,
    RowIndex,
    changes,
    hexadecimal,
    id_numbers,
    staged_schema,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = "decisions"
_FILE_ROWS = 1 << 20
_GROUP_ROWS = 1 << 16
_LEFT_OUT = {
    "text",
    "target_text",
    "bands",
    "paragraphs",
    "unit",
    "stage",
    "reason",
    "contaminated",
}
_DECIDED = ("contaminated", "stage", "reason", "cluster", "cluster_size", "split")
_NAMED = ("contaminated", "stage", "reason", "split")


def decision_file_schema() -> pa.Schema:
    """Return the schema of the files: what names a row, its provenance and signals, what was decided."""
    measured = [field for field in staged_schema() if field.name not in _LEFT_OUT]
    kinds = {"cluster_size": pa.int32()}
    return pa.schema([*measured, *((name, kinds.get(name, pa.string())) for name in _DECIDED)])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Route:
    """Sends the rows of a staged batch to their places, sorted by id; it can be pickled."""

    index: RowIndex

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        batch, rows = self.index.known(batch)
        arrays = [*batch.columns, pa.array(rows), pa.array(rows // _FILE_ROWS)]
        schema = _routed_schema()
        return pa.RecordBatch.from_arrays(
            [array.cast(field.type) for array, field in zip(arrays, schema, strict=True)],
            schema=schema,
        )


def write_decision_files(
    decisions: Decisions, splits: "NDArray[np.uint8]", staged: Path, folder: Path
) -> None:
    """Write a row for every row that was read.

    Args:
        decisions: The decisions that stand at the end.
        splits: (rows) what `hold_out` said of them.
        staged: The folder of the integrated rows.
        folder: Where `part-00000.parquet` and so on go, rows sorted by id.
    """
    from emma500.engine import Flow

    decided = _Decided.of(decisions, splits)
    order = _order(decided.ids, decided.keys, decided.numbers["reason"] > 0)
    index = RowIndex(decided.ids[order], decided.keys[order], np.arange(len(order), dtype=np.int64))
    routed = folder.with_name("routed-decisions")
    tasks = mapped(staged, _measured(), _Route(index=index))
    Flow(tasks, _routed_schema()).write(routed, "file")
    folder.mkdir()
    schema = decision_file_schema()
    for number in range(-(-len(order) // _FILE_ROWS)):
        files = sorted((routed / f"file={number}").glob("*.parquet"))
        table = pa.concat_tables(pq.read_table(each, partitioning=None) for each in files)
        table = table.sort_by("row")
        for name, column in decided.of_rows(order[table["row"].to_numpy()]).items():
            table = table.append_column(name, column)
        pq.write_table(
            table.select(schema.names).cast(schema),
            folder / f"part-{number:05}.parquet",
            compression="zstd",
            row_group_size=_GROUP_ROWS,
        )
    shutil.rmtree(routed, ignore_errors=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Decided:
    """What was decided about all rows, about 60 bytes each.

    Attributes:
        ids: (rows, 2) their ids.
        keys: (rows) their keys.
        clusters: (rows, 2) the ids of the rows that stand for them; 0 where there is none.
        sizes: (rows) `cluster_size`; -1 for null.
        numbers: (rows) arrays: the number of the value of `_NAMED` columns.
        names: What the numbers stand for; number 0 is null.
    """

    ids: "NDArray[np.uint64]"
    keys: "NDArray[np.uint64]"
    clusters: "NDArray[np.uint64]"
    sizes: "NDArray[np.int32]"
    numbers: "dict[str, NDArray[np.int32]]"
    names: dict[str, Numbers]

    @classmethod
    def of(cls, decisions: Decisions, splits: "NDArray[np.uint8]") -> "_Decided":
        """Read them."""
        names = {name: Numbers(None) for name in _NAMED}
        found: dict[str, list[NDArray[Any]]] = {
            "id": [np.zeros((0, 2), np.uint64)], "cluster": [np.zeros((0, 2), np.uint64)],
            "key": [np.zeros(0, np.uint64)], "cluster_size": [np.zeros(0, np.int32)],
            **{name: [np.zeros(0, np.int32)] for name in _NAMED},
        }  # fmt: skip
        start = 0
        for part in decisions.parts(["id", "key", *_DECIDED[:-1]]):
            own = split_names(splits[start : start + len(part)])
            start += len(part)
            part = part.append_column("split", own)
            for name, numbers in names.items():
                found[name].append(numbers.of(part[name]))
            found["id"].append(id_numbers(part["id"]))
            found["cluster"].append(id_numbers(part["cluster"].fill_null("0" * 32)))
            found["key"].append(part["key"].to_numpy())
            found["cluster_size"].append(part["cluster_size"].fill_null(-1).to_numpy())
        whole = {name: np.concatenate(found.pop(name)) for name in list(found)}
        return cls(
            ids=whole.pop("id"),
            keys=whole.pop("key"),
            clusters=whole.pop("cluster"),
            sizes=whole.pop("cluster_size"),
            numbers=whole,
            names=names,
        )

    def of_rows(self, places: "NDArray[np.int64]") -> dict[str, pa.Array]:
        """Return the columns of some rows."""
        columns = {name: self.names[name].named(self.numbers[name][places]) for name in _NAMED}
        clusters, sizes = self.clusters[places], self.sizes[places]
        cluster = pc.if_else(pa.array(clusters.any(axis=1)), hexadecimal(clusters), None)
        size = pa.array(sizes, pa.int32(), mask=sizes < 0)
        return columns | {"cluster": cluster, "cluster_size": size}


def _order(
    ids: "NDArray[np.uint64]", keys: "NDArray[np.uint64]", is_out: "NDArray[np.bool_]"
) -> "NDArray[np.int64]":
    """Return the places of the rows sorted by id and key; of rows of one name the one that is kept, or one."""
    order = np.lexsort((is_out, keys, ids[:, 1], ids[:, 0]))
    found: NDArray[np.int64] = order[changes(ids[order, 0], ids[order, 1], keys[order])]
    return found


def _measured() -> list[str]:
    return [name for name in decision_file_schema().names if name not in _DECIDED]


def _routed_schema() -> pa.Schema:
    fields = [decision_file_schema().field(name) for name in _measured()]
    return pa.schema([*fields, ("row", pa.int64()), ("file", pa.int64())])
