"""Numba kernels that count repeated runs of characters and of units.

A run can only stand twice in a text if the shorter runs in it do. So every length looks only where the one before it
found repeats, and numbers those anew; two numbers side by side name a longer run exactly.
"""

from typing import Any

import numpy as np
from numba import njit

from emma500.corpus.signals.hash_table_kernels import find, fresh
from emma500.languages.writing.utf8_kernel import GOLDEN

_FACTOR = np.uint64(0xD6E8FEB86659FD93)
_ONE, _SIX, _LOW = np.uint64(1), np.uint64(6), np.uint64(63)  # the bits of a word
_GRAMS, _WORD_GRAMS, _TOP, _DUPLICATE, _CHARS, _STOP, _FLAGGED = (
    16,
    18,
    20,
    23,
    29,
    30,
    32,
)  # columns
_FIRST_TOP, _LAST_TOP, _FIRST_DUPLICATE, _LONGEST = 2, 4, 5, 10


@njit(cache=True, nogil=True)
def characters(points: Any, n: int, gram: int, room: Any, row: Any) -> None:
    """Count the runs of characters, and those among the most frequent repeated ones.

    Args:
        points: Code points.
        n: How many there are.
        gram: Characters a run.
        room: Working memory.
        row: Receives both counts. The most frequent are as many as the root of the number of distinct runs, as far as
            they are repeated.
    """
    n_grams = n - gram + 1
    if n_grams < 2:
        row[_GRAMS + 1] = max(0, n_grams)
        return
    values = room[3]
    n_candidates = _candidates(points, n_grams, gram, values, room[5])
    keys, counts, frequencies = room[2], room[4][0], room[4][1]
    mask, base = fresh(room, n_candidates)
    distinct = 0
    for place in range(n_candidates):
        number = find(room[0], mask, 0, keys, base, distinct, values[place])
        if number == distinct:
            counts[np.uint64(number)] = 0
            distinct += 1
        counts[np.uint64(number)] += 1
    room[1][0] = base + distinct
    row[_GRAMS] = _most_frequent(counts[:distinct], frequencies, n_grams)
    row[_GRAMS + 1] = n_grams


@njit(cache=True, nogil=True)
def _candidates(points: Any, n_grams: int, gram: int, values: Any, bits: Any) -> Any:
    """Write the hashes of the runs of characters that may stand twice to the front of `values`.

    A run is left out where no other falls on its bit of a bitmap, of 16 bits a run or more; what stands twice is never
    left out. No step branches on the text.

    Returns:
        How many are left.
    """
    n_words, shift = 1, np.uint64(58)
    while 4 * n_words < n_grams and 4 * n_words < len(bits):
        n_words *= 2
        shift -= np.uint64(1)
    once, twice = bits[:n_words], bits[n_words : 2 * n_words]
    once[:] = 0
    twice[:] = 0
    power = np.uint64(1)
    for _ in range(gram):
        power *= _FACTOR
    value, out = np.uint64(0), np.uint64(0)
    for place in range(gram - 1):
        value = value * _FACTOR + np.uint64(points[place])
    coming, hashes = points[gram - 1 : gram - 1 + n_grams], values[:n_grams]
    for place in range(n_grams):
        value = value * _FACTOR + (np.uint64(coming[place]) - out)
        out = np.uint64(points[place]) * power
        hashes[place] = value
        slot = (value * GOLDEN) >> shift
        word, bit = slot >> _SIX, _ONE << (slot & _LOW)
        before = once[word]
        twice[word] |= before & bit
        once[word] = before | bit
    left = np.uint64(0)
    for place in range(n_grams):
        value = hashes[place]
        slot = (value * GOLDEN) >> shift
        hashes[left] = value
        left += (twice[slot >> _SIX] >> (slot & _LOW)) & _ONE
    return np.int64(left)


@njit(cache=True, nogil=True)
def _most_frequent(counts: Any, frequencies: Any, n_grams: int) -> int:
    """Return the sum of the largest counts above one, as many as the root of the number of distinct grams."""
    most: Any = 0
    repeated: Any = 0
    extra: Any = 0
    for count in counts:
        most = max(most, count)
    frequencies[: most + 1] = 0
    for count in counts:
        frequencies[count] += 1
        repeated += count > 1
        extra += count - 1
    left: Any = min(np.int64(np.sqrt(n_grams - extra)), repeated)
    total: Any = 0
    while left > 0:
        taken = min(left, np.int64(frequencies[most]))
        total += taken * most
        left -= taken
        most -= 1
    return total


