"""The validation split of a corpus as a benchmark."""

from collections.abc import Iterator
from pathlib import Path

from emma500.benchmarks.base import Item
from emma500.folder import Corpus


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
