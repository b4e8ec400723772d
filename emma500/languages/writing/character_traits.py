"""What normalisation has to know of a character: its kind, its neighbourhood, how it composes.

Invisible characters are judged by the scripts beside them, so this file names those scripts.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from emma500.languages.writing.characters import (
    CODE_POINTS,
    CONTROL,
    SPACE,
    SPECIAL,
    character_classes,
    described,
    script_slices,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

VISIBLE, BLANK, BREAK, DROPPED, BIDI, HINT, NONJOINER, JOINER, SELECTOR, TAG, NARROW, SEPARATOR = (
    range(12)
)
"""Kinds of characters, the lowest four bits of a trait.

BLANK becomes one space and BREAK a line feed; DROPPED goes. The others stay where they mean something: BIDI marks in
lines with right-to-left letters, HINT (zero-width space, word joiner) in scripts without spaces, NONJOINER and JOINER
in scripts that join or stack, SELECTOR and TAG after what they select, NARROW (no-break space) and SEPARATOR (vowel
separator) in Mongolian.
"""

KIND = 0x000F
COMBINES = 0x0010
"""Has a combining class or may compose with what stands before it."""
NEVER_COMPOSED = 0x0020
"""Never stands in a text in normal form C."""
LEGACY = 0x0040
"""A control character that is a character of Windows-1252."""
AMPERSAND = 0x0080
WATCHED = 0x00FF
"""A character without these bits needs nothing but copying."""

JOINING, UNSPACED_HINTS, PICTOGRAPH, MONGOLIAN, RIGHT_TO_LEFT, EDGE = (
    0x0100, 0x0200, 0x0400, 0x0800, 0x1000, 0x2000,
)  # fmt: skip
"""What a character is to the invisible ones beside it; EDGE stands for white space and the ends of a text."""
NEIGHBOURHOOD = 0x3F00
DROPPED_IN_CODE = 0x4000

# Cursive scripts, and scripts that stack letters by a virama: there joiners choose between forms.
_JOINING = (
    "Adlm Arab Chrs Hebr Mand Mani Mong Nkoo Ougr Phag Phlp Rohg Sogd Syrc"
    " Ahom Bali Beng Bhks Brah Cakm Cham Deva Diak Dogr Gong Gonm Gran Gujr Gukh Guru Java Kawi Khar Khmr Khoj Knda"
    " Kthi Lana Limb Mahj Marc Mlym Modi Mtei Mult Mymr Nagm Nand Newa Orya Saur Shrd Sidd Sind Sinh Soyo Sund Sylo"
    " Takr Taml Telu Tibt Tirh Tutg Zanb"
)
# Where zero-width spaces part words (and word joiners hold them together).
_HINTED = "Ahom Bali Cham Java Kawi Khmr Lana Laoo Mymr Sund Tale Talu Tavt Thai"
_RIGHT_TO_LEFT = (
    "Adlm Arab Armi Avst Chrs Cprt Elym Gara Hatr Hebr Hung Khar Lydi Mand Mani Mend Merc Mero Narb Nbat Nkoo Orkh"
    " Ougr Palm Phli Phlp Phnx Prti Rohg Samr Sarb Sogd Sogo Syrc Thaa Yezi"
)

_BREAKS = (0x0A, 0x0D, 0x85, 0x2028, 0x2029)
NOT_WINDOWS = frozenset({0x81, 0x85, 0x8D, 0x8F, 0x90, 0x9D})
"""C1 controls that are no characters of Windows-1252; U+0085 would be one, but is a line end."""

_OGHAM_SPACE = 0x1680  # a stroke one sees
_DROPPED = (
    0xAD,  # soft hyphen
    *range(0x2061, 0x2066),  # invisible operators
    *range(0x206A, 0x2070),  # deprecated format characters
    *range(0xFDD0, 0xFDF0),  # not characters
    0xFEFF,  # byte order mark
    *range(0xFFF9, 0xFFFD),  # annotations, placeholder of an object
    0xE0001,  # language tag
    *(plane + last for plane in range(0, CODE_POINTS, 0x10000) for last in (0xFFFE, 0xFFFF)),
)
_KINDS = (
    (BIDI, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))),
    (HINT, (0x200B, 0x2060)),
    (NONJOINER, (0x200C,)),
    (JOINER, (0x200D,)),
    (SELECTOR, (*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))),
    (TAG, range(0xE0020, 0xE0080)),
    (NARROW, (0x202F,)),
    (SEPARATOR, (0x180E,)),
)
# Arrows of emoji sequences, the keycap, the emoji selector, the end of a flag's tags.
_PICTOGRAPHS = (0x2194, 0x2195, 0x20E3, 0xFE0F, 0xE007F)


@dataclass(frozen=True, kw_only=True, slots=True)
class Composition:
    """What normal form C needs.

    Attributes:
        classes: Canonical combining class by code point, (0x110000) uint8.
        trailing: That of the last character of the canonical decomposition, (0x110000) uint8.
        pairs: Open-addressed table of the pairs that compose, `first << 32 | second`, uint64, 0 where empty.
    """

    classes: "NDArray[np.uint8]"
    trailing: "NDArray[np.uint8]"
    pairs: "NDArray[np.uint64]"


@cache
def traits() -> "NDArray[np.uint16]":
    """Return the traits of every code point, (0x110000) uint16."""
    classes, _ = character_classes()
    found = np.zeros(CODE_POINTS, np.uint16)
    found[(classes & (SPACE | SPECIAL)) == SPACE | SPECIAL] = BLANK
    is_control = (classes & CONTROL) != 0
    found[is_control] = DROPPED | DROPPED_IN_CODE
    found[list(_DROPPED)] |= DROPPED
    found[_OGHAM_SPACE] = VISIBLE
    found[list(_BREAKS)] = BREAK
    for kind, points in _KINDS:
        found[list(points)] = kind
    found[ord("&")] |= AMPERSAND
    found[[point for point in range(0x80, 0xA0) if point not in NOT_WINDOWS]] |= LEGACY
    _add_neighbourhoods(found)
    _add_composition(found)
    return found


def _add_neighbourhoods(found: "NDArray[np.uint16]") -> None:
    for flag, scripts in (
        (JOINING, _JOINING),
        (UNSPACED_HINTS, _HINTED),
        (MONGOLIAN, "Mong"),
        (RIGHT_TO_LEFT, _RIGHT_TO_LEFT),
    ):
        for part in script_slices(scripts.split()):
            found[part] |= flag
    found[[p for p in range(0x3400) if unicodedata.category(chr(p)) == "So"]] |= PICTOGRAPH
    found[0x1F000:0x1FB00] |= PICTOGRAPH  # also those newer than this Python
    found[list(_PICTOGRAPHS)] |= PICTOGRAPH


def _add_composition(found: "NDArray[np.uint16]") -> None:
    known = composition()
    seconds = np.unique(known.pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)
    found[seconds[seconds > 0]] |= COMBINES
    found[known.classes > 0] |= COMBINES
    found[[*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]] |= (
        COMBINES  # vowels and finals of hangul
    )
    starts = set(seconds.tolist())
    for point in decomposable():
        character = chr(point)
        first = unicodedata.normalize("NFD", character)[0]
        if unicodedata.normalize("NFC", character) != character or ord(first) in starts:
            found[point] |= NEVER_COMPOSED


@cache
def composition() -> Composition:
    """Return what this Python's Unicode says about canonical composition."""
    classes = np.zeros(CODE_POINTS, np.uint8)
    pairs = []
    for point in described():
        classes[point] = unicodedata.combining(chr(point))
    trailing = classes.copy()
    for point in decomposable():
        character = chr(point)
        trailing[point] = classes[ord(unicodedata.normalize("NFD", character)[-1])]
        parts = unicodedata.decomposition(character).split()
        if len(parts) == 2 and unicodedata.normalize("NFC", character) == character:
            pairs.append(int(parts[0], 16) << 32 | int(parts[1], 16))
    return Composition(classes=classes, trailing=trailing, pairs=_hash_table(pairs))


@cache
def decomposable() -> list[int]:
    """Return the code points with a canonical decomposition, hangul syllables (which have a formula) left out."""
    return [
        point
        for point in described()
        if (parts := unicodedata.decomposition(chr(point))) and parts[0] != "<"
    ]


def _hash_table(values: list[int]) -> "NDArray[np.uint64]":
    from emma500.languages.writing.normalisation_kernel import slot_of

    table = np.zeros(4096, np.uint64)
    for value in values:
        slot = int(slot_of(np.uint64(value), table))
        table[slot] = value
    return table
