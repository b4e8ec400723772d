"""The writer of the final Parquet files, a bucket of the plan at a time; see `planning`.

What fits in one bucket is read at once; of more, the engine routes rows into buckets. Then each bucket is sorted and
written. So the bytes of a shard depend on its rows alone.
"""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emma500.configuration import n_cores
from emma500.corpus.output.blocks import Blocks, blocks_of
from emma500.corpus.output.planning import (
    Plan,
    routed_columns,
    routed_schema,
    shard_schema,
)
from emma500.corpus.output.repeats import Repeats, recounted
from emma500.corpus.output.splitting import EXCLUDED
from emma500.corpus.output.texts import Texts
from emma500.corpus.row_groups import RowGroup, mapped, row_groups
from emma500.corpus.staging import TEXTS, changes
from emma500.errors import FailureError
from emma500.progress import Progress, tracked
from emma500.storage import space_checked

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROW_GROUP_BYTES = 64 << 20
_WINDOW_BYTES = 4 << 20
_ADDED = ("cluster_size", "stage", "reason")
_WORDS = ("label", "source_label", "target_label", "iso639_3", "script", "macrolanguage", "original_code",
          "target_original_code", "source", "source_license", "lid_label", "lid_verdict", "component",
          "stage", "reason")  # fmt: skip
_TEXT_COLUMNS = ("text", "source_text", "target_text")
_READ_AS = {"source_text": "text"}
_TEXTS = (*_TEXT_COLUMNS, "url", "origin")
_COMPRESSED = ("id", *_TEXTS)  # the others take no space to speak of
_ZSTD = 2  # level 3 takes twice the time for 7 % less


@dataclass(slots=True)
class Written:
    """What was written: the sizes of each component, label, split and stage, and the characters by label and block."""

    sizes: list[dict[str, Any]]
    blocks: Blocks


def write_shards(
    plan: Plan,
    staged: Path,
    output: Path,
    *,
    routed: Path,
    repeats: Repeats | None,
    progress: Progress | None,
    on_rows: Callable[[int], None] | None,
) -> "Written":
    """Write the shards from the staged rows.

    Args:
        plan: The plan.
        staged: The folder of the staged rows.
        output: The folder of the corpus.
        routed: Where rows are routed to if there is more than one bucket; it is gone at the end.
        repeats: Leaves repeated paragraphs out of documents; None leaves texts as they are.
        progress: Called as buckets are written.
        on_rows: Called with the number of staged rows that were read, from any thread.

    Returns:
        The sizes and the characters of what was written.

    Raises:
        FailureError: If a row the plan holds was not found.
    """
    written = Written(sizes=plan.sizes, blocks=Blocks())
    bounds = [*plan.buckets.tolist(), len(plan.decided)]
    is_routed = len(plan.buckets) > 1
    if is_routed:
        _route(plan, staged, routed, on_rows)
    for number in tracked(range(len(plan.buckets)), progress, "writing shards"):
        first, end = bounds[number], bounds[number + 1]
        folder = routed / f"bucket={number}"
        found = _read_routed(folder) if is_routed else _read_all(plan, staged, on_rows)
        rows = _Rows.of(found)
        del found
        if not np.array_equal(rows.table["row"].to_numpy(), np.arange(first, end)):
            raise FailureError(
                f"{staged}: {len(rows.table)} rows were found of bucket {number}, not {end - first}"
            )
        for name in _ADDED:
            if name in rows.table.column_names:
                rows.table = rows.table.drop_columns(name)
            column = plan.decided[name].slice(first, end - first)
            rows.table = rows.table.append_column(name, column)
        shards = [shard for shard in plan.shards if first <= shard["first"] < end]
        _write_bucket(rows, shards, output, repeats=repeats, written=written)
    shutil.rmtree(routed, ignore_errors=True)
    return written


def _route(plan: Plan, staged: Path, routed: Path, on_rows: Callable[[int], None] | None) -> None:
    from emma500.engine import Flow

    tasks = mapped(staged, routed_columns(), plan.route)
    Flow(tasks, routed_schema(), on_rows=on_rows).write(routed, "bucket")


def _read_routed(folder: Path) -> pa.Table:
    read = partial(pq.read_table, partitioning=None, use_threads=False)
    with ThreadPoolExecutor(n_cores()) as pool:
        return pa.concat_tables(pool.map(read, sorted(folder.glob("*.parquet"))))


def _read_all(plan: Plan, staged: Path, on_rows: Callable[[int], None] | None) -> pa.Table:
    """Return the rows of the only bucket, read by as many threads as there are cores."""

    def read(rows: RowGroup) -> list[pa.Table]:
        found = []
        for batch in rows.batches(routed_columns()):
            found.append(pa.Table.from_batches([plan.route(batch)]))
            if on_rows is not None:
                on_rows(len(found[-1]))
        return found

    with ThreadPoolExecutor(n_cores()) as pool:
        tables = list(pool.map(read, row_groups(staged)))
    return pa.concat_tables([routed_schema().empty_table(), *chain.from_iterable(tables)])


