"""A finished corpus: its manifest, its rows, and what became of everything that went in."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500.errors import LanguageError, SourceError
from emma500.folder.address import address, commit_of, filesystem, refuse_outside
from emma500.folder.changes import Changes, compare
from emma500.folder.explanation import Explanation, explain
from emma500.folder.names import FOLDERS, config_name, nearest
from emma500.folder.sampling import sample
from emma500.folder.stats import Stats
from emma500.manifest import MANIFEST
from emma500.records import SPLITS, document_schema, pair_schema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq


class Corpus:
    """A finished corpus: its manifest, and its rows by component, label and split.

    Args:
        root: A folder, a Hub dataset id (`user/name`, `user/name@revision`), or an fsspec address.

    Raises:
        SourceError: If there is no corpus there.
    """

    def __init__(self, root: "str | Path") -> None:
        self.root = address(root)
        with filesystem(self.root) as (system, base):
            try:
                text = system.cat_file(f"{base}/{MANIFEST}").decode()
            except FileNotFoundError as error:
                raise SourceError(f"{root} is no corpus: it holds no {MANIFEST}") from error
        self.manifest: dict[str, Any] = json.loads(text)
        if self.manifest.get("kind") != "corpus":
            raise SourceError(f"{root} holds a {self.manifest.get('kind')}, not a corpus")
        refuse_outside(self.root, self.manifest)

    @classmethod
    def from_hub(cls, repo_id: str, revision: str | None = None) -> "Corpus":
        """Open a corpus of the Hub at the commit that a revision names, the newest by default; reads no text."""
        return cls(f"hf://datasets/{repo_id}@{commit_of(repo_id, revision)}")

    @property
    def name(self) -> str:
        """The corpus's name, as its manifest gives it."""
        return str(self.manifest["name"])

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its monolingual documents, sorted."""
        return self.labels_of("monolingual")

    def labels_of(self, component: str) -> tuple[str, ...]:
        """Return the labels of one component, sorted; pairs are `eng_Latn-yor_Latn`."""
        rows = self.manifest["splits"]
        return tuple(sorted({row["label"] for row in rows if row["component"] == component}))

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages it went through; `read` and `to_dataset` give the text after those it can still show."""
        return tuple(self.manifest["stages"])

    @property
    def stats(self) -> Stats:
        """How many documents, words, characters and bytes, by label, source, stage and reason."""
        return Stats.of(self.manifest)

    @property
    def n_documents(self) -> int:
        """How many rows it holds, in all components and splits."""
        return sum(row["n_documents"] for row in self.manifest["splits"])

    @property
    def n_words(self) -> int:
        """How many white-space words it holds, in all components and splits."""
        return sum(row["n_words"] for row in self.manifest["splits"])

    @property
    def kept_share(self) -> float:
        """The share of the rows that it kept, of those that were read and asked for."""
        excluded = sum(
            row["n_documents"]
            for row in self.manifest["excluded"]
            if row["reason"] != "not_requested"
        )
        return self.n_documents / max(self.n_documents + excluded, 1)

    def files(self, component: str, label: str, split: str) -> list[str]:
        """Return the addresses of the Parquet files of one split.

        Returns:
            The addresses; an empty list if the label has no such split.

        Raises:
            LanguageError: If the corpus lacks the label; the message lists the nearest ones.
        """
        self.check_label(component, label)
        return [
            f"{self.root}/{file}"
            for row in self.manifest["splits"]
            if (row["component"], row["label"], row["split"]) == (component, label, split)
            for file in row["files"]
        ]

    def stage_files(self, component: str, label: str, stage: str) -> list[str]:
        """Return the addresses of the Parquet files that hold a label's text as it was after a stage.

        Args:
            component: One of `records.COMPONENTS`.
            label: The label, or the pair of labels.
            stage: One of `stages`.

        Returns:
            The label's files, and those of what later stages left out.

        Raises:
            SourceError: If there is no such stage, or what was left out was not kept.
        """
        if stage not in self.stages:
            raise SourceError(f"the stage must be one of {', '.join(self.stages)}, not {stage!r}")
        later = self.stages[self.stages.index(stage) + 1 :]
        if later and "excluded_files" not in self.manifest:
            raise SourceError(
                f"{self.name} holds the text after its last stage only, not after {stage!r}: "
                "build it with keep_excluded=True"
            )
        kept = [file for split in SPLITS for file in self.files(component, label, split)]
        return kept + [
            f"{self.root}/{file}"
            for row in self.manifest.get("excluded_files", ())
            if (row["component"], row["label"]) == (component, label) and row["stage"] in later
            for file in row["files"]
        ]

    def read(
        self, component: str, label: str, split: str, columns: list[str] | None = None
    ) -> "pa.Table | None":
        """Read the rows of one split, in the order of their ids.

        Args:
            component: One of `records.COMPONENTS`.
            label: The label, or the pair of labels.
            split: "train" or "validation".
            columns: Only these columns.

        Returns:
            An Arrow table, or None if the label has no such split.
        """
        import pyarrow as pa

        files = self.files(component, label, split)
        tables = []
        for each in files:
            with self.open_parquet(each) as file:
                tables.append(file.read(columns=columns))
        return pa.concat_tables(tables) if tables else None

    @contextmanager
    def open_parquet(self, file: str) -> "Iterator[pq.ParquetFile]":
        """Open one of its Parquet files, by its address or its name in the folder."""
        import pyarrow.parquet as pq

        with filesystem(self.root) as (system, base):
            path = f"{base}/{file.removeprefix(self.root).lstrip('/')}"
            with system.open(path, "rb") as opened, pq.ParquetFile(opened) as parquet:
                yield parquet

    def sample(self, label: str, n: int = 5, *, seed: int = 0) -> "pd.DataFrame":
        """Draw documents of a label's training text at random, each once; the same ones for the same seed.

        Args:
            label: A label, a pair of labels, or `code-<language>`.
            n: How many; fewer if the label has fewer.
            seed: Of the draw.

        Returns:
            One row a document, in the order of the corpus.

        Raises:
            LanguageError: If the corpus lacks the label.
        """
        return sample(self, *self.find_label(label), n=n, seed=seed)

    def explain(self, id: str, *, label: str | None = None) -> Explanation:
        """Tell the path of one document through the stages, and why it is in the corpus or not.

        How much can be told depends on what the build kept: signals need `keep_decisions`, the text of a document that
        was left out `keep_excluded`. What is not there is named under `unknown`.

        Args:
            id: The document's id, 32 hexadecimal digits.
            label: Its label, where known: only that label's files are opened then.

        Returns:
            What is known of it.

        Raises:
            SourceError: If nothing is known of such a document.
        """
        return explain(self, id, label)

    def compare(self, other: "Corpus", *, documents: bool = True) -> Changes:
        """Tell what changed from another corpus to this one.

        Args:
            other: The one before.
            documents: Compare the ids too, to count which documents came and went: reads the id column of both.

        Returns:
            Sizes by label, documents in and out, reasons, and the settings that differ.
        """
        return compare(other, self, documents=documents)

    def find_label(self, name: str) -> tuple[str, str]:
        """Return the component and the label of a configuration's name, as `yor_Latn` or `code-python`.

        Raises:
            LanguageError: If the corpus lacks the label; the message lists the nearest ones.
        """
        for component in FOLDERS:
            for label in self.labels_of(component):
                if config_name(component, label) == name:
                    return component, label
        self.check_label("monolingual", name)
        raise LanguageError(f"{self.name} has no configuration {name!r}")

    def check_label(self, component: str, label: str) -> None:
        """Raise a LanguageError that lists the nearest labels if the component lacks this one."""
        known = self.labels_of(component)
        if label not in known:
            raise LanguageError(
                f"{self.name} has no {component} text in {label!r}; nearest: {nearest(label, known) or 'none'}"
            )

    def to_pandas(self) -> "pd.DataFrame":
        """Return its sizes, one row a component, label and split."""
        import pandas as pd

        return pd.DataFrame(self.manifest["splits"]).drop(columns="files", errors="ignore")

    def to_dataset(self, label: str, *, stage: str | None = None, **options: Any) -> Any:
        """Load one label with the datasets library.

        Args:
            label: A label, a pair of labels, or `code-<language>`.
            stage: The text as it was after this stage, as the one split "train"; the finished corpus if not given.
            **options: For `load_dataset`: streaming, split and so on.

        Returns:
            What `load_dataset` returns.
        """
        component, name = self.find_label(label)
        if stage is None:
            return self.load_with_datasets(label, **options)
        import datasets

        schema = pair_schema() if component == "bilingual" else document_schema()
        return datasets.load_dataset(
            "parquet",
            data_files={"train": self.stage_files(component, name, stage)},
            columns=schema.names,
            **options,
        )

    def load_with_datasets(self, *names: str, **options: Any) -> Any:
        """Call `datasets.load_dataset` on this corpus: a folder, or a Hub dataset at its revision."""
        import datasets

        path, _, revision = self.root.removeprefix("hf://datasets/").partition("@")
        if self.root.startswith("hf://") and revision:
            options = {"revision": revision, **options}
        return datasets.load_dataset(
            path if self.root.startswith("hf://") else self.root, *names, **options
        )

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{len(self.labels_of(each)):,} {each}" for each in FOLDERS if self.labels_of(each)
        )
        return (
            f"Corpus({self.name!r}: {self.n_documents:,} documents, {self.n_words:,} words, labels: {sizes}; "
            f"kept {self.kept_share:.1%} of what was read; {self.root})"
        )
