"""How our own identifier sees text: the folding of characters to symbols, and the tables that find features."""

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_APOSTROPHES = "'’ʼ‘ʻ`´ʹˈꞌ"  # noqa: RUF001  look-alikes, all of them
_JOINER = 0x200C  # the non-joiner, which Persian of Iran writes within words and Dari does not
_OF_CODE = "{}<>=;_\\|#$@^~*+/[]&%"
_UNICODE = 0x110000


@cache
def folding_of_this_python() -> "NDArray[np.uint32]":
    """Return the symbol of each code point by this Python's Unicode data: 0 ends a word.

    A model keeps the folding it was trained with, so its answers do not depend on the version of Python.
    """
    from emma500.languages.identification.linear.kernel import ALONE, APOSTROPHE

    folding = np.zeros(_UNICODE, np.uint32)
    for point in range(_UNICODE):
        character = chr(point)
        category = unicodedata.category(character)
        if category[0] in "LM":
            folding[point] = ord(character.lower()[0])
        elif category == "Nd":
            folding[point] = ALONE | ord("0")
    folding[_JOINER] = _JOINER
    for character in _OF_CODE:
        folding[ord(character)] = ALONE | ord(character)
    for character in _APOSTROPHES:
        folding[ord(character)] = APOSTROPHE
    return folding


def packed(folding: "NDArray[np.uint32]") -> "NDArray[np.uint32]":
    """Return a folding as runs (first code point, first symbol, step of the symbol), uint32 (n, 3)."""
    step = np.diff(folding.astype(np.int64), prepend=-1)
    # A character that is 0 or 1 behind the one before it goes on; another one begins a run.
    step[~np.isin(step, (0, 1))] = -1
    step[0] = -1
    previous = np.concatenate([[-1], step[:-1]])
    first = np.flatnonzero((step == -1) | ((step != previous) & (previous != -1)))
    stride = np.append(step, -1)[np.minimum(first + 1, _UNICODE)]
    return np.stack([first, folding[first], np.maximum(stride, 0)], axis=1).astype(np.uint32)


def unpacked(runs: "NDArray[np.uint32]") -> "NDArray[np.uint32]":
    """Return the folding of `packed` runs."""
    first = runs[:, 0].astype(np.int64)
    lengths = np.diff(first, append=_UNICODE)
    places = np.arange(_UNICODE) - np.repeat(first, lengths)
    return (np.repeat(runs[:, 1], lengths) + places * np.repeat(runs[:, 2], lengths)).astype(
        np.uint32
    )


def lookup_table(keys: "NDArray[np.uint32]") -> "NDArray[np.uint64]":
    """Return an open-addressing table of keys and their places, at most a quarter full (`kernel.fill_table`)."""
    from emma500.languages.identification.linear.kernel import fill_table

    size = 1 << max(4, int(np.ceil(np.log2(4 * max(len(keys), 1)))))
    slots = np.zeros(size, np.uint64)
    fill_table(keys, slots)
    return slots
