"""Two models on the same items: tests by language and overall, and what many tests at once leave of a finding."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from emma500.errors import UsageError
from emma500.evaluation.metrics.measured import Measured
from emma500.evaluation.resampling import RESAMPLES, SEED, Paired, compare_paired

if TYPE_CHECKING:
    import pandas as pd

OVERALL = "all"
"""The label of the row that compares the means over languages."""


def compare_models(
    after: Mapping[str, Measured],
    before: Mapping[str, Measured],
    *,
    ids: Mapping[str, Sequence[str]] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> "pd.DataFrame":
    """Compare two models by language and on the mean over languages.

    Args:
        after: A metric of the model in question, by label.
        before: The same metric of the other model, of the same items in the same order.
        ids: What items share with their translations, by label; None if they share nothing.
        resamples: How many draws and swaps a row.
        seed: Seed of both.

    Returns:
        One row a label and last the one of all: the columns of `resampling.Paired`; `p_exact`, McNemar's, where every
        item is right or wrong; and `p_holm` and `p_fdr`, adjusted for the number of languages (`holm`,
        `benjamini_hochberg`). The last row is one test of its own.

    Raises:
        UsageError: If the labels or the items differ.
    """
    import pandas as pd

    labels = sorted(after)
    overall = compare_paired(after, before, ids=ids, resamples=resamples, seed=seed)
    found = [
        compare_paired({label: after[label]}, {label: before[label]}, resamples=resamples, seed=seed)
        for label in labels
    ]  # fmt: skip
    exact = [_exact(after[label], before[label]) for label in labels]
    best = [one.p_value if p is None else p for one, p in zip(found, exact, strict=True)]
    rows = [
        _row(label, one, p, adjusted)
        for label, one, p, *adjusted in zip(
            labels, found, exact, holm(best), benjamini_hochberg(best), strict=True
        )
    ]
    return pd.DataFrame([*rows, _row(OVERALL, overall, None, [overall.p_value] * 2)])


def mcnemar(after: npt.ArrayLike, before: npt.ArrayLike) -> float | None:
    """Test whether two models are right equally often: McNemar's test, exact and two-sided.

    Args:
        after: Whether the one is right on each item (1 or 0).
        before: Whether the other is, on the same items.

    Returns:
        The p-value; 1 where they are right on the same items, None without items.

    Raises:
        UsageError: If the items differ in number, or a value is neither 1 nor 0.

    >>> mcnemar([1] * 9 + [0], [0] * 9 + [1])
    0.021484375
    """
    one, other = np.asarray(after, dtype=np.float64), np.asarray(before, dtype=np.float64)
    if one.shape != other.shape or not np.isin([*one, *other], (0.0, 1.0)).all():
        raise UsageError("McNemar's test takes a 1 or a 0 of each model for each of the same items")
    if not len(one):
        return None
    gained, lost = int((one > other).sum()), int((one < other).sum())
    n = gained + lost
    tail, term = 0, 1
    for k in range(min(gained, lost) + 1):
        tail += term
        term = term * (n - k) // (k + 1)
    return min(1.0, 2 * tail / 2**n)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values of several tests (Holm 1979): those below 0.05 hold a false one with a chance of 5%.

    Args:
        p_values: One a test; None where there was none, which counts for nothing.

    Returns:
        The adjusted p-values, in the same order.

    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    known = sorted((value, place) for place, value in enumerate(p_values) if value is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (value, place) in enumerate(known):
        largest = max(largest, min(1.0, value * (len(known) - rank)))
        adjusted[place] = largest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values of several tests (Benjamini and Hochberg 1995): of those below 0.05, 5% are false on average.

    It finds more than `holm`, of which a few are not there; the tests of languages with the same items are not
    independent, but depend positively, as the method allows.

    Args:
        p_values: One a test; None where there was none, which counts for nothing.

    Returns:
        The adjusted p-values, in the same order.

    >>> benjamini_hochberg([0.01, None, 0.04, 0.03])
    [0.03, None, 0.04, 0.04]
    """
    known = sorted((value, place) for place, value in enumerate(p_values) if value is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    smallest = 1.0
    for rank, (value, place) in reversed(list(enumerate(known, start=1))):
        smallest = min(smallest, value * len(known) / rank)
        adjusted[place] = smallest
    return adjusted


def _exact(after: Measured, before: Measured) -> float | None:
    """Return McNemar's p-value where every item that both were evaluated on is right or wrong, else None."""
    one, other = after.each, before.each
    known = ~(np.isnan(one) | np.isnan(other))
    if after.unit != "share" or not np.isin([*one[known], *other[known]], (0.0, 1.0)).all():
        return None
    return mcnemar(one[known], other[known])


def _row(
    label: str, paired: Paired, exact: float | None, adjusted: Sequence[float | None]
) -> dict[str, object]:
    held, found = adjusted
    return {"label": label, **asdict(paired), "p_exact": exact, "p_holm": held, "p_fdr": found}
