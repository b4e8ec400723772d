"""The first rows of a label, which are a random sample: rows are in the order of their ids, and ids are hashes."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.folder import Corpus
from emma500.mixture.tokenizing.documents import Wanted, of_sources

_ROWS_AT_ONCE = 64


def text_columns(component: str) -> list[str]:
    """Return the columns that hold the text of a component, two for pairs."""
    return ["source_text", "target_text"] if component == "bilingual" else ["text"]


def first_rows(
    corpus: Corpus,
    component: str,
    label: str,
    *,
    split: str = "train",
    max_bytes: int,
    wanted: Wanted | None = None,
) -> pa.Table:
    """Read a label's first rows; of its files only as much as is needed.

    Args:
        corpus: Where they are.
        component: One of `records.COMPONENTS`.
        label: The label, or the pair of labels.
        split: "train" or "validation".
        max_bytes: Bytes of text after which no more rows are read; the row that reaches it is the last.
        wanted: Of which sources.

    Returns:
        The rows' text columns, and how many bytes of text each has as `n_bytes`.

    Raises:
        LanguageError: If the corpus lacks the label; the message lists the nearest ones.
    """
    columns = text_columns(component)
    found: list[pa.Table] = []
    left = max_bytes
    for batch in _batches(corpus, corpus.files(component, label, split), [*columns, "source"]):
        table = of_sources(pa.Table.from_batches([batch]), wanted or Wanted())
        sizes = sum(
            pc.fill_null(pc.binary_length(table[name]), 0).to_numpy().astype(np.int64)
            for name in columns
        )
        n_rows = int(np.searchsorted(np.cumsum(sizes), left)) + 1
        table = table.select(columns).append_column("n_bytes", pa.array(sizes, pa.int64()))
        found.append(table.slice(0, n_rows))
        left -= int(sizes[:n_rows].sum())
        if left <= 0:
            break
    empty = pa.table({**dict.fromkeys(columns, pa.array([], pa.large_string())),
                      "n_bytes": pa.array([], pa.int64())})  # fmt: skip
    return pa.concat_tables(found) if found else empty


def _batches(corpus: Corpus, files: list[str], columns: list[str]) -> Iterator[pa.RecordBatch]:
    for name in files:
        with corpus.open_parquet(name) as file:
            yield from file.iter_batches(_ROWS_AT_ONCE, columns=columns)
