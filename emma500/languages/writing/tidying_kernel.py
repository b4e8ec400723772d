"""Numba kernels that write normalised text: white space, invisible characters, repeated lines."""

from typing import Any

import numpy as np
from numba import njit

from emma500.languages.writing import character_traits as t
from emma500.languages.writing.normalisation_kernel import blanks, is_plain
from emma500.languages.writing.utf8_kernel import copy, copy_eight, decode, load

_NEWLINE, _RETURN, _BLANK, _FLAG, _LAST_TAG = 10, 13, 32, 0x1F3F4, 0xE007F
_LAST = np.uint64(63)


@njit(cache=True, nogil=True)
def tidy(data: Any, offsets: Any, traits: Any, plain: Any, out: Any, out_offsets: Any) -> None:
    """Tidy white space and drop the invisible characters that mean nothing where they stand.

    Runs of spaces become one blank, lines are stripped, more than one empty line becomes one, the ends are stripped.

    Args:
        data: UTF-8 bytes.
        offsets: (texts + 1) positions in `data`.
        traits: Traits by code point.
        plain: (texts) True where only line ends and control characters may be touched (code).
        out: At least as many bytes as `data`; receives the texts.
        out_offsets: (texts + 1) positions in `out`; receives them.
    """
    to = 0
    out_offsets[0] = 0
    for text in range(len(offsets) - 1):
        if plain[text]:
            to = _tidy_code(data, offsets[text], offsets[text + 1], traits, out, to)
        else:
            to = _tidy_prose(data, offsets[text], offsets[text + 1], traits, out, to)
        out_offsets[text + 1] = to


@njit(cache=True, nogil=True)
def _tidy_code(data: Any, at: int, end: int, traits: Any, out: Any, to: int) -> int:
    start, lines = to, 0
    while at < end:
        point, after = decode(data, at)
        trait = traits[point]
        if trait & t.KIND == t.BREAK:
            is_pair = point == _RETURN and after < end and data[after] == _NEWLINE
            lines += not is_pair
        elif not trait & t.DROPPED_IN_CODE:
            if to > start:
                out[to : to + lines] = _NEWLINE
                to += lines
            lines = 0
            to = copy(data, at, after, out, to)
        at = after
    return to


@njit(cache=True, nogil=True)
def _tidy_prose(data: Any, at: int, end: int, traits: Any, out: Any, to: int) -> int:
    """Write one text; `run` is where the invisible characters begin that the next visible one decides on."""
    start = to
    blank, lines, run, line, is_rtl = 0, 0, -1, at, -1
    previous, last = np.int64(t.EDGE), np.int64(0)
    while at < end:
        first = data[at]
        if 0x20 < first < 0x7F and run < 0 and lines == 0:  # the most frequent case, for speed
            if blank and to > start:
                out[np.uint64(to)] = _BLANK
                to += 1
            size = _n_plain(data, at, end)
            if size > 1:
                copy_eight(data, at, out, to)
            else:
                out[np.uint64(to)] = first
            to += size
            at += size
            blank, previous, last = 0, np.int64(0), np.int64(data[np.uint64(at - 1)])
            continue
        point, after = decode(data, at)
        trait = np.int64(traits[np.uint64(point)])
        if run < 0 and lines == 0 and trait & t.KIND == t.VISIBLE:
            if blank and to > start:
                out[np.uint64(to)] = _BLANK
                to += 1
            to = copy(data, at, after, out, to)
            blank, previous, last, at = 0, trait & t.NEIGHBOURHOOD, point, after
            continue
        kind = _kind_here(data, after, end, traits, trait & t.KIND, previous, last, run)
        if kind == t.VISIBLE:
            around = trait & t.NEIGHBOURHOOD
            gap = _gap(start, to, blank, lines)
            wrote = _write_run(data, run, at, is_rtl, traits, previous, around, out, to + gap)
            _write_gap(out, to, gap, lines)
            to = copy(data, at, after, out, wrote)
            blank, lines, run, previous, last = 0, 0, -1, around, point
        elif kind == t.BLANK or kind == t.BREAK:
            if run >= 0:
                gap = _gap(start, to, blank, lines)
                wrote = _end_run(data, run, at, is_rtl, traits, previous, out, to, gap, lines)
                if wrote > to:
                    to, lines = wrote, 0
            run, previous, last, blank = -1, np.int64(t.EDGE), np.int64(0), 1
            if kind == t.BREAK:
                is_pair = point == _RETURN and after < end and data[after] == _NEWLINE
                lines += not is_pair
                blank, line, is_rtl = 0, after, -1
        elif trait & t.KIND == t.TAG:
            last = np.int64(0)  # what follows a tag out of place is out of place too
        elif kind != t.DROPPED:
            if kind == t.BIDI and is_rtl < 0:
                is_rtl = _has_right_to_left(data, line, end, traits)
            run = at if run < 0 else run
        at = after
    gap = _gap(start, to, blank, lines)
    return _end_run(data, run, end, is_rtl, traits, previous, out, to, gap, lines)


