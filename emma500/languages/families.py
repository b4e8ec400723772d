"""Families of languages, as Glottolog draws them: what a language is related to where it has nothing of its own."""

from functools import cache, lru_cache

from emma500.tables import read_table


@lru_cache(maxsize=65536)
def lineage(iso639_3: str) -> tuple[str, ...]:
    """Return the families of a language, the nearest first.

    >>> [family_name(each) for each in lineage("sme")[-2:]]
    ['Saami', 'Uralic']

    Args:
        iso639_3: A code of ISO 639-3.

    Returns:
        Glottocodes, as "ural1272"; of families with three or more languages only. None for an isolate, a macrolanguage
        or a code that is none.
    """
    parents = _parents()
    found: list[str] = []
    while iso639_3 := parents.get(iso639_3, ("", ""))[0]:
        found.append(iso639_3)
    return tuple(found)


def family_name(glottocode: str) -> str:
    """Return the English name of a family that `lineage` returns; "" for any other code."""
    return _parents().get(glottocode, ("", ""))[1]


@cache
def _parents() -> dict[str, tuple[str, str]]:
    return {row["code"]: (row["parent"], row["name"]) for row in read_table("families")}
