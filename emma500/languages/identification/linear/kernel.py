"""The loops over bytes of our own identifier: UTF-8 in, character n-grams and class scores out.

One featuriser serves training and inference. Letters and marks are lower-cased by a table; everything else ends a word;
an apostrophe between letters is a letter. Features are the n-grams of 1 to 5 symbols of a word with a mark at both of
its ends, words of 4 to 16 symbols as a whole, and each digit and each character of code by itself.
"""

from typing import Any

import numba
import numpy as np

from emma500.languages.writing.prefetching_kernel import AHEAD, prefetch
from emma500.languages.writing.utf8_kernel import decode

APOSTROPHE = 0x27
EDGE = 1
ALONE = 1 << 24
"""From this symbol on, a symbol is a feature by itself and ends a word."""

FEATURES_PER_BYTE = 7
"""No text has more features than this times its bytes, and `SLACK`."""
SLACK = 16

_SEED = np.uint64(0x811C9DC5)
_EDGE = np.uint64(EDGE)
_APOSTROPHE = np.uint64(APOSTROPHE)
_NEW_WORD = (_EDGE, _EDGE, _EDGE, _EDGE)
_WHOLE = np.uint64(0x5BD1E995)
"""Tells the hash of a whole word from that of an n-gram."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


@numba.njit(cache=True, nogil=True, inline="always")
def _mix(state: Any, symbol: Any) -> Any:
    """Return the 32-bit hash of a sequence and one symbol more."""
    turned = ((state << np.uint64(5)) | (state >> np.uint64(27))) & _LOW
    return ((turned ^ symbol) * np.uint64(0x9E3779B1)) & _LOW


@numba.njit(cache=True, nogil=True, inline="always")
def _hash_ngrams(current: Any, before: Any) -> Any:
    """Return the hashes of the n-grams of 1 to 5 symbols that end with a symbol; `before` has the nearest first."""
    one = _mix(_SEED, current)
    two = _mix(one, before[0])
    three = _mix(two, before[1])
    four = _mix(three, before[2])
    return one, two, three, four, _mix(four, before[3])


@numba.njit(cache=True, nogil=True)
def hash_features(data: Any, begin: int, end: int, folding: Any, out: Any) -> int:
    """Write the hashes of a text's features, in the order of their last characters.

    Args:
        data: UTF-8 bytes, uint8; valid, as Arrow strings are.
        begin: Where the text begins in `data`.
        end: Where it ends.
        folding: Symbol by code point, uint32 (0: ends a word).
        out: Output, uint32, at least `FEATURES_PER_BYTE * (end - begin) + SLACK` long; spoiled behind what is written.

    Returns:
        How many were written.
    """
    n, length, at = 0, 0, begin
    is_waiting = False  # an apostrophe, for a letter
    before, word = _NEW_WORD, _SEED
    while at <= end:
        symbol = np.uint64(0)
        if at < end:
            point, at = decode(data, at)
            symbol = np.uint64(folding[point])
        else:
            at += 1
        if symbol == APOSTROPHE:
            if length > 0 and not is_waiting:
                is_waiting = True
                continue
            symbol = np.uint64(0)
        if 0 < symbol < ALONE:
            for turn in range(0 if is_waiting else 1, 2):
                current = symbol if turn else _APOSTROPHE
                # Five are written whatever their number: the ones too many are overwritten, no branch is mispredicted.
                found = _hash_ngrams(current, before)
                out[n], out[n + 1], out[n + 2], out[n + 3], out[n + 4] = found
                n += min(length, 3) + 2
                before, word = (current, before[0], before[1], before[2]), _mix(word, current)
                length += 1
        elif length > 0:
            _, out[n], out[n + 1], out[n + 2], out[n + 3] = _hash_ngrams(_EDGE, before)
            n += min(length, 3) + 1
            if 4 <= length <= 16:
                out[n] = word ^ _WHOLE
                n += 1
            length, before, word = 0, _NEW_WORD, _SEED
        is_waiting = False
        if symbol >= ALONE:
            out[n] = _mix(_SEED, symbol)
            n += 1
    return n


@numba.njit(cache=True, nogil=True)
def fill_table(keys: Any, slots: Any) -> None:
    """Fill an open-addressing table with keys and the place of each.

    Args:
        keys: The keys, uint32, all different, none 0.
        slots: Output, uint64, a power of 2 and more than `keys`, zeros on entry: the key in each slot (upper half) and
            its place in `keys` (lower half), side by side for the caches.
    """
    shift, mask = _shift(slots), np.uint64(len(slots) - 1)
    for place in range(len(keys)):
        slot = (np.uint64(keys[place]) * _GOLDEN) >> shift
        while slots[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = np.uint64(keys[place]) << _HALF | np.uint64(place)


@numba.njit(cache=True, nogil=True)
def look_up(hashes: Any, n: int, slots: Any, out: Any) -> Any:
    """Write the places of those of the first `n` hashes that a table has.

    Args:
        hashes: Keys to look for, uint32.
        n: How many.
        slots: The table, as `fill_table` wrote it.
        out: Output, int32, at least `n` long; spoiled behind what is written.

    Returns:
        How many were found.
    """
    shift, mask = _shift(slots), np.uint64(len(slots) - 1)
    found = np.uint64(0)
    for each in range(min(n, AHEAD)):
        prefetch(slots, np.int64((np.uint64(hashes[each]) * _GOLDEN) >> shift))
    for each in range(n):
        if each + AHEAD < n:
            prefetch(slots, np.int64((np.uint64(hashes[each + AHEAD]) * _GOLDEN) >> shift))
        key = np.uint64(hashes[each])
        slot = (key * _GOLDEN) >> shift
        entry = slots[slot]
        while entry != 0 and entry >> _HALF != key:
            slot = (slot + np.uint64(1)) & mask
            entry = slots[slot]
        out[found] = np.int32(entry & _LOW)  # overwritten by the next if there is none
        found += np.uint64(entry != 0)
    return np.int64(found)


@numba.njit(cache=True, nogil=True)
def _shift(slots: Any) -> Any:
    bits = 0
    while (1 << bits) < len(slots):
        bits += 1
    return np.uint64(64 - bits)


@numba.njit(cache=True, nogil=True)
def sample_windows(data: Any, offsets: Any, budget: int, windows: int, out: Any, ends: Any) -> None:
    """Copy what is looked at of each text: all, or windows spread over it, joined by spaces.

    A window moves its start behind the next space within 64 bytes, else to the next character, and ends likewise.

    Args:
        data: The UTF-8 bytes of all texts, uint8.
        offsets: Where each text begins and ends in `data`, n + 1 integers.
        budget: A text of more bytes than this is sampled.
        windows: How many windows of `budget // windows` bytes.
        out: Output, uint8, long enough for `budget + 128 * windows` bytes a text.
        ends: Output, int64 (n + 1): where each text's sample begins and ends in `out`.
    """
    at = 0
    ends[0] = 0
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        if end - begin <= budget:
            for place in range(begin, end):
                out[at] = data[place]
                at += 1
        else:
            size = budget // windows
            for window in range(windows):
                start = begin + (end - begin - size) * window // (windows - 1)
                stop = _word_end(data, start + size, end)
                if window > 0:
                    start = _word_end(data, start, end)
                for place in range(start, stop):
                    out[at] = data[place]
                    at += 1
                out[at] = 0x20
                at += 1
        ends[row + 1] = at


@numba.njit(cache=True, nogil=True)
def _word_end(data: Any, place: int, end: int) -> int:
    for each in range(place, min(place + 64, end)):
        if data[each] <= 0x20:
            return each
    while place < end and (data[place] & 0xC0) == 0x80:
        place += 1
    return min(place, end)


@numba.njit(cache=True, nogil=True)
def cut_parts(data: Any, offsets: Any, most: int, least: int, bounds: Any, counts: Any) -> int:
    """Cut texts between words into parts about as long as each other.

    Args:
        data: The UTF-8 bytes of all texts, uint8.
        offsets: Where each text begins and ends in `data`, n + 1 integers.
        most: In how many parts a text is cut at most; at least 1.
        least: The characters a part has, if there is to be more than one.
        bounds: Output, int64, at least `n * most + 1` long: where the parts of all texts begin and end in `data`.
        counts: Output, int64 (n): in how many parts each text is.

    Returns:
        How many parts there are.
    """
    at = 0
    bounds[0] = offsets[0]
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        n_chars = 0
        if most > 1:
            for place in range(begin, end):
                n_chars += (data[place] & 0xC0) != 0x80
        wanted = max(1, min(most, n_chars // least))
        counts[row] = 0
        start = begin
        for part in range(1, wanted + 1):
            stop = end
            if part < wanted:
                stop = _word_end(data, begin + (end - begin) * part // wanted, end)
            if stop > start or part == wanted:
                at += 1
                bounds[at] = stop
                counts[row] += 1
                start = stop
    return at
