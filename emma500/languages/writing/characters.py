"""What a character is to a text: letter, mark, space, sign, or a letter of a script without spaces."""

import unicodedata
from collections.abc import Collection, Iterator
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from emma500.tables import read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPACE, SPECIAL, UNSPACED, MARK, CONTROL, PUNCTUATION, NUMBER = 1, 2, 4, 8, 16, 32, 64
"""Flags of a code point; see `character_classes`."""

CODE_POINTS = 0x110000

_UNSPACED = (
    "Ahom Bali Batk Bopo Brah Buhd Cari Cham Diak Egyp Hani Hano Hira Hluw Java Kana Kawi Khmr Kits Lana Laoo Maka"
    " Mymr Nshu Sund Tagb Tale Talu Tang Tavt Tglg Thai Vaii Xsux Yiii"
)
UNSPACED_SCRIPTS = frozenset(_UNSPACED.split())
"""Scripts written without spaces between words: their characters count where others' words do."""

_SYMBOLS_AS_LETTERS = {"Brai", "Sgnw"}  # symbols to Unicode, but what these scripts write with
_SHARED = {"Zyyy", "Zinh", "Latn"}
_SEPARATORS = (
    0x205A,
    0x205B,
    0x205D,
    0x205E,
    0x2E31,
)  # rows of dots and the middle dot that part words
_ZERO_WIDTH_SPACE = 0x200B
_JOINERS = (0x200C, 0x200D, 0x2060)


def described() -> Iterator[int]:
    """Yield the code points whose properties differ from one to the next.

    Those are planes 0 to 3 up to their last script, and plane 14, without unified ideographs and hangul syllables
    (letters without case that neither combine nor have a decomposition but by formula), surrogates and private use.
    """
    yield from range(0x3400)
    yield from range(0x4DC0, 0x4E00)
    yield from range(0xA000, 0xAC00)
    yield from range(0xD7A4, 0xD800)
    yield from range(0xF900, 0x20000)
    yield from range(0x2F800, 0x2FA20)
    yield from range(0xE0000, 0xE01F0)


def script_slices(scripts: Collection[str]) -> "list[slice]":
    """Return the ranges of code points of some scripts, for use on an array by code point."""
    return [
        slice(int(row["first"], 16), int(row["last"], 16) + 1)
        for row in read_table("scripts")
        if row["script"] in scripts
    ]


@cache
def character_classes() -> "tuple[NDArray[np.uint8], NDArray[np.int32]]":
    """Return the flags and the lower case of every code point, (0x110000) each.

    Punctuation that belongs to one script parts words and is nothing special: Tibetan tsheg, Ethiopic word space.
    Unassigned characters have no flag: a script newer than this Python is text all the same.
    """
    flags = {
        "Z": SPACE | SPECIAL,
        "P": PUNCTUATION,
        "S": SPECIAL,
        "N": SPECIAL | NUMBER,
        "M": MARK,
        "Cc": CONTROL | SPECIAL,
    }
    classes = np.zeros(CODE_POINTS, np.uint8)
    lower = np.arange(CODE_POINTS, dtype=np.int32)
    for point in described():
        character = chr(point)
        category = unicodedata.category(character)
        classes[point] = flags.get(category, flags.get(category[0], 0))
        if category in {"Lu", "Lt"} and len(character.lower()) == 1:
            lower[point] = ord(character.lower())
    for part in script_slices(_SYMBOLS_AS_LETTERS):
        classes[part] = 0
    own = {row["script"] for row in read_table("scripts")} - _SHARED
    for part in script_slices(own):  # a script's own punctuation parts its words, as the tsheg does
        classes[part][classes[part] == PUNCTUATION] = SPACE
    for part in script_slices(UNSPACED_SCRIPTS):
        classes[part][(classes[part] & (SPACE | SPECIAL | MARK)) == 0] |= UNSPACED
    # Form feeds and separators part words, though Unicode counts them as control characters.
    classes[[*range(0x09, 0x0E), *range(0x1C, 0x20), 0x85]] = SPACE | SPECIAL
    classes[list(_SEPARATORS)] = SPACE
    classes[classes == PUNCTUATION] = SPECIAL
    classes[0xFEFF] = CONTROL
    classes[_ZERO_WIDTH_SPACE] = SPACE
    classes[list(_JOINERS)] = MARK
    return classes, lower
