"""How records become rows: a format yields tables or single records, a shape says what they hold.

A format (JSON Lines, Parquet, TMX, …) is a module with `look` and `tasks` (`files`); a shape (documents, pairs,
conversations) is a class (`shapes`). Between them stand tables with the columns the shape asks for. A record that a
format could not put into a table goes in one by one, and comes out as it would from the table.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from emma500.sources.base import SourceInfo, checked, numbered
from emma500.sources.options import Options
from emma500.sources.places import Place

Found = tuple[str, Any, str | None]
"""A record found alone: its origin, what it holds (a dictionary by column), and why it could not be read."""

Columns = Mapping[str, "pa.ChunkedArray | pa.Array"]

# Half of a surrogate pair, written as an escape, cannot stand in UTF-8.
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What a shape needs besides the columns: the source, where rows stand, why some are refused, the limit."""

    info: SourceInfo
    origins: pa.Array
    reasons: pa.Array
    max_bytes: int

    def checked(self, *sides: pa.Array) -> tuple[list[pa.Array], pa.Array]:
        """Take out the rows that are refused: for a reason given, or a side that is empty or too long."""
        reasons = self.reasons
        for side in sides:
            reasons = pc.coalesce(reasons, checked(side, self.max_bytes)[1])
        if reasons.null_count == len(reasons):
            return [*sides], reasons
        kept = pc.is_null(reasons)
        return [pc.if_else(kept, side, pa.scalar(None, side.type)) for side in sides], reasons


class Shape(Protocol):
    """What the records of a file hold; it can be pickled."""

    @property
    def component(self) -> str:
        """The component its rows belong to."""
        ...

    @property
    def fields(self) -> pa.Schema:
        """The columns to read, and what is read of them: strings, and lists and structs of strings."""
        ...

    @property
    def texts(self) -> frozenset[str]:
        """Those whose bytes must be UTF-8, or the record is refused."""
        ...

    def placed(self, parts: list[str]) -> "Shape":
        """Return it with what the names of a file and of the folders above it say of the language."""
        ...

    def rows(self, table: pa.Table, given: Given) -> pa.RecordBatch:
        """Build raw rows from a table with its columns, each one chunk."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a task needs to know of its file.

    Attributes:
        info: The source it belongs to.
        place: Where it lies.
        name: What origins call it: its path inside the source.
        shape: What its records hold.
        options: How it is read.
    """

    info: SourceInfo
    place: Place
    name: str
    shape: Shape
    options: Options

    @property
    def max_bytes(self) -> int:
        """The most bytes a record may have."""
        return self.options.max_document_bytes

    def origin(self, number: int) -> str:
        """Return the origin of a record, counted from 1."""
        return f"{self.name}:{number}"

    def batch(self, found: list[Found]) -> pa.RecordBatch:
        """Build a batch of records found one by one."""
        schema, texts = self.shape.fields, self.shape.texts
        columns: dict[str, list[Any]] = {name: [] for name in schema.names}
        reasons = []
        for _, record, reason in found:
            told = reason
            if not isinstance(record, dict):
                told, record = reason or "invalid_json", {}
            for field in schema:
                value = None
                try:
                    value = _clean(record.get(field.name), field.type)
                except UnicodeError:
                    told = told or ("invalid_utf8" if field.name in texts else None)
                columns[field.name].append(value)
            reasons.append(told)
        arrays = [pa.array(columns[field.name], large(field.type)) for field in schema]
        origins = pa.array([origin for origin, _, _ in found], pa.string())
        return self._rows(arrays, origins, pa.array(reasons, pa.string()))

    def batch_of_columns(
        self,
        columns: Columns,
        numbers: pa.Array | int,
        reasons: pa.Array | None = None,
        *,
        is_utf8: bool = False,
    ) -> pa.RecordBatch:
        """Build a batch from columns.

        Args:
            columns: The columns by name, whose strings may be no UTF-8; those that are missing are taken
                for null.
            numbers: The number of each row, or of the first of rows that follow each other.
            reasons: Why a row could not be read, null where it could.
            is_utf8: Whether the strings are known to be UTF-8.

        Returns:
            The batch, by records.raw_schema().
        """
        arrays = {name: conform(each) for name, each in columns.items()}
        n_rows = len(next(iter(arrays.values())))
        if reasons is None:
            reasons = pa.nulls(n_rows, pa.string())
        given = numbered(self.name, numbers, n_rows)
        at_once = self._typed(arrays, n_rows, is_utf8)
        if at_once is not None:
            return self._rows(at_once, given, reasons)
        told = zip(given.to_pylist(), reasons.to_pylist(), strict=True)
        return self.batch([self._found(arrays, row, *each) for row, each in enumerate(told)])

    def _typed(
        self, arrays: dict[str, pa.Array], n_rows: int, is_utf8: bool
    ) -> list[pa.Array] | None:
        """Return the shape's columns, or None if a string is no UTF-8."""
        found = []
        for field in self.shape.fields:
            array = arrays.get(field.name, pa.nulls(n_rows))
            try:
                found.append(array.cast(large(field.type)))
                if not is_utf8:
                    found[-1].validate(full=True)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                return None
        return found

    def _found(
        self, arrays: dict[str, pa.Array], row: int, origin: str, reason: str | None
    ) -> Found:
        record = {}
        for name in self.shape.fields.names:
            try:
                record[name] = _text(arrays[name][row]) if name in arrays else None
            except UnicodeDecodeError:
                if name in self.shape.texts:
                    return origin, {}, reason or "invalid_utf8"
        return origin, record, reason

    def _rows(self, arrays: list[pa.Array], origins: pa.Array, reasons: pa.Array) -> pa.RecordBatch:
        given = Given(info=self.info, origins=origins, reasons=reasons, max_bytes=self.max_bytes)
        return self.shape.rows(pa.table(arrays, names=self.shape.fields.names), given)


def _text(value: pa.Scalar) -> Any:
    """Return what a scalar holds; bytes are read as UTF-8."""
    held = value.as_py()
    return held.decode("utf-8") if isinstance(held, bytes) else held


def conform(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column as one plain array: dictionaries and views of strings resolved."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(
        array, pa.ChunkedArray
    ):  # what combine_chunks leaves of no chunk, in some versions
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.nulls(0, array.type)
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    return array.cast(pa.large_binary()) if pa.types.is_string_view(array.type) else array


def large(kind: pa.DataType) -> pa.DataType:
    """Return a type with strings and lists that may hold more than 2 GiB."""
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(large(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.large_list(large(kind.value_type))
    return pa.large_string()


def _clean(value: Any, kind: pa.DataType) -> Any:
    """Return what a value holds of a type, None where it is something else.

    Raises:
        UnicodeError: If a string is no Unicode text.
    """
    if pa.types.is_struct(kind):
        if not isinstance(value, dict):
            return None
        return {field.name: _clean(value.get(field.name), field.type) for field in kind}
    if pa.types.is_list(kind):
        return [_clean(each, kind.value_type) for each in _items(value)]
    if not isinstance(value, str):
        return None
    if _SURROGATE.search(value):
        raise UnicodeError("half of a surrogate pair")
    return value


def _items(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
