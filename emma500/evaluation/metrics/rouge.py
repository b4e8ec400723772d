"""ROUGE-L in units that each script has: words, and characters where words are not spaced.

`rouge-score` keeps ASCII letters only, so that identical Chinese, Arabic or Hindi texts score 0; `rouge` splits at
white space, so that a Thai or Chinese sentence is one word. Here the words are those of
`languages.writing.segmentation`, which takes each character of Han, Kana, Thai, Lao, Khmer and Burmese for a word, and
each syllable of Tibetan.

    >>> rouge_l(["the cat sat"], ["the cat sat down"]).value
    0.8571428571428571
    >>> rouge_l(["天気がいい"], ["天気が悪い"]).value
    0.8
"""

import unicodedata
from collections.abc import Sequence
from typing import Literal

from emma500.errors import UsageError
from emma500.evaluation.metrics.measured import Measured, mean_of

Mode = Literal["fixed", "paper"]


def rouge_l(
    predictions: Sequence[str],
    references: Sequence[str] | Sequence[Sequence[str]],
    *,
    mode: Mode = "fixed",
) -> Measured:
    """Measure the F1 of the longest common subsequence of units, 0 to 1.

    Args:
        predictions: The outputs.
        references: One an item, or several, of which the best counts.
        mode: "fixed": Unicode words in composed form without case, and empty outputs score 0. "paper": the package
            `rouge` 1.0.1, words between spaces in sentences between full stops; outputs that are empty or all dots are
            left out, as the paper did.

    Returns:
        One value an item.

    Raises:
        UsageError: If there are not as many references as predictions.
    """
    if len(predictions) != len(references):
        raise UsageError(
            f"{len(predictions):,} predictions and {len(references):,} references: give one an item"
        )
    several = [[each] if isinstance(each, str) else list(each) for each in references]
    if mode == "paper":
        values = [
            max((_paper(output, each) for each in wanted), default=None) if has_words(output) else None
            for output, wanted in zip(predictions, several, strict=True)
        ]  # fmt: skip
        return mean_of("rouge_l", values, mode=mode)
    cut = units([*predictions, *(each for wanted in several for each in wanted)])
    rest = iter(cut[len(predictions) :])
    return mean_of(
        "rouge_l",
        [
            max((_f1(output, next(rest)) for _ in wanted), default=None)
            for output, wanted in zip(cut[: len(predictions)], several, strict=True)
        ],
        mode=mode,
    )


def units(texts: Sequence[str]) -> list[list[str]]:
    """Cut texts into words, or characters of scripts that put no spaces between words; composed, without case."""
    from emma500.languages.writing.segmentation import words

    folded = [unicodedata.normalize("NFC", text).casefold() for text in texts]
    return list(words(folded, "Zyyy", dictionaries=False).to_pylist())


def has_words(text: str) -> bool:
    """Tell whether an output is more than white space and dots."""
    return bool(text.strip().strip(".").strip())


def common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, by Hyyrö's bit vectors: a word of bits a step.

    >>> common_length("abcde", "xbdye")
    3
    """
    places: dict[str, int] = {}
    for at, unit in enumerate(one):
        places[unit] = places.get(unit, 0) | 1 << at
    full = (1 << len(one)) - 1
    row = full
    for unit in other:
        found = row & places.get(unit, 0)
        row = ((row + found) | (row - found)) & full
    return len(one) - row.bit_count()


def _f1(output: Sequence[str], reference: Sequence[str]) -> float:
    if not output or not reference:
        return 0.0
    common = common_length(output, reference)
    return 2 * common / (len(output) + len(reference))


def _paper(output: str, reference: str) -> float:
    """Return ROUGE-L of summaries as `rouge` 1.0.1: common subsequences of sentences, united as sets of words."""
    sentences = [_paper_sentences(text) for text in (output, reference)]
    if not all(sentences):
        return 0.0
    n_output, n_reference = (len(set().union(*part)) for part in sentences)
    common: set[str] = set()
    for wanted in sentences[1]:
        for given in sentences[0]:
            common |= _common_words(wanted, given)
    recall, precision = len(common) / n_reference, len(common) / n_output
    return 2 * precision * recall / (precision + recall + 1e-8)


def _paper_sentences(text: str) -> list[list[str]]:
    return [" ".join(part.split()).split(" ") for part in text.split(".") if part]


def _common_words(one: Sequence[str], other: Sequence[str]) -> set[str]:
    """Return the words of the common subsequence that `rouge` chooses among equally long ones."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for row, word in enumerate(one, start=1):
        above, here = table[row - 1], table[row]
        for column, given in enumerate(other, start=1):
            here[column] = (
                above[column - 1] + 1 if word == given else max(above[column], here[column - 1])
            )
    row, column, found = len(one), len(other), set()
    while row and column:
        if one[row - 1] == other[column - 1]:
            found.add(one[row - 1])
            row, column = row - 1, column - 1
        elif table[row - 1][column] > table[row][column - 1]:
            row -= 1
        else:
            column -= 1
    return found
