"""Numba kernels over UTF-8 bytes (data, offsets): cleaning, signals and shingles.

A *unit* is what is counted: a white-space word without its punctuation, or a character where no spaces are written.
"""

from typing import Any

import numpy as np
from numba import njit

SPACE, SPECIAL, UNSPACED, MARK, CONTROL, PUNCTUATION, NUMBER = 1, 2, 4, 8, 16, 32, 64
"""Flags of a code point; see `emma500.corpus.text.character_classes`."""

_K1 = np.uint64(0xBF58476D1CE4E5B9)
_K2 = np.uint64(0x94D049BB133111EB)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_NEWLINE, _BLANK = 10, 32


@njit(cache=True, nogil=True, inline="always")
def mix(value: Any) -> Any:
    """Scramble 64 bits (the finaliser of splitmix64)."""
    value = (value ^ (value >> np.uint64(30))) * _K1
    value = (value ^ (value >> np.uint64(27))) * _K2
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True, inline="always")
def _decode(data: Any, at: Any) -> Any:
    """Return the code point at a byte and the byte after it; the bytes are valid UTF-8."""
    first = np.int64(data[at])
    if first < 0x80:
        return first, at + 1
    if first < 0xE0:
        return ((first & 0x1F) << 6) | (data[at + 1] & 0x3F), at + 2
    if first < 0xF0:
        return ((first & 0x0F) << 12) | ((data[at + 1] & 0x3F) << 6) | (data[at + 2] & 0x3F), at + 3
    high = ((first & 0x07) << 18) | ((data[at + 1] & 0x3F) << 12)
    return high | ((data[at + 2] & 0x3F) << 6) | (data[at + 3] & 0x3F), at + 4


@njit(cache=True, nogil=True)
def clean(data: Any, offsets: Any, classes: Any, plain: Any, out: Any, out_offsets: Any) -> None:
    """Tidy white space and drop control characters.

    Runs of spaces become one blank, lines are stripped, more than one empty line becomes one, the ends are stripped.

    Args:
        data: UTF-8 bytes.
        offsets: (texts + 1) positions in `data`.
        classes: Flags by code point.
        plain: (texts) True where only carriage returns and control characters may be touched (code).
        out: At least as many bytes as `data`; receives the texts.
        out_offsets: (texts + 1) positions in `out`; receives them.
    """
    to = 0
    out_offsets[0] = 0
    for text in range(len(offsets) - 1):
        start, blank, lines = to, 0, 0
        at, end = offsets[text], offsets[text + 1]
        while at < end:
            point, after = _decode(data, at)
            flags = classes[point]
            is_break = (
                point == _NEWLINE or point == 13 or point == 0x85 or 0x2028 <= point <= 0x2029
            )
            if point == 13 and after < end and data[after] == _NEWLINE:
                at = after
                continue
            if is_break:
                blank, lines = 0, lines + 1
            elif flags & CONTROL and point != 9:
                pass
            elif flags & SPACE and (point == 9 or flags & SPECIAL) and not plain[text]:
                blank = 1
            else:
                if to > start:
                    for _ in range(lines if plain[text] else min(lines, 2)):
                        out[to] = _NEWLINE
                        to += 1
                    if blank and not lines:
                        out[to] = _BLANK
                        to += 1
                blank, lines = 0, 0
                for byte in range(at, after):
                    out[to] = data[byte]
                    to += 1
            at = after
        out_offsets[text + 1] = to


@njit(cache=True, nogil=True)
def unique_lines(
    data: Any, offsets: Any, wanted: Any, least: int, out: Any, out_offsets: Any
) -> None:
    """Drop the lines that stand earlier in the same text, with the empty line after them.

    Args:
        data: UTF-8 bytes, cleaned.
        offsets: (texts + 1) positions in `data`.
        wanted: (texts) False to keep a text as it is.
        least: Shorter lines, in bytes, are kept: a refrain, a speaker's name.
        out: At least as many bytes as `data`; receives the texts.
        out_offsets: (texts + 1) positions in `out`; receives them.
    """
    to = 0
    out_offsets[0] = 0
    for text in range(len(offsets) - 1):
        begin, end, start = offsets[text], offsets[text + 1], to
        size = 4
        for at in range(begin, end):
            size += 2 * (data[at] == _NEWLINE)
        slots = np.zeros(1 << int(np.ceil(np.log2(size))), np.uint64)
        while begin < end:
            stop, name = begin, np.uint64(0)
            while stop < end and data[stop] != _NEWLINE:
                name = (name ^ np.uint64(data[stop])) * GOLDEN + np.uint64(1)
                stop += 1
            name, following = mix(name), stop + 1
            slot = np.int64(name & np.uint64(len(slots) - 1))
            while slots[slot] and slots[slot] != name:
                slot = (slot + 1) & (len(slots) - 1)
            if wanted[text] and stop - begin >= least and slots[slot] == name:
                following += stop + 1 < end and data[stop + 1] == _NEWLINE
            else:
                slots[slot] = name
                if begin > offsets[text]:
                    out[to] = _NEWLINE
                    to += 1
                out[to : to + stop - begin] = data[begin:stop]
                to += stop - begin
            begin = following
        while to > start and out[to - 1] == _NEWLINE and wanted[text]:
            to -= 1
        out_offsets[text + 1] = to


