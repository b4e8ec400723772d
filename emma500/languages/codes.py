"""Language codes: whatever a source writes -> ISO 639-3 and ISO 15924.

    >>> Language.parse("sr@latin").label
    'srp_Latn'
    >>> Language.parse("zh-TW").script
    'Hant'
    >>> Language.parse("sw").members
    ('swc', 'swh')

A code keeps the level its source gave: `sw` is the macrolanguage `swa`, `swh` stays `swh`. A valid
three-letter code is never rewritten. Order: the convention's alias, the general alias, ISO 639-3
and collections, ISO 639-1 and 639-2/B, retired codes, BCP 47 and POSIX parts, English names of ISO
639, names in any language. Nothing is guessed from resemblance.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache

from emma500.errors import LanguageError
from emma500.languages import registry
from emma500.tables import read_table

UNKNOWN_SCRIPT = "Zyyy"

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_@.][A-Za-z0-9]{1,8})*")
_SCRIPT_SPELLINGS = {"Japn": "Jpan", "Qaag": "Mymr", "Qaai": "Zinh"}  # MaLA, Zawgyi, old Inherited
_MODIFIERS = {
    "latin": "Latn",
    "cyrillic": "Cyrl",
    "arabic": "Arab",
    "devanagari": "Deva",
    "iqtelif": "Latn",
    "rom": "Latn",
}
_ENCODINGS = {"utf8", "utf"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """A language, and the script it is written in if the code says so.

    Attributes:
        iso639_3: The code, at the level the source gave; for a collection its ISO 639-2 code.
        script: ISO 15924, or "" if nothing names one.
        macrolanguage: The macrolanguage it belongs to, or "".
        members: The members of a macrolanguage, else empty.
        name: The English reference name of ISO 639.
        autonym: Its own name for itself as CLDR has it, or "".
    """

    iso639_3: str
    script: str
    macrolanguage: str
    members: tuple[str, ...]
    name: str
    autonym: str

    @classmethod
    def parse(
        cls, code: str, *, script: str | None = None, convention: str | None = None
    ) -> "Language":
        """Read a code, a tag or a name.

        Args:
            code: As "sw", "swh", "zho_Hans", "zh-TW", "sr@latin", "fre", "Kiswahili", "日本語".
            script: ISO 15924, used where the code names no script.
            convention: Whose codes these are, where they differ from the standard: "wikipedia" or
                "mala".

        Returns:
            The language.

        Raises:
            LanguageError: If the code, the script or the convention is unknown; a code that was
                split names its heirs.
        """
        if convention is not None and convention not in _conventions():
            raise LanguageError(
                f"unknown convention {convention!r}; known: {', '.join(sorted(_conventions()))}"
            )
        found = _resolve(code, convention)
        if isinstance(found, str):
            raise LanguageError(found)
        return _language(found[0], found[1] or (_checked_script(script) if script else ""))

    @property
    def label(self) -> str:
        """The label `xxx_Xxxx`; the script is Zyyy where none is known."""
        return f"{self.iso639_3}_{self.script or UNKNOWN_SCRIPT}"

    @property
    def likely_script(self) -> str:
        """The script, or else the one CLDR expects for the language, or else ""."""
        return self.script or _likely_script(self.iso639_3, "")


def related(one: str, other: str) -> bool:
    """Tell whether two ISO 639-3 codes name one language, or a macrolanguage and its member."""
    if one == other:
        return True
    known = [each for each in (one, other) if registry.exact(each)]
    return len(known) == 2 and (
        registry.macrolanguage_of(one) == other or registry.macrolanguage_of(other) == one
    )


def checked_script(script: str) -> str | None:
    """Return an ISO 15924 code in its usual spelling, or None if there is no such script."""
    title = script.title()
    title = _SCRIPT_SPELLINGS.get(title, title)
    return title if title in _known_scripts() else None


def _checked_script(script: str) -> str:
    found = checked_script(script)
    if found is None:
        raise LanguageError(
            f"unknown script {script!r}: a script is an ISO 15924 code, as Latn or Cyrl"
        )
    return "" if found == UNKNOWN_SCRIPT else found


@cache
def _known_scripts() -> frozenset[str]:
    """CLDR's list, and the scripts of newer versions of Unicode."""
    from langcodes.data_dicts import ALL_SCRIPTS

    return frozenset(ALL_SCRIPTS) | {row["script"] for row in read_table("scripts")}


@lru_cache(maxsize=65536)
def _language(code: str, script: str) -> Language:
    return Language(
        iso639_3=code,
        script=script,
        macrolanguage=registry.macrolanguage_of(code),
        members=registry.members_of(code),
        name=registry.english_name(code),
        autonym=_autonym(code),
    )


