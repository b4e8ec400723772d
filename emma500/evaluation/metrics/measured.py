"""Sufficient statistics: a row of numbers an item, and the value of the sum of rows.

A corpus metric is a function of sums over items: accuracy of (right, asked), BLEU of n-gram counts. With the rows kept,
the value of any part, resample or swap of the items is one matrix product away, and no text is scored twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from emma500.evaluation.statistics import Estimate, Numbers

Score = Callable[[Numbers], Numbers]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """The statistics of a metric on items.

    Attributes:
        name: The metric's name.
        rows: (items, statistics); a row of zeros is an item that was not evaluated.
        score: (..., statistics) sums -> (...) values; NaN where there is nothing to tell.
        unit: What the value counts in.
        details: What else belongs to the value, as a signature.
    """

    name: str
    rows: Numbers
    score: Score
    unit: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """How many items were evaluated."""
        return int(self._evaluated.sum())

    @property
    def value(self) -> float | None:
        """The value on all items; None where no item was evaluated."""
        if not self.n:
            return None
        found = float(self.score(self.rows.sum(axis=0)))
        return None if np.isnan(found) else found

    @property
    def each(self) -> Numbers:
        """The value on each item alone, (items,); NaN where it was not evaluated."""
        return np.where(self._evaluated, self.score(self.rows), np.nan)

    @property
    def stderr(self) -> float | None:
        """The jackknife's standard error: of a mean, the usual one to the last digit. None for one item."""
        n = self.n
        if n < 2 or self.value is None:
            return None
        left_out = self.score(self.rows.sum(axis=0) - self.rows[self._evaluated])
        return float(np.sqrt((n - 1) / n * np.square(left_out - left_out.mean()).sum()))

    @property
    def estimate(self) -> Estimate:
        """Value, standard error and n."""
        return Estimate(self.value, self.stderr, self.n)

    @property
    def _evaluated(self) -> Any:
        return (self.rows != 0).any(axis=1)

    def take(self, items: Any) -> "Measured":
        """Return the metric on some of the items, by index or mask."""
        return Measured(
            name=self.name,
            rows=self.rows[items],
            score=self.score,
            unit=self.unit,
            details=self.details,
        )


def mean_of(
    name: str, values: Sequence[float | None] | Numbers, *, unit: str = "share", **details: Any
) -> Measured:
    """Return the mean of a value of each item.

    Args:
        name: The metric's name.
        values: One an item; None or NaN where it was not evaluated.
        unit: What the value counts in.
        **details: What else belongs to the value.

    Returns:
        Its statistics: (value, 1) an item.

    >>> mean_of("accuracy", [1.0, 0.0, None]).estimate
    Estimate(value=0.5, stderr=0.5, n=2)
    """
    numbers = np.array([np.nan if each is None else each for each in values], dtype=np.float64)
    known = ~np.isnan(numbers)
    rows = np.stack([np.where(known, numbers, 0.0), known.astype(np.float64)], axis=-1)
    return Measured(name=name, rows=rows, score=quotient, unit=unit, details=details)


def quotient(sums: Numbers) -> Numbers:
    """Return the first statistic by the second; NaN where that is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[..., 1] > 0, sums[..., 0] / sums[..., 1], np.nan)
