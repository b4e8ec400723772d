"""What a benchmark is: a row of the table, and data that yields items by label."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from emma500.languages.codes import UNKNOWN_SCRIPT, Language

INTRINSIC = "intrinsic"
"""The shape of a benchmark whose texts are scored as they are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One document to score.

    `parallel_id` is shared by the translations of a document; where there are none it belongs to
    this item alone.
    """

    id: str
    label: str
    text: str
    parallel_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One item of a task, as every benchmark of its shape gives it.

    Attributes:
        id: Its name, once a label.
        label: Its language, as "yor_Latn"; of code, the programming language.
        parallel_id: Shared by its translations.
        fields: What a prompt may hold, by name; `text` is what a contaminated corpus would hold.
        options: The answers to choose from; of a classification, none: they are the prompt's.
        gold: The place of the right option, -1 where there is none.
        targets: The right outputs, or the name of the right class.
    """

    id: str
    label: str
    parallel_id: str
    fields: Mapping[str, str]
    options: tuple[str, ...] = ()
    gold: int = -1
    targets: tuple[str, ...] = ()


class Examples(Protocol):
    """The items of a task, by label and split."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it has, sorted."""

    def examples(self, label: str, split: str) -> list[Example]:
        """Return the items of "test" or "shots" of one label, in a fixed order."""


class Data(Protocol):
    """Evaluation data by label."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it has, sorted."""

    @property
    def revision(self) -> str:
        """The version of the data where it has one; "" where only its content identifies it."""

    @property
    def sources(self) -> frozenset[str]:
        """The corpus sources that its text comes from, beside those of the table."""

    def read(self, label: str) -> Iterator[Item]:
        """Yield the items of one label, in a fixed order, none of them empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Benchmark:
    """One benchmark, opened.

    `sources` are the names of corpus sources that hold its text: a model trained on one of them is
    contaminated. `task` holds the items of a shape other than "intrinsic", and `row` what the table says of it.
    """

    name: str
    license: str
    note: str
    sources: frozenset[str]
    data: Data
    shape: str = INTRINSIC
    task: Examples | None = None
    row: Mapping[str, str] = field(default_factory=dict)


def likely_label(code: str) -> str:
    """Return the label of a code, with the language's usual script where the code names none.

    Raises:
        LanguageError: If the code names no language.
    """
    language = Language.parse(code)
    return f"{language.iso639_3}_{language.likely_script or UNKNOWN_SCRIPT}"
