"""Which labels of a corpus take part: languages under any code, components, replay."""

from collections.abc import Sequence

from emma500.errors import ConfigError, LanguageError
from emma500.folder import Corpus, nearest
from emma500.languages.codes import Language
from emma500.languages.labels import matching
from emma500.mixture.tokenizing.documents import Chosen
from emma500.records import COMPONENTS


def select(
    corpus: Corpus,
    *,
    languages: Sequence[str] = (),
    components: Sequence[str] = ("monolingual", "bilingual"),
    replay_languages: Sequence[str] = (),
) -> list[Chosen]:
    """Choose the labels to train on.

    Args:
        corpus: The corpus.
        languages: Labels or codes; a pair takes part if one of its sides does. Empty for every language of the corpus.
        components: Of `records.COMPONENTS`; all code takes part, whatever the languages.
        replay_languages: Labels or codes whose monolingual text is replayed; they are not trained on otherwise.

    Returns:
        What takes part, in the order of component and label.

    Raises:
        LanguageError: If the corpus lacks a language, or nothing is left; the message lists the nearest labels.
    """
    sides = sides_of(corpus, components)
    replay = {resolve(each, corpus.labels, corpus.name) for each in replay_languages}
    wanted = {resolve(each, sides, corpus.name) for each in languages} or set(sides) - replay
    wanted -= replay
    chosen = [
        Chosen(component="monolingual", label=each, language=each, replay=True)
        for each in sorted(replay)
    ]
    for component in components:
        for label in corpus.labels_of(component):
            language = label if component == "code" else _side_of(label, wanted)
            if language:
                chosen.append(Chosen(component=component, label=label, language=language))
    if all(each.replay for each in chosen):
        raise LanguageError(
            f"{corpus.name} has no {' or '.join(components)} text to train on beside the replay languages "
            f"({', '.join(sorted(replay)) or 'none'}); it has: {', '.join(sides[:8]) or 'nothing'}"
        )
    return chosen


def resolve(code: str, known: Sequence[str], corpus: str) -> str:
    """Return the label of a corpus that a code means.

    Args:
        code: A label, or any code of the language; without a script it means the only or the largest script there is.
        known: The labels there are.
        corpus: The corpus's name, for the message.

    Returns:
        One of the known labels.

    Raises:
        LanguageError: If there is none; a macrolanguage or a member that is there is named, not taken.
    """
    if code in known:
        return code
    label = Language.parse(code).label
    found = matching(label, known)
    if found and found[1] != "macro":
        return found[0]
    if found:
        raise LanguageError(
            f"{corpus} has no text in {code!r}, but in {found[0]!r}, its macrolanguage or a member of it: "
            "ask for that if it will do"
        )
    raise LanguageError(
        f"{corpus} has no text in {code!r}; nearest: {nearest(label, known) or 'none'}"
    )


def check_sources(corpus: Corpus, names: Sequence[str]) -> None:
    """Make sure that the corpus has sources of these names; a misspelt one would choose or exclude nothing.

    Args:
        corpus: The corpus.
        names: Names of sources.

    Raises:
        ConfigError: If there is no such source; the message names the nearest, and those there are.
    """
    known = sorted({row["name"] for row in corpus.manifest["sources"]}) if names else []
    for name in names:
        if name not in known:
            raise ConfigError(
                f"{corpus.name} has no source {name!r}; nearest: {nearest(name, known) or 'none'}; it has: "
                f"{', '.join(known) or 'none'}"
            )


def check_components(corpus: Corpus, components: Sequence[str]) -> None:
    """Make sure that the corpus has text of every component that was asked for by name.

    Args:
        corpus: The corpus.
        components: Of `records.COMPONENTS`.

    Raises:
        ConfigError: If a component is empty; the message names those that are not.
    """
    there = [each for each in COMPONENTS if corpus.labels_of(each)]
    for component in components:
        if component not in there:
            raise ConfigError(
                f"{corpus.name} has no {component} text to train on; it has: {', '.join(there) or 'nothing'}: leave "
                f"{component} out of components"
            )


def sides_of(corpus: Corpus, components: Sequence[str]) -> list[str]:
    """Return the languages of some components, code apart, sorted; a pair counts for both of its sides."""
    labels = {
        side
        for each in components
        if each != "code"
        for label in corpus.labels_of(each)
        for side in label.split("-")
    }
    return sorted(labels)


def _side_of(label: str, wanted: set[str]) -> str:
    """Return the wanted side of a label, the target side of a pair first; "" if none is wanted."""
    return next((side for side in reversed(label.split("-")) if side in wanted), "")
