"""How translation models name languages: by a token of their vocabulary."""

import re
from collections.abc import Collection

from emma500.languages.codes import Language
from emma500.languages.labels import matching
from emma500.languages.registry import macrolanguage_of, tag_of

_LABEL = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
_FORMS = ("__{}__", "<2{}>", ">>{}<<")
"""M2M-100 as `__sw__`, MADLAD-400 as `<2sw>`, OPUS-MT as `>>swh<<`."""


def language_token(label: str, vocabulary: Collection[str]) -> str:
    """Return the token that names a language, or "" where there is none.

    Args:
        label: The language, as "swh_Latn".
        vocabulary: The tokens that a tokenizer has.

    Returns:
        The token; a macrolanguage and its member in one script stand for each other, as NLLB's `swh_Latn` for swa_Latn.

    >>> language_token("swh_Latn", ["__fi__", "__sw__"])
    '__sw__'
    >>> language_token("swa_Latn", ["fin_Latn", "swh_Latn"])
    'swh_Latn'
    """
    found = matching(label, [each for each in vocabulary if _LABEL.fullmatch(each)])
    if found:
        return found[0]
    return next((each for each in _spellings(label) if each in vocabulary), "")


def is_written_first(token: str) -> bool:
    """Tell whether a language's token is written before the text, not generated before the translation."""
    return token[0] in "<>"


def source_code(token: str) -> str:
    """Return what the tokenizer takes as `src_lang`: its token, but M2M-100's wants sw for `__sw__`."""
    return token.removeprefix("__").removesuffix("__")


def _spellings(label: str) -> list[str]:
    code = Language.parse(label).iso639_3
    codes = dict.fromkeys([tag_of(code), code, tag_of(macrolanguage_of(code) or code)])
    return [form.format(each) for form in _FORMS for each in codes]
