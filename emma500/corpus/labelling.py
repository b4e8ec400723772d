"""Labels: what a source calls a language -> `xxx_Xxxx`, and whether the caller asked for it.

A code that names its script is believed (the script check comes later). A document whose code names none takes the
script it is written in, if MaLA or CLDR know the language in that script, else the script expected of the language. A
string of a pair is too short for that and takes the expected script.

Chinese is the exception, since codes rarely say which characters they mean, and often say it wrongly: Hans, Hant and
Hani become what the text is written in, where its characters tell (but a string whose code says Hans or Hant keeps it).
Korean has one label, whether its source says Hang or Kore.
"""

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from emma500.errors import LanguageError
from emma500.languages.codes import Language, related
from emma500.languages.labels import mala_compat, matching
from emma500.tables import read_table

PIVOT = "eng"
"""The side of a pair that need not be asked for."""

_MOST_KNOWN = 16384
_HAN = ("Hans", "Hant", "Hani")
_PROGRAMMING = re.compile(r"[^a-z0-9+#.-]+")


@dataclass(frozen=True, slots=True)
class Label:
    """The label of a row and its parts; `is_known` is False where ISO 639 has no such language."""

    label: str
    iso639_3: str
    script: str
    macrolanguage: str
    is_known: bool = True


@lru_cache(maxsize=65536)
def document_label(code: str, written: str, convention: str) -> Label:
    """Return the label of a document, given its code and the script it is written in."""
    language = _parsed(code, convention)
    if language is None:
        return Label(f"und_{written}", "und", written, "", False)
    script = language.script
    if not script:
        expected = language.likely_script
        known = f"{language.iso639_3}_{written}"
        is_plausible = not expected or written == expected or mala_compat(known) in _mala_labels()
        script = written if is_plausible else expected
    return _label(language, _decided(language, script, written))


@lru_cache(maxsize=65536)
def string_label(code: str, written: str, convention: str) -> Label:
    """Return the label of one side of a pair, given its code and the script it is written in."""
    language = _parsed(code, convention)
    if language is None:
        return Label(f"und_{written}", "und", written, "", False)
    script = language.likely_script or written
    is_believed = language.script in _HAN[:2]
    return _label(language, script if is_believed else _decided(language, script, written))


@lru_cache(maxsize=65536)
def label_of(name: str) -> Label:
    """Return an identifier's label, as "yor_Latn", with its parts; "und_Latn" and "zxx_Zyyy" are no languages."""
    code, _, script = name.partition("_")
    if code in {"und", "zxx"}:
        return Label(name, code, script, "", False)
    return _label(Language.parse(code), script)


@lru_cache(maxsize=4096)
def code_label(code: str, written: str, convention: str) -> Label:
    """Return the label of a program: its language's name in lower case, without what a path cannot hold."""
    name = _PROGRAMMING.sub("-", code.strip().lower()).strip("-.")
    return Label(name or "unknown", "", "", "", bool(name))


def label_columns(
    codes: pa.Array,
    written: pa.Array,
    conventions: pa.Array,
    labeller: Callable[[str, str, str], Label],
) -> dict[str, pa.Array]:
    """Label a column of codes.

    Args:
        codes: What the source calls the language; null is no code.
        written: The script each text is written in.
        conventions: Whose codes these are, "" for the standard.
        labeller: `document_label`, `string_label` or `code_label`.

    Returns:
        Columns `label`, `iso639_3`, `script`, `macrolanguage` and `is_known`.
    """
    both = pc.binary_join_element_wise(
        pc.fill_null(codes.cast(pa.string()), ""), pc.fill_null(written, "Zyyy"), conventions, "\t"
    ).dictionary_encode()
    numbers, known = _known(labeller).find(both.dictionary.to_pylist())
    places = pa.array(numbers, pa.int32()).take(both.indices)
    return {name: values.take(places) for name, values in known.items()}


