"""The corpus's rows as documents to train on or to validate on, and as tokens.

A monolingual or code row is a document. Sentence pairs are short, so ten of them make one document, as in the second
generation of EMMA-500; ten that follow each other in the order of their ids, which is a random order.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.folder import Corpus

PairFormat = Literal["target", "both"]

PAIRS_A_DOCUMENT = 10

_ROWS_A_READ = 4096
_TEXTS_A_BATCH = 1000
_BYTES_A_BATCH = 2 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """Documents of one label of one component, as they are to be read.

    Attributes:
        component: One of `records.COMPONENTS`.
        label: The label, or the pair of labels.
        language: For a pair, the side that counts as its text; else the label itself.
        replay: They are there so that the model does not forget them.
    """

    component: str
    label: str
    language: str
    replay: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """Documents as text, and the names of the sources they come from, sorted.

    `cluster_sizes` says how many near-duplicates each document stands for, itself included; 1 for documents of pairs.
    """

    texts: list[str]
    sources: list[str]
    cluster_sizes: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class RowGroup:
    """A row group of one of a label's Parquet files, and the bytes of its columns before compression."""

    file: str
    number: int
    n_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which rows of a label make documents, and how pairs do.

    Attributes:
        sources: Only rows of these sources; empty for all.
        exclude_sources: No rows of these sources.
        pair_format: What a document of pairs holds: only the lines of the chosen side ("target"), or both sides with
            their labels, `eng_Latn: …` before `yor_Latn: …` ("both").
    """

    sources: tuple[str, ...] = ()
    exclude_sources: tuple[str, ...] = ()
    pair_format: PairFormat = "both"


def read_texts(
    corpus: Corpus,
    chosen: Chosen,
    split: str,
    *,
    sources: Sequence[str] = (),
    exclude_sources: Sequence[str] = (),
    pair_format: PairFormat = "both",
    without: Collection[str] = (),
) -> Texts:
    """Read the documents of one label into memory.

    Args:
        corpus: Where they are.
        chosen: Which they are.
        split: "train" or "validation".
        sources: As for `Wanted`.
        exclude_sources: As for `Wanted`.
        pair_format: As for `Wanted`.
        without: Pairs whose sentence on the chosen side is one of these are left out.

    Returns:
        The documents in the order of their ids.
    """
    wanted = Wanted(
        sources=tuple(sources), exclude_sources=tuple(exclude_sources), pair_format=pair_format
    )
    groups = row_groups(corpus, chosen, split)
    read = list(text_batches(corpus, chosen, groups, wanted, without=without))
    return Texts(
        texts=[text for each in read for text in each.texts],
        sources=sorted({name for each in read for name in each.sources}),
        cluster_sizes=np.concatenate([_ones(0), *(each.cluster_sizes for each in read)]),
    )


def row_groups(corpus: Corpus, chosen: Chosen, split: str) -> list[RowGroup]:
    """Return the row groups of one split, in the order of their ids; none if the label has no such split."""
    groups = []
    for file in corpus.files(chosen.component, chosen.label, split):
        with corpus.open_parquet(file) as parquet:
            sizes = [
                parquet.metadata.row_group(number).total_byte_size
                for number in range(parquet.num_row_groups)
            ]
        groups += [RowGroup(file=file, number=n, n_bytes=size) for n, size in enumerate(sizes)]
    return groups


def text_batches(
    corpus: Corpus,
    chosen: Chosen,
    groups: Sequence[RowGroup],
    wanted: Wanted,
    *,
    without: Collection[str] = (),
) -> Iterator[Texts]:
    """Read documents some at a time, so that a label of any size fits into memory.

    Args:
        corpus: Where they are.
        chosen: Which they are.
        groups: The row groups to read, in order; the ten pairs of a document may come from two of them.
        wanted: Which rows.
        without: As for `read_texts`.

    Yields:
        Documents in the order of their ids: a thousand or 2 MiB at most, or one document that is longer.
    """
    if chosen.component == "bilingual":
        yield from _pair_batches(_tables(corpus, chosen, groups, wanted), chosen, wanted, without)
        return
    for table in _tables(corpus, chosen, groups, wanted):
        sizes = _cluster_sizes(table)
        ends = np.cumsum(pc.binary_length(table["text"]).to_numpy())
        start = 0
        while start < len(table):
            before = ends[start - 1] if start else 0
            limit = int(np.searchsorted(ends, before + _BYTES_A_BATCH, side="right"))
            stop = min(max(limit, start + 1), start + _TEXTS_A_BATCH)
            part = table.slice(start, stop - start)
            yield Texts(
                texts=part["text"].to_pylist(),
                sources=part["source"].unique().to_pylist(),
                cluster_sizes=sizes[start:stop],
            )
            start = stop


def _tables(
    corpus: Corpus, chosen: Chosen, groups: Sequence[RowGroup], wanted: Wanted
) -> Iterator[pa.Table]:
    pair = chosen.component == "bilingual"
    asked = ["source_text", "target_text"] if pair else ["text", "cluster_size"]
    for group in groups:
        with corpus.open_parquet(group.file) as parquet:
            columns = [name for name in parquet.schema_arrow.names if name in (*asked, "source")]
            for batch in parquet.iter_batches(
                _ROWS_A_READ, row_groups=[group.number], columns=columns
            ):
                yield of_sources(pa.Table.from_batches([batch]), wanted)


def of_sources(table: pa.Table, wanted: Wanted) -> pa.Table:
    """Return the rows whose `source` is wanted."""
    column = table["source"]
    if wanted.sources:
        table = table.filter(pc.is_in(column, value_set=pa.array(wanted.sources, column.type)))
        column = table["source"]
    excluded = pa.array(wanted.exclude_sources, column.type)
    return table.filter(pc.invert(pc.is_in(column, value_set=excluded)))


def _pair_batches(
    tables: Iterator[pa.Table], chosen: Chosen, wanted: Wanted, without: Collection[str]
) -> Iterator[Texts]:
    sources: set[str] = set()

    def lines() -> Iterator[str]:
        for table in tables:
            column = table[_side(chosen)]
            left_out = pa.array(list(without), column.type)
            kept = table.filter(pc.invert(pc.is_in(column, value_set=left_out)))
            sources.update(table["source"].unique().to_pylist())
            yield from _pair_lines(kept, chosen, wanted.pair_format)

    documents = _joined(lines())
    while texts := list(islice(documents, _TEXTS_A_BATCH)):
        yield Texts(texts=texts, sources=sorted(sources), cluster_sizes=_ones(len(texts)))


def _joined(lines: Iterator[str]) -> Iterator[str]:
    """Yield documents of ten lines each; the last may have fewer."""
    while ten := list(islice(lines, PAIRS_A_DOCUMENT)):
        yield "\n".join(ten)


def _pair_lines(table: pa.Table, chosen: Chosen, pair_format: PairFormat) -> Iterator[str]:
    if pair_format == "target":
        yield from table[_side(chosen)].to_pylist()
        return
    source_label, target_label = chosen.label.split("-")
    columns = (table[name].to_pylist() for name in ("source_text", "target_text"))
    for source, target in zip(*columns, strict=True):
        yield f"{source_label}: {source}\n{target_label}: {target}"


def _side(chosen: Chosen) -> str:
    """Return the column of a pair's chosen side."""
    return "source_text" if chosen.language == chosen.label.split("-")[0] else "target_text"


def _cluster_sizes(table: pa.Table) -> np.ndarray:
    """Return the cluster sizes of documents; 1 where near-duplicates were not looked for."""
    if "cluster_size" not in table.column_names:
        return _ones(len(table))
    return pc.fill_null(table["cluster_size"], 1).to_numpy().astype(np.uint32)


def _ones(n_documents: int) -> np.ndarray:
    return np.ones(n_documents, np.uint32)
