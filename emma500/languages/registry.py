"""ISO 639 as look-ups: codes, withdrawn codes, macrolanguages and reference names.

The tables come with the package `iso639-lang`. Individual languages and macrolanguages are ISO
639-3; a collection (`nah`, `ber`) is ISO 639-2 and stands for itself. `mul`, `und`, `zxx` and `mis`
are no languages here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from iso639 import Lang, iter_langs
from iso639.exceptions import DeprecatedLanguageValue, InvalidLanguageValue

SPECIAL = frozenset({"mis", "mul", "und", "zxx"})
"""Codes of ISO 639 that name no language."""

_SHORT = re.compile(r"[a-z]{2,3}")
_MACRO = " (macrolanguage)"


@dataclass(frozen=True, slots=True)
class _Registry:
    entries: dict[str, Lang]
    short: dict[str, str]


def exact(code: str) -> str | None:
    """Return a lower-case code as it is if ISO 639-3 has it, or ISO 639-2 has it as a collection."""
    return code if code in _registry().entries else None


def short(code: str) -> str | None:
    """Return the three-letter code of an ISO 639-1 or ISO 639-2/B code in lower case."""
    return _registry().short.get(code)


@dataclass(frozen=True, slots=True)
class Retired:
    """A withdrawn code: the one that took its place, or else those it was split into, if any did.

    Attributes:
        heir: The one code of today, or "".
        split_into: The codes of today it was split into, sorted.
        remedy: What ISO 639 says about it.
    """

    heir: str
    split_into: tuple[str, ...]
    remedy: str


def retired(code: str) -> Retired | None:
    """Look a withdrawn code of two or three letters in lower case up; None if it was never withdrawn."""
    if not _SHORT.fullmatch(code):
        return None
    try:
        Lang(code)
    except DeprecatedLanguageValue as error:
        return _retired(error)
    except InvalidLanguageValue:
        pass
    return None


def _retired(error: DeprecatedLanguageValue) -> Retired:
    heir = error.change_to
    if heir:
        successor = None if exact(heir) or short(heir) else retired(heir)
        code = exact(heir) or short(heir) or (successor.heir if successor else "")
        if code:
            return Retired(code, (), error.ret_remedy)
    parts = {each for each in re.findall(r"\[([a-z]{3})\]", error.ret_remedy) if exact(each)}
    return Retired("", tuple(sorted(parts)), error.ret_remedy)


def all_codes() -> tuple[str, ...]:
    """Return every code that stands for itself: ISO 639-3, and the collections of ISO 639-2 and 639-5, sorted."""
    return tuple(sorted(_registry().entries))


def english_name(code: str) -> str:
    """Return the reference name of a code from `all_codes`."""
    return _registry().entries[code].name.removesuffix(_MACRO)


def tag_of(code: str) -> str:
    """Return the code BCP 47 wants: two letters where there are two."""
    return _registry().entries[code].pt1 or code


def macrolanguage_of(code: str) -> str:
    """Return the macrolanguage a language belongs to, or ""."""
    macro = _registry().entries[code].macro()
    return macro.pt3 if macro is not None else ""


def members_of(code: str) -> tuple[str, ...]:
    """Return the living members of a macrolanguage, sorted; empty for all others."""
    return tuple(sorted(each.pt3 for each in _registry().entries[code].individuals()))


def is_language(code: str) -> bool:
    """Tell whether a code from `all_codes` is of ISO 639-3; a collection is not."""
    return bool(_registry().entries[code].pt3)


def entries() -> Mapping[str, Lang]:
    """Return what ISO 639 has of each code from `all_codes`."""
    return _registry().entries


@cache
def _registry() -> _Registry:
    entries, short_codes = {}, {}
    for each in iter_langs():
        code = each.pt3 or each.pt2b or each.pt5
        if not code or code in SPECIAL:
            continue
        entries[code] = each
        short_codes.update(
            {other: code for other in (each.pt1, each.pt2b) if other and other != code}
        )
    return _Registry(entries, short_codes)
