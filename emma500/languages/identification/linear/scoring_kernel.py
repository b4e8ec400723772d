"""The loop that scores texts with our own identifier: features, their rows, the labels of a text's script."""

from typing import Any

import numba
import numpy as np

from emma500.languages.identification.linear.kernel import (
    FEATURES_PER_BYTE,
    SLACK,
    hash_features,
    look_up,
)
from emma500.languages.identification.linear.twins_kernel import tell_apart

_NO_RIVAL = 25.0  # a label this far behind adds nothing
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
# Columns of `measure`, as `scoring` names them; Numba wants constants.
BEST, N_FEATURES, N_FOUND, SCORE, MARGIN, LOG_ODDS, N_TESTED, N_SEEN = 0, 1, 2, 3, 4, 5, 6, 7


@numba.njit(cache=True, nogil=True)
def measure(
    data: Any, offsets: Any, folding: Any, slots: Any,
    rows: Any, scales: Any, weights: Any, bias: Any, spans: Any, barred: Any, script: Any,
    seen: Any, sampling: int, twins: Any, out: Any,
) -> None:  # fmt: skip
    """Find the best label of each text and how it stands out. Each text is measured by itself alone.

    Args:
        data: The UTF-8 bytes of all texts, uint8.
        offsets: Where each text begins and ends in `data`, n + 1 integers.
        folding: Symbol by code point, uint32.
        slots: The table of features.
        rows: The quantised rows of features, int8 (n_features, d).
        scales: What a row is multiplied by, float32.
        weights: float32 (d, n_labels).
        bias: float32 (n_labels).
        spans: The first label that may be in a script, and the last and one more, int64 (n_scripts, 2).
        barred: Whether a label cannot be in a script, bool (n_scripts, n_labels).
        script: Number of each text's script; -1: not measured.
        seen: Which features each label's texts had, as `mark_seen` wrote it, uint8.
        sampling: One in how many features is looked up there, a power of 2.
        twins: What tells pairs of labels apart, as `tell_apart` takes it.
        out: Output, float64 (n, 8): number of the best label or -1, features, features found, the label's score
            above the mean of its rivals, its score above the second, logarithm of its odds, features looked up,
            features its texts had.
    """
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    hashes = np.empty(FEATURES_PER_BYTE * longest + SLACK, np.uint32)
    found = np.empty(len(hashes), np.int32)
    d = rows.shape[1]
    hidden = np.zeros(d, np.float32)
    logits = np.zeros(weights.shape[1], np.float32)
    for row in range(len(offsets) - 1):
        out[row, :] = 0
        out[row, BEST] = -1
        if script[row] < 0:
            continue
        first, last = spans[script[row], 0], spans[script[row], 1]
        n = hash_features(data, offsets[row], offsets[row + 1], folding, hashes)
        m = look_up(hashes, n, slots, found)
        out[row, N_FEATURES], out[row, N_FOUND] = n, m
        if first >= last or m == 0:
            continue
        _add_rows(rows, scales, found, m, hidden)
        hidden *= np.float32(1 / np.sqrt(m))
        scores, excluded = logits[first:last], barred[script[row], first:last]
        scores[:] = bias[first:last]
        for k in range(d):
            weight, value = weights[k, first:last], hidden[k]
            for each in range(last - first):
                scores[each] += value * weight[each]
        tell_apart(hashes, n, twins, bias, excluded, first, scores)
        _stand_out(scores, excluded, first, out[row])
        if out[row, BEST] >= 0:
            _witness(hashes, n, int(out[row, BEST]), seen, sampling, out[row])


@numba.njit(cache=True, nogil=True)
def _add_rows(rows: Any, scales: Any, found: Any, n: int, total: Any) -> None:
    """Add up the rows found, four at a time: half the loads and stores of the sum."""
    total[:] = 0
    place = 0
    while place + 3 < n:
        one, two, three, four = found[place], found[place + 1], found[place + 2], found[place + 3]
        line1, line2, line3, line4 = rows[one], rows[two], rows[three], rows[four]
        scale1, scale2, scale3, scale4 = scales[one], scales[two], scales[three], scales[four]
        for k in range(len(total)):
            total[k] += (scale1 * np.float32(line1[k]) + scale2 * np.float32(line2[k])) + (
                scale3 * np.float32(line3[k]) + scale4 * np.float32(line4[k])
            )
        place += 4
    while place < n:
        line, scale = rows[found[place]], scales[found[place]]
        for k in range(len(total)):
            total[k] += scale * np.float32(line[k])
        place += 1


@numba.njit(cache=True, nogil=True)
def _stand_out(scores: Any, excluded: Any, first: int, out: Any) -> None:
    best, second, best_at, total, allowed = -np.inf, -np.inf, -1, 0.0, 0
    for each in range(len(scores)):
        if excluded[each]:
            continue
        total += scores[each]
        allowed += 1
        if scores[each] > best:
            second = best
            best, best_at = scores[each], each
        elif scores[each] > second:
            second = scores[each]
    if best_at < 0:
        return
    rivals = 0.0
    for each in range(len(scores)):
        if each != best_at and not excluded[each] and scores[each] > best - _NO_RIVAL:
            rivals += np.exp(np.float64(scores[each]) - best)
    out[BEST] = first + best_at
    out[SCORE] = best - (total - best) / max(1, allowed - 1)
    out[MARGIN] = min(best - second, 50.0)
    out[LOG_ODDS] = min(-np.log(rivals + 1e-20), 50.0)


@numba.njit(cache=True, nogil=True)
def _witness(hashes: Any, n: int, label: int, seen: Any, sampling: int, out: Any) -> None:
    tested, hits = 0, 0
    for each in range(n):
        if is_sampled(hashes[each], sampling):
            bit = seen_bit(hashes[each], label, len(seen))
            tested += 1
            hits += (seen[bit >> 3] >> (bit & 7)) & 1
    out[N_TESTED], out[N_SEEN] = tested, hits


@numba.njit(cache=True, nogil=True, inline="always")
def is_sampled(key: Any, sampling: Any) -> Any:
    """Tell whether a feature is one of those whose labels are remembered."""
    return ((np.uint64(key) * _GOLDEN) >> np.uint64(8)) & np.uint64(sampling - 1) == 0


@numba.njit(cache=True, nogil=True, inline="always")
def seen_bit(key: Any, label: Any, n_bytes: Any) -> Any:
    """Return which of 8 * `n_bytes` bits (a power of 2) says that a label's texts had a feature."""
    mixed = (np.uint64(key) ^ (np.uint64(label + 1) * np.uint64(0xC2B2AE3D27D4EB4F))) * _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.int64((mixed >> np.uint64(32)) & np.uint64(8 * n_bytes - 1))


@numba.njit(cache=True, nogil=True)
def mark_seen(hashes: Any, ends: Any, sampling: int, seen: Any) -> None:
    """Set the bits of the sampled features of each label.

    Args:
        hashes: The features of all texts, label by label, uint32.
        ends: Where each label's begin and end, int64 (n_labels + 1).
        sampling: One in how many features is remembered, a power of 2.
        seen: Output, uint8, a power of 2 long, zeros on entry.
    """
    for label in range(len(ends) - 1):
        for each in range(ends[label], ends[label + 1]):
            if is_sampled(hashes[each], sampling):
                bit = seen_bit(hashes[each], label, len(seen))
                seen[bit >> 3] |= np.uint8(1 << (bit & 7))