class _Known:
    """The labels one labeller has given, as columns: most of a batch's codes have been seen before."""

    def __init__(self, labeller: Callable[[str, str, str], Label]) -> None:
        self._labeller = labeller
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._labels: list[Label] = []
        self._columns: dict[str, pa.Array] = {}

    def find(self, keys: list[str]) -> tuple[list[int], dict[str, pa.Array]]:
        """Return the place of each key's label in the columns, and the columns."""
        with self._lock:
            new = [key for key in keys if key not in self._numbers]
            if new or not self._columns:
                if len(self._numbers) + len(new) > _MOST_KNOWN:
                    self._numbers, self._labels, new = {}, [], keys
                self._numbers |= {key: len(self._labels) + at for at, key in enumerate(new)}
                self._labels += [self._labeller(*key.rsplit("\t", 2)) for key in new]
                self._columns = _columns(self._labels)
            return [self._numbers[key] for key in keys], self._columns


@lru_cache(maxsize=8)
def _known(labeller: Callable[[str, str, str], Label]) -> _Known:
    return _Known(labeller)


def _columns(labels: list[Label]) -> dict[str, pa.Array]:
    fields: dict[str, Any] = dict.fromkeys(
        ("label", "iso639_3", "script", "macrolanguage"), pa.string()
    )
    fields["is_known"] = pa.bool_()
    return {
        name: pa.array([getattr(each, name) for each in labels], kind)
        for name, kind in fields.items()
    }


class Request:
    """The languages a caller asked for; it can be pickled.

    Args:
        languages: Codes, tags or labels of languages, or names of programming languages; None asks for all. A
            name that is both asks for both.

    Raises:
        LanguageError: If a name that is no programming language's is no language.
    """

    def __init__(self, languages: Sequence[str] | None) -> None:
        self.languages = None if languages is None else tuple(dict.fromkeys(languages))
        self._asked: dict[str, Language | None] = {}
        for name in self.languages or ():
            # "lua" is a programming language and, in ISO 639-3, a language of the Congo: it asks for both.
            self._asked[name] = _parsed(name, "") if _is_programming(name) else Language.parse(name)

    def wants(self, component: str, label: str) -> bool:
        """Tell whether a label is asked for: of a pair, every side but English."""
        if self.languages is None:
            return True
        if component == "bilingual":
            sides = [side for side in label.split("-") if not side.startswith(PIVOT)]
            return bool(sides) and all(self._names("monolingual", side) for side in sides)
        return bool(self._names(component, label))

    def missing(self, present: Sequence[tuple[str, str]]) -> list[str]:
        """Return what was asked for and is in none of these (component, label)."""
        found = {
            name
            for component, label in present
            for side in (label.split("-") if component == "bilingual" else [label])
            for name in self._names("monolingual" if component == "bilingual" else component, side)
        }
        return [name for name in self.languages or () if name not in found]

    def _names(self, component: str, label: str) -> list[str]:
        """Return the names asked for that mean this label."""
        if component == "code":
            return [name for name in self._asked if _is_programming(name) and name.lower() == label]
        return [name for name, asked in self._asked.items() if asked and _means(asked, label)]


def _means(asked: Language, label: str) -> bool:
    if not asked.script:
        return related(asked.iso639_3, label.partition("_")[0])
    return matching(asked.label, [label]) is not None


def _is_programming(name: str) -> bool:
    """Names of programming languages that could not be told from a mistyped code are few: list them."""
    return name.lower() in {
        "bash", "c", "c#", "c++", "css", "go", "haskell", "html", "java", "javascript", "julia", "kotlin", "lua",
        "markdown", "perl", "php", "python", "r", "ruby", "rust", "scala", "shell", "sql", "swift", "typescript",
    }  # fmt: skip


def _parsed(code: str, convention: str) -> Language | None:
    try:
        return Language.parse(code, convention=convention or None)
    except LanguageError:
        return None


def _decided(language: Language, script: str, written: str) -> str:
    """Return the script for a label: the written one of Hans, Hant and Hani, and of Hang and Kore."""
    usual = Language.parse(language.iso639_3).likely_script
    if script in _HAN and usual in (*_HAN, "") and written in _HAN[:2]:
        return written
    return "Kore" if script == "Hang" and usual == "Kore" else script


def _label(language: Language, script: str) -> Label:
    name = f"{language.iso639_3}_{script or 'Zyyy'}"
    return Label(name, language.iso639_3, script or "Zyyy", language.macrolanguage)


@lru_cache(maxsize=1)
def _mala_labels() -> frozenset[str]:
    return frozenset(row["label"] for row in read_table("mala"))
