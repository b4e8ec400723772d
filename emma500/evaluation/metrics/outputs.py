"""What outputs look like, whatever they say: empty, repetitive, or in another language than was asked for.

>>> repetition_rate(["a b c d a b c d a b c d"], order=4).value
0.5555555555555556
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from emma500.errors import UsageError
from emma500.evaluation.metrics.measured import Measured, mean_of
from emma500.evaluation.metrics.rouge import has_words, units

if TYPE_CHECKING:
    from emma500.languages.identification.identifiers import Identifier


def empty_rate(texts: Sequence[str]) -> Measured:
    """Measure the share of outputs that are nothing but white space and dots."""
    return mean_of("empty_rate", [float(not has_words(text)) for text in texts])


def repetition_rate(texts: Sequence[str], *, order: int = 4) -> Measured:
    """Measure the share of n-grams that stood earlier in the same output.

    Args:
        texts: The outputs.
        order: Words (or characters, where words are not spaced) of an n-gram.

    Returns:
        One value an output that has such n-grams; shorter ones are not evaluated.
    """
    values: list[float | None] = []
    for words in units(texts):
        grams = [tuple(words[at : at + order]) for at in range(len(words) - order + 1)]
        values.append(1 - len(set(grams)) / len(grams) if grams else None)
    return mean_of("repetition_rate", values, order=order)


def right_language_rate(
    texts: Sequence[str],
    languages: Sequence[str],
    *,
    identifier: "str | Identifier" = "emma500",
) -> Measured:
    """Measure the share of outputs in the language that was asked for, by an identifier of languages.

    A language and its macrolanguage count as one; the script must agree.

    Args:
        texts: The outputs.
        languages: The language of each, as "yor_Latn".
        identifier: A name, a path or an `Identifier`, as `emma500.identify` takes.

    Returns:
        1 or 0 an output; an empty one, and one in a language that the identifier does not know, is not evaluated.

    Raises:
        UsageError: If there are not as many languages as texts.
    """
    from emma500.languages.codes import Language, related
    from emma500.languages.identification.identifiers import load_identifier
    from emma500.languages.writing.script_detection import compatible

    if len(texts) != len(languages):
        raise UsageError(f"{len(texts):,} texts and {len(languages):,} languages: give one a text")
    loaded = load_identifier(identifier) if isinstance(identifier, str) else identifier
    wanted = {label: Language.parse(label) for label in dict.fromkeys(languages)}
    known = {label: loaded.knows(each.iso639_3) for label, each in wanted.items()}
    labels = _identified(texts, loaded)
    values: list[float | None] = []
    for text, label, found in zip(texts, languages, labels, strict=True):
        if not has_words(text) or not known[label]:
            values.append(None)
            continue
        code, _, script = found.partition("_")
        expected = wanted[label]
        fits = not expected.script or compatible(script, expected.script)
        values.append(float(related(code, expected.iso639_3) and fits))
    return mean_of("right_language_rate", values, identifier=loaded.name)


def _identified(texts: Sequence[str], identifier: "Identifier") -> list[str]:
    import pyarrow as pa

    return list(identifier.identify(pa.array(texts, pa.large_string()))[0].to_pylist())