@njit(cache=True, nogil=True, inline="always")
def _n_plain(data: Any, at: Any, end: Any) -> Any:
    """Return how many bytes from a visible one on can be copied as they are: eight, seven before a blank, or one."""
    if at + 8 > end:
        return 1
    word = load(data, at)
    marks = blanks(word)
    return 8 - np.int64(marks >> _LAST) if is_plain(word, marks) else 1


@njit(cache=True, nogil=True)
def _end_run(
    data: Any, run: int, at: int, is_rtl: int, traits: Any, previous: int,
    out: Any, to: int, gap: int, lines: int,
) -> int:  # fmt: skip
    """Write what means something of a run before white space or the end, and the white space before the run."""
    wrote = _write_run(data, run, at, is_rtl, traits, previous, t.EDGE, out, to + gap)
    if wrote == to + gap:
        return to
    _write_gap(out, to, gap, lines)
    return wrote


@njit(cache=True, nogil=True)
def _gap(start: int, to: int, blank: int, lines: int) -> int:
    if to == start:
        return 0
    return min(lines, 2) if lines else blank


@njit(cache=True, nogil=True)
def _write_gap(out: Any, to: int, gap: int, lines: int) -> None:
    for place in range(to, to + gap):
        out[place] = _NEWLINE if lines else _BLANK


@njit(cache=True, nogil=True)
def _kind_here(
    data: Any, after: int, end: int, traits: Any, kind: int, previous: int, last: int, run: int
) -> int:
    """Return whether a character that depends on what stands before it is visible there, or what else it is."""
    if kind < t.SELECTOR:
        return kind
    if kind == t.SELECTOR:
        return t.DROPPED if previous & t.EDGE else t.VISIBLE
    if kind == t.SEPARATOR:
        return t.VISIBLE if previous & t.MONGOLIAN else t.DROPPED
    if kind == t.NARROW:
        is_inside = previous & t.MONGOLIAN and after < end
        return t.VISIBLE if is_inside and traits[decode(data, after)[0]] & t.MONGOLIAN else t.BLANK
    return t.VISIBLE if run < 0 and _is_tag(data, after - 4, end, last) else t.DROPPED


@njit(cache=True, nogil=True)
def _is_tag(data: Any, at: int, end: int, last: int) -> bool:
    """Tell whether a tag character is one of an emoji flag's: three to six letters or digits, and the end."""
    if 0xE0030 <= last < _LAST_TAG:
        return True
    count = 0
    while last == _FLAG and at < end and count < 8:
        point, at = decode(data, at)
        if point == _LAST_TAG:
            return 3 <= count <= 6
        if not (0xE0030 <= point <= 0xE0039 or 0xE0061 <= point <= 0xE007A):
            return False
        count += 1
    return False


@njit(cache=True, nogil=True)
def _write_run(
    data: Any, at: int, end: int, is_rtl: int, traits: Any, previous: int, following: int,
    out: Any, to: int,
) -> int:  # fmt: skip
    """Write what means something of a run of invisible characters, each joiner and hint once.

    Args:
        data: UTF-8 bytes.
        at: Where the run begins; -1 for none.
        end: Where it ends.
        is_rtl: 1 if its line has right-to-left letters.
        traits: Traits by code point.
        previous: Neighbourhood flags of the last visible character, EDGE after white space.
        following: Those of the next.
        out: Receives the bytes.
        to: Where in `out`.

    Returns:
        Where the next byte goes.
    """
    if at < 0:
        return to
    both, last = previous | following, 0
    while at < end:
        point, after = decode(data, at)
        kind = traits[point] & t.KIND
        if kind == t.BIDI:
            is_wanted = is_rtl == 1
        elif kind == t.HINT:
            is_wanted = both & t.UNSPACED_HINTS != 0 and not both & t.EDGE and point != last
        elif kind == t.NONJOINER:
            is_wanted = both & t.JOINING != 0 and not (previous & t.EDGE) and point != last
        elif kind == t.JOINER:
            is_emoji = previous & following & t.PICTOGRAPH != 0
            is_wanted = (both & t.JOINING != 0 or is_emoji) and point != last
        else:
            is_wanted = False
        if is_wanted:
            last = point
            to = copy(data, at, after, out, to)
        at = after
    return to


@njit(cache=True, nogil=True)
def _has_right_to_left(data: Any, at: int, end: int, traits: Any) -> bool:
    """Tell whether the line that begins here has a letter written from right to left."""
    while at < end:
        point, at = decode(data, at)
        if traits[point] & t.KIND == t.BREAK:
            return False
        if traits[point] & t.RIGHT_TO_LEFT:
            return True
    return False
