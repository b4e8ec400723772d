"""Language codes: whatever a source writes -> ISO 639-3 and ISO 15924.

    >>> Language.parse("sr@latin").label
    'srp_Latn'
    >>> Language.parse("zh-TW").script
    'Hant'
    >>> Language.parse("sw").members
    ('swc', 'swh')
    >>> candidates("Sotho")
    ('nso', 'sot')

A code keeps the level its source gave: `sw` is the macrolanguage `swa`, `swh` stays `swh`. A valid
three-letter code is never rewritten. Order: the convention's alias, the general alias, ISO 639-3
and collections, ISO 639-1 and 639-2/B, withdrawn codes, BCP 47 and POSIX parts, names of ISO 639,
names in any language. Nothing is guessed from resemblance: a name of several languages, and a code
that was split into several, is an error that lists them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache, partial

from emma500.errors import LanguageError
from emma500.languages import names, refusals, registry
from emma500.languages.conventions import alias, convention
from emma500.languages.refusals import first_subtag, is_special
from emma500.languages.tags import (
    UNKNOWN_SCRIPT,
    checked_script,
    likely_script,
    parts_of,
    script_word,
)
from emma500.tables import read_table

__all__ = ["UNKNOWN_SCRIPT", "Language", "candidates", "checked_script", "parse", "related"]

_LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """A language, and the script it is written in if the code says so.

    Attributes:
        iso639_3: The code, at the level the source gave; for a collection its ISO 639-2 code.
        script: ISO 15924, or "" if nothing names one.
        macrolanguage: The macrolanguage it belongs to, or "".
        members: The members of a macrolanguage, else empty.
        name: The English reference name of ISO 639.
    """

    iso639_3: str
    script: str
    macrolanguage: str
    members: tuple[str, ...]
    name: str

    @classmethod
    def parse(
        cls, code: str, *, script: str | None = None, convention: str | None = None
    ) -> "Language":
        """Read a code, a tag or a name.

        Args:
            code: As "sw", "swh", "zho_Hans", "zh-TW", "sr@latin", "fre", "Kiswahili", "日本語".
            script: ISO 15924, used where the code names no script.
            convention: Whose codes these are, where they differ from the standard: a row of
                `tables/conventions.tsv`, as "wikipedia".

        Returns:
            The language.

        Raises:
            LanguageError: If the code, the script or the convention is unknown; if it was split or
                names several languages, the message lists them.
        """
        if not isinstance(code, str):
            raise LanguageError(f"a language code is a string, not {code!r}")
        reading = _read(code, convention)
        if reading.refusal:
            raise LanguageError(reading.refusal)
        return _language(
            reading.codes[0], reading.script or (_named_script(script) if script else "")
        )

    @property
    def label(self) -> str:
        """The label `xxx_Xxxx`; the script is Zyyy where none is known."""
        return f"{self.iso639_3}_{self.script or UNKNOWN_SCRIPT}"

    @property
    def likely_script(self) -> str:
        """The script, or else the one CLDR expects for the language, or else ""."""
        return self.script or likely_script(self.iso639_3)

    @property
    def autonym(self) -> str:
        """Its own name for itself, or "" where only its macrolanguage's is known."""
        return _autonyms().get(self.iso639_3) or _cldr_autonym(self.iso639_3)

    @property
    def resource_group(self) -> str:
        """How much text MaLA has of it, as `labels.resource_group`; in its largest script if none is named."""
        from emma500.languages.labels import (
            resource_group,
        )  # which reads its labels with this class

        return resource_group(self.label)


parse = Language.parse


def candidates(code: str, convention: str | None = None) -> tuple[str, ...]:
    """Return every ISO 639-3 code that a code or a name may mean.

    Args:
        code: As for `Language.parse`.
        convention: As for `Language.parse`.

    Returns:
        Sorted: one where it is understood, several where it is ambiguous or was split, none where
        it is unknown or names no language.

    Raises:
        LanguageError: If the convention is unknown.
    """
    return _read(code, convention).codes


