"""Which items of a benchmark stand in the training text of a corpus: a table that `evaluate` takes.

    found = find_items("mala", ["sib200", "xcopa=texts/xcopa"])     # benchmark, label, id, status
    pq.write_table(found, "found.parquet")                          # EvalConfig(contamination="found.parquet")

An item is *found* if a training text holds a run of it, by the rules of `contamination`; an item that is too short for
a run of its own, or all of whose runs are templates of its benchmark, is *unknown*; all others are *clean*.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from emma500.benchmarks.registry import base_name, open_benchmark
from emma500.corpus.decontamination.benchmark_runs import (
    COMMON,
    RUN,
    hashed_runs,
    runs_of,
)
from emma500.corpus.decontamination.contamination import Contamination
from emma500.corpus.text.tokens import Tokens, tokenise
from emma500.folder import Corpus
from emma500.languages.writing.normalisation import normalise
from emma500.progress import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOUND, CLEAN, UNKNOWN = "found", "clean", "unknown"
_COLUMNS = ("text", "source_text", "target_text")
_TEXTS_AT_ONCE = 4096


def find_items(
    corpus: "Corpus | str | Path",
    benchmarks: Sequence[str],
    *,
    data_dir: str | None = None,
    progress: Progress | None = None,
) -> pa.Table:
    """Look for the items of benchmarks in the training split of a corpus.

    Args:
        corpus: The corpus a model was trained on: itself, its folder or its Hub id.
        benchmarks: Names of the registry, or `name=place`.
        data_dir: Where files of benchmarks are.
        progress: Called as labels of the corpus are searched.

    Returns:
        One row an item: benchmark, label, id, status ("found", "clean" or "unknown").

    Raises:
        EmmaError: If a benchmark or the corpus cannot be read.
    """
    searched = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
    items, every = _Items(), []
    for wanted in benchmarks:
        benchmark = open_benchmark(wanted, data_dir=data_dir)
        texts = [
            (label, item.id, item.text)
            for label in benchmark.data.labels
            for item in benchmark.data.read(label)
        ]
        name = base_name(benchmark.name)
        items.add(name, texts)
        every.append(runs_of(name, ((label, text) for label, _, text in texts)))
    items.sort()
    index = Contamination.of_runs(every)
    found = np.zeros(len(items.rows), np.bool_)
    for texts_of_rows in _training_texts(searched, progress):
        normal = normalise(texts_of_rows)
        owners, _ = index.locate(tokenise(normal))
        if (owners >= 0).any():
            items.mark(tokenise(normal.filter(pa.array(owners >= 0))), found)
    status = np.where(found, FOUND, np.where(items.has_runs(), CLEAN, UNKNOWN))
    columns = [*zip(*items.rows, strict=True)] if items.rows else [(), (), ()]
    names = ("benchmark", "label", "id")
    return pa.table(
        {name: pa.array(list(each), pa.string()) for name, each in zip(names, columns, strict=True)}
        | {"status": pa.array(status, pa.string())}
    )


@dataclass(slots=True)
class _Items:
    """Items, and the hashes of their runs with the item that each is of."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    hashes: list["NDArray[np.uint64]"] = field(default_factory=list)
    owners: list["NDArray[np.int64]"] = field(default_factory=list)
    sizes: set[tuple[int, int]] = field(default_factory=set)

    def add(self, benchmark: str, texts: Sequence[tuple[str, str, str]]) -> None:
        """Take the items of one benchmark: label, id and text of each."""
        for label in dict.fromkeys(label for label, _, _ in texts):
            own = [(name, text) for each, name, text in texts if each == label]
            tokens = tokenise(normalise([text for _, text in own]))
            kinds, n_units = tokens.is_unspaced.astype(np.int64), tokens.n_units.tolist()
            hashes, owners = [], []
            for place in range(len(own)):
                runs = np.unique(hashed_runs(tokens, kinds, place))
                hashes.append(runs)
                owners.append(np.full(len(runs), len(self.rows) + place, np.int64))
                kind = int(kinds[place])
                if len(runs):
                    self.sizes.add((kind, min(RUN[kind], n_units[place])))
            self._keep(np.concatenate(hashes), np.concatenate(owners))
            self.rows += [(benchmark, label, name) for name, _ in own]

    def _keep(self, hashes: "NDArray[np.uint64]", owners: "NDArray[np.int64]") -> None:
        """Keep the runs of one benchmark and label that are no templates of it."""
        _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        own = counts[inverse] <= COMMON
        self.hashes.append(hashes[own])
        self.owners.append(owners[own])

    def sort(self) -> None:
        """Sort the runs, so that they can be looked up."""
        hashes = np.concatenate([np.empty(0, np.uint64), *self.hashes])
        owners = np.concatenate([np.empty(0, np.int64), *self.owners])
        order = np.argsort(hashes, kind="stable")
        self.hashes, self.owners = [hashes[order]], [owners[order]]

    def has_runs(self) -> "NDArray[np.bool_]":
        """Tell which items have a run to look for, (items)."""
        known = np.zeros(len(self.rows), np.bool_)
        known[self.owners[0]] = True
        return known

    def mark(self, tokens: Tokens, found: "NDArray[np.bool_]") -> None:
        """Mark the items that stand in texts."""
        (hashes,), (owners,) = self.hashes, self.owners
        for kind, size in sorted(self.sizes):
            kinds = np.full(len(tokens.n_units), kind, np.int64)
            runs = [size if each == kind else RUN[each] for each in range(2)]
            for place in range(len(kinds)):
                own = np.unique(hashed_runs(tokens, kinds, place, runs=runs))
                first = np.searchsorted(hashes, own, "left")
                last = np.searchsorted(hashes, own, "right")
                for start, stop in zip(first[last > first], last[last > first], strict=True):
                    found[owners[start:stop]] = True


def _training_texts(corpus: Corpus, progress: Progress | None) -> Iterator[pa.Array]:
    """Yield the texts of the training split, some thousand at a time."""
    rows = [row for row in corpus.manifest["splits"] if row["split"] == "train"]
    for done, row in enumerate(rows):
        if progress is not None:
            progress("searching for items", done, len(rows))
        for file in row["files"]:
            with corpus.open_parquet(file) as opened:
                columns = [name for name in _COLUMNS if name in opened.schema_arrow.names]
                for batch in opened.iter_batches(_TEXTS_AT_ONCE, columns=columns):
                    yield from batch.columns
    if progress is not None:
        progress("searching for items", len(rows), len(rows))
