"""Identification of languages: a second opinion beside the label a source gives.

    >>> labels, scores = identify(["Das ist ein deutscher Satz.", "12 %"], identifier="langid")
    >>> labels.to_pylist()
    ['deu_Latn', 'zxx_Zyyy']

An identifier answers with labels `xxx_Xxxx`, with `und_Xxxx` (none of its languages) or with `zxx_Xxxx` (no language).
It knows a closed set of languages; the narrow ones name one of theirs for nearly any text, also for a text in none of
them, so their verdict counts only for languages they `know`. No answer is ever in a script the text is not in.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from emma500.errors import LanguageError, SourceError
from emma500.languages.codes import Language, related
from emma500.languages.writing.script_detection import compatible
from emma500.languages.writing.strings import as_strings

IDENTIFIERS = ("emma500", "langid", "heliport", "glotlid")
"""The names `load_identifier` knows."""

FASTTEXT_ENDINGS = (".bin", ".ftz")


class Identifier(Protocol):
    """What names the language of texts; it can be pickled, and its answer depends on the text alone."""

    @property
    def name(self) -> str:
        """Its name, as "langid", or the path it was loaded from."""
        ...

    @property
    def labels(self) -> frozenset[str]:
        """The labels `xxx_Xxxx` it can answer with, without `und_Xxxx` and `zxx_Xxxx`."""
        ...

    def identify(self, texts: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Name the language of each text.

        Args:
            texts: Strings (`string` or `large_string`).

        Returns:
            The label (`string`): `xxx_Xxxx`, `und_Xxxx` for none of its languages, `zxx_Xxxx` for no language; and the
            probability that it is right (`float32`, 0 to 1), which is 0 for `und_Xxxx`: it claims nothing. Both null
            where the text is null.
        """
        ...

    def knows(self, iso639_3: str) -> bool:
        """Tell whether it can answer with this language, its macrolanguage or a member of it."""
        ...

    def fingerprint(self) -> str:
        """Return hexadecimal digits that identify its model and settings."""
        ...


@runtime_checkable
class Restrictable(Protocol):
    """An identifier that can be confined to some of its labels."""

    def restricted(self, labels: frozenset[str]) -> Identifier:
        """Return the identifier that answers with these labels only; scores are probabilities among them."""
        ...


@runtime_checkable
class Parting(Protocol):
    """An identifier that names the language of parts of a text with that of the whole, at little more cost."""

    def identify_parts(self, texts: pa.Array, most: int) -> tuple[pa.Array, pa.Array, pa.Array]:
        """Name the language of each text, and of up to `most` parts of it.

        Args:
            texts: Strings.
            most: In how many parts a text is cut at most.

        Returns:
            What `identify` returns, and the labels of the parts of each text, in their order (`list<string>`; none of
            a text that is too short).
        """
        ...


def identify(
    texts: "pa.Array | pa.ChunkedArray | Iterable[str | None]",
    *,
    identifier: "str | Path | Identifier" = "emma500",
    languages: Sequence[str] | None = None,
) -> tuple[pa.Array, pa.Array]:
    """Name the language of each text.

    Args:
        texts: Strings, or an Arrow array of them.
        identifier: "emma500" (our own), "langid", "heliport", "glotlid", the path of a model, or an identifier.
        languages: The languages that are possible, as codes, names or labels; None for all it knows. A macrolanguage
            stands for its members too, and the other way round.

    Returns:
        The label of each text (`string`): `xxx_Xxxx`, `und_Xxxx` for none of its languages, `zxx_Xxxx` for no
        language; and the probability that it is right (`float32`, 0 to 1; 0 for `und_Xxxx`). Null for null.

    Raises:
        UsageError: If `texts` is one string, or holds something else than strings.
        LanguageError: If a language is unknown, or is none the identifier knows.
        SourceError: If there is no such model.
        MissingExtraError: If the identifier's package is not installed.
    """
    named = load_identifier(identifier) if isinstance(identifier, str | Path) else identifier
    if languages is not None:
        if not isinstance(named, Restrictable):
            raise LanguageError(
                f"the identifier {named.name!r} cannot be confined to languages: leave `languages` out"
            )
        named = named.restricted(asked_labels(named, languages))
    return named.identify(as_strings(texts))


