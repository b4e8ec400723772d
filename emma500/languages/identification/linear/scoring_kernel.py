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
from emma500.languages.identification.linear.twins_kernel import largest, tell_apart
from emma500.languages.writing.prefetching_kernel import AHEAD, prefetch

_NO_RIVAL = 25.0  # a label this far behind adds nothing
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
    ends, n_found = np.zeros(most + 1, np.int64), np.zeros(most, np.int64)
    sums, total = (
        np.zeros((most, rows.shape[1]), np.float32),
        np.zeros((1, rows.shape[1]), np.float32),
    )
    logits = np.zeros((most, weights.shape[1]), np.float32)
    last = 0
    for row in range(len(counts)):
        first, last = last, last + counts[row]
        if script[row] < 0:
            out[row, :] = 0
            out[row, BEST] = -1
            of_parts[first:last, :] = 0
            of_parts[first:last, BEST] = -1
            continue
        n, n_parts = 0, last - first
        total[:] = 0
        for part in range(n_parts):
            begin, end = bounds[first + part], bounds[first + part + 1]
            n += hash_features(data, begin, end, folding, hashes[n:])
            ends[part + 1] = n
            n_found[part] = look_up(hashes[ends[part] :], n - ends[part], slots, found)
            _add_rows(rows, scales, found, n_found[part], sums[part])
            total[0] += sums[part]
        if n_parts > 1:
            _answer(
                hashes, ends[:n_parts + 1], n_found, sums, weights, bias, spans, barred, part_script[first:last],
                logits, seen, sampling, twins, of_parts[first:last],
            )  # fmt: skip
            n_found[0] = n_found[:n_parts].sum()
        ends[1] = n
        _answer(
            hashes, ends[:2], n_found, total, weights, bias, spans, barred, script[row:row + 1], logits, seen,
            sampling, twins, out[row:row + 1],
        )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _answer(
    hashes: Any, ends: Any, n_found: Any, sums: Any, weights: Any, bias: Any, spans: Any, barred: Any, script: Any,
    logits: Any, seen: Any, sampling: int, twins: Any, out: Any,
) -> None:  # fmt: skip
    """Find the best label of features whose rows add up to `sums`, one text after another, and how it stands out."""
    last = 0
    while last < len(script):
        first = last
        while last < len(script) and script[last] == script[first]:
            last += 1
        out[first:last] = 0
        out[first:last, BEST] = -1
        begin, end = spans[script[first], 0], spans[script[first], 1]
        excluded = barred[script[first], begin:end]
        if script[first] >= 0 and begin < end:
            _score(
                sums[first:last], n_found[first:last], weights, bias, begin, end, logits[first:last]
            )
        for each in range(first, last):
            own = hashes[ends[each] : ends[each + 1]]
            out[each, N_FEATURES], out[each, N_FOUND] = len(own), n_found[each]
            if script[each] < 0 or begin >= end or n_found[each] == 0:
                continue
            scores = logits[each, begin:end]
            tell_apart(own, len(own), twins, bias, excluded, begin, scores)
            _stand_out(scores, excluded, begin, out[each])
            if out[each, BEST] >= 0:
                _witness(own, len(own), int(out[each, BEST]), seen, sampling, out[each])


@numba.njit(cache=True, nogil=True)
def _score(
    sums: Any, n_found: Any, weights: Any, bias: Any, first: int, last: int, logits: Any
) -> None:
    """Write the scores of labels, four rows of weights at a time and for all texts: fewer loads and stores."""
    scales = (1 / np.sqrt(np.maximum(n_found, 1))).astype(np.float32)
    logits[:, first:last] = bias[first:last]
    k = 0
    while k + 3 < sums.shape[1]:
        row1, row2 = weights[k, first:last], weights[k + 1, first:last]
        row3, row4 = weights[k + 2, first:last], weights[k + 3, first:last]
        for text in range(len(sums)):
            one, two = scales[text] * sums[text, k], scales[text] * sums[text, k + 1]
            three, four = scales[text] * sums[text, k + 2], scales[text] * sums[text, k + 3]
            own = logits[text, first:last]
            for each in range(len(own)):
                # One after another: the same sum as a row at a time gives, to the last bit.
                sum_ = ((own[each] + one * row1[each]) + two * row2[each]) + three * row3[each]
                own[each] = sum_ + four * row4[each]
        k += 4
    while k < sums.shape[1]:
        row = weights[k, first:last]
        for text in range(len(sums)):
            own, value = logits[text, first:last], scales[text] * sums[text, k]
            for each in range(len(own)):
                own[each] += value * row[each]
        k += 1


@numba.njit(cache=True, nogil=True)
def _add_rows(rows: Any, scales: Any, found: Any, n: int, total: Any) -> None:
    """Add up the rows found, four at a time: half the loads and stores of the sum."""
    total[:] = 0
    for place in range(min(n, AHEAD)):
        prefetch(rows, np.int64(found[place]))
        prefetch(scales, np.int64(found[place]))
    place = 0
    while place + 3 < n:
        for ahead in range(place + AHEAD, min(place + AHEAD + 4, n)):
            prefetch(rows, np.int64(found[ahead]))
            prefetch(scales, np.int64(found[ahead]))
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
    best_at = largest(scores, excluded, -1)
    if best_at < 0:
        return
    best, second_at = np.float64(scores[best_at]), largest(scores, excluded, best_at)
    second = np.float64(scores[second_at]) if second_at >= 0 else -np.inf
    total, allowed, rivals = _sums(scores, excluded, best)
    out[BEST] = first + best_at
    out[SCORE] = best - (total - best) / max(1, allowed - 1)
    out[MARGIN] = min(best - second, 50.0)
    out[LOG_ODDS] = min(-np.log(max(rivals - 1, 0.0) + 1e-20), 50.0)


@numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _sums(scores: Any, excluded: Any, best: float) -> tuple[float, int, float]:
    """Return the sum of the scores of labels, their number, and the sum of exp(score - best), to 1e-6 of itself.

    A library's exponential is dear, and not computed for several labels at once: exp(x) = exp(x / 32) ** 32.
    """
    total, allowed, powers = 0.0, 0, 0.0
    for each in range(len(scores)):
        x = (scores[each] - best) / 32
        power = 1 / 362880.0
        power = power * x + 1 / 40320.0
        power = power * x + 1 / 5040.0
        power = power * x + 1 / 720.0
        power = power * x + 1 / 120.0
        power = power * x + 1 / 24.0
        power = power * x + 1 / 6.0
        power = power * x + 1 / 2.0
        power = (power * x + 1) * x + 1
        power *= power
        power *= power
        power *= power
        power *= power
        power *= power
        total += 0.0 if excluded[each] else np.float64(scores[each])
        allowed += 0 if excluded[each] else 1
        powers += 0.0 if excluded[each] or x <= -_NO_RIVAL / 32 else power
    return total, allowed, powers


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
