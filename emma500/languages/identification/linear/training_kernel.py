"""The loops that train our own identifier: features of all texts, related labels, stochastic gradient descent."""

from typing import Any

import numba
import numpy as np

from emma500.languages.identification.linear.kernel import (
    FEATURES_PER_BYTE,
    SLACK,
    hash_features,
    look_up,
)


@numba.njit(cache=True, nogil=True)
def feature_streams(data: Any, offsets: Any, folding: Any) -> Any:
    """Hash the features of texts.

    Args:
        data: The UTF-8 bytes of all texts, uint8.
        offsets: Where each text begins and ends in `data`, n + 1 integers.
        folding: Symbol by code point, uint32.

    Returns:
        The hashes of all texts (uint32), and where each text's begin and end (int64, n + 1).
    """
    n_texts = len(offsets) - 1
    found = np.empty(
        FEATURES_PER_BYTE * (offsets[n_texts] - offsets[0]) + SLACK * (n_texts + 1), np.uint32
    )
    bounds = np.zeros(n_texts + 1, np.int64)
    n = 0
    for row in range(n_texts):
        n += hash_features(data, offsets[row], offsets[row + 1], folding, found[n:])
        bounds[row + 1] = n
    return found[:n].copy(), bounds


@numba.njit(cache=True, nogil=True)
def known_streams(hashes: Any, bounds: Any, slots: Any) -> Any:
    """Keep the features that a table knows.

    Args:
        hashes: The hashes of all texts, uint32.
        bounds: Where each text's begin and end, int64 (n + 1).
        slots: The table.

    Returns:
        The places of the features found (int32), and where each text's begin and end (int64, n + 1).
    """
    found = np.empty(len(hashes), np.int32)
    kept = np.zeros(len(bounds), np.int64)
    n = 0
    for row in range(len(bounds) - 1):
        begin, end = bounds[row], bounds[row + 1]
        n += look_up(hashes[begin:end], end - begin, slots, found[n:])
        kept[row + 1] = n
    return found[:n].copy(), kept


@numba.njit(cache=True, nogil=True)
def related_labels(
    first: Any, labels: Any, shares: Any, singles: Any, own: int, begin: int, end: int, rounds: int
) -> Any:
    """Find what mixture of the other labels explains a label's rarest features, by expectation maximisation.

    Args:
        first: Where each feature's labels begin, int64 (n_features + 1).
        labels: The labels that have the feature, int32.
        shares: Its share of their features, float32.
        singles: The label's rarest features, int64.
        own: The label.
        begin: The first label it competes with.
        end: The last, and one more.
        rounds: How many rounds.

    Returns:
        The weight of each label from `begin` to `end` (float64); they add up to less than 1, the rest is explained by
        none.
    """
    weights = np.full(end - begin, 1.0 / (end - begin))
    taken = np.zeros(end - begin)
    for _ in range(rounds):
        taken[:] = 0
        for each in range(len(singles)):
            feature = singles[each]
            total = 1e-7
            for place in range(first[feature], first[feature + 1]):
                if labels[place] != own and begin <= labels[place] < end:
                    total += weights[labels[place] - begin] * shares[place]
            for place in range(first[feature], first[feature + 1]):
                if labels[place] != own and begin <= labels[place] < end:
                    label = labels[place] - begin
                    taken[label] += weights[label] * shares[place] / total
        weights[:] = taken / max(len(singles), 1)
    return weights


@numba.njit(cache=True, nogil=True, inline="always")
def uniform(state: Any) -> Any:
    """Return the next number in [0, 1) of a 64-bit xorshift generator."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return (x >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@numba.njit(cache=True, nogil=True)
def _draw(features: Any, begin: int, end: int, n: int, dropout: float, state: Any, out: Any) -> int:
    """Copy a random run of at most `n` features of a label, each left out with probability `dropout`."""
    n = min(n, end - begin)
    start = begin + int(uniform(state) * (end - begin - n + 1))
    kept = 0
    for place in range(start, start + n):
        if uniform(state) >= dropout:
            out[kept] = features[place]
            kept += 1
    return kept


@numba.njit(cache=True, nogil=True, inline="always")
def _draw_text(
    features: Any, ends: Any, label: Any, mixing: Any, related: Any, related_cumulative: Any,
    lengths: Any, dropout: Any, state: Any, out: Any,
) -> Any:  # fmt: skip
    """Copy features of a label and, in place of some, of a related one; return how many."""
    shortest, longest = np.log(lengths[0]), np.log(lengths[1])
    n = int(np.exp(shortest + (longest - shortest) * uniform(state)))
    borrowed = int(n * min(0.9, 2 * mixing[label] * uniform(state)))
    m = _draw(features, ends[label], ends[label + 1], n - borrowed, dropout, state, out)
    if borrowed > 0:
        pick, place = uniform(state), 0
        while place < related.shape[1] - 1 and related_cumulative[label, place] < pick:
            place += 1
        other = related[label, place]
        m += _draw(features, ends[other], ends[other + 1], borrowed, dropout, state, out[m:])
    return m


# What follows is inlined into `descend`: its arithmetic may be reordered, so each part alone might round otherwise.


@numba.njit(cache=True, nogil=True, inline="always")
def _add_rows(rows: Any, drawn: Any, scale: Any, hidden: Any) -> Any:
    """Write the sum of the rows drawn, scaled, and return its mean square."""
    hidden[:] = 0
    for each in range(len(drawn)):
        row = rows[drawn[each]]
        for k in range(len(hidden)):
            hidden[k] += row[k]
    power = np.float32(0)
    for k in range(len(hidden)):
        hidden[k] *= scale
        power += hidden[k] * hidden[k]
    return power / len(hidden)


@numba.njit(cache=True, nogil=True, inline="always")
def _softmax(hidden: Any, weights: Any, bias: Any, first: Any, last: Any, scores: Any) -> None:
    """Write the probabilities of the labels from `first` on and before `last`."""
    scores[:] = bias[first:last]
    for k in range(len(hidden)):
        line, value = weights[k, first:last], hidden[k]
        for each in range(last - first):
            scores[each] += value * line[each]
    highest, total = scores.max(), np.float32(0)
    for each in range(last - first):
        scores[each] = np.exp(scores[each] - highest)
        total += scores[each]
    for each in range(last - first):
        scores[each] /= total


@numba.njit(cache=True, nogil=True, inline="always")
def _move_labels(
    hidden: Any, power: Any, errors: Any, rate: Any, scale: Any, weights: Any, first: Any, last: Any,
    sums: Any, move: Any, gradient: Any,
) -> Any:  # fmt: skip
    """Move the labels' weights against their errors; write the gradient of a row and return its mean square."""
    for each in range(last - first):
        sums[each] += errors[each] * errors[each] * power
        move[each] = rate * errors[each] / np.sqrt(sums[each])
    squares = np.float32(0)
    for k in range(len(hidden)):
        line, value, slope = weights[k, first:last], hidden[k], np.float32(0)
        for each in range(last - first):
            slope += line[each] * errors[each]
            line[each] -= value * move[each]
        gradient[k] = slope * scale
        squares += gradient[k] * gradient[k]
    return squares / len(hidden)