@dataclass(slots=True)
class _Rows:
    """Rows in their final order; texts stay where they are, and are put in order a shard at a time.

    Attributes:
        table: All columns but the texts, in order; each is one chunk.
        texts: The texts by column.
        order: (rows) where the texts of each row stand.
    """

    table: pa.Table
    texts: dict[str, Texts]
    order: "NDArray[np.int64]"

    @classmethod
    def of(cls, found: pa.Table) -> "_Rows":
        """Sort by row number; a row that stands in the sources twice under one name comes once."""
        rows = found["row"].to_numpy()
        order = np.argsort(rows)
        if len(changes(rows[order])) < len(rows):
            ties = ("row", "original_code", "target_original_code", "url", "source_license")
            order = pc.sort_indices(found, sort_keys=[(name, "ascending") for name in ties])
            order = order.to_numpy().astype(np.int64)
            order = order[changes(rows[order])]
        texts = {name: Texts(found[name]) for name in TEXTS}
        small = found.drop_columns(list(TEXTS)).combine_chunks()
        return cls(small.take(pa.array(order)), texts, order)

    def between(self, start: int, end: int) -> "_Rows":
        """Return the rows from one place to another."""
        n_rows = end - start
        return _Rows(self.table.slice(start, n_rows), self.texts, self.order[start:end])

    def whole(self, shape: str) -> pa.Table:
        """Return all columns of a shape."""
        schema = shard_schema(shape)
        columns = [
            self.texts[_READ_AS.get(name, name)].take(self.order)
            if name in _TEXT_COLUMNS
            else self.table[name]
            for name in schema.names
        ]
        return pa.table(columns, schema=schema)

    def shaped(self, shape: str) -> "_Rows":
        """Return them with the columns of a shape, in its types."""
        small = [field for field in shard_schema(shape) if field.name not in _TEXT_COLUMNS]
        table = self.table.select([field.name for field in small]).cast(pa.schema(small))
        return replace(self, table=table.combine_chunks())

    def without_repeats(self, repeats: Repeats, shards: list[dict[str, Any]]) -> "_Rows":
        """Return the rows of shards with the texts that `repeats` leaves."""
        table = repeats(self.whole("documents"), shards)
        texts = {"text": Texts(table["text"])}
        return _Rows(table.drop_columns(["text"]), texts, np.arange(len(table)))


def _write_bucket(
    rows: _Rows,
    shards: list[dict[str, Any]],
    output: Path,
    *,
    repeats: Repeats | None,
    written: "Written",
) -> None:
    """Write the shards of a bucket, several at once, and count what is written."""
    start = shards[0]["first"]
    for shape, group in groupby(shards, key=_shape):
        some = list(group)
        first = some[0]["first"]
        own = rows.between(first - start, some[-1]["end"] - start).shaped(shape)
        if repeats is not None and shape == "documents":
            changed = own.without_repeats(repeats, some)
            written.sizes = recounted(written.sizes, some, own.table, changed.table)
            own = changed
        _make_folders(output, some)
        windows = _windows(own, some)
        write = partial(_write_window, own, first, shape=shape, output=output)
        with ThreadPoolExecutor(n_cores()) as pool:
            for window, counted in zip(windows, pool.map(write, windows), strict=True):
                for shard, counts in zip(window, counted, strict=True):
                    if counts is not None:
                        written.blocks.add(shard["component"], shard["label"], counts)


def _windows(rows: _Rows, shards: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Put shards together whose texts are copied at once: a thousand small ones would each visit all chunks."""
    ends = [shard["end"] for shard in shards]
    n_bytes = np.cumsum(rows.table["n_bytes"].to_numpy())[np.array(ends) - shards[0]["first"] - 1]
    numbers = dict(zip(ends, (n_bytes // _WINDOW_BYTES).tolist(), strict=True))
    return [list(each) for _, each in groupby(shards, lambda shard: numbers[shard["end"]])]


def _make_folders(output: Path, shards: list[dict[str, Any]]) -> None:
    with space_checked(output):
        for folder in sorted({(output / shard["file"]).parent for shard in shards}):
            folder.mkdir(parents=True, exist_ok=True)


def _shape(shard: dict[str, Any]) -> str:
    """Return what decides the columns of a shard."""
    kind = "pairs" if shard["component"] == "bilingual" else "documents"
    return f"{EXCLUDED} {kind}" if shard["split"] == EXCLUDED else kind


def _write_window(
    rows: _Rows, first: int, shards: list[dict[str, Any]], *, shape: str, output: Path
) -> list[dict[str, int] | None]:
    """Write some shards.

    Args:
        rows: Rows of the bucket.
        first: The number of the first of them.
        shards: Shards one after another.
        shape: What decides their columns.
        output: The folder of the corpus.

    Returns:
        The characters by Unicode block of each shard; None for what was left out.
    """
    start = shards[0]["first"]
    table = rows.between(start - first, shards[-1]["end"] - first).whole(shape)
    counted = []
    for shard in shards:
        own = table.slice(shard["first"] - start, shard["end"] - shard["first"])
        _write(own, output / shard["file"])
        counted.append(None if shape.startswith(EXCLUDED) else blocks_of(own))
    return counted


def _write(table: pa.Table, path: Path) -> None:
    """Write a shard."""
    held = max(1, pc.sum(table["n_bytes"]).as_py() or 0)
    # Nothing here is in its place before the whole corpus is: no temporary names.
    with space_checked(path), pa.OSFile(str(path), "wb") as file:
        pq.write_table(
            table,
            file,
            row_group_size=max(1, len(table) * _ROW_GROUP_BYTES // held),
            **_settings(tuple(table.column_names)),
        )


@cache
def _settings(names: tuple[str, ...]) -> dict[str, Any]:
    """Return how the columns of a shard are written."""
    return {
        "compression": {name: "zstd" for name in names if name in _COMPRESSED},
        "compression_level": {name: _ZSTD for name in names if name in _COMPRESSED},
        "use_dictionary": [name for name in names if name in _WORDS],
        # The least and the greatest text are a tenth of the files of a thousand small labels, and answer nothing.
        "write_statistics": [name for name in names if name not in _TEXTS],
        "write_page_index": True,
        "use_content_defined_chunking": True,
    }
