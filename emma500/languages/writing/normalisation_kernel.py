"""Numba kernels of normalisation over UTF-8 bytes (data, offsets): which texts need normalising."""

from typing import Any

import numpy as np
from numba import njit

from emma500.languages.writing import character_traits as t
from emma500.languages.writing.utf8_kernel import HIGHEST, decode, load, mix

UNTIDY, UNCOMPOSED, MISREAD, MISSPELT = 1, 2, 4, 8
"""What is found in a text: white space or invisible characters to see to; characters that may not be in normal form C;
characters that look like UTF-8 read in another charset; an entity or a control that was a Windows-1252 character."""

_NEWLINE, _BLANK = 10, 32
_EIGHT_BLANKS, _EIGHT_AMPERSANDS = np.uint64(0x2020202020202020), np.uint64(0x2626262626262626)
_EIGHT_LOWS, _EIGHT_96 = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x6060606060606060)
_EIGHT_1, _FIRST = np.uint64(0x0101010101010101), np.uint64(0x80)
_LAST = np.uint64(56)
_LONGEST_ENTITY = 33
_HANGUL, _N_SYLLABLES, _N_FINALS = 0xAC00, 11172, 28


@njit(cache=True, nogil=True)
def slot_of(value: Any, table: Any) -> Any:
    """Return where a value stands in an open-addressed table of a power of two, or the empty slot it would take."""
    mask = np.uint64(len(table) - 1)
    slot = mix(value) & mask
    while table[slot] and table[slot] != value:
        slot = (slot + np.uint64(1)) & mask
    return slot


@njit(cache=True, nogil=True)
def inspect(
    data: Any, offsets: Any, traits: Any, classes: Any, trailing: Any, pairs: Any, plain: Any,
    found: Any,
) -> None:  # fmt: skip
    """Find the texts that may need normalising; a text with nothing found is in order.

    Args:
        data: UTF-8 bytes.
        offsets: (texts + 1) positions in `data`.
        traits: Traits by code point.
        classes: Combining class by code point.
        trailing: Combining class of the end of its decomposition, by code point.
        pairs: Table of pairs that compose.
        plain: (texts) True where a text is code.
        found: (texts) uint8; receives UNTIDY, UNCOMPOSED and MISSPELT.
    """
    for text in range(len(offsets) - 1):
        if plain[text]:
            found[text] = _inspect_code(data, offsets[text], offsets[text + 1], traits)
        else:
            found[text] = _inspect_prose(
                data, offsets[text], offsets[text + 1], traits, classes, trailing, pairs
            )


@njit(cache=True, nogil=True)
def _inspect_code(data: Any, at: int, end: int, traits: Any) -> int:
    if at < end and (data[at] == _NEWLINE or data[end - 1] == _NEWLINE):
        return UNTIDY
    while at < end:
        point, at = decode(data, at)
        trait = traits[point]
        if trait & t.DROPPED_IN_CODE or (trait & t.KIND == t.BREAK and point != _NEWLINE):
            return UNTIDY
    return 0


@njit(cache=True, nogil=True)
def _inspect_prose(
    data: Any, at: int, end: int, traits: Any, classes: Any, trailing: Any, pairs: Any
) -> int:
    if at == end:
        return 0
    found, blank, lines = 0, True, 2  # as after an empty line: leading white space is untidy
    starter, mark = np.int64(0), np.int64(0)
    while at < end:
        first = data[np.uint64(at)]
        if 0x20 <= first < 0x7F and at + 8 <= end:
            word = load(data, at)
            marks = blanks(word)
            if is_plain(word, marks) and not (marks & _FIRST and (blank or lines)):
                starter, mark, lines = np.int64(word >> _LAST), np.int64(0), 0
                blank = starter == _BLANK
                at += 8
                continue
        if 0x26 < first < 0x7F or (first == _BLANK and not (blank or lines)):
            starter, mark, blank, lines = np.int64(first), np.int64(0), first == _BLANK, 0
            at += 1
            continue
        point, at = decode(data, at)
        trait = traits[np.uint64(point)]
        if not trait & t.WATCHED:  # the most frequent case, for speed
            starter, mark, blank, lines = point, np.int64(0), False, 0
            continue
        kind = trait & t.KIND
        if kind == t.BLANK or kind == t.BREAK:
            if blank or (point != _BLANK and point != _NEWLINE) or (lines and kind == t.BLANK):
                found |= UNTIDY
            lines = lines + 1 if kind == t.BREAK else 0
            blank = kind == t.BLANK or lines > 1
            starter, mark = point, np.int64(0)
            continue
        blank, lines = False, 0
        if kind:
            found |= UNTIDY
        if not trait & t.COMBINES:
            starter, mark = point, np.int64(0)
            if trait & t.NEVER_COMPOSED:
                found |= UNCOMPOSED
            if trait & t.LEGACY or (trait & t.AMPERSAND and _is_entity(data, at, end)):
                found |= MISSPELT
            continue
        own = np.int64(classes[np.uint64(point)])
        before = mark if mark else np.int64(trailing[np.uint64(starter)])
        is_near = mark == 0 or mark < own
        is_unordered = own != 0 and own < before
        if (
            trait & t.NEVER_COMPOSED
            or is_unordered
            or (is_near and _composes(starter, point, pairs))
        ):
            found |= UNCOMPOSED
        if own:
            mark = own
        else:
            starter, mark = point, np.int64(0)
    return found | UNTIDY if blank or lines else found


