"""How data sets name languages: a pattern with fields, written and read.

    wikipedia   20231101.{code}     20231101.als is gsw by Wikipedia's convention
    fineweb2    {label}             yor_Latn
    glotcc      {iso639_3}-{script} yor-Latn
    nllb        {first_label}-{second_label}   of a pair, in alphabetical order

`{code}` is the code as the convention spells it: its own alias if it has one, else two letters
where ISO 639-1 has them, else three. `{name}` is the English name in lower case. `_2` marks the
second language of a pair, `first_` and `second_` the two in alphabetical order. A field that is no
language's (`{corpus}`) is filled with what is given for it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from string import Formatter

from emma500.errors import LanguageError, SourceError
from emma500.languages import registry
from emma500.languages.codes import Language, checked_script
from emma500.languages.labels import inventory, matching
from emma500.tables import read_table

FIELDS = ("label", "iso639_3", "script", "code", "name")
"""What a pattern may say of a language."""

_FORMS = {
    "label": r"[a-z]{3}_[A-Z][a-z]{3}",
    "iso639_3": r"[a-z]{3}",
    "script": r"[A-Z][a-z]{3}",
    "code": r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]+)*",
    "name": r"[a-z][a-z_]*",
}


def fields_of(pattern: str) -> tuple[str, ...]:
    """Return the fields of a pattern, in their order, each once."""
    names = (name for _, name, _, _ in Formatter().parse(pattern) if name is not None)
    return tuple(dict.fromkeys(names))


def is_pair(pattern: str) -> bool:
    """Tell whether a pattern asks for two languages."""
    return any(_split(field)[0] in ("second", "2") for field in fields_of(pattern))


def write(
    pattern: str,
    language: Language,
    other: Language | None = None,
    *,
    convention: str = "",
    names: Mapping[str, str] | None = None,
) -> str:
    """Write a pattern for a language.

    Args:
        pattern: As "20231101.{code}".
        language: The language; of a pair, the source.
        other: Of a pair, the target.
        convention: Whose codes the data set uses, or "" for the standard.
        names: What fields that are no language's stand for.

    Returns:
        The name of a configuration, or the pattern of its files.

    Raises:
        SourceError: If the pattern asks for a second language, a script or a name that is not given,
            or the convention has no code for a language.
        LanguageError: If the convention is unknown.
    """
    values = dict(names or {})
    for field in fields_of(pattern):
        if field in values:
            continue
        place, what = _split(field)
        if what not in FIELDS:
            raise SourceError(f"{pattern!r} needs a value for {{{field}}}: give {field}=…")
        if place and other is None:
            raise SourceError(
                f"{pattern!r} names a pair of languages: give the other one too, "
                f"not {language.iso639_3!r} alone"
            )
        said = [_said(each, what, convention) for each in (language, other) if each is not None]
        values[field] = _chosen(said, place)
    return pattern.format(**values)


def read(pattern: str, config: str, *, convention: str = "") -> Language | None:
    """Read the language out of a configuration's name.

    Args:
        pattern: As "20231101.{code}", with one language.
        config: As "20231101.als".
        convention: Whose codes the data set uses, or "" for the standard.

    Returns:
        The language; None if the name does not follow the pattern or its code is unknown.

    Raises:
        LanguageError: If the convention is unknown.
    """
    found = _expression(pattern).fullmatch(config)
    if found is None:
        return None
    _check(convention)
    given = found.groupdict()
    code = given.get("label") or given.get("code") or given.get("iso639_3") or given.get("name", "")
    try:
        return Language.parse(
            code.replace("_", " ") if "name" in given else code,
            script=given.get("script"),
            convention=convention or None,
        )
    except LanguageError:
        return None


def find(
    pattern: str, language: Language, available: Iterable[str], *, convention: str = ""
) -> str | None:
    """Find a language among the configurations there are.

    Args:
        pattern: As "20231101.{code}", with one language.
        language: The language.
        available: The names of the configurations.
        convention: Whose codes the data set uses, or "" for the standard.

    Returns:
        The configuration of the language, else of the same language in a script that counts as the
        same, else of its macrolanguage or a member (`labels.matching`); None if there is none.
    """
    names = sorted(available)
    by_label: dict[str, str] = {}
    for name in names:
        found = read(pattern, name, convention=convention)
        if found is not None:
            by_label.setdefault(label_of(found), name)
    own = _written(pattern, language, convention)
    if own in names:
        return own
    match = matching(label_of(language), by_label)
    return by_label[match[0]] if match else None


def label_of(language: Language) -> str:
    """Return the label of a language, in its likely script where its code names none."""
    script = _script(language)
    return f"{language.iso639_3}_{script}" if script else language.label


def _script(language: Language) -> str:
    """Return the script, or the one CLDR expects, or the one MaLA has most of the language in."""
    return language.likely_script or _mala_scripts().get(language.iso639_3, "")


@cache
def _mala_scripts() -> dict[str, str]:
    entries = sorted(inventory(), key=lambda each: (each.n_words, each.label))
    return {each.iso639_3: checked_script(each.script) or "" for each in entries}


def _written(pattern: str, language: Language, convention: str) -> str:
    """Write a pattern, or return "" where the language has no code in the convention."""
    try:
        return write(pattern, language, convention=convention)
    except SourceError:
        return ""


def _split(field: str) -> tuple[str, str]:
    """Return which language a field is of ("", "2", "first", "second") and what it says of it."""
    if field.endswith("_2"):
        return "2", field.removesuffix("_2")
    place, _, rest = field.partition("_")
    return (place, rest) if place in ("first", "second") else ("", field)


def _chosen(said: list[str], place: str) -> str:
    """Return what is said of the language in this place of a pair."""
    if place in ("first", "second"):
        return sorted(said)[place == "second"]
    return said[place == "2"]


def _said(language: Language, what: str, convention: str) -> str:
    if what == "code":
        return _code(language, convention)
    if what == "iso639_3":
        return language.iso639_3
    if what == "name":
        plain = re.sub(r"\s*\(.*?\)", "", language.name)
        return "_".join(re.findall(r"[a-z]+", plain.casefold()))
    script = _script(language)
    if not script:
        raise SourceError(
            f"the script of {language.iso639_3!r} is not known: give a label, as "
            f"'{language.iso639_3}_Latn'"
        )
    return script if what == "script" else f"{language.iso639_3}_{script}"


def _code(language: Language, convention: str) -> str:
    """Return the first spelling that the convention reads back as this language."""
    _check(convention)
    wanted = label_of(language)
    for code in _spellings(language, convention):
        try:
            found = Language.parse(code, convention=convention or None)
        except LanguageError:
            continue
        if label_of(found) == wanted:
            return code
    raise SourceError(
        f"{language.label!r} has no code of its own in the convention {convention or 'standard'!r}: "
        f"its codes there mean other languages"
    )


def _check(convention: str) -> None:
    """Let an unknown convention be told from an unknown code."""
    Language.parse("eng", convention=convention or None)


def _spellings(language: Language, convention: str) -> Iterator[str]:
    script = language.script
    # Of several aliases the shortest: `no` before a longer name.
    yield from sorted(
        _aliases(convention).get(language.iso639_3, ()), key=lambda each: (len(each), each)
    )
    tag = registry.tag_of(language.iso639_3)
    for code in dict.fromkeys((tag, language.iso639_3)):
        yield code
        if script:
            yield f"{code}-{script}"
            yield f"{code}_{script}"


@cache
def _aliases(convention: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for row in read_table("language_aliases"):
        if row["convention"] == convention:
            found.setdefault(row["iso639_3"], []).append(row["code"])
    return {code: tuple(spellings) for code, spellings in found.items()}


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = [
        re.escape(text) + (f"(?P<{field}>{_FORMS[field]})" if field in _FORMS else "")
        for text, field, _, _ in Formatter().parse(pattern)
    ]
    return re.compile("".join(parts))