@njit(cache=True, nogil=True)
def units(
    hashes: Any, lengths: Any, gram: int, step: int, words: Any, ranges: Any, room: Any, row: Any
) -> None:  # fmt: skip
    """Count what runs of 2 to 10 units repeat, and the units that are on lists.

    Args:
        hashes: (units) uint64.
        lengths: (units) characters.
        gram: Units a run of the units that are counted as repeated.
        step: Units that count as one here: 1, or 2 where units are characters.
        words: Hashes of listed words.
        ranges: Where in `words` the stop words begin and end, and the flagged words.
        room: Working memory.
        row: Receives the counts.
    """
    n = len(hashes)
    ids, places, counts, firsts = room[4][0], room[4][1], room[4][2], room[4][3]
    ends = room[3]
    mask, base = fresh(room, n)
    distinct = _numbered(hashes, lengths, room, mask, base)
    row[_CHARS] = ends[n]
    row[_STOP], row[_STOP + 1] = _listed(words, ranges[0], ranges[1], room, mask, base)
    row[_FLAGGED], _ = _listed(words, ranges[2], ranges[3], room, mask, base)
    row[_WORD_GRAMS + 1] = max(0, n - gram * step + 1)
    base += distinct
    for place in range(n):
        places[place] = place
    n_places = _repeated(ids, places, n, counts)
    length = 1
    while length < _LONGEST * step and (n_places or length < _LAST_TOP * step):
        stride = 1 if length == 1 else step
        length += stride
        n_places, distinct = _longer(ids, places, n_places, stride, n - length, room, mask, base)
        base += distinct
        kind = length // step if length % step == 0 else 0
        if _FIRST_TOP <= kind <= _LAST_TOP and length <= n:
            row[_TOP + kind - _FIRST_TOP] = _top(counts, firsts, distinct, ends, length, step)
        n_places = _repeated(ids, places, n_places, counts)
        if kind == gram:
            row[_WORD_GRAMS] = n_places
        if kind >= _FIRST_DUPLICATE:
            row[_DUPLICATE + kind - _FIRST_DUPLICATE] = _covered(
                ids, places, n_places, ends, length, distinct, counts
            )
    room[1][0] = base


@njit(cache=True, nogil=True)
def _numbered(hashes: Any, lengths: Any, room: Any, mask: int, base: int) -> int:
    """Number the units, count each, and write where each ends in characters; return how many are distinct."""
    keys, ends = room[2], room[3]
    ids, counts, firsts = room[4][0], room[4][2], room[4][3]
    distinct, total = 0, np.uint64(0)
    for place in range(len(hashes)):
        number = find(room[0], mask, 0, keys, base, distinct, hashes[place])
        if number == distinct:
            counts[np.uint64(number)] = 0
            firsts[np.uint64(number)] = place
            distinct += 1
        counts[np.uint64(number)] += 1
        ids[place] = number
        ends[place] = total
        total += np.uint64(lengths[place])
    ends[len(hashes)] = total
    return distinct


@njit(cache=True, nogil=True)
def _listed(words: Any, first: int, end: int, room: Any, mask: int, base: int) -> Any:
    """Return how many units are on a list, and how many different ones."""
    table, keys, counts = room[0], room[2], room[4][2]
    total = different = 0
    for place in range(first, end):
        slot = np.int64((words[place] * GOLDEN) >> np.uint64(32)) & mask
        entry = table[slot]
        while entry >= base and keys[entry - base] != words[place]:
            slot = (slot + 1) & mask
            entry = table[slot]
        if entry >= base:
            total += counts[entry - base]
            different += 1
    return total, different


@njit(cache=True, nogil=True)
def _longer(
    ids: Any, places: Any, n_places: int, stride: int, last: int, room: Any, mask: int, base: int
) -> Any:
    """Number the runs that are longer by `stride`, where both runs in them are repeated; drop the other places.

    Returns:
        How many places are left, and how many distinct runs there are.
    """
    table, keys, counts, firsts = room[0], room[2], room[4][2], room[4][3]
    while n_places and places[n_places - 1] > last:  # a longer run would look for none there
        n_places -= 1
    left = distinct = 0
    for each in range(n_places):  # without a branch; no key is read again before the next loop
        place = np.uint64(places[each])
        first, second = ids[place], ids[place + np.uint64(stride)]
        keys[np.uint64(left)] = np.uint64(first) << np.uint64(32) | np.uint64(second)
        places[np.uint64(left)] = np.int32(place)
        is_kept = second >= 0
        ids[place] = first if is_kept else -1
        left += is_kept
    for each in range(left):
        number = find(table, mask, 0, keys, base, distinct, keys[each])
        place = np.uint64(places[each])
        if number == distinct:
            counts[np.uint64(number)] = 0
            firsts[np.uint64(number)] = np.int32(place)
            distinct += 1
        counts[np.uint64(number)] += 1
        ids[place] = number
    return left, distinct


@njit(cache=True, nogil=True)
def _top(counts: Any, firsts: Any, distinct: int, ends: Any, length: int, step: int) -> Any:
    """Return the characters of the most frequent run in all its places, blanks between words included.

    The first of equals is taken: the first run of the text where none is repeated.
    """
    first, most = 0, 1
    for number in range(distinct):
        if counts[number] > most:
            first, most = firsts[number], counts[number]
    blanks = length - 1 if step == 1 else 0
    return most * (np.int64(ends[first + length] - ends[first]) + blanks)


@njit(cache=True, nogil=True)
def _repeated(ids: Any, places: Any, n_places: int, counts: Any) -> int:
    """Drop the places whose run stands only there; return how many are left."""
    left = 0
    for each in range(n_places):
        place = np.uint64(places[each])
        number = ids[place]
        is_kept = counts[np.uint64(number)] > 1
        places[np.uint64(left)] = np.int32(place)
        ids[place] = number if is_kept else -1
        left += is_kept
    return left


@njit(cache=True, nogil=True)
def _covered(
    ids: Any, places: Any, n_places: int, ends: Any, length: int, distinct: int, counts: Any
) -> Any:
    """Return the characters of runs that stood before, each place taken once, from left to right."""
    counts[:distinct] = 0
    covered: Any = 0
    free = 0
    for each in range(n_places):
        place = places[each]
        if place < free:
            continue
        if counts[ids[place]]:
            covered += np.int64(ends[place + length] - ends[place])
            free = place + length
        else:
            counts[ids[place]] = 1
    return covered
