"""Why a string is no language: unknown, withdrawn, ambiguous, or a code that names none."""

import re
from difflib import get_close_matches

from emma500.languages import names, registry

_SHOWN = 8
_ADVICE = "give an ISO 639 code, a BCP 47 tag, a label as yor_Latn, or a full name"


def first_subtag(text: str) -> str:
    """Return what stands before the first hyphen, underscore, full stop or at sign, in lower case."""
    return re.split(r"[-_@.]", text.lower())[0]


def is_special(text: str) -> bool:
    """Tell whether this is nothing, or a code for what is no language."""
    first = first_subtag(text)
    return not text or first in registry.SPECIAL or _is_private(first)


def ambiguous(text: str, codes: tuple[str, ...]) -> str:
    """Say that a name is that of several languages."""
    return f"ambiguous language {text!r}: it names {_listed(codes)}; give the code of one of these"


def withdrawn(text: str, retired: registry.Retired) -> str:
    """Say what became of a withdrawn code."""
    if retired.split_into:
        remedy = retired.remedy.rstrip(".")
        return f"{text!r} was withdrawn from ISO 639 and split: {remedy}; use one of these"
    remedy = retired.remedy.rstrip(".") or "it has no successor"
    return (
        f"{text!r} was withdrawn from ISO 639: {remedy}; give the code of a language that is in it"
    )


def unknown(text: str) -> str:
    """Say that a string names no language, or none that anybody knows."""
    if text and is_special(text):
        return f"{text!r} names no language in ISO 639: give the code of the language itself"
    return f"unknown language {_shortened(text)!r}: {_ADVICE}{_hint(text)}"


def _is_private(code: str) -> bool:
    return len(code) == 3 and "qaa" <= code <= "qtz"


def _listed(codes: tuple[str, ...]) -> str:
    shown = ", ".join(f"{each} ({registry.english_name(each)})" for each in codes[:_SHOWN])
    more = len(codes) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def _hint(text: str) -> str:
    """Name what is spelled like it; only names that start alike are compared, for speed."""
    if not 3 < len(text) <= 40:
        return ""
    wanted = text.casefold()
    known = names.all_names()
    near = [each for each in known if each[:1] == wanted[:1] and abs(len(each) - len(wanted)) <= 3]
    close = get_close_matches(wanted, sorted(near), n=3, cutoff=0.8)
    if not close:
        return ""
    return "; near names: " + ", ".join(f"{each} ({'/'.join(known[each])})" for each in close)
