"""Accuracy of choices: the answer with the largest log-likelihood, as it is or by its length.

>>> accuracy([[-3.0, -1.0], [-2.0, -2.0]], [1, 0]).value
0.75
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from emma500.errors import UsageError
from emma500.evaluation.metrics.measured import Measured, mean_of

Ties = Literal["split", "first"]


def accuracy(
    logliks: Sequence[Sequence[float]],
    gold: Sequence[int],
    *,
    lengths: Sequence[Sequence[float]] | None = None,
    ties: Ties = "split",
) -> Measured:
    """Measure the share of items whose right answer has the largest log-likelihood.

    Args:
        logliks: Summed log-likelihoods of the answers of each item, in nats.
        gold: The place of the right answer of each item.
        lengths: Lengths of the answers, in characters (as lm-evaluation-harness's acc_norm), bytes or tokens: each
            log-likelihood is divided by it. None for the sums.
        ties: "split": the answers that share the largest value share the item. "first": the first of them takes it, as
            lm-evaluation-harness.

    Returns:
        0 to 1 an item; an item with a log-likelihood that is not a number is not evaluated.

    Raises:
        UsageError: If the items differ in number, or the right answer is none of an item's.
    """
    if len(logliks) != len(gold) or (lengths is not None and len(lengths) != len(gold)):
        raise UsageError(
            f"{len(logliks):,} items with scores and {len(gold):,} with a right answer: give both of every item"
        )
    values = []
    for place, (scores, right) in enumerate(zip(logliks, gold, strict=True)):
        if not 0 <= right < len(scores):
            raise UsageError(
                f"item {place}: the right answer is {right}, of {len(scores)} answers from 0"
            )
        numbers = np.asarray(scores, dtype=np.float64)
        if lengths is not None:
            numbers = numbers / np.maximum(np.asarray(lengths[place], dtype=np.float64), 1)
        values.append(_credit(numbers, right, ties))
    return mean_of("accuracy" if lengths is None else "acc_norm", values)


def label_accuracy(predictions: Sequence[object], references: Sequence[object]) -> Measured:
    """Measure the share of predictions that are the reference.

    Args:
        predictions: The labels; None is wrong.
        references: The right ones.

    Returns:
        1 or 0 an item.

    Raises:
        UsageError: If there are not as many references as predictions.
    """
    if len(predictions) != len(references):
        raise UsageError(
            f"{len(predictions):,} predictions and {len(references):,} references: give one an item"
        )
    right = [
        float(one is not None and one == other)
        for one, other in zip(predictions, references, strict=True)
    ]
    return mean_of("accuracy", right)


def _credit(
    numbers: "np.ndarray[tuple[int], np.dtype[np.float64]]", right: int, ties: Ties
) -> float | None:
    if np.isnan(numbers).any():
        return None
    if ties == "first":
        return float(numbers.argmax() == right)
    best = numbers == numbers.max()
    return float(best[right] / best.sum())
