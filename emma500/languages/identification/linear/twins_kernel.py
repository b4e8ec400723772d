"""The loops that tell twins apart: two labels so alike that features shared by hundreds of labels confuse them."""

from typing import Any

import numba
import numpy as np

from emma500.languages.identification.linear.training_kernel import uniform

_UNCOMPARED = -1
_LOWEST = np.float32(-1e30)


@numba.njit(cache=True, nogil=True)
def tell_apart(
    hashes: Any, n: int, twins: Any, bias: Any, excluded: Any, first: int, scores: Any
) -> None:
    """Compare the best label with its twins, the likeliest first; the better of two meets its own twins next.

    Of two that are compared, each gets the share of their probability that what tells them apart gives it.

    Args:
        hashes: The features of a text, uint32.
        n: How many.
        twins: The pairs (int64, n_pairs x 2), the weight of a feature for the first against the second by the highest
            bits of its hash (int8, n_pairs x a power of 2), and what they are multiplied by (float32, n_pairs).
        bias: Added to each label's score, float32 (n_labels).
        excluded: Whether a label, from `first` on, cannot be the answer.
        first: The first label of `scores`.
        scores: The labels' scores, from `first` on; changed.
    """
    pairs, weights, scales = twins
    best = largest(scores, excluded, -1)
    compared = np.zeros(len(pairs), np.bool_)
    while best >= 0:
        nearest, chosen = -np.inf, _UNCOMPARED
        for pair in range(len(pairs)):
            one, two = pairs[pair, 0] - first, pairs[pair, 1] - first
            if compared[pair] or (one != best and two != best):
                continue
            other = two if one == best else one
            if 0 <= other < len(scores) and not excluded[other] and scores[other] > nearest:
                nearest, chosen = scores[other], pair
        if chosen == _UNCOMPARED:
            break
        compared[chosen] = True
        one, two = pairs[chosen, 0] - first, pairs[chosen, 1] - first
        odds = scales[chosen] * _weighed(hashes, n, weights[chosen])
        odds += bias[first + one] - bias[first + two]
        both = max(scores[one], scores[two]) + np.log1p(np.exp(-abs(scores[one] - scores[two])))
        scores[one] = both - np.log1p(np.exp(-odds))
        scores[two] = both - np.log1p(np.exp(odds))
        best = largest(scores, excluded, -1)


@numba.njit(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def largest(scores: Any, excluded: Any, but: int) -> int:
    """Return the first label with the largest score; -1 if there is none.

    Args:
        scores: The labels' scores, float32.
        excluded: Which labels do not count.
        but: One more label that does not count; -1 for none.
    """
    top = _LOWEST
    for each in range(len(scores)):
        value = _LOWEST if excluded[each] or each == but else scores[each]
        top = value if value > top else top
    for each in range(len(scores)):
        if scores[each] == top and not excluded[each] and each != but:
            return each
    return -1


@numba.njit(cache=True, nogil=True)
def _weighed(hashes: Any, n: int, weights: Any) -> float:
    """Return the sum of the features' weights by the root of their number."""
    shift = np.uint32(32)
    while (1 << (np.uint32(32) - shift)) < len(weights):
        shift -= np.uint32(1)
    total = 0
    for each in range(n):
        total += weights[hashes[each] >> shift]
    return total / np.sqrt(max(n, 1))


@numba.njit(cache=True, nogil=True)
def contrast(
    places: Any, bounds: Any, cumulative: Any, weights: Any, rates: Any, lengths: Any, dropout: float,
    steps: int, seed: int,
) -> None:  # fmt: skip
    """Learn what tells two labels apart: logistic regression by gradient descent with Adagrad's step sizes.

    A step draws a source both have text from, one of the two, and a run of its features there.

    Args:
        places: Which weight each feature has, int32.
        bounds: Where the features of each source of each of the two begin and end, int64 (n_sources, 2, 2).
        cumulative: Cumulative probability of drawing a source, float64 (n_sources).
        weights: Learned: for the first against the second, float32.
        rates: Learning rate at the first step and at the last.
        lengths: Shortest and longest run, in features; their logarithm is drawn evenly.
        dropout: Share of features left out.
        steps: How many steps.
        seed: Seed, not 0.
    """
    state = np.array([seed], np.uint64)
    sums = np.full(len(weights), 0.01, np.float32)
    drawn = np.empty(lengths[1] + 8, np.int64)
    shortest, longest = np.log(lengths[0]), np.log(lengths[1])
    for step in range(steps):
        rate = rates[0] + (rates[1] - rates[0]) * step / steps
        source = min(np.searchsorted(cumulative, uniform(state), side="right"), len(bounds) - 1)
        side = int(uniform(state) * 2)
        begin, end = bounds[source, side]
        n = min(int(np.exp(shortest + (longest - shortest) * uniform(state))), end - begin)
        start = begin + int(uniform(state) * (end - begin - n + 1))
        m, score = 0, 0.0
        for place in range(start, start + n):
            if uniform(state) >= dropout:
                drawn[m] = places[place]
                score += weights[drawn[m]]
                m += 1
        if m == 0:
            continue
        scale = 1 / np.sqrt(m)
        slope = (1 / (1 + np.exp(-score * scale)) - (1 - side)) * scale
        for each in range(m):
            sums[drawn[each]] += slope * slope
            weights[drawn[each]] -= rate * slope / np.sqrt(sums[drawn[each]])
