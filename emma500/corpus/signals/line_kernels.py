"""Numba kernels that look through a text once: its characters, letters and signs, its lines and paragraphs."""

from typing import Any

import numpy as np
from numba import njit

from emma500.corpus.signals.hash_table_kernels import find
from emma500.corpus.signals.word_kernels import hashed
from emma500.languages.writing.utf8_kernel import GOLDEN, decode, mix

LETTER, BREAK, SIGN, BLANK, END = 1, 2, 4, 8, 16
"""What a character is to a line: of a word with letters; what parts white-space words; one of SIGNS; white space; the
end of a sentence."""

_NEWLINE, _HASH, _DOT, _ELLIPSIS, _HYPHEN, _BULLET = 0x0A, 0x23, 0x2E, 0x2026, 0x2D, 0x2022
SIGNS = (_NEWLINE, _HASH, _DOT, _ELLIPSIS)
"""Characters that are rare and looked at one by one."""

_SHORT_LINE = 30


@njit(cache=True, nogil=True)
def lines(
    data: Any, at: int, end: int, kinds: Any, points: Any, room: Any, limit: int, row: Any
) -> int:
    """Write the code points of a text and what there is to count in its lines.

    Args:
        data: UTF-8 bytes.
        at: Where the text begins.
        end: Where it ends.
        kinds: What each code point is to a line.
        points: Receives the code points.
        room: Working memory.
        limit: Lines that end after so many characters stood nowhere before.
        row: Receives the counts, from "lines" to "alphabetic_words".

    Returns:
        How many code points there are.
    """
    n = start = n_lines = n_paragraphs = paragraph_chars = 0
    paragraph, is_open = np.uint64(0), True
    table, keys, paragraph_keys = room[0], room[2], room[3]
    half, base = len(table) // 2, room[1][0]
    mask = _mask(end - at, half)
    while is_open:
        begin = at
        at, n, is_open = _line(data, at, end, kinds, points, n, row)
        stop = n - is_open
        length = 0 if _is_blank(points, start, stop, kinds) else stop - start
        if length:
            _count_kind(points, start, stop, kinds, row)
            line = hashed(data, begin, at - is_open)
            is_new = stop + 1 > limit or find(table, mask, 0, keys, base, n_lines, line) == n_lines
            n_lines += is_new
            row[2] += not is_new
            row[3] += 0 if is_new else length
            paragraph = mix(paragraph * GOLDEN + line)
            paragraph_chars += length + (paragraph_chars > 0)
        if paragraph_chars and not (length and is_open):
            row[9] += 1
            is_new = stop + 1 > limit or n_paragraphs == find(
                table, mask, half, paragraph_keys, base, n_paragraphs, paragraph
            )
            n_paragraphs += is_new
            row[10] += not is_new
            row[11] += 0 if is_new else paragraph_chars
            paragraph, paragraph_chars = np.uint64(0), 0
        row[1] += 1
        start = n
    room[1][0] = base + max(n_lines, n_paragraphs)
    row[8] = row[1] - 1
    return n


@njit(cache=True, nogil=True)
def _line(data: Any, at: Any, end: int, kinds: Any, points: Any, n: int, row: Any) -> Any:
    """Write the code points of a line, its end included, and count its letters and signs.

    Returns:
        Where the next line begins, how many code points there are, and whether there is a next line.
    """
    n_alphabetic: Any = 0
    has_letter: Any = 0
    dots = last_dot = 0
    while at < end:
        point, at = decode(data, at)
        points[np.uint64(n)] = point
        n += 1
        kind = np.int64(kinds[np.uint64(point)])
        n_alphabetic += (kind >> 1) & has_letter
        has_letter = (has_letter | kind) & ~(kind >> 1) & 1
        if kind & SIGN:
            if point == _NEWLINE:
                row[14] += n_alphabetic
                return at, n, True
            row[12] += point == _HASH
            if point == _DOT:
                dots = dots + 1 if last_dot == n - 1 else 1
                last_dot = n
            if point == _ELLIPSIS or (point == _DOT and dots == 3):
                row[13] += 1
                dots = 0
    row[14] += n_alphabetic + has_letter
    return at, n, False


@njit(cache=True, nogil=True)
def _mask(n: int, most: int) -> int:
    """Return a mask for a table of at least n places, of at most `most`, which is a power of two."""
    size = 16
    while size < n and size < most:
        size *= 2
    return size - 1


@njit(cache=True, nogil=True)
def _is_blank(points: Any, start: int, stop: int, kinds: Any) -> bool:
    place = start
    while place < stop and kinds[points[place]] & BLANK:
        place += 1
    return place == stop


@njit(cache=True, nogil=True)
def _count_kind(points: Any, start: int, stop: int, kinds: Any, row: Any) -> None:
    """Count a line that is not blank: short, ending like a sentence, with a bullet before it, an ellipsis after it."""
    first, last = start, stop - 1
    while kinds[points[first]] & BLANK:
        first += 1
    while kinds[points[last]] & BLANK:
        last -= 1
    row[0] += 1
    row[4] += stop - start <= _SHORT_LINE
    row[5] += (kinds[points[stop - 1]] & END) != 0
    row[6] += points[first] == _BULLET or points[first] == _HYPHEN
    is_dots = last - start >= 2 and points[last] == _DOT
    row[7] += points[last] == _ELLIPSIS or (
        is_dots and points[last - 1] == _DOT and points[last - 2] == _DOT
    )
