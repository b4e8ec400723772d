"""How records of files and data sets become rows: which column holds what, and what refuses a record."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from emma500.errors import SourceError
from emma500.sources.base import MAX_DOCUMENT_BYTES, SourceInfo, checked, numbered, rows

LANGUAGE_COLUMNS = ("original_code", "label", "lang", "language", "lang_code")
"""Where a language code is looked for if no column is named."""

TASK_BYTES = 64 * 2**20

Found = tuple[str, str | None, str, str, str | None]
"""Origin, text, language code, address, reason."""

# Half of a surrogate pair, written as an escape, cannot stand in UTF-8.
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What was asked of all files and data sets.

    Attributes:
        text_column: The column of the text.
        language_column: The column of the language code; None looks for one.
        language: The language code of all rows, or of those without one if a column is named.
        max_document_bytes: The most bytes a record may have: a line, a document, a text.
        task_bytes: A plain JSON Lines file is cut into parts of about this size.
    """

    text_column: str = "text"
    language_column: str | None = None
    language: str | None = None
    max_document_bytes: int = MAX_DOCUMENT_BYTES
    task_bytes: int = TASK_BYTES


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Where the records of one file keep what.

    Attributes:
        text: The column of the text.
        language: The column of the language code, or None.
        url: The column of the address, or None.
        fallback: The language code of a record without one.
    """

    text: str
    language: str | None
    url: str | None
    fallback: str

    @property
    def names(self) -> tuple[str, ...]:
        """The columns to read, each once."""
        asked = (self.text, self.language, self.url)
        return tuple(dict.fromkeys(each for each in asked if each))


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What a task needs to know of its file.

    Attributes:
        info: The source it belongs to.
        path: Where it lies.
        name: What origins call it: its path inside the source.
        columns: Where its records keep what.
        max_bytes: The most bytes a record may have.
    """

    info: SourceInfo
    path: Path
    name: str
    columns: Columns
    max_bytes: int

    def batch(self, found: list[Found]) -> pa.RecordBatch:
        """Build a batch of rows found one by one."""
        origins, texts, codes, urls, reasons = zip(*found, strict=True) if found else ((),) * 5
        return rows(
            self.info,
            pa.array(texts, pa.large_string()),
            codes=pa.array(codes, pa.string()),
            origins=pa.array(origins, pa.string()),
            reasons=pa.array(reasons, pa.string()),
            urls=pa.array(urls, pa.string()),
        )

    def batch_of_table(self, table: pa.Table, first: int) -> pa.RecordBatch:
        """Build a batch from a table of valid strings whose rows are numbered from `first`."""
        columns = self.columns
        arrays = {name: table[name].combine_chunks() for name in columns.names}
        texts, reasons = checked(arrays[columns.text], self.max_bytes)
        codes: pa.Array | str = columns.fallback
        if columns.language:
            given = arrays[columns.language]
            has_code = pc.fill_null(pc.not_equal(given, ""), False)
            codes = pc.if_else(has_code, given, pa.scalar(columns.fallback, given.type))
        return rows(
            self.info,
            texts,
            codes=codes,
            origins=numbered(self.name, first, len(texts)),
            reasons=reasons,
            urls=arrays[columns.url] if columns.url else None,
        )

    def row(self, number: int, record: Any) -> Found:
        """Read one record, which may be anything JSON can say."""
        if not isinstance(record, dict):
            return self.refused(number, "invalid_json")
        columns = self.columns
        code = _string(record, columns.language) or columns.fallback
        text, url = record.get(columns.text), _string(record, columns.url)
        reason = self._reason(text)
        return f"{self.name}:{number}", None if reason else text, code, url, reason

    def refused(self, number: int, reason: str) -> Found:
        """Return the row of a record that could not be read at all."""
        return f"{self.name}:{number}", None, self.columns.fallback, "", reason

    def _reason(self, text: Any) -> str | None:
        if not isinstance(text, str) or not text.strip():
            return "no_text"
        if _SURROGATE.search(text):
            return "invalid_utf8"
        return "too_long" if len(text.encode()) > self.max_bytes else None


def choose(place: str, known: list[str], strings: set[str], options: Options) -> Columns:
    """Choose the columns of a file or a data set.

    Args:
        place: What to call it in an error.
        known: All its columns; empty if no record could be read, which is no error here.
        strings: Those that hold strings.
        options: What was asked for; the fallback is `options.language` or "und".

    Returns:
        The columns to read.

    Raises:
        SourceError: If a column asked for is missing or holds no strings.
    """
    asked = {"text_column": options.text_column, "language_column": options.language_column}
    for option, column in asked.items():
        if column is None or column in strings or not known:
            continue
        problem = "holds no strings" if column in known else "is missing"
        raise SourceError(
            f"{place}: the column {column!r} {problem}; there are: {', '.join(known)} "
            f"(choose with {option}, or leave the file out)"
        )
    candidates = (each for each in LANGUAGE_COLUMNS if each != options.text_column)
    found = next((each for each in candidates if each in strings), None)
    return Columns(
        text=options.text_column,
        language=options.language_column or (None if options.language else found),
        url="url" if "url" in strings else None,
        fallback=options.language or "und",
    )


def _string(record: dict[str, Any], column: str | None) -> str:
    value = record.get(column) if column else None
    return value if isinstance(value, str) and not _SURROGATE.search(value) else ""