def _autonym(code: str) -> str:
    import langcodes

    tag = registry.tag_of(code)
    language = langcodes.Language.make(language=tag)
    own, english = language.autonym(), language.display_name()
    # langcodes answers "Unknown language [xyz]", or the English name, where CLDR has nothing.
    return "" if "[" in own or (own == english and len(tag) == 3) else own


@lru_cache(maxsize=65536)
def _resolve(code: str, convention: str | None) -> tuple[str, str] | str:
    """Return (code, script), or why there is none."""
    text = code.strip()
    for found in _attempts(text, convention):
        if found is not None:
            return found
    return _refusal(text)


def _attempts(text: str, convention: str | None) -> Iterator[tuple[str, str] | None]:
    yield _alias(text, convention)
    yield _subtag(text.lower())
    yield _tag(text)
    if not _is_special(text):
        yield _named(text)


def _first_subtag(text: str) -> str:
    return re.split(r"[-_@.]", text.lower())[0]


def _is_special(text: str) -> bool:
    return not text or _first_subtag(text) in registry.SPECIAL


def _subtag(code: str) -> tuple[str, str] | None:
    found = registry.exact(code) or registry.short(code) or registry.retired(code)[0]
    return (found, "") if found else None


def _alias(text: str, convention: str | None) -> tuple[str, str] | None:
    key = text.casefold().replace("_", "-")
    aliases = _aliases()
    return aliases.get((convention or "any", key)) or aliases.get(("any", key))


def _tag(text: str) -> tuple[str, str] | None:
    """Read `language-extlang-Script-REGION-variant`, `language_REGION.encoding@modifier` and what lies between."""
    if not _TAG.fullmatch(text):
        return None
    first, *rest = re.split(r"[-_@.]", text)
    found = _alias(first, None) or _subtag(first.lower())
    if found is None or not rest:
        return None
    code, script, region = found[0], found[1], ""
    for part in rest:
        kind, value = _part(part, code)
        if kind == "":
            return None
        code = value if kind == "language" else code
        script = value if kind == "script" else script
        region = value if kind == "region" else region
    return code, script or (_likely_script(code, region) if region else "")


def _part(part: str, language: str) -> tuple[str, str]:
    """Return what a part of a tag is ("" if it cannot be one) and its value."""
    lower = part.lower()
    if lower in _MODIFIERS:
        return "script", _MODIFIERS[lower]
    if len(part) == 4 and part.isalpha():
        script = checked_script(part)
        if script is not None:
            return "script", "" if script == UNKNOWN_SCRIPT else script
        return ("variant", "") if lower in _ENCODINGS else ("", "")
    if (len(part) == 2 and part.isalpha()) or (len(part) == 3 and part.isdigit()):
        return "region", part.upper()
    if len(part) == 3 and part.isalpha():
        is_extlang = (
            registry.exact(lower) is not None and registry.macrolanguage_of(lower) == language
        )
        return ("language", lower) if is_extlang else ("", "")
    return ("variant", "") if len(part) >= 4 else ("", "")


def _likely_script(code: str, region: str) -> str:
    from langcodes.data_dicts import LIKELY_SUBTAGS

    tag = registry.tag_of(code)
    likely = (region and LIKELY_SUBTAGS.get(f"{tag}-{region}")) or LIKELY_SUBTAGS.get(tag, "")
    return str(likely).split("-")[1] if likely else ""


def _named(text: str) -> tuple[str, str] | None:
    """Read an English name as ISO 639 has it, or a name in any language as CLDR has it."""
    found = registry.named(text)
    if found is not None:
        return found, ""
    import langcodes

    try:
        language = langcodes.find(text)
    except LookupError:
        return None
    code = _subtag(language.language or "")
    return code and (code[0], language.script or "")


@cache
def _aliases() -> dict[tuple[str, str], tuple[str, str]]:
    rows = read_table("language_aliases")
    return {(row["convention"], row["code"]): (row["iso639_3"], row["script"]) for row in rows}


@cache
def _conventions() -> frozenset[str]:
    return frozenset(convention for convention, _ in _aliases())


def _refusal(text: str) -> str:
    remedy = registry.retired(_first_subtag(text))[1]
    if remedy:
        return f"{text!r} was withdrawn from ISO 639: {remedy.rstrip('.')}; use one of these"
    if text and _is_special(text):
        return f"{text!r} names no language in ISO 639: give the code of the language itself"
    close = (
        get_close_matches(text.casefold(), sorted(registry.names()), n=3, cutoff=0.8)
        if len(text) > 3
        else []
    )
    hint = (
        "; near names: " + ", ".join(f"{name} ({registry.named(name)})" for name in close)
        if close
        else ""
    )
    return f"unknown language {text!r}: give an ISO 639 code, a BCP 47 tag, a label as yor_Latn, or a full name{hint}"
