"""Numba kernels that cut UTF-8 bytes (data, offsets) into units, and units into n-grams."""

from typing import Any

import numpy as np
from numba import njit

from emma500.languages.writing.characters import NUMBER, SPACE, SPECIAL, UNSPACED
from emma500.languages.writing.utf8_kernel import GOLDEN, decode, mix

MARKS, OTHERS = 1 << 21, 1 << 22
"""What a code point is to the kernel: of a letter its lower case, of a mark it and MARKS, of others it and OTHERS times
their flags."""
END = 128
"""One more flag of these, beside those of a character: a sentence or a line ends here."""

_LONGEST = 65_535


@njit(cache=True, nogil=True)
def tokenise(
    data: Any, offsets: Any, characters: Any, units: Any, lengths: Any, breaks: Any, ends: Any, counts: Any
) -> Any:  # fmt: skip
    """Cut texts into units.

    Args:
        data: UTF-8 bytes.
        offsets: (texts + 1) positions.
        characters: By code point, its lower case, and what else it is: MARKS, OTHERS.
        units: At least as many uint64 as there are bytes; receives the hashes of the units of all texts.
        lengths: As many uint16; receives their characters.
        breaks: As many int64 and one a text; receives how many units stand before each end of a sentence (where white
            space or a character of a script without spaces follows), of a line, and of a text.
        ends: (texts + 1) int64; receives where each text's units begin and end.
        counts: (texts, 4) int64; receives characters, white-space words, special characters, units that are characters.

    Returns:
        How many breaks there are.
    """
    to = n_breaks = np.uint64(0)
    ends[0] = 0
    for text in range(len(offsets) - 1):
        to, n_breaks = _units(
            data, offsets[text], offsets[text + 1], characters, units, lengths, breaks, to, n_breaks, counts[text]
        )  # fmt: skip
        ends[text + 1] = breaks[n_breaks] = to
        n_breaks += np.uint64(1)
    return n_breaks


@njit(cache=True, nogil=True)
def _units(
    data: Any, at: int, end: int, characters: Any, units: Any, lengths: Any, breaks: Any, to: Any, n_breaks: Any,
    counts: Any,
) -> Any:  # fmt: skip
    """Write the units of one text from place `to` on, its breaks from `n_breaks`; return the places after the last."""
    n_chars = n_special = n_words = n_unspaced = length = 0
    ended = -1  # how long the word was when a sentence ended: "3.5" and "example.org" go on
    word, has_letters, in_word = np.uint64(0), False, False
    while at < end:
        point, after = decode(data, at)
        entry = characters[np.uint64(point)]
        start = at
        while entry < OTHERS:  # letters and marks: the most frequent case, for speed
            word = (word ^ np.uint64(entry & (MARKS - 1))) * GOLDEN + np.uint64(1)
            has_letters |= entry < MARKS
            length += 1
            n_chars += 1
            at = after
            if at >= end:
                break
            point, after = decode(data, at)
            entry = characters[np.uint64(point)]
        n_words += (at > start) & (not in_word)
        in_word |= at > start
        if at >= end:
            break
        at = after
        n_chars += 1
        flags = entry // OTHERS
        is_space = (flags & SPACE) != 0
        n_special += (flags & SPECIAL) != 0
        if flags & END:
            ended = length
        if is_space or flags & UNSPACED:
            units[to], lengths[to] = mix(word), min(length, _LONGEST)
            to += np.uint64(has_letters)
            if ended == length:
                breaks[n_breaks] = to
                n_breaks += np.uint64(1)
            word, has_letters, length, ended = np.uint64(0), not is_space, 0, -1
        if is_space and flags & SPECIAL:
            in_word = False
            continue
        n_words += not in_word
        in_word = True
        if is_space:
            continue
        n_unspaced += (flags & UNSPACED) != 0
        if not flags & SPECIAL or flags & NUMBER:
            word = (word ^ np.uint64(entry & (MARKS - 1))) * GOLDEN + np.uint64(1)
            has_letters = True
            length += 1
    if has_letters:
        units[to], lengths[to] = mix(word), min(length, _LONGEST)
        to += np.uint64(1)
    counts[0], counts[1], counts[2], counts[3] = n_chars, n_words, n_special, n_unspaced
    return to, n_breaks


@njit(cache=True, nogil=True)
def ngrams(units: Any, offsets: Any, sizes: Any, places: Any, out: Any) -> None:
    """Hash every run of units of each text, order kept.

    Args:
        units: (units) hashes.
        offsets: (texts + 1) where each text's units begin and end.
        sizes: (texts) units a run.
        places: (texts + 1) where each text's runs go; a text with an empty range has none.
        out: Receives the hashes.
    """
    for text in range(len(offsets) - 1):
        n, first = sizes[text], offsets[text]
        grams = out[places[text] : places[text + 1]]
        grams[:] = np.uint64(n)
        for each in range(first, first + n):  # one unit of all runs at once, for vectors
            run = units[each : each + len(grams)]
            for place in range(len(grams)):
                grams[place] = mix(grams[place] * GOLDEN + run[place])
