"""Whose codes a source uses: what a convention means where the standard means something else.

`als` is Tosk Albanian in ISO 639-3 and Alemannic in Wikipedia. Conventions are rows of
`conventions.tsv`, their own codes and names rows of `language_aliases.tsv`.
"""

import re
from dataclasses import dataclass
from functools import cache

from emma500.errors import LanguageError
from emma500.tables import read_table

_EVERYWHERE = "any"


@dataclass(frozen=True, slots=True)
class Convention:
    """One way of naming languages.

    Attributes:
        name: What callers call it.
        like: The convention looked up where this one has no row, or "".
        reads: "names" if names go before codes, "prefix" if a code is glued to a text's name, or "".
        note: What its codes look like.
    """

    name: str
    like: str
    reads: str
    note: str


@dataclass(frozen=True, slots=True)
class Alias:
    """What a convention's code means; several codes where it is a name of several languages."""

    codes: tuple[str, ...]
    script: str


def conventions() -> tuple[Convention, ...]:
    """Return all conventions, sorted by name."""
    return tuple(_conventions().values())


def convention(name: str) -> Convention:
    """Return a convention.

    Args:
        name: As "wikipedia".

    Returns:
        It.

    Raises:
        LanguageError: If there is none of that name.
    """
    if name not in _conventions():
        raise LanguageError(f"unknown convention {name!r}; known: {', '.join(_conventions())}")
    return _conventions()[name]


def alias(code: str, name: str | None) -> Alias | None:
    """Return what a code or a name means by a convention, or else everywhere.

    Args:
        code: In any case; a space, a hyphen and an underscore are the same.
        name: The convention, one of `conventions`; None for the standard.

    Returns:
        The alias, or None where the code means what the standard says.
    """
    key = _key(code)
    while name:
        found = _aliases().get((name, key))
        if found:
            return found
        name = _conventions()[name].like
    return _aliases().get((_EVERYWHERE, key))


def _key(code: str) -> str:
    return re.sub(r"[\s_-]+", "-", code.strip().casefold())


@cache
def _conventions() -> dict[str, Convention]:
    rows = sorted(read_table("conventions"), key=lambda row: row["convention"])
    return {
        row["convention"]: Convention(row["convention"], row["like"], row["reads"], row["note"])
        for row in rows
    }


@cache
def _aliases() -> dict[tuple[str, str], Alias]:
    return {
        (row["convention"], _key(row["code"])): Alias(tuple(row["iso639_3"].split()), row["script"])
        for row in read_table("language_aliases")
    }