def load_identifier(name: str | Path) -> Identifier:
    """Open an identifier.

    Args:
        name: "emma500" (our own, shipped), "langid", "heliport" (extra `heliport`), "glotlid" or "glotlid@<revision>"
            (from the Hub), the folder or `.safetensors` file of a model of ours, or a fastText model (`.bin`, `.ftz`).

    Returns:
        The identifier; the same one for the same name while its file is unchanged.

    Raises:
        SourceError: If there is no such identifier or model.
        MissingExtraError: If its package is not installed.
        HubError: If a model has to be downloaded and cannot.
    """
    known, _, revision = str(name).partition("@")
    if known in IDENTIFIERS and (not revision or known == "glotlid"):
        return _named(known, revision or None)
    path = Path(name).expanduser()
    if not path.exists():
        raise SourceError(
            f"no identifier {str(name)!r}: it is one of {', '.join(IDENTIFIERS)}, the folder or .safetensors file of a "
            "model, or a fastText model (.bin, .ftz)"
        )
    state = path.stat()
    return _loaded(str(path), state.st_mtime_ns, state.st_size)


def asked_labels(identifier: Identifier, languages: Sequence[str]) -> frozenset[str]:
    """Return the labels of an identifier that stand for languages.

    Args:
        identifier: Whose labels.
        languages: Codes, names or labels; a code without a script asks for every script.

    Returns:
        Its labels of these languages, of their macrolanguages and of their members.

    Raises:
        LanguageError: If none is named, a language is unknown, or none of the labels stands for it.
    """
    if not languages:
        raise LanguageError("languages is empty: name at least one, or pass None for all")
    found: set[str] = set()
    for name in [languages] if isinstance(languages, str) else languages:
        asked = Language.parse(name)
        own = {each for each in identifier.labels if _stands_for(each, asked)}
        if not own:
            raise LanguageError(
                f"the identifier {identifier.name!r} does not know {name!r} ({asked.label}): "
                "leave it out, or take an identifier that does"
            )
        found |= own
    return frozenset(found)


@lru_cache(maxsize=65536)
def knows(codes: frozenset[str], iso639_3: str) -> bool:
    """Tell whether a language, its macrolanguage or a member of it is among ISO 639-3 codes."""
    return iso639_3 in codes or any(related(iso639_3, each) for each in codes)


def _stands_for(label: str, asked: Language) -> bool:
    code, _, script = label.partition("_")
    fits = not asked.script or compatible(asked.script, script) or compatible(script, asked.script)
    return fits and related(code, asked.iso639_3)


@lru_cache(maxsize=len(IDENTIFIERS))
def _named(name: str, revision: str | None) -> Identifier:
    if name == "langid":
        from emma500.languages.identification.langid_identifier import LangidIdentifier

        return LangidIdentifier()
    if name == "heliport":
        from emma500.languages.identification.heliport_identifier import HeliportIdentifier

        return HeliportIdentifier()
    if name == "glotlid":
        from emma500.languages.identification.fasttext_identifier import FastTextIdentifier

        return FastTextIdentifier.from_hub(revision=revision)
    return _own().load()


@lru_cache(maxsize=8)
def _loaded(path: str, changed: int, size: int) -> Identifier:
    """Load a model file; when it changed and its size are part of the key."""
    del changed, size
    if path.endswith(FASTTEXT_ENDINGS):
        from emma500.languages.identification.fasttext_identifier import FastTextIdentifier

        return FastTextIdentifier(path)
    return _own().load(path)


def _own() -> Any:
    from emma500.languages.identification.linear.identifier import LanguageIdentifier

    return LanguageIdentifier