@numba.njit(cache=True, nogil=True, inline="always")
def _move_rows(rows: Any, drawn: Any, gradient: Any, squares: Any, rate: Any, sums: Any) -> None:
    """Move the rows drawn against their gradient, each by the step its own sum of squares allows."""
    for each in range(len(drawn)):
        row = rows[drawn[each]]
        sums[drawn[each]] += squares
        size = rate / np.sqrt(sums[drawn[each]])
        for k in range(len(gradient)):
            row[k] -= size * gradient[k]


@numba.njit(cache=True, nogil=True, fastmath={"nnan", "ninf", "nsz", "contract", "arcp", "reassoc"})
def descend(
    features: Any, ends: Any, cumulative: Any, group: Any, group_first: Any,
    mixing: Any, related: Any, related_cumulative: Any,
    rows: Any, weights: Any, bias: Any, rates: Any, lengths: Any, dropout: float, steps: int, seed: int,
) -> float:  # fmt: skip
    """Learn feature rows and label weights by stochastic gradient descent with Adagrad's step sizes.

    A step draws a label, a run of its features and, for a label with little text, some features of related labels in
    place of its own, as a longer text of it would have them. Only labels of its script group compete.

    Args:
        features: Places of the features of all texts, label by label, int32.
        ends: Where each label's features begin and end, int64 (n_labels + 1).
        cumulative: Cumulative probability of drawing a label, float64 (n_labels).
        group: Script group of a label, int64; labels are sorted by it.
        group_first: The first label of each group, int64 (n_groups + 1).
        mixing: Mean share of features taken from related labels, float64 (n_labels).
        related: The related labels, int64 (n_labels, k).
        related_cumulative: Their cumulative probability, float64 (n_labels, k).
        rows: Learned: float32 (n_features, d).
        weights: Learned: float32 (d, n_labels).
        bias: Learned: float32 (n_labels).
        rates: Learning rate at the first step and at the last.
        lengths: Shortest and longest run, in features; their logarithm is drawn evenly.
        dropout: Share of features left out.
        steps: How many steps.
        seed: Seed, not 0.

    Returns:
        The mean loss in nats.
    """
    d, n_labels = weights.shape
    state = np.array([seed], np.uint64)
    hidden, gradient = np.zeros(d, np.float32), np.zeros(d, np.float32)
    features_drawn = np.empty(2 * lengths[1] + 8, np.int64)
    row_sums = np.full(rows.shape[0], 0.01, np.float32)
    label_sums = np.full(n_labels, 0.01, np.float32)
    logits, moves = np.zeros(n_labels, np.float32), np.zeros(n_labels, np.float32)
    loss, counted = 0.0, 0
    for step in range(steps):
        rate = np.float32(rates[0] + (rates[1] - rates[0]) * step / steps)
        label = min(np.searchsorted(cumulative, uniform(state), side="right"), len(ends) - 2)
        first, last = group_first[group[label]], group_first[group[label] + 1]
        if last - first < 2:
            continue
        m = _draw_text(
            features, ends, label, mixing, related, related_cumulative, lengths, dropout, state, features_drawn
        )  # fmt: skip
        if m == 0:
            continue
        drawn, scores = features_drawn[:m], logits[first:last]
        scale = np.float32(1 / np.sqrt(m))
        power = _add_rows(rows, drawn, scale, hidden)
        _softmax(hidden, weights, bias, first, last, scores)
        loss -= np.log(scores[label - first] + 1e-9)
        counted += 1
        scores[label - first] -= 1  # from here on the errors
        squares = _move_labels(
            hidden, power, scores, rate, scale, weights, first, last, label_sums[first:last], moves[first:last],
            gradient,
        )  # fmt: skip
        _move_rows(rows, drawn, gradient, squares, rate, row_sums)
    return loss / max(counted, 1)
