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
_NO_RIVAL_OF_A_PART = 12.0  # of parts only what is surely right matters, and exponentials are dear
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
# Columns of `measure`, as `scoring` names them; Numba wants constants.
BEST, N_FEATURES, N_FOUND, SCORE, MARGIN, LOG_ODDS, N_TESTED, N_SEEN = 0, 1, 2, 3, 4, 5, 6, 7


@numba.njit(cache=True, nogil=True)
def measure(
    data: Any, bounds: Any, counts: Any, folding: Any, slots: Any,
    rows: Any, scales: Any, weights: Any, bias: Any, spans: Any, barred: Any, script: Any, part_script: Any,
    seen: Any, sampling: int, twins: Any, out: Any, of_parts: Any,
) -> None:  # fmt: skip
    """Find the best label of each text, and of its parts, and how it stands out. Each text is measured by itself.

    Args:
        data: The UTF-8 bytes of all texts, uint8.
        bounds: Where each part of each text begins and ends in `data`, between words, n_parts + 1 integers.
        counts: In how many parts each text is, at least 1, int64 (n).
        folding: Symbol by code point, uint32.
        slots: The table of features.
        rows: The quantised rows of features, int8 (n_features, d).
        scales: What a row is multiplied by, float32.
        weights: float32 (d, n_labels).
        bias: float32 (n_labels).
        spans: The first label that may be in a script, and the last and one more, int64 (n_scripts, 2).
        barred: Whether a label cannot be in a script, bool (n_scripts, n_labels).
        script: Number of each text's script; -1: not measured.
        part_script: The same of each part; not read where a text is one part.
        seen: Which features each label's texts had, as `mark_seen` wrote it, uint8.
        sampling: One in how many features is looked up there, a power of 2.
        twins: What tells pairs of labels apart, as `tell_apart` takes it.
        out: Output, float64 (n, 8): number of the best label or -1, features, features found, the label's score
            above the mean of its rivals, its score above the second, logarithm of its odds, features looked up,
            features its texts had.
        of_parts: Output, float64 (n_parts, 8): the same of each part; not written where a text is one part.
    """
    longest, most, part = 0, 0, 0
    for row in range(len(counts)):
        longest = max(longest, bounds[part + counts[row]] - bounds[part])
        most = max(most, counts[row])
        part += counts[row]
    # A part has as many features as a text of its own: each may need the slack.
    hashes = np.empty(FEATURES_PER_BYTE * longest + SLACK * (most + 1), np.uint32)
    found = np.empty(len(hashes), np.int32)
    hidden, total = np.zeros(rows.shape[1], np.float32), np.zeros(rows.shape[1], np.float32)
    logits = np.zeros(weights.shape[1], np.float32)
    last = 0
    for row in range(len(counts)):
        first, last = last, last + counts[row]
        if script[row] < 0:
            out[row, :] = 0
            out[row, BEST] = -1
            of_parts[first:last, :] = 0
            of_parts[first:last, BEST] = -1
            continue
        n, n_found = 0, 0
        total[:] = 0
        for part in range(first, last):
            own = n
            n += hash_features(data, bounds[part], bounds[part + 1], folding, hashes[n:])
            m = look_up(hashes[own:], n - own, slots, found)
            _add_rows(rows, scales, found, m, hidden)
            total += hidden
            n_found += m
            if last - first > 1:
                _answer(
                    hashes[own:n], m, hidden, weights, bias, spans, barred, part_script[part], logits, seen,
                    sampling, twins, _NO_RIVAL_OF_A_PART, of_parts[part],
                )  # fmt: skip
        _answer(
            hashes[:n], n_found, total, weights, bias, spans, barred, script[row], logits, seen, sampling, twins,
            _NO_RIVAL, out[row],
        )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _answer(
    hashes: Any, n_found: int, hidden: Any, weights: Any, bias: Any, spans: Any, barred: Any, script: int,
    logits: Any, seen: Any, sampling: int, twins: Any, no_rival: float, out: Any,
) -> None:  # fmt: skip
    """Find the best label of some features, whose rows add up to `hidden`, and how it stands out."""
    out[:] = 0
    out[BEST] = -1
    out[N_FEATURES], out[N_FOUND] = len(hashes), n_found
    if script < 0 or n_found == 0:
        return
    first, last = spans[script, 0], spans[script, 1]
    if first >= last:
        return
    scores, excluded = logits[first:last], barred[script, first:last]
    _score(hidden, np.float32(1 / np.sqrt(n_found)), weights, bias, first, scores)
    tell_apart(hashes, len(hashes), twins, bias, excluded, first, scores)
    _stand_out(scores, excluded, first, no_rival, out)
    if out[BEST] >= 0:
        _witness(hashes, len(hashes), int(out[BEST]), seen, sampling, out)


@numba.njit(cache=True, nogil=True)
def _score(hidden: Any, scale: Any, weights: Any, bias: Any, first: int, scores: Any) -> None:
    """Write the scores of labels, four rows of weights at a time: fewer loads and stores of the sums."""
    last = first + len(scores)
    scores[:] = bias[first:last]
    k = 0
    while k + 3 < len(hidden):
        one, two = scale * hidden[k], scale * hidden[k + 1]
        three, four = scale * hidden[k + 2], scale * hidden[k + 3]
        row1, row2 = weights[k, first:last], weights[k + 1, first:last]
        row3, row4 = weights[k + 2, first:last], weights[k + 3, first:last]
        for each in range(len(scores)):
            # One after another: the same sum as a row at a time gives, to the last bit.
            sum_ = ((scores[each] + one * row1[each]) + two * row2[each]) + three * row3[each]
            scores[each] = sum_ + four * row4[each]
        k += 4
    while k < len(hidden):
        row, value = weights[k, first:last], scale * hidden[k]
        for each in range(len(scores)):
            scores[each] += value * row[each]
        k += 1


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
def _stand_out(scores: Any, excluded: Any, first: int, no_rival: float, out: Any) -> None:
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
        if each != best_at and not excluded[each] and scores[each] > best - no_rival:
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