def related(one: str, other: str) -> bool:
    """Tell whether two ISO 639-3 codes name one language, or a macrolanguage and its member."""
    if one == other:
        return True
    known = [each for each in (one, other) if registry.exact(each)]
    return len(known) == 2 and (
        registry.macrolanguage_of(one) == other or registry.macrolanguage_of(other) == one
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The codes a string may mean; `refusal` says why it is not to be taken for one."""

    codes: tuple[str, ...]
    script: str = ""
    refusal: str = ""


@lru_cache(maxsize=65536)
def _read(code: str, convention_name: str | None) -> _Reading:
    reads = convention(convention_name).reads if convention_name is not None else ""
    text = code.strip()
    for found in _attempts(text, convention_name, reads):
        if found is None:
            continue
        if not found.codes and not found.refusal:
            break
        if len(found.codes) > 1 and not found.refusal:
            return _Reading(found.codes, found.script, refusals.ambiguous(text, found.codes))
        return found
    return _Reading((), refusal=refusals.unknown(text))


def _attempts(text: str, convention: str | None, reads: str) -> Iterator[_Reading | None]:
    yield _alias(text, convention)
    if reads == "names":
        yield _named(text, convention)
    yield _subtag(text.lower())
    yield _tag(text, convention)
    if reads == "prefix":
        yield _subtag(text[:3]) if registry.exact(text[:3]) else None
    yield _withdrawn(text)
    if not is_special(text) and not (len(text) <= 3 and text.islower()):
        yield _named(text, convention)


def _alias(text: str, convention: str | None) -> _Reading | None:
    found = alias(text, convention)
    return _Reading(tuple(sorted(found.codes)), found.script) if found else None


def _subtag(code: str) -> _Reading | None:
    found = registry.exact(code) or registry.short(code) or _heir(code)
    return _Reading((found,)) if found else None


def _heir(code: str) -> str:
    retired = registry.retired(code)
    return retired.heir if retired else ""


def _tag(text: str, convention: str | None) -> _Reading | None:
    found = parts_of(text, partial(_first, convention=convention))
    return _Reading((found[0],), found[1]) if found else None


def _first(subtag: str, convention: str | None) -> tuple[str, str] | None:
    found = _alias(subtag, convention) or _subtag(subtag.lower())
    return (found.codes[0], found.script) if found and len(found.codes) == 1 else None


def _withdrawn(text: str) -> _Reading | None:
    retired = registry.retired(first_subtag(text))
    if retired is None:
        return None
    return _Reading(retired.split_into, "", refusals.withdrawn(text, retired))


def _named(text: str, convention: str | None) -> _Reading | None:
    """Read a name, also with a script or a country: `Serbian (Latin)`, `serbian_latin`, `Chinese (Taiwan)`."""
    if len(text) > _LONGEST_NAME:
        return None
    return _plainly_named(text, convention) or _qualified(text, convention)


def _plainly_named(text: str, convention: str | None) -> _Reading | None:
    found = names.find(text)
    if found.codes:
        return _Reading(found.codes)
    # Wiktionary has names of two and three letters in any language: too short to be one.
    if not found.tag or (len(text) <= 3 and text.isascii()):
        return None
    return _tag(found.tag, None)


def _qualified(text: str, convention: str | None) -> _Reading | None:
    bracketed = re.fullmatch(r"(.*\w)[\s_]*\(([^()]+)\)", text)
    match = bracketed or re.fullmatch(r"(.*\w)[\s_]+(\w+)", text)
    if not match:
        return None
    language = _alias(match[1], convention) or _plainly_named(match[1], convention)
    if language is None:
        return None
    what = match[2].strip()
    if bracketed:
        script = _script_called(what)
        region = "" if script else names.territory(what)
        if region and len(language.codes) == 1:
            script = language.script or likely_script(language.codes[0], region)
        return _Reading(language.codes, script) if script or region else None
    # "Chadian Arabic" is no language written in Arabic script; "serbian_latin" is Serbian in Latin.
    script = script_word(what)
    return _Reading(language.codes, script) if script and script != "Arab" else None


def _script_called(what: str) -> str:
    word = re.sub(r"[\s_](script|alphabet)$", "", what, flags=re.IGNORECASE)
    code = checked_script(word) if len(word) == 4 else None
    return script_word(word) or code or names.script(word)


def _named_script(script: str) -> str:
    found = checked_script(script)
    if found is None:
        raise LanguageError(
            f"unknown script {script!r}: a script is an ISO 15924 code, as Latn or Cyrl"
        )
    return "" if found == UNKNOWN_SCRIPT else found


@lru_cache(maxsize=65536)
def _language(code: str, script: str) -> Language:
    return Language(
        iso639_3=code,
        script=script,
        macrolanguage=registry.macrolanguage_of(code),
        members=registry.members_of(code),
        name=registry.english_name(code),
    )


@cache
def _autonyms() -> dict[str, str]:
    return {row["iso639_3"]: row["autonym"] for row in read_table("autonyms")}


@cache
def _cldr_autonym(code: str) -> str:
    import langcodes
    from language_data.name_data import LANGUAGES_WITH_NAME_DATA

    tag = registry.tag_of(code)
    # For a language CLDR has no names in, langcodes answers with its macrolanguage's.
    if tag not in LANGUAGES_WITH_NAME_DATA:
        return ""
    language = langcodes.Language.make(language=tag)
    own, english = language.autonym(), language.display_name()
    # It answers "Unknown language [xyz]", or the English name, where CLDR has nothing.
    return "" if "[" in own or (own == english and len(tag) == 3) else str(own)
