"""Resampling of items by their sufficient statistics: bootstrap intervals, and tests of two models on the same items.

Nothing is scored twice: a resample is a vector of weights, and its value is `score(weights @ rows)`, so a thousand
resamples of BLEU are one matrix product. Items that share an id across languages (translations of one sentence) are
drawn and swapped together, since they are hard or easy together.

The seed and the number of resamples decide the result, whatever other languages there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from emma500.errors import UsageError
from emma500.evaluation.metrics.measured import Measured
from emma500.evaluation.statistics import Numbers

RESAMPLES = 2000
SEED = 42

_MOST_CELLS = 4_000_000  # of a matrix of weights: 32 MB


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A value with its bootstrap: standard error and bounds of the interval; None where there is nothing to tell."""

    value: float | None
    stderr: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Paired:
    """Two models on the same items.

    `difference` is after minus before, `stderr`, `low` and `high` are its bootstrap, and `p_value` is two-sided.
    """

    n: int
    before: float | None = None
    after: float | None = None
    difference: float | None = None
    stderr: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    n_labels: int = 1


def bootstrap(
    measured: Measured, *, resamples: int = RESAMPLES, level: float = 0.95, seed: int = SEED
) -> Interval:
    """Bootstrap a metric over its items.

    Args:
        measured: The metric.
        resamples: How many times items are drawn.
        level: The share of resamples within the bounds.
        seed: Seed of the draws.

    Returns:
        The value with percentile bounds; without them for one item alone, and None for none.

    Raises:
        UsageError: If there are fewer than two resamples or `level` is not between 0 and 1.
    """
    _check(resamples, level)
    rows = measured.rows[(measured.rows != 0).any(axis=1)]
    if len(rows) < 2 or measured.value is None:
        return Interval(value=measured.value, stderr=None, low=None, high=None, n=len(rows))
    drawn = [measured.score(weights @ rows) for weights in _weights(len(rows), resamples, seed)]
    stderr, low, high = _summary(np.concatenate(drawn), level)
    return Interval(value=measured.value, stderr=stderr, low=low, high=high, n=len(rows))


def compare_paired(
    after: Mapping[str, Measured],
    before: Mapping[str, Measured],
    *,
    ids: Mapping[str, Sequence[str]] | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = SEED,
) -> Paired:
    """Compare two models on the mean over languages (of one, on that language) of a metric.

    The p-value is that of a permutation test: the outputs of the two models are swapped at random, item by item, and
    the share of swaps whose difference is at least as large is counted, the one that happened among them.

    Args:
        after: The metric of the model in question, by label.
        before: The same metric of the other model, of the same items in the same order.
        ids: What items share with their translations, by label; None if they share nothing.
        resamples: How many draws and swaps.
        level: The share of resamples within the bounds.
        seed: Seed of both.

    Returns:
        The comparison. Items that either model was not evaluated on are left out of both.

    Raises:
        UsageError: If the labels or the items differ.
    """
    _check(resamples, level)
    pairs = {label: _pair(label, after, before) for label in _labels(after, before)}
    pairs = {label: pair for label, pair in pairs.items() if pair.n}
    if not pairs:
        return Paired(n=0, n_labels=0)
    places, n_clusters = _clusters(pairs, ids)
    values = {which: _mean_value(pairs, which) for which in ("before", "after")}
    observed = values["after"] - values["before"]
    n = sum(pair.n for pair in pairs.values())
    found = Paired(n=n, n_labels=len(pairs), difference=observed, **values)
    if n_clusters < 2:
        return found
    drawn = _bootstrapped(pairs, places, n_clusters, resamples=resamples, seed=seed)
    stderr, low, high = _summary(drawn, level)
    swapped = _swapped(pairs, places, n_clusters, resamples=resamples, seed=seed + 1)
    as_large = int((np.abs(swapped) >= abs(observed) - 1e-12 * max(1.0, abs(observed))).sum())
    p_value = (1 + as_large) / (1 + resamples)
    return replace(found, stderr=stderr, low=low, high=high, p_value=p_value)


@dataclass(frozen=True, slots=True)
class _Pair:
    """The rows of two models on the items that both were evaluated on; `kept` are their places among all."""

    after: Measured
    before: Measured
    kept: npt.NDArray[np.intp]

    @property
    def n(self) -> int:
        return len(self.kept)


