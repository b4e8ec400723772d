"""BLEU, spBLEU and chrF++: sacreBLEU counts, NumPy computes the value of any sum of counts.

>>> round(bleu(["the cat sat on the mat"], ["the cat sat on a mat"]).value, 2)
53.73
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from emma500.configuration import need
from emma500.errors import SourceError, UsageError
from emma500.evaluation.metrics.measured import Measured, Score
from emma500.evaluation.statistics import Numbers

TOKENIZERS = ("13a", "intl", "char", "zh", "none", "flores101", "flores200")
"""Of sacreBLEU; the last two, spBLEU, need their SentencePiece model on this machine."""

_PIECES = {"flores101": "sacrebleu_tokenizer_spm.model", "flores200": "flores200sacrebleuspm"}
_ORDER = 4  # longest n-grams of BLEU

References = Sequence[str] | Sequence[Sequence[str]]


def bleu(
    predictions: Sequence[str],
    references: References,
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
) -> Measured:
    """Count for BLEU, 0 to 100, as sacreBLEU defines it (exponential smoothing).

    Args:
        predictions: The translations; empty ones count.
        references: One an item, or several an item.
        tokenize: One of `TOKENIZERS`.
        lowercase: Whether case counts for nothing.

    Returns:
        Its statistics, and sacreBLEU's signature in `details`.

    Raises:
        UsageError: If the tokenizer is unknown or an item has no reference.
        SourceError: If spBLEU's SentencePiece model is not there.
        MissingExtraError: If spBLEU is asked for without sentencepiece.
    """
    require_tokenizer(tokenize)
    from sacrebleu.metrics import BLEU

    metric = BLEU(tokenize=tokenize, lowercase=lowercase, force=True)
    name = "spbleu" if tokenize in _PIECES else "bleu"
    return _counted(
        metric, predictions, references, name=name, score=bleu_score, width=2 + 2 * _ORDER
    )


def chrf(predictions: Sequence[str], references: References, *, word_order: int = 2) -> Measured:
    """Count for chrF++, 0 to 100, as sacreBLEU defines it.

    Args:
        predictions: The translations; empty ones count.
        references: One an item, or several an item.
        word_order: Longest n-grams of words: 2 is chrF++, 0 is chrF.

    Returns:
        Its statistics, and sacreBLEU's signature in `details`.

    Raises:
        UsageError: If an item has no reference.
    """
    from sacrebleu.metrics import CHRF

    metric = CHRF(word_order=word_order)
    name = {0: "chrf", 2: "chrf++"}.get(word_order, f"chrf{word_order}")
    score = partial(chrf_score, beta=metric.beta)
    return _counted(metric, predictions, references, name=name, score=score, width=3 * metric.order)


def bleu_score(sums: Numbers, effective_order: bool = False) -> Numbers:
    """Compute BLEU from counts.

    Args:
        sums: (..., 10): length of the output, of the reference, matches of 1 to 4, n-grams of 1 to 4.
        effective_order: Whether orders longer than the output are left out, as for single sentences.

    Returns:
        (...) from 0 to 100.
    """
    sums = np.asarray(sums, dtype=np.float64)
    length, wanted = sums[..., 0], sums[..., 1]
    matches, totals = sums[..., 2 : 2 + _ORDER], sums[..., 2 + _ORDER :]
    smoothing = np.ones_like(length)
    logs, orders = np.zeros_like(length), np.zeros_like(length)
    with np.errstate(divide="ignore", invalid="ignore"):
        for order in range(_ORDER):
            total, found = totals[..., order], matches[..., order]
            smoothing = np.where((total > 0) & (found == 0), smoothing * 2, smoothing)
            precision = np.where(found > 0, found / total, 1 / (smoothing * total))
            logs += np.where(total > 0, np.log(precision), 0.0)
            orders += total > 0
        shortness = np.where(length < wanted, np.exp(1 - wanted / length), 1.0)
        value = 100 * shortness * np.exp(logs / (orders if effective_order else _ORDER))
    counted = matches.any(axis=-1) & (effective_order | (orders == _ORDER))
    return np.where(counted, value, 0.0)


def chrf_score(sums: Numbers, beta: int = 2) -> Numbers:
    """Compute chrF from counts.

    Args:
        sums: (..., 3 x orders): n-grams of the output, of the reference, and matches, by order.
        beta: How many times recall weighs as much as precision.

    Returns:
        (...) from 0 to 100.
    """
    sums = np.asarray(sums, dtype=np.float64)
    output, reference, matches = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
    known = (output > 0) & (reference > 0)
    orders = np.maximum(known.sum(axis=-1), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(known, matches / output, 0.0).sum(axis=-1) / orders
        recall = np.where(known, matches / reference, 0.0).sum(axis=-1) / orders
        value = 100 * (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
    return np.where(precision + recall > 0, value, 0.0)


def reference_streams(n: int, references: References) -> list[list[str | None]]:
    """Return the references as sacreBLEU takes them: the first of each item, then the second, and so on.

    Args:
        n: How many items there are.
        references: One an item, or several an item.

    Returns:
        As many lists as the item with most references has; None where an item has fewer.

    Raises:
        UsageError: If there are not as many as items, or an item has none.
    """
    if len(references) != n:
        raise UsageError(f"{n:,} predictions and {len(references):,} references: give one an item")
    several = [[each] if isinstance(each, str) else list(each) for each in references]
    empty = [place for place, each in enumerate(several) if not each]
    if empty:
        raise UsageError(f"item {empty[0]} has no reference: leave it out, or give it one")
    most = max(map(len, several), default=0)
    return [
        [each[place] if place < len(each) else None for each in several] for place in range(most)
    ]


def require_tokenizer(name: str) -> None:
    """Refuse a tokenizer that is unknown, and spBLEU where sacreBLEU would go to the network for its model.

    Args:
        name: One of `TOKENIZERS`.

    Raises:
        UsageError: If there is no such tokenizer.
        SourceError: If its SentencePiece model is not there.
        MissingExtraError: If it needs sentencepiece, which is not installed.
    """
    if name not in TOKENIZERS:
        raise UsageError(f"unknown tokenizer {name!r}; it is one of {', '.join(TOKENIZERS)}")
    if name not in _PIECES:
        return
    from sacrebleu.utils import SACREBLEU_DIR

    need("sentencepiece", "spbleu")
    path = Path(SACREBLEU_DIR) / "models" / _PIECES[name]
    if not path.is_file():
        raise SourceError(
            f"spBLEU ({name}) needs its SentencePiece model as {path}: put it there, or set SACREBLEU to the "
            "folder that has models/ before Python starts; or take tokenize='13a', or chrF++"
        )


def _counted(
    metric: Any,
    predictions: Sequence[str],
    references: References,
    *,
    name: str,
    score: Score,
    width: int,
) -> Measured:
    streams = reference_streams(len(predictions), references)
    # No public function of sacreBLEU gives the counts of an item; its own significance tests call this one.
    counts = metric._extract_corpus_statistics(list(predictions), streams) if streams else []
    rows = np.array(counts, dtype=np.float64) if counts else np.zeros((0, width))
    details = {"signature": str(metric.get_signature())} if streams else {}
    return Measured(name=name, rows=rows, score=score, unit="0 to 100", details=details)
