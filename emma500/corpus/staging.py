"""What passes between the stages: rows with their text and signals, and the decisions about them.

Integration writes every row once, with its text and all that is measured of it. The later stages only decide: they
read the small columns and answer, for each row, with a reason to leave it out or with its place.
"""

from binascii import unhexlify
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emma500.corpus.signals.domain_signals import DOMAIN_SIGNALS
from emma500.corpus.signals.measures import SIGNALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

STAGES = ("integration", "filter", "dedup", "decontaminate", "split")

IDENTITY = ("id", "key")
"""Columns that name a row: the hash of what it says, and the hash of where it stands."""

TEXTS = ("text", "target_text")

PII_COLUMNS = ("n_email", "n_ip", "n_phone")
"""Columns that count what was replaced of personal data."""

_PART_ROWS = 1 << 16
_TOLD = (
    "component", "label", "source", "source_license", "iso639_3", "script", "macrolanguage", "stage", "reason",
)  # fmt: skip
_ADDED = ("n_words", "n_chars", "n_bytes", *PII_COLUMNS)
_MOST_GROUPS = 1 << 18


def staged_schema() -> pa.Schema:
    """Return the schema of what integration writes: the record's columns, the signals, and a reason or null."""
    text, name, share = pa.large_string(), pa.string(), pa.float32()
    record = [
        ("component", name), ("id", name), ("text", text), ("target_text", text), ("label", name),
        ("source_label", name), ("target_label", name), ("iso639_3", name), ("script", name), ("macrolanguage", name),
        ("original_code", name), ("target_original_code", name), ("source", name),
        ("source_license", name), ("url", name),
        ("lid_label", name), ("lid_score", share), ("lid_verdict", name), ("lid_consistency", share),
        ("source_lid_label", name), ("source_lid_score", share),
        ("script_share", share), ("n_bytes", pa.int64()),
    ]  # fmt: skip
    more = [
        ("key", pa.uint64()), ("unit", pa.uint64()), ("main_script", name), ("is_copy", pa.bool_()),
        ("contaminated", name), *((each, pa.int64()) for each in PII_COLUMNS),
        ("bands", pa.large_list(pa.uint64())), ("paragraphs", pa.large_list(pa.uint64())),
        ("origin", name), ("reason", name),
    ]  # fmt: skip
    return pa.schema([*record, *SIGNALS, *DOMAIN_SIGNALS, *more])


def decision_schema() -> pa.Schema:
    """Return the schema of what the filter answers: a row's identity, its sizes, and why it is left out, if it is."""
    staged = staged_schema()
    names = (
        "id", "key", "unit", "component", "label", "source", "source_license", "iso639_3", "script", "macrolanguage",
        "n_words", "n_chars", "n_bytes", "contaminated", *PII_COLUMNS, "bands",
        "paragraphs",
        "origin", "url",
    )  # fmt: skip
    fields = [staged.field(name) for name in names]
    return pa.schema([*fields, ("stage", pa.string()), ("reason", pa.string())])


def decided_schema() -> pa.Schema:
    """Return the schema of the decisions after dedup: those of the filter without bands and URL, and clusters.

    `cluster` is the id of the row that is kept of a row's cluster, `cluster_size` how many the kept one stands for.
    """
    filtered = decision_schema()
    fields = [
        filtered.field(name)
        for name in filtered.names
        if name not in {"bands", "paragraphs", "url"}
    ]
    return pa.schema([*fields, ("cluster", pa.string()), ("cluster_size", pa.int32())])


