"""Tags of BCP 47, POSIX locales and labels: the parts after the language.

A part that is neither a script, a region, a registered variant nor an extended language makes the
whole no tag: `en-french` is no English.
"""

import re
from collections.abc import Callable
from functools import cache

from emma500.languages import registry
from emma500.tables import read_table

UNKNOWN_SCRIPT = "Zyyy"

Read = Callable[[str], tuple[str, str] | None]
"""Reads a language's part of a tag: (code, script), or None."""

_TAG = re.compile(r"[A-Za-z]{1,3}(?:[-_][A-Za-z0-9]{1,8})*")
_PRIVATE = re.compile(r"(?<=[A-Za-z0-9])[-_][xX][-_].+")
_ENCODING = re.compile(r"\.[A-Za-z0-9-]+(?=@|$)")
_GLOTTOCODE = re.compile(r"[a-z]{4}[0-9]{4}")
_SCRIPT_SPELLINGS = {"Japn": "Jpan", "Qaag": "Mymr", "Qaai": "Zinh"}  # MaLA, Zawgyi, old Inherited
_SCRIPT_WORDS = {
    "arabic": "Arab",
    "cyrillic": "Cyrl",
    "devanagari": "Deva",
    "ijekavianlatin": "Latn",
    "iqtelif": "Latn",
    "latin": "Latn",
    "rom": "Latn",
    "romanized": "Latn",
    "simpl": "Hans",
    "simplified": "Hans",
    "tifinagh": "Tfng",
    "trad": "Hant",
    "traditional": "Hant",
}


def parts_of(text: str, read: Read) -> tuple[str, str] | None:
    """Read `language-extlang-Script-REGION-variant`, `language_REGION.encoding@modifier` and what lies between.

    Args:
        text: The tag, in any case, with hyphens or underscores.
        read: What the first part means, or the first few parts together.

    Returns:
        The code and the script, "" where nothing names one; None if this is no tag.
    """
    tag, _, modifier = _ENCODING.sub("", _PRIVATE.sub("", text)).partition("@")
    if not _TAG.fullmatch(tag):
        return None
    parts = re.split(r"[-_]", tag)
    for length in range(len(parts), 0, -1):
        found = read("-".join(parts[:length]))
        if found is not None:
            rest = _rest(found[0], parts[length:])
            break
    else:
        return None
    if rest is None:
        return None
    code, script, region = rest
    script = _modified(modifier) or script or found[1]
    return code, script or (likely_script(code, region) if region else "")


def checked_script(script: str) -> str | None:
    """Return an ISO 15924 code in its usual spelling, or None if there is no such script."""
    title = script.title()
    title = _SCRIPT_SPELLINGS.get(title, title)
    return title if title in _known_scripts() else None


def script_word(word: str) -> str:
    """Return the script a word stands for, as "simplified" or "Cyrillic", or ""."""
    return _SCRIPT_WORDS.get(word.casefold(), "")


def likely_script(code: str, region: str = "") -> str:
    """Return the script CLDR expects of a language (in a region, if it knows better there), or ""."""
    from langcodes.data_dicts import LIKELY_SUBTAGS

    tag = registry.tag_of(code)
    likely = (region and LIKELY_SUBTAGS.get(f"{tag}-{region}")) or LIKELY_SUBTAGS.get(tag, "")
    return str(likely).split("-")[1] if likely else ""


def _rest(code: str, parts: list[str]) -> tuple[str, str, str] | None:
    """Return (code, script, region), the code changed only by an extended language."""
    script = region = ""
    for place, part in enumerate(parts):
        if len(part) == 1:  # an extension: what follows is not ours to read
            return (code, script, region) if place + 1 < len(parts) else None
        kind, value = _part(part, code)
        if kind == "":
            return None
        code = value if kind == "language" else code
        script = value if kind == "script" else script
        region = value if kind == "region" else region
    return code, script, region


def _part(part: str, language: str) -> tuple[str, str]:
    """Return what a part of a tag is ("" if it cannot be one) and its value."""
    lower = part.lower()
    if lower in _SCRIPT_WORDS:
        return "script", _SCRIPT_WORDS[lower]
    if lower in _variants() or _GLOTTOCODE.fullmatch(lower):
        return "variant", ""
    if len(part) == 4 and part.isalpha():
        script = checked_script(part)
        return ("", "") if script is None else ("script", script.replace(UNKNOWN_SCRIPT, ""))
    if (len(part) == 2 and part.isalpha()) or (len(part) == 3 and part.isdigit()):
        return "region", part.upper()
    return ("language", lower) if _is_extended(lower, language) else ("", "")


def _is_extended(code: str, language: str) -> bool:
    """Tell whether a code may follow its macrolanguage; sign languages follow their collection."""
    if registry.exact(code) is None:
        return False
    if language == "sgn":
        return "Sign Language" in registry.english_name(code)
    return registry.macrolanguage_of(code) == language


def _modified(modifier: str) -> str:
    """Return the script of a POSIX modifier; `@euro` and `@valencia` name none."""
    return script_word(modifier) or (checked_script(modifier) or "" if len(modifier) == 4 else "")


@cache
def _variants() -> frozenset[str]:
    return frozenset(row["variant"] for row in read_table("variants"))


@cache
def _known_scripts() -> frozenset[str]:
    """CLDR's list, and the scripts of newer versions of Unicode."""
    from langcodes.data_dicts import ALL_SCRIPTS

    return frozenset(ALL_SCRIPTS) | {row["script"] for row in read_table("scripts")}
