"""Ratios of sums, their means over languages, and standard errors. Pure functions over NumPy arrays.

Bits per byte is a ratio of two sums over documents, B = Σx / Σy with x bits and y bytes. Its
standard error is that of the ratio estimator (delta method): with residuals e = x - B·y and n
documents,

    se(B)² = n / (n - 1) · Σe² / (Σy)²

The mean over languages gives every language the same weight, whatever its text. Its standard error
depends on the text:

- Where most documents have translations (they share a parallel id), the languages' errors move
  together, since a sentence that is hard is hard in all of them. The sentences are then the sample
  and the languages are fixed: the influences e / (L·Σy of the language) are added up over all
  languages of one parallel id, and these sums, which are independent, make the standard error.
- Where they have none, the languages are the sample: standard deviation of the languages' values /
  √L.
- One language alone has the standard error of its own ratio.

No data gives None, and so does the standard error of one document alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard error and the number of documents it rests on."""

    value: float | None
    stderr: float | None
    n: int


@dataclass(frozen=True, slots=True)
class MacroEstimate:
    """A mean over languages with its standard error.

    `clustered_by` says what the standard error takes for the sample: "parallel_id", "label" or
    "document".
    """

    value: float | None
    stderr: float | None
    n: int
    n_labels: int
    clustered_by: str


def ratio(numerator: Numbers, denominator: Numbers) -> Estimate:
    """Estimate a ratio of sums over documents.

    Args:
        numerator: One number a document, as bits.
        denominator: One number a document, as bytes.

    Returns:
        The ratio; None where there is nothing to divide by.

    >>> ratio(np.array([2.0, 4.0]), np.array([1.0, 1.0]))
    Estimate(value=3.0, stderr=1.0, n=2)
    >>> ratio(np.array([]), np.array([]))
    Estimate(value=None, stderr=None, n=0)
    """
    n, total = len(numerator), float(denominator.sum())
    if n == 0 or total <= 0:
        return Estimate(None, None, n)
    value = float(numerator.sum()) / total
    return Estimate(value, _spread(numerator - value * denominator, 1 / total), n)


def macro_mean(
    numerator: Numbers,
    denominator: Numbers,
    *,
    labels: Sequence[str],
    parallel_ids: Sequence[str],
) -> MacroEstimate:
    """Estimate the mean of the languages' ratios, each language with the same weight.

    Args:
        numerator: One number a document, as bits.
        denominator: One number a document, as bytes.
        labels: The label of each document.
        parallel_ids: What each document shares with its translations.

    Returns:
        The mean over the labels that have a positive denominator; None if none has.
    """
    names, language = np.unique(np.asarray(labels, dtype=object).astype(str), return_inverse=True)
    totals = np.bincount(language, denominator, len(names))
    kept = totals > 0
    n_labels = int(kept.sum())
    if n_labels == 0:
        return MacroEstimate(None, None, len(numerator), 0, "document")
    safe = np.where(kept, totals, 1.0)
    values = np.bincount(language, numerator, len(names)) / safe
    mean = float(values[kept].mean())
    clusters, shared = _clusters(parallel_ids, language)
    if n_labels > 1 and not shared:
        return MacroEstimate(mean, _standard_error(values[kept]), len(numerator), n_labels, "label")
    influence = (numerator - values[language] * denominator) / safe[language] / n_labels
    sums = np.bincount(clusters, influence * kept[language]).astype(np.float64)
    by = "parallel_id" if n_labels > 1 else "document"
    return MacroEstimate(mean, _spread(sums, 1.0), len(numerator), n_labels, by)


def _clusters(parallel_ids: Sequence[str], language: Indices) -> tuple[Indices, bool]:
    """Return the cluster of each document, and whether most documents have a translation."""
    ids = np.asarray(parallel_ids, dtype=object).astype(str)
    clusters: Indices = np.unique(ids, return_inverse=True)[1]
    pairs = np.unique(np.stack([clusters, language]), axis=1)
    languages_of = np.bincount(pairs[0], minlength=int(clusters.max(initial=-1)) + 1)
    return clusters, bool((languages_of[clusters] > 1).mean() >= 0.5)


def _spread(influences: Numbers, scale: float) -> float | None:
    """Return the standard error of a sum of independent influences that add up to zero."""
    n = len(influences)
    if n < 2:
        return None
    return float(np.sqrt(n / (n - 1) * np.square(influences).sum()) * scale)


def _standard_error(values: Numbers) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))
