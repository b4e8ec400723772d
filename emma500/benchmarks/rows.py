"""The records of one file: Parquet, JSON, JSON lines, tables with a header or without, lines of text."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emma500.benchmarks.files import COMPRESSED
from emma500.benchmarks.forms import Form


def rows_of(path: str, content: bytes, form: Form) -> Iterator[dict[str, Any]]:
    """Read the records of a file.

    Args:
        path: Its path; the ending says how it is read.
        content: What it holds, no longer compressed.
        form: The form of its records.

    Yields:
        The records.

    Raises:
        ValueError: If it is not what its ending says.
    """
    file = Path(path)
    suffix = (file.with_suffix("") if file.suffix in COMPRESSED else file).suffix
    if suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        yield from pq.read_table(pa.BufferReader(content)).to_pylist()
        return
    text = content.decode("utf-8-sig")
    if suffix in (".tsv", ".csv"):
        yield from _table_rows(text, "\t" if suffix == ".tsv" else ",", form)
    elif suffix == ".json":
        yield from json.loads(text)
    elif suffix == ".jsonl":
        yield from (json.loads(line) for line in text.split("\n") if line.strip())
    else:
        yield from ({form.columns[0]: line} for line in text.removesuffix("\n").split("\n"))


def _table_rows(text: str, delimiter: str, form: Form) -> Iterator[dict[str, str]]:
    """Read a table, with a header or without."""
    first = text.partition("\n")[0].rstrip("\r").split(delimiter)
    yield from csv.DictReader(
        io.StringIO(text, newline=""),
        fieldnames=list(form.columns)
        if form.columns and not set(form.columns) & set(first)
        else None,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if form.is_quoted else csv.QUOTE_NONE,
    )
