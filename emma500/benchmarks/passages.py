"""Paragraphs of the Universal Declaration of Human Rights from the package gflanguages.

The same field of two languages is not the same passage (for half of the languages `specimen_16`
holds all other fields, for some it repeats one article), so a document is a paragraph, each once,
and none counts as a translation of another.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from emma500.benchmarks.base import Item
from emma500.configuration import need
from emma500.errors import LanguageError
from emma500.languages.codes import Language

FIELDS = ("tester", "specimen_48", "specimen_36", "specimen_32", "specimen_21", "specimen_16")
"""The fields that hold running text; the masthead, style and poster fields are samples of it."""


class Passages:
    """The sample texts of gflanguages.

    Raises:
        MissingExtraError: If gflanguages is not installed.
    """

    sources: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._package = need("gflanguages", "demo")

    @property
    def revision(self) -> str:
        """The version of the package."""
        from importlib.metadata import version

        return version("gflanguages")

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it has, sorted."""
        return tuple(sorted(self._languages))

    def read(self, label: str) -> Iterator[Item]:
        """Yield the paragraphs of one label, without those that are inside another."""
        language = self._languages[label]
        for field, number, text in _paragraphs(language.sample_text):
            name = f"{language.id}:{field}:{number}"
            yield Item(id=name, label=label, text=text, parallel_id=name)

    @cached_property
    def _languages(self) -> dict[str, Any]:
        """The language of each label; of two (`yo_Latn`, `yo_Latn_BJ`) the shorter id."""
        found: dict[str, Any] = {}
        for language in sorted(
            self._package.LoadLanguages().values(), key=lambda each: (len(each.id), each.id)
        ):
            if not any(getattr(language.sample_text, field).strip() for field in FIELDS):
                continue
            try:
                label = Language.parse(language.language, script=language.script).label
            except LanguageError:
                continue
            found.setdefault(label, language)
        return found


def _paragraphs(sample: Any) -> list[tuple[str, int, str]]:
    lines = [
        (field, number, " ".join(line.split()))
        for field in FIELDS
        for number, line in enumerate(getattr(sample, field).split("\n"), start=1)
    ]
    whole = "\n".join(text for _, _, text in lines)
    kept: dict[str, tuple[str, int, str]] = {}
    for field, number, text in lines:
        elsewhere = whole.count(text) - sum(each == text for _, _, each in lines) if text else 1
        if text and not elsewhere:
            kept.setdefault(text, (field, number, text))
    return list(kept.values())
