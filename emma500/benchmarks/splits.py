"""The validation split of a corpus as a benchmark: its documents, and its pairs."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from emma500.benchmarks.base import Item
from emma500.folder import Corpus
from emma500.manifest import fingerprint


class ValidationSplit:
    """The held-out monolingual documents of a corpus.

    Args:
        corpus: A corpus, its folder, or its Hub id.

    Raises:
        SourceError: If there is no corpus there.
    """

    def __init__(self, corpus: "Corpus | str | Path") -> None:
        self.corpus = corpus if isinstance(corpus, Corpus) else Corpus(corpus)

    @property
    def revision(self) -> str:
        """The digest of the corpus's content, 16 hexadecimal digits."""
        return str(self.corpus.manifest["digest"])[:16]

    @property
    def sources(self) -> frozenset[str]:
        """The sources of the corpus."""
        return frozenset(row["name"] for row in self.corpus.manifest["sources"])

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that have validation documents, sorted."""
        rows = self.corpus.manifest["splits"]
        wanted = ("monolingual", "validation")
        held_out = {
            row["label"]
            for row in rows
            if (row["component"], row["split"]) == wanted and row["n_documents"]
        }
        return tuple(sorted(held_out))

    def read(self, label: str) -> Iterator[Item]:
        """Yield the validation documents of one label, in the order of their ids."""
        table = self.corpus.read("monolingual", label, "validation", ["id", "text"])
        for row in table.to_pylist() if table is not None else ():
            if row["text"]:
                yield Item(id=row["id"], label=label, text=row["text"], parallel_id=row["id"])


class HeldOutPairs:
    """The held-out sentence pairs of a corpus, each side under its own label.

    Pairs are split by their source text, so the translations of one held-out source are held out in every language:
    they share a `parallel_id`. A sentence that also stands in a training pair of its label, with any other label, as
    the translation of another source, is left out.

    Args:
        corpus: A corpus, its folder, or its Hub id.

    Raises:
        SourceError: If there is no corpus there.
    """

    def __init__(self, corpus: "Corpus | str | Path") -> None:
        self._split = ValidationSplit(corpus)
        self.corpus = self._split.corpus

    @property
    def revision(self) -> str:
        """The digest of the corpus's content, 16 hexadecimal digits."""
        return self._split.revision

    @property
    def sources(self) -> frozenset[str]:
        """The sources of the corpus."""
        return self._split.sources

    @cached_property
    def _sides(self) -> dict[str, list[tuple[str, str]]]:
        """The pairs that hold a label, each with the column of that label."""
        return {
            label: pairs
            for label, every in _pairs_by_side(self.corpus).items()
            if (
                pairs := [
                    each for each in every if self.corpus.files("bilingual", each[0], "validation")
                ]
            )
        }

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that have held-out sentences, sorted."""
        return tuple(sorted(self._sides))

    def read(self, label: str) -> Iterator[Item]:
        """Yield the held-out sentences of one label, each once, in the order of their pairs and ids."""
        seen = leaked_sentences(self.corpus, label)
        for pair, column in self._sides[label]:
            columns = list(dict.fromkeys(["source_text", column]))
            held_out = self.corpus.read("bilingual", pair, "validation", columns)
            if held_out is None:
                continue
            sources = held_out["source_text"].to_pylist()
            for source, text in zip(sources, held_out[column].to_pylist(), strict=True):
                if text and text not in seen:
                    seen.add(text)
                    yield Item(
                        id=fingerprint(text),
                        label=label,
                        text=text,
                        parallel_id=fingerprint(source),
                    )


def leaked_sentences(corpus: Corpus, label: str) -> set[str]:
    """Return the held-out sentences of a label that training sees as well.

    Args:
        corpus: The corpus.
        label: One side of its pairs.

    Returns:
        The sentences that stand both in the validation split of a pair of this label and in the training split of that
        pair or of another one.
    """
    pairs = _pairs_by_side(corpus).get(label, [])
    held_out: set[str] = set()
    for pair, column in pairs:
        table = corpus.read("bilingual", pair, "validation", [column])
        if table is not None:
            held_out.update(table[column].to_pylist())
    leaked: set[str] = set()
    for pair, column in pairs if held_out else ():
        table = corpus.read("bilingual", pair, "train", [column])
        if table is not None:
            texts = table[column]
            wanted = pa.array(list(held_out), texts.type)
            leaked.update(texts.filter(pc.is_in(texts, value_set=wanted)).to_pylist())
    return leaked


def _pairs_by_side(corpus: Corpus) -> dict[str, list[tuple[str, str]]]:
    """Return the pairs that hold a label, each with the column of that label."""
    found: dict[str, list[tuple[str, str]]] = {}
    for pair in corpus.labels_of("bilingual"):
        for label, column in zip(pair.split("-"), ("source_text", "target_text"), strict=True):
            found.setdefault(label, []).append((pair, column))
    return found