@njit(cache=True, nogil=True)
def _units(
    data: Any, start: int, end: int, classes: Any, lower: Any, units: Any, points: Any
) -> Any:
    """Fill unit hashes and code points of one text.

    Returns:
        Numbers of units, of characters, of special characters, of white-space words, of units that are characters.
    """
    n_units = n_points = n_special = n_words = n_unspaced = 0
    word, has_letters, in_word = np.uint64(0), False, False
    at = start
    while at < end:
        point, at = _decode(data, at)
        points[n_points] = point
        n_points += 1
        flags = classes[point]
        n_special += (flags & SPECIAL) != 0
        if flags & SPACE:
            if has_letters:
                units[n_units] = mix(word)
                n_units += 1
            word, has_letters = np.uint64(0), False
            if flags & SPECIAL:
                in_word = False
                continue
            n_words += not in_word
            in_word = True
            continue
        n_words += not in_word
        in_word = True
        if flags & UNSPACED:
            if has_letters:
                units[n_units] = mix(word)
                n_units += 1
            word, has_letters = np.uint64(0), True
            n_unspaced += 1
        if not flags & SPECIAL or flags & NUMBER:
            word = (word ^ np.uint64(lower[point])) * GOLDEN + np.uint64(1)
            has_letters = has_letters or not flags & MARK
    if has_letters:
        units[n_units] = mix(word)
        n_units += 1
    return n_units, n_points, n_special, n_words, n_unspaced


@njit(cache=True, nogil=True)
def _ngrams(values: Any, n_values: int, n: int, out: Any) -> int:
    """Hash every run of n values, order kept; return how many there are."""
    for start in range(n_values - n + 1):
        gram = np.uint64(n)
        for place in range(n):
            gram = mix(gram * GOLDEN + np.uint64(values[start + place]))
        out[start] = gram
    return max(0, n_values - n + 1)


@njit(cache=True, nogil=True)
def _repeats(grams: Any, n_grams: int) -> Any:
    """Return how often each repeated gram occurs, most frequent first, and the number of distinct grams last."""
    size = 4
    while size < 2 * n_grams:
        size *= 2
    slots = np.zeros(size, np.uint64)
    counts = np.zeros(size, np.int64)
    distinct = repeated = 0
    for place in range(n_grams):
        gram = grams[place]
        slot = np.int64(gram & np.uint64(size - 1))
        while counts[slot] and slots[slot] != gram:
            slot = (slot + 1) & (size - 1)
        slots[slot] = gram
        counts[slot] += 1
        distinct += counts[slot] == 1
        repeated += counts[slot] == 2
    found = np.empty(repeated + 1, np.int64)
    to = 0
    for place in range(size):
        if counts[place] > 1:
            found[to] = counts[place]
            to += 1
    found[:to] = np.sort(found[:to])[::-1]
    found[to] = distinct
    return found


@njit(cache=True, nogil=True)
def measure(
    data: Any,
    offsets: Any,
    classes: Any,
    lower: Any,
    wanted: Any,
    limit: int,
    counts: Any,
    shares: Any,
) -> None:
    """Measure the signals the filters decide by.

    Args:
        data: UTF-8 bytes.
        offsets: (texts + 1) positions.
        classes: Flags by code point.
        lower: Lower case by code point.
        wanted: (texts) False to skip the repetition shares of a text.
        limit: Repetition is looked for in this many first characters.
        counts: (texts, 4) int64; receives units, characters, white-space words, units that are characters.
        shares: (texts, 3) float32; receives character repetition (10-grams), unit repetition (5-grams of words,
            10-grams of characters), special characters.
    """
    longest = 0
    for text in range(len(offsets) - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])
    units = np.empty(longest + 1, np.uint64)
    points = np.empty(longest + 1, np.int32)
    grams = np.empty(longest + 1, np.uint64)
    for text in range(len(offsets) - 1):
        n_units, n_points, n_special, n_words, n_unspaced = _units(
            data, offsets[text], offsets[text + 1], classes, lower, units, points
        )
        counts[text, 0], counts[text, 1] = n_units, n_points
        counts[text, 2], counts[text, 3] = n_words, n_unspaced
        shares[text, 2] = n_special / n_points if n_points else 0.0
        if not wanted[text]:
            continue
        n_grams = _ngrams(points, min(n_points, limit), 10, grams)
        found = _repeats(grams, n_grams)
        top = min(int(np.sqrt(found[-1])), len(found) - 1)
        shares[text, 0] = found[:top].sum() / n_grams if n_grams else 0.0
        n_grams = _ngrams(units, min(n_units, limit), 10 if 2 * n_unspaced > n_units else 5, grams)
        shares[text, 1] = _repeats(grams, n_grams)[:-1].sum() / n_grams if n_grams else 0.0


@njit(cache=True, nogil=True)
def shingles(
    data: Any, offsets: Any, classes: Any, lower: Any, ngram: int, out: Any, out_offsets: Any
) -> None:
    """Hash the shingles of each text: runs of `ngram` words, or of twice as many characters where most units are.

    Args:
        data: UTF-8 bytes.
        offsets: (texts + 1) positions.
        classes: Flags by code point.
        lower: Lower case by code point.
        ngram: Words a shingle.
        out: At least as many uint64 as `data` has bytes; receives the shingles of all texts, repeats included.
        out_offsets: (texts + 1); receives their positions. A text of fewer than twice as many units has none.
    """
    longest = 0
    for text in range(len(offsets) - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])
    units = np.empty(longest + 1, np.uint64)
    points = np.empty(longest + 1, np.int32)
    to = 0
    out_offsets[0] = 0
    for text in range(len(offsets) - 1):
        n_units, _, _, _, n_unspaced = _units(
            data, offsets[text], offsets[text + 1], classes, lower, units, points
        )
        n = 2 * ngram if 2 * n_unspaced > n_units else ngram
        if n_units >= 2 * n:
            to += _ngrams(units, n_units, n, out[to:])
        out_offsets[text + 1] = to
