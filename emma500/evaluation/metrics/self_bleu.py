"""Self-BLEU: how alike the outputs of a model are. Lower is more diverse.

Each text is an output, and all others are its references. The largest count of an n-gram among the others is its
largest or, where the text itself has it, its second largest of all, so one pass over the texts is enough: the values
are those of sacreBLEU, which counts the others anew for every text.
"""

import bisect
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from emma500.evaluation.metrics.measured import Measured, mean_of
from emma500.evaluation.metrics.rouge import has_words
from emma500.evaluation.metrics.translation import bleu, bleu_score, require_tokenizer

_ORDER = 4
_Grams = Counter[tuple[str, ...]]


def self_bleu(
    texts: Sequence[str], *, mode: Literal["all", "paper"] = "all", tokenize: str = "13a"
) -> Measured:
    """Measure how much of each text stands in the others, 0 to 100.

    Args:
        texts: The outputs of a model, of one language.
        mode: "all": against all others, by sentence BLEU (effective order). "paper": against one other text, the first
            (the second for the first), as the paper's scripts had it, without outputs that are empty or all dots.
        tokenize: A tokenizer of sacreBLEU (`translation.TOKENIZERS`).

    Returns:
        One value a text; none of a dropped one, and none at all where there are fewer than two.

    Raises:
        UsageError: If the tokenizer is unknown.
        SourceError: If it needs a SentencePiece model that is not there.
    """
    kept = [place for place, text in enumerate(texts) if mode == "all" or has_words(text)]
    values: list[float | None] = [None] * len(texts)
    if len(kept) > 1:
        compare = _against_all if mode == "all" else _against_one
        found = compare([texts[place] for place in kept], tokenize)
        for place, value in zip(kept, found, strict=True):
            values[place] = value
    return mean_of("self_bleu", values, unit="0 to 100", mode=mode)


def _against_one(texts: Sequence[str], tokenize: str) -> list[float]:
    others = [texts[1], *[texts[0]] * (len(texts) - 1)]
    measured = bleu(texts, others, tokenize=tokenize)
    return [float(value) for value in measured.each]


def _against_all(texts: Sequence[str], tokenize: str) -> list[float]:
    counted = [_grams(tokens) for tokens in _tokens(texts, tokenize)]
    lengths = [sum(count for gram, count in grams.items() if len(gram) == 1) for grams in counted]
    most = _two_largest(counted)
    ordered = sorted(lengths)
    rows = np.zeros((len(texts), 2 + 2 * _ORDER))
    for place, grams in enumerate(counted):
        rows[place, :2] = lengths[place], _closest(ordered, lengths[place])
        for gram, count in grams.items():
            largest, owner, second = most[gram]
            elsewhere = second if owner == place else largest
            rows[place, 1 + len(gram)] += min(count, elsewhere)
            rows[place, 1 + _ORDER + len(gram)] += count
    return [float(value) for value in bleu_score(rows, effective_order=True)]


def _tokens(texts: Iterable[str], tokenize: str) -> list[list[str]]:
    require_tokenizer(tokenize)
    from sacrebleu.metrics import BLEU

    cut = BLEU(tokenize=tokenize).tokenizer
    return [cut(text.rstrip()).split() for text in texts]


def _grams(tokens: Sequence[str]) -> _Grams:
    return Counter(
        tuple(tokens[at : at + order])
        for order in range(1, _ORDER + 1)
        for at in range(len(tokens) - order + 1)
    )


def _two_largest(counted: Sequence[_Grams]) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """Return the largest count of each n-gram, whose it is, and the second largest."""
    most: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for place, grams in enumerate(counted):
        for gram, count in grams.items():
            largest, owner, second = most.get(gram, (0, -1, 0))
            if count > largest:
                most[gram] = (count, place, largest)
            elif count > second:
                most[gram] = (largest, owner, count)
    return most


def _closest(ordered: Sequence[int], length: int) -> int:
    """Return the length of another text that is nearest; the shorter one of two as near."""
    at = bisect.bisect_left(ordered, length)
    around = [*ordered[max(at - 1, 0) : at], *ordered[at + 1 : at + 2]]
    return min(around, key=lambda other: (abs(other - length), other))
