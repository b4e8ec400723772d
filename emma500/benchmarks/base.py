"""What a benchmark is: a row of the table, and data that yields items by label."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from emma500.languages.codes import UNKNOWN_SCRIPT, Language


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
    contaminated.
    """

    name: str
    license: str
    note: str
    sources: frozenset[str]
    data: Data


def likely_label(code: str) -> str:
    """Return the label of a code, with the language's usual script where the code names none.

    Raises:
        LanguageError: If the code names no language.
    """
    language = Language.parse(code)
    return f"{language.iso639_3}_{language.likely_script or UNKNOWN_SCRIPT}"