def _pair(label: str, after: Mapping[str, Measured], before: Mapping[str, Measured]) -> _Pair:
    one, other = after[label], before[label]
    if one.name != other.name or one.rows.shape != other.rows.shape:
        raise UsageError(
            f"{label}: {one.name} of {len(one.rows):,} items and {other.name} of {len(other.rows):,}: "
            "compare the same metric on the same items"
        )
    kept = np.flatnonzero((one.rows != 0).any(axis=1) & (other.rows != 0).any(axis=1))
    return _Pair(one.take(kept), other.take(kept), kept)


def _labels(after: Mapping[str, Measured], before: Mapping[str, Measured]) -> list[str]:
    if set(after) != set(before):
        differ = ", ".join(sorted(set(after) ^ set(before))[:5])
        raise UsageError(f"both models need the same labels; one of them lacks {differ}")
    return sorted(after)


def _clusters(
    pairs: Mapping[str, _Pair], ids: Mapping[str, Sequence[str]] | None
) -> tuple[dict[str, npt.NDArray[np.intp]], int]:
    """Return the number of the cluster of each item, by label, and how many clusters there are."""
    numbers: dict[tuple[str, str], int] = {}
    places = {}
    for label, pair in pairs.items():
        names = (
            [(label, str(place)) for place in pair.kept]
            if ids is None
            else [("", str(ids[label][place])) for place in pair.kept]
        )
        places[label] = np.array([numbers.setdefault(name, len(numbers)) for name in names])
    return places, len(numbers)


def _mean_value(pairs: Mapping[str, _Pair], which: str) -> float:
    values = [getattr(pair, which) for pair in pairs.values()]
    return float(np.mean([each.score(each.rows.sum(axis=0)) for each in values]))


def _bootstrapped(
    pairs: Mapping[str, _Pair],
    places: Mapping[str, npt.NDArray[np.intp]],
    n_clusters: int,
    *,
    resamples: int,
    seed: int,
) -> Numbers:
    """Return the difference in each resample; a language none of whose items was drawn is left out of it."""
    found = []
    for weights in _weights(n_clusters, resamples, seed):
        differences = []
        for label, pair in pairs.items():
            of_items = weights[:, places[label]]
            difference = pair.after.score(of_items @ pair.after.rows) - pair.before.score(
                of_items @ pair.before.rows
            )
            differences.append(np.where(of_items.any(axis=1), difference, np.nan))
        table = np.array(differences)
        counted = np.maximum((~np.isnan(table)).sum(axis=0), 1)
        found.append(np.nansum(table, axis=0) / counted)
    return np.concatenate(found)


def _swapped(
    pairs: Mapping[str, _Pair],
    places: Mapping[str, npt.NDArray[np.intp]],
    n_clusters: int,
    *,
    resamples: int,
    seed: int,
) -> Numbers:
    """Return the difference after each random swap of the models' outputs."""
    generator = np.random.default_rng(seed)
    found = []
    for count in _batches(n_clusters, resamples):
        swaps = generator.integers(0, 2, (count, n_clusters)).astype(np.float64)
        total = np.zeros(count)
        for label, pair in pairs.items():
            change = swaps[:, places[label]] @ (pair.before.rows - pair.after.rows)
            total += pair.after.score(pair.after.rows.sum(axis=0) + change)
            total -= pair.before.score(pair.before.rows.sum(axis=0) - change)
        found.append(total / len(pairs))
    return np.concatenate(found)


def _weights(n: int, resamples: int, seed: int) -> Iterator[Numbers]:
    """Yield how often each of n was drawn, (resamples, n), in parts that fit in memory."""
    generator = np.random.default_rng(seed)
    for count in _batches(n, resamples):
        drawn = generator.integers(0, n, (count, n))
        cells = (drawn + np.arange(count)[:, None] * n).ravel()
        yield np.bincount(cells, minlength=count * n).reshape(count, n).astype(np.float64)


def _batches(n: int, resamples: int) -> Iterator[int]:
    most = max(1, _MOST_CELLS // max(n, 1))
    for start in range(0, resamples, most):
        yield min(most, resamples - start)


def _summary(values: Numbers, level: float) -> tuple[float, float, float]:
    """Return the standard deviation and the percentile bounds of resampled values."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(values.std(ddof=1)), float(low), float(high)


def _check(resamples: int, level: float) -> None:
    if resamples < 2 or not 0 < level < 1:
        raise UsageError(
            f"give at least 2 resamples and a level between 0 and 1, not {resamples} and {level}"
        )