@njit(cache=True, nogil=True, inline="always")
def blanks(word: Any) -> Any:
    """Return the highest bit of each of eight bytes of ASCII that is a blank."""
    return ~((word ^ _EIGHT_BLANKS) + _EIGHT_LOWS) & HIGHEST


@njit(cache=True, nogil=True, inline="always")
def is_plain(word: Any, marks: Any) -> bool:
    """Tell whether eight bytes are visible ASCII and single blanks, without an ampersand."""
    return (
        word & HIGHEST == 0
        and (word + _EIGHT_96) & ~(word + _EIGHT_1) & HIGHEST == HIGHEST
        and ((word ^ _EIGHT_AMPERSANDS) + _EIGHT_LOWS) & HIGHEST == HIGHEST
        and marks & (marks << np.uint64(8)) == 0
    )


@njit(cache=True, nogil=True)
def _composes(first: int, second: int, pairs: Any) -> bool:
    if 0x1161 <= second < 0x1176:
        return 0x1100 <= first < 0x1113
    if 0x11A8 <= second < 0x11C3:
        place = first - _HANGUL
        return 0 <= place < _N_SYLLABLES and place % _N_FINALS == 0
    value = (np.uint64(first) << np.uint64(32)) | np.uint64(second)
    return pairs[slot_of(value, pairs)] == value


@njit(cache=True, nogil=True)
def _is_entity(data: Any, at: int, end: int) -> bool:
    """Tell whether the bytes after an ampersand could be an entity's: a number or a name, and a semicolon."""
    start = at
    if at < end and data[at] == 0x23:
        at += 1
    while at < end and at - start < _LONGEST_ENTITY:
        byte = data[at]
        if byte == 0x3B:
            return at > start + 1
        if not (0x30 <= byte <= 0x39 or 0x61 <= (byte | 0x20) <= 0x7A):
            return False
        at += 1
    return False


@njit(cache=True, nogil=True)
def misread(
    data: Any, offsets: Any, leads: Any, trails: Any, wanted: Any, plain: Any, found: Any
) -> None:
    """Add MISREAD to texts with characters that look like UTF-8 read in another charset.

    Args:
        data: UTF-8 bytes.
        offsets: (texts + 1) positions in `data`.
        leads: By code point, two bits a charset: how many characters follow this one in a sequence.
        trails: By code point, one bit a charset: it can follow.
        wanted: By charset, how many sequences must follow one another.
        plain: (texts) True where a text is code, and nothing is looked for.
        found: (texts) uint8; is added to.
    """
    for text in range(len(offsets) - 1):
        at, end = offsets[text], offsets[text + 1]
        if plain[text]:
            continue
        while at < end:
            if data[at] < 0x80:
                at += 1
                continue
            start = at
            point, at = decode(data, at)
            if point >= len(leads) or not leads[point]:
                continue
            for charset in range(len(wanted)):
                if _has_sequences(data, start, end, leads, trails, charset, wanted[charset]):
                    found[text] |= MISREAD
                    at = end
                    break


@njit(cache=True, nogil=True)
def _has_sequences(
    data: Any, at: int, end: int, leads: Any, trails: Any, charset: int, wanted: int
) -> bool:
    for _ in range(wanted):
        if at >= end:
            return False
        point, at = decode(data, at)
        left = (leads[point] >> (2 * charset)) & 3 if point < len(leads) else 0
        if not left:
            return False
        while left and at < end:
            point, at = decode(data, at)
            if point >= len(trails) or not (trails[point] >> charset) & 1:
                return False
            left -= 1
        if left:
            return False
    return True
