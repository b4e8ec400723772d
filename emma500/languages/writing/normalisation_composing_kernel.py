"""Numba kernel of normal form C over UTF-8 bytes (data, offsets)."""

from typing import Any

import numpy as np
from numba import njit

from emma500.languages.writing.normalisation_kernel import slot_of
from emma500.languages.writing.utf8_kernel import HIGHEST, copy, copy_eight, decode, load

_ROOM = 128
_LONGEST = _ROOM // 4
_HANGUL, _N_SYLLABLES, _N_FINALS, _N_VOWELS = 0xAC00, 11172, 28, 21


@njit(cache=True, nogil=True)
def compose(
    data: Any, offsets: Any, classes: Any, joins: Any, places: Any, parts: Any, pairs: Any, values: Any,
    out: Any, out_offsets: Any, is_done: Any,
) -> None:  # fmt: skip
    """Bring texts into normal form C, a character with its marks at a time.

    Args:
        data: UTF-8 bytes.
        offsets: (texts + 1) positions in `data`.
        classes: Combining class by code point.
        joins: By code point, whether it may change what stands before it.
        places: Row of its decomposition by code point, 0 for none.
        parts: (rows, 4) decompositions.
        pairs: Table of the pairs that compose.
        values: What they compose to.
        out: Three times as many bytes as `data`; receives the texts.
        out_offsets: (texts + 1) positions in `out`; receives them.
        is_done: (texts) bool; receives False for a text that is copied, as it has too many marks on one character.
    """
    points = np.empty(_ROOM, np.int64)
    to = 0
    out_offsets[0] = 0
    for text in range(len(offsets) - 1):
        start, at, end = to, offsets[text], offsets[text + 1]
        is_done[text] = True
        while at < end:
            if at + 8 <= end and load(data, at) & HIGHEST == 0:
                # The last of eight may have marks; nothing before it has any, or changes.
                to = copy_eight(data, at, out, to) - 1
                at += 7
                continue
            begin, count = at, 1
            point, at = decode(data, at)
            first = point
            while at < end:
                point, after = decode(data, at)
                if not joins[np.uint64(point)]:
                    break
                count += 1
                at = after
            if count == 1 and not places[np.uint64(first)]:
                to = copy(data, begin, at, out, to)
            elif count <= _LONGEST:
                n = _decomposed(data, begin, at, classes, places, parts, points)
                n = _composed(points, n, classes, pairs, values)
                for place in range(n):
                    to = _encode(points[place], out, to)
            else:
                is_done[text] = False
                to = copy(data, offsets[text], end, out, start)
                at = end
        out_offsets[text + 1] = to


@njit(cache=True, nogil=True)
def _decomposed(
    data: Any, at: int, end: int, classes: Any, places: Any, parts: Any, points: Any
) -> int:
    """Write the decomposed characters in canonical order; return how many."""
    n = 0
    while at < end:
        point, at = decode(data, at)
        row = places[point]
        if not row:
            n = _put(points, n, point, classes)
            continue
        for place in range(4):
            if parts[row, place]:
                n = _put(points, n, np.int64(parts[row, place]), classes)
    return n


@njit(cache=True, nogil=True)
def _put(points: Any, n: int, point: int, classes: Any) -> int:
    """Put a character before the marks of higher classes at the end."""
    own, place = classes[point], n
    while own and place and classes[points[place - 1]] > own:
        points[place] = points[place - 1]
        place -= 1
    points[place] = point
    return n + 1


@njit(cache=True, nogil=True)
def _composed(points: Any, n: int, classes: Any, pairs: Any, values: Any) -> Any:
    """Compose characters in canonical order, in place; return how many are left."""
    starter, last, to = -1, np.int64(0), 0
    for place in range(n):
        point = points[place]
        own = np.int64(classes[point])
        if starter >= 0 and (to == starter + 1 or last < own):
            whole = _pair(points[starter], point, pairs, values)
            if whole:
                points[starter] = whole
                continue
        points[to] = point
        if not own:
            starter = to
        last = own
        to += 1
    return to


@njit(cache=True, nogil=True)
def _pair(first: Any, second: Any, pairs: Any, values: Any) -> Any:
    """Return what two characters compose to, or 0."""
    if 0x1161 <= second < 0x1176 and 0x1100 <= first < 0x1113:
        return _HANGUL + ((first - 0x1100) * _N_VOWELS + second - 0x1161) * _N_FINALS
    syllable = first - _HANGUL
    if 0x11A8 <= second < 0x11C3 and 0 <= syllable < _N_SYLLABLES and syllable % _N_FINALS == 0:
        return first + second - 0x11A7
    value = (np.uint64(first) << np.uint64(32)) | np.uint64(second)
    slot = slot_of(value, pairs)
    return np.int64(values[slot]) if pairs[slot] == value else np.int64(0)


@njit(cache=True, nogil=True)
def _encode(point: int, out: Any, to: int) -> int:
    if point < 0x80:
        out[to] = point
        return to + 1
    if point < 0x800:
        out[to] = 0xC0 | (point >> 6)
        out[to + 1] = 0x80 | (point & 0x3F)
        return to + 2
    if point < 0x10000:
        out[to] = 0xE0 | (point >> 12)
        out[to + 1] = 0x80 | ((point >> 6) & 0x3F)
        out[to + 2] = 0x80 | (point & 0x3F)
        return to + 3
    out[to] = 0xF0 | (point >> 18)
    out[to + 1] = 0x80 | ((point >> 12) & 0x3F)
    out[to + 2] = 0x80 | ((point >> 6) & 0x3F)
    out[to + 3] = 0x80 | (point & 0x3F)
    return to + 4
