"""ISO 639 as look-ups: codes, retired codes, macrolanguages and names.

The tables come with the package `iso639-lang`. Individual languages and macrolanguages are ISO
639-3; a collection (`nah`, `ber`) is ISO 639-2 and stands for itself. `mul`, `und`, `zxx` and `mis`
are no languages here.
"""

import re
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
    names: dict[str, str]


def exact(code: str) -> str | None:
    """Return a lower-case code as it is if ISO 639-3 has it, or ISO 639-2 has it as a collection."""
    return code if code in _registry().entries else None


def short(code: str) -> str | None:
    """Return the three-letter code of an ISO 639-1 or ISO 639-2/B code in lower case."""
    return _registry().short.get(code)


def retired(code: str) -> tuple[str | None, str]:
    """Look a withdrawn code up.

    Args:
        code: Two or three letters in lower case.

    Returns:
        The code that took its place (None if none did, or if it was never withdrawn), and what ISO
        639 says about it.
    """
    if not _SHORT.fullmatch(code):
        return None, ""
    try:
        Lang(code)
    except DeprecatedLanguageValue as error:
        heir = error.change_to
        if not heir:
            return None, error.ret_remedy
        return exact(heir) or short(heir) or retired(heir)[0], error.ret_remedy
    except InvalidLanguageValue:
        pass
    return None, ""


def named(name: str) -> str | None:
    """Return the code whose English name in ISO 639 is exactly this one, whatever the case."""
    return _registry().names.get(name.casefold())


def names() -> frozenset[str]:
    """Return every name `named` knows, case-folded."""
    return frozenset(_registry().names)


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
    return _Registry(entries, short_codes, _name_index(entries))


def _name_index(entries: dict[str, Lang]) -> dict[str, str]:
    """Reference names win over other names; another name that two languages share names neither."""
    reference = {each.name.casefold(): code for code, each in entries.items()}
    plain = {each.name.removesuffix(_MACRO).casefold(): code for code, each in entries.items()}
    other: dict[str, str | None] = {}
    for code, each in entries.items():
        for name in each.other_names():
            key = name.casefold()
            other[key] = code if other.get(key, code) == code else None
    return {key: code for key, code in other.items() if code} | plain | reference
