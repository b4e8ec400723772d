"""The one pass over the bytes of texts: characters by script, by Han form and by Unicode block.

A code point belongs to a cell: one script (Han characters: one form) in one block. A text's characters are counted by
cell, then the few cells it has are added up twice: by script for the text, by block for all texts.
"""

from typing import Any

import numba
import numpy as np

from emma500.languages.writing.utf8_kernel import HIGHEST, count_first, decode, load

ZZZZ, ZYYY, ZINH, HANI, HANS, HANT, HIRA, KANA, HANG, BOPO, JPAN, KORE, OTHERS = range(13)
"""Numbers of scripts; those from `OTHERS` on are one script of Unicode each, in the order of their names."""

_EIGHT_1, _EIGHT_BLANKS = np.uint64(0x0101010101010101), np.uint64(0x2020202020202020)
_FROM_A, _PAST_Z = np.uint64(0x1F1F1F1F1F1F1F1F), np.uint64(0x0505050505050505)

MIN_KANA = 0.05
"""A text is Japanese from this share of kana among its East Asian characters on."""

MIN_HANGUL = 0.10
"""A text is Korean from this share of hangul among its East Asian characters on."""


@numba.njit(cache=True, nogil=True)
def count_scripts(
    data: Any, offsets: Any, cell_of: Any, scripts: Any, blocks: Any,
    main: Any, main_share: Any, places: Any, found: Any, shares: Any, block_counts: Any,
) -> None:  # fmt: skip
    """Count the characters of texts and name the main script of each.

    Args:
        data: The UTF-8 bytes of all texts, uint8; must be valid UTF-8, as Arrow strings are.
        offsets: Where each text begins and ends in `data`, n + 1 integers.
        cell_of: Cell by code point, uint16, 0x110000 long.
        scripts: Script number by cell, uint8.
        blocks: Block number by cell, uint16.
        main: Output, the number of each text's main script, uint8 (n).
        main_share: Output, its share of the characters that have a script, float32 (n).
        places: Output, where each text's scripts begin and end in `found` and `shares`, int32 (n + 1).
        found: Output, the numbers of the scripts each text has characters of, most characters first, uint8; Hans and
            Hant are counted as Hani. As long as `data`, or n times the number of scripts.
        shares: Output, their shares of all the text's characters, float32.
        block_counts: Output, characters by block of all texts, int64; added to.
    """
    by_cell = np.zeros(len(scripts), np.int64)
    by_script = np.zeros(256, np.int64)
    cells = np.empty(len(scripts), np.int64)
    at = places[0] = 0
    for row in range(len(offsets) - 1):
        n_cells = _count_cells(data, offsets[row], offsets[row + 1], cell_of, by_cell, cells)
        n_characters = 0
        for place in range(n_cells):
            cell = cells[place]
            n_characters += by_cell[cell]
            by_script[scripts[cell]] += by_cell[cell]
            block_counts[blocks[cell]] += by_cell[cell]
            by_cell[cell] = 0
        main[row], main_share[row] = _main_script(by_script)
        by_script[HANI] += by_script[HANS] + by_script[HANT]
        by_script[HANS] = by_script[HANT] = 0
        start = at
        for place in range(n_cells):
            number = scripts[cells[place]]
            script = HANI if HANI <= number <= HANT else number
            if by_script[script]:
                _insert(found, shares, start, at, script, by_script[script] / n_characters)
                by_script[script] = 0
                at += 1
        places[row + 1] = at


@numba.njit(cache=True, nogil=True)
def _count_cells(data: Any, start: Any, end: Any, cell_of: Any, by_cell: Any, cells: Any) -> int:
    """Count a text's characters by cell, list the cells it has, and return how many."""
    n_cells = n_ascii = n_letters = n_same = 0
    last = np.int64(cell_of[0])
    at = start
    while at < end:
        byte = data[np.uint64(at)]
        if byte < 0x80:
            if at + 8 <= end:
                word = load(data, at)
                marks = word & HIGHEST
                count = count_first(marks) if marks else 8  # foreseen, not waited for
                n_letters += _n_letters(word, marks)
                n_ascii += count
                at += count
                continue
            # Counting the two cells of ASCII in registers is twice as fast as in memory.
            n_ascii += 1
            n_letters += int(0x61 <= (byte | 0x20) <= 0x7A)
            at += 1
            continue
        point, at = decode(data, at)
        cell = np.int64(cell_of[np.uint64(point)])
        if cell == last:
            n_same += 1
        else:
            n_cells = _add(by_cell, cells, n_cells, last, n_same)
            last, n_same = cell, 1
    n_cells = _add(by_cell, cells, n_cells, last, n_same)
    n_cells = _add(by_cell, cells, n_cells, np.int64(cell_of[0x61]), n_letters)
    return _add(by_cell, cells, n_cells, np.int64(cell_of[0x20]), n_ascii - n_letters)


@numba.njit(cache=True, nogil=True, inline="always")
def _n_letters(word: Any, marks: Any) -> Any:
    """Count the letters among eight bytes that come before the first byte which is marked as no ASCII."""
    lower = (word & ~HIGHEST) | _EIGHT_BLANKS
    before = ~marks & (marks - np.uint64(1))  # all, where none is marked
    letters = ((lower + _FROM_A) & ~(lower + _PAST_Z) & before & HIGHEST) >> np.uint64(7)
    return np.int64((letters * _EIGHT_1) >> np.uint64(56))


@numba.njit(cache=True, nogil=True)
def _add(by_cell: Any, cells: Any, n_cells: int, cell: int, count: int) -> int:
    if count and by_cell[cell] == 0:
        cells[n_cells] = cell
        n_cells += 1
    by_cell[cell] += count
    return n_cells


@numba.njit(cache=True, nogil=True)
def _insert(found: Any, shares: Any, start: int, at: int, script: int, share: float) -> None:
    """Put a script in its place among those before it: the largest share first, then by number."""
    rounded = np.float32(share)
    while at > start and (
        shares[at - 1] < rounded or (shares[at - 1] == rounded and found[at - 1] > script)
    ):
        found[at], shares[at] = found[at - 1], shares[at - 1]
        at -= 1
    found[at], shares[at] = script, rounded


@numba.njit(cache=True, nogil=True)
def _main_script(by_script: Any) -> Any:
    """Return the number of the main script, and its share of the characters that have one."""
    han = by_script[HANI] + by_script[HANS] + by_script[HANT]
    kana, hangul = by_script[HIRA] + by_script[KANA], by_script[HANG]
    asian = han + kana + hangul + by_script[BOPO]
    total, best, main = asian, 0, ZYYY
    for script in range(OTHERS, len(by_script)):
        total += by_script[script]
        if by_script[script] > best:
            best, main = by_script[script], script
    if asian > 0 and asian >= best:
        best = asian
        if kana > 0 and kana >= MIN_KANA * asian and kana >= hangul:
            main, best = JPAN, han + kana
        elif hangul > 0 and hangul >= MIN_HANGUL * asian:
            main, best = KORE, han + hangul
        elif han == 0:
            main = BOPO
        else:
            main = _han_form(by_script[HANS], by_script[HANT])
    return main, np.float32(best / max(total, 1))


@numba.njit(cache=True, nogil=True)
def _han_form(simplified: int, traditional: int) -> int:
    if simplified > traditional:
        return HANS
    return HANT if traditional > simplified else HANI