class Decisions:
    """Decisions about every row, in Parquet files; read a part at a time, always in the same order.

    Args:
        folder: The folder of the files.
        schema: Their schema; the engine's string types are cast to its own.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.schema = schema
        self.files = sorted(folder.rglob("*.parquet"))

    def parts(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield some columns of all rows, some ten thousand rows at a time."""
        for file in self.files:
            yield from self.parts_of(file, columns)

    def parts_of(self, file: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield some columns of the rows of one file."""
        schema = pa.schema([self.schema.field(name) for name in columns])
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(_PART_ROWS, columns=list(columns)):
                yield pa.Table.from_batches([batch]).select(columns).cast(schema)

    @cached_property
    def summary(self) -> pa.Table:
        """A row for all rows that are told of alike, `n_documents`, with the sums of their sizes.

        Its columns are component, label, source, source_license, iso639_3, script, macrolanguage, stage, reason,
        n_documents, n_words, n_chars, n_bytes and `PII_COLUMNS`.
        """
        found: list[pa.Table] = []
        for part in self.parts([*_TOLD, *_ADDED]):
            ones = pa.array(np.ones(len(part), np.int64))
            found.append(_added_up(part.append_column("n_documents", ones)))
            if sum(map(len, found)) > _MOST_GROUPS:
                found = [_added_up(pa.concat_tables(found))]
        if not found:
            schema = pa.schema([self.schema.field(name) for name in (*_TOLD, *_ADDED)])
            return schema.append(pa.field("n_documents", pa.int64())).empty_table()
        return _added_up(pa.concat_tables(found))


def _added_up(rows: pa.Table) -> pa.Table:
    names = ("n_documents", *_ADDED)
    sums = rows.group_by(list(_TOLD)).aggregate([(name, "sum") for name in names])
    return sums.rename_columns({f"{name}_sum": name for name in names})


class Numbers:
    """Numbers the values of string columns in the order in which they come.

    Args:
        values: Values that have the first numbers.
    """

    def __init__(self, *values: str | None) -> None:
        self.values = list(values)
        self._places = {value: place for place, value in enumerate(values)}

    def of(self, column: pa.ChunkedArray) -> "NDArray[np.int32]":
        """Return the number of each value, null among them; a new value gets the next number."""
        encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
        for value in encoded.dictionary.to_pylist():
            if value not in self._places:
                self._places[value] = len(self.values)
                self.values.append(value)
        places = [self._places[value] for value in encoded.dictionary.to_pylist()]
        numbers: NDArray[np.int32] = np.array(places, np.int32)[encoded.indices.to_numpy()]
        return numbers

    def named(self, numbers: "NDArray[np.int32]") -> pa.Array:
        """Return the values of numbers, as strings."""
        return pa.array(self.values, pa.string()).take(pa.array(numbers))


def id_numbers(ids: Any) -> "NDArray[np.uint64]":
    """Return ids of 32 hexadecimal digits as numbers, (ids, 2) uint64, the high half first."""
    from emma500.languages.writing.strings import buffers

    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    data, offsets = buffers(ids)
    digits = unhexlify(data[offsets[0] : offsets[-1]].tobytes())
    return np.frombuffer(digits, ">u8").astype(np.uint64).reshape(-1, 2)


def hexadecimal(ids: "NDArray[np.uint64]") -> pa.Array:
    """Return ids, (ids, 2) uint64, as 32 hexadecimal digits each."""
    digits = pa.py_buffer(ids.astype(">u8").tobytes().hex().encode())
    offsets = pa.py_buffer(32 * np.arange(len(ids) + 1, dtype=np.int64))
    return pa.LargeStringArray.from_buffers(len(ids), offsets, digits).cast(pa.string())


class RowIndex:
    """Finds rows by (id, key) among those it was given, a batch at a time; it can be pickled.

    Args:
        ids: (rows, 2) uint64.
        keys: (rows) uint64.
        values: (rows) int64, what to answer for each.
    """

    def __init__(
        self, ids: "NDArray[np.uint64]", keys: "NDArray[np.uint64]", values: "NDArray[np.int64]"
    ) -> None:
        names = row_names(ids, keys)
        order = np.argsort(names)
        self._names = names[order]
        del names
        self._values = values[order]

    def find(self, batch: pa.RecordBatch) -> "NDArray[np.int64]":
        """Return the value of each row of a batch with `id` and `key`; -1 for a row that was not given."""
        if not len(self._names):
            return np.full(len(batch), -1, np.int64)
        names = row_names(id_numbers(batch["id"]), batch["key"].to_numpy())
        places = np.minimum(np.searchsorted(self._names, names), len(self._names) - 1)
        return np.where(self._names[places] == names, self._values[places], -1)

    def known(self, batch: pa.RecordBatch) -> "tuple[pa.RecordBatch, NDArray[np.int64]]":
        """Return the rows of a batch that were given, and the value of each."""
        values = self.find(batch)
        is_known = values >= 0
        if is_known.all():
            return batch, values
        return batch.filter(pa.array(is_known)), values[is_known]


def row_names(ids: "NDArray[np.uint64]", keys: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """Fold (id, key) into 64 bits; rows that share them by chance are one in 10^7 at 10^6 rows."""
    return (
        ids[:, 0]
        ^ (ids[:, 1] * np.uint64(0x9E3779B97F4A7C15))
        ^ (keys * np.uint64(0xBF58476D1CE4E5B9))
    )


def changes(*columns: "NDArray[Any]") -> "NDArray[np.int64]":
    """Return where any of some columns differs from the row before; the first row is one."""
    is_new = np.ones(len(columns[0]), bool)
    is_new[1:] = False
    for column in columns:
        is_new[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(is_new)


def table_of(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """Return batches as one table of a schema; the engine's string types are cast to its own."""
    return pa.Table.from_batches(list(batches)).cast(schema)
