"""Names of languages -> codes.

ISO 639's own names come first: reference names, then names without what stands in brackets, then
both without accents, then families of names (`Quichua` of `Quichua, Tena Lowland`). A name that
several languages have names none of them, unless they are the members of one macrolanguage. Names
in other languages are those of CLDR and Wiktionary as the package `language_data` has them, whole:
its own search also takes a prefix for a name.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from emma500.languages import registry

_BRACKETS = re.compile(r" *\([^()]*\)")
_TAG = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|\d{3}))?")
_UNIFORM = str.maketrans("\u2018\u2019\u02bc`_-,", "''''   ")


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for: the codes of ISO 639, or a tag of CLDR; neither if nobody has it."""

    codes: tuple[str, ...] = ()
    tag: str = ""


def find(name: str) -> Found:
    """Look a name up; the case, hyphens and underscores don't matter.

    Args:
        name: As "Swahili", "Aymara, Central", "K'iche'", "serbo_croatian", "français", "日本語".

    Returns:
        One code or one tag, or the codes of all languages that have this name.
    """
    key = _key(name)
    for index in _indexes():
        codes = index.get(key) or index.get(_plain(key), ())
        if codes:
            return Found(codes)
    tag = _cldr(name)
    if tag:
        return Found(tag=tag)
    short = re.sub(r" languages?$", "", key)
    return find(short) if short != key else Found()


def script(name: str) -> str:
    """Return the ISO 15924 code of an English name of a script, or ""."""
    found = _looked_up("trie/en/name_to_script.marisa", name)
    return found if re.fullmatch(r"[A-Z][a-z]{3}", found) else ""


def territory(name: str) -> str:
    """Return the ISO 3166 or UN code of an English name of a territory, or ""."""
    found = _looked_up("trie/en/name_to_territory.marisa", name)
    return found if re.fullmatch(r"[A-Z]{2}|\d{3}", found) else ""


@cache
def all_names() -> Mapping[str, tuple[str, ...]]:
    """Return every name of ISO 639 as it is looked up, with its codes."""
    reference, plain, folded, families = _indexes()
    return {**families, **folded, **plain, **reference}


def _key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).translate(_UNIFORM).casefold().split())


def _plain(key: str) -> str:
    """Drop accents; what is left of a name in another script is that name."""
    letters = unicodedata.normalize("NFD", key)
    return "".join(each for each in letters if unicodedata.category(each) != "Mn")


@cache
def _indexes() -> tuple[dict[str, tuple[str, ...]], ...]:
    """Return four indexes in their order of precedence."""
    reference: dict[str, set[str]] = defaultdict(set)
    other: dict[str, set[str]] = defaultdict(set)
    bare: dict[str, set[str]] = defaultdict(set)
    family: dict[str, set[str]] = defaultdict(set)
    for code, entry in registry.entries().items():
        reference[_key(entry.name)].add(code)
        for name in entry.other_names():
            other[_key(name)].add(code)
        for name in (entry.name, *entry.other_names()):
            outside = _BRACKETS.sub("", name).removesuffix(" languages").strip()
            bare[_key(outside)].add(code)
            head, comma, _ = outside.partition(", ")
            if comma:
                family[_key(head)].add(code)
    # The reference name of one is no other's, whatever else that is called.
    exact = {key: _chosen(codes) for key, codes in (other | reference).items()}
    whole = {key: _chosen(codes) for key, codes in bare.items()}
    folded = {
        plain: codes for key, codes in (whole | exact).items() if (plain := _plain(key)) != key
    }
    # A name that is the head of one other only is no family: `Barasana` is not Barasana-Eduria.
    heads = {key: _chosen(codes) for key, codes in family.items() if len(codes) > 1}
    return exact, whole, folded, heads


def _chosen(codes: Iterable[str]) -> tuple[str, ...]:
    """Reduce the codes that share a name: a macrolanguage stands for its members, a language before its family."""
    found = sorted(codes)
    if len(found) == 1:
        return tuple(found)
    found = [each for each in found if registry.is_language(each)] or found
    families = {registry.macrolanguage_of(each) or each for each in found}
    return tuple(sorted(families)) if len(families) == 1 else tuple(found)


def _cldr(name: str) -> str:
    found = _looked_up("trie/und/name_to_language.marisa", name)
    # Wiktionary has codes of its own, as qwe-kch.
    return found if _TAG.fullmatch(found) else ""


def _looked_up(file: str, name: str) -> str:
    from language_data.names import get_trie_value, normalize_name

    # The trie fails on an empty key, on lone surrogates and on NUL.
    key = normalize_name(name.replace("_", " "))
    if not key or any(unicodedata.category(each) in ("Cc", "Cs") for each in key):
        return ""
    trie = _trie(file)
    return str(get_trie_value(trie, key)) if key in trie else ""


@cache
def _trie(file: str) -> Any:
    from language_data.names import load_trie
    from language_data.util import data_filename

    return load_trie(data_filename(file))
