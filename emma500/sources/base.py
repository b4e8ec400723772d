"""What every source of text is: a name with its licence, and tasks that yield Arrow batches.

    source.tasks() -> [Task, …]      small, picklable, independent of each other
    task.read()    -> RecordBatch…   rows of records.raw_schema(), the same at every read

A row that cannot be read is not dropped: its text is null and `reason` says why (`REASONS`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from emma500.records import raw_schema

REASONS = ("invalid_utf8", "invalid_json", "no_text", "too_long")
"""Why a row has no text: no UTF-8, a line that is no JSON object, no or blank text, over the limit."""

UNKNOWN_LANGUAGE = "und"
MAX_DOCUMENT_BYTES = 16 * 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceInfo:
    """Where text comes from.

    Attributes:
        name: Its name in the corpus, as "gflanguages".
        component: "monolingual", "bilingual" or "code".
        revision: The version or commit that was read, or "".
        license: SPDX identifier, or "unknown".
        url: Where it lives, or "".
        convention: Whose language codes it uses, for `Language.parse`, or "" for the standard.
    """

    name: str
    component: str
    revision: str
    license: str
    url: str
    convention: str = ""


class Task(Protocol):
    """A part of a source that one process reads."""

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows (records.raw_schema()), the same ones in the same order each time."""
        ...


class Source(Protocol):
    """Where text comes from, cut into tasks."""

    @property
    def info(self) -> SourceInfo:
        """Its name, component, revision and licence."""
        ...

    def tasks(self) -> Sequence[Task]:
        """Return its parts, in a fixed order."""
        ...

    def fingerprint(self) -> str:
        """Return hexadecimal digits that identify its content and how it is read."""
        ...


def rows(
    info: SourceInfo,
    texts: pa.Array,
    *,
    codes: pa.Array | str,
    origins: pa.Array,
    reasons: pa.Array | None = None,
    urls: pa.Array | None = None,
    targets: pa.Array | None = None,
    target_code: str | None = None,
) -> pa.RecordBatch:
    """Build a batch of raw rows.

    Args:
        info: The source they come from.
        texts: Their texts (of pairs, the source sides); null where unreadable.
        codes: Their language codes as the source gives them, one each or one for all.
        origins: Where each stands, as "part.jsonl:17".
        reasons: Why a text is null.
        urls: Their addresses.
        targets: Of pairs, the target sides.
        target_code: Of pairs, the language code of the target sides.

    Returns:
        The batch, by records.raw_schema().
    """
    n, schema = len(texts), raw_schema()
    columns = {
        "component": info.component,
        "text": texts,
        "original_code": codes,
        "target_text": targets,
        "target_original_code": target_code,
        "source": info.name,
        "source_license": info.license,
        "url": "" if urls is None else pc.fill_null(urls, ""),
        "origin": origins,
        "reason": reasons,
    }
    arrays = [_column(columns[field.name], field.type, n) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _column(value: pa.Array | str | None, kind: pa.DataType, n: int) -> pa.Array:
    if value is None:
        return pa.nulls(n, kind)
    if isinstance(value, str):
        return pa.repeat(pa.scalar(value, kind), n)
    return value.cast(kind)


def checked(texts: pa.Array, max_bytes: int) -> tuple[pa.Array, pa.Array]:
    """Take out the texts that are empty or too long.

    Args:
        texts: Valid strings, or null.
        max_bytes: The most UTF-8 bytes a text may have.

    Returns:
        The texts, null where refused, and the reasons, null where there is a text.
    """
    empty = pc.fill_null(pc.equal(pc.utf8_length(pc.utf8_ltrim_whitespace(texts)), 0), True)
    long = pc.fill_null(pc.greater(pc.binary_length(texts), max_bytes), False)
    nothing = pa.scalar(None, pa.string())
    reasons = pc.if_else(empty, "no_text", pc.if_else(long, "too_long", nothing))
    return pc.if_else(pc.is_null(reasons), texts, pa.scalar(None, texts.type)), reasons


def numbered(name: str, first: int, n: int) -> pa.Array:
    """Return the origins `name:first`, `name:first+1`, … of n rows."""
    numbers = pa.array(range(first, first + n), pa.int64()).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar(name), numbers, ":")
