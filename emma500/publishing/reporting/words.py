"""What is said of labels in a report: names of scripts, and the words that a search finds a row by."""

from functools import cache

from emma500.errors import LanguageError
from emma500.languages.codes import Language
from emma500.languages.registry import tag_of
from emma500.publishing.summary import sides


@cache
def script_name(script: str) -> str:
    """Return the English name of an ISO 15924 code, by CLDR; "" where it has none."""
    import langcodes

    if len(script) != len("Latn") or not script.isascii() or not script.isalpha():
        return ""
    name = str(langcodes.Language.make(script=script).script_name())
    if script in ("Hans", "Hant"):
        return f"{name} Han"
    return "" if "[" in name else name


def language_of(label: str) -> Language | None:
    """Return the language of a label; None of a pair's, of a programming language's, and of an unknown one."""
    if len(sides(label)) != 1:
        return None
    try:
        return Language.parse(label)
    except LanguageError:
        return None


def language_tag(language: Language) -> str:
    """Return the BCP 47 tag of a language, as "yo-Latn"."""
    tag = tag_of(language.iso639_3)
    return f"{tag}-{language.script}" if language.script else tag


def search_words(label: str, *more: str) -> str:
    """Return what a search finds a label by: the label, names in English and in the language, codes, scripts.

    Args:
        label: A label, or a pair of labels.
        more: What else it is found by.
    """
    words = [label, *more]
    for side in sides(label):
        words.append(script_name(side[-4:]))
        language = language_of(side)
        if language is not None:
            tag = tag_of(language.iso639_3)
            words += [language.name, language.autonym, tag, language.macrolanguage]
    return " ".join(dict.fromkeys(each for each in words if each))
