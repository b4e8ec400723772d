"""Normal form C of many texts at once; a text it cannot do is left to Python's `unicodedata`, which it agrees with."""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from emma500.languages.writing.character_traits import (
    COMBINES,
    composition,
    decomposable,
    traits,
)
from emma500.languages.writing.characters import CODE_POINTS
from emma500.languages.writing.strings import buffers, from_buffers

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_PARTS = 4
_LARGEST_GROWTH = (
    3  # UTF-8 in normal form C has at most three times the bytes (Unicode Standard Annex 15)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decomposition:
    """What decomposes, and what the pairs compose to.

    Attributes:
        joins: True for the code points that may change what stands before them, (0x110000) bool.
        places: Row of `parts` by code point, (0x110000) uint16; 0 for none.
        parts: The full canonical decompositions, (rows, 4) int32; 0 after the last character.
        values: What each pair of `composition().pairs` composes to, int32.
    """

    joins: "NDArray[np.bool_]"
    places: "NDArray[np.uint16]"
    parts: "NDArray[np.int32]"
    values: "NDArray[np.int32]"


@cache
def decomposition() -> Decomposition:
    """Return what this Python's Unicode says about canonical decomposition; hangul has a formula."""
    from emma500.languages.writing.normalisation_kernel import slot_of

    pairs = composition().pairs
    joins = (traits() & COMBINES) != 0
    places, rows = np.zeros(CODE_POINTS, np.uint16), [[0] * _MOST_PARTS]
    values = np.zeros(len(pairs), np.int32)
    for point in decomposable():
        parts = unicodedata.decomposition(chr(point)).split()
        whole = [ord(each) for each in unicodedata.normalize("NFD", chr(point))]
        places[point] = len(rows)
        joins[point] |= joins[whole[0]]
        rows.append(whole + [0] * (_MOST_PARTS - len(whole)))
        if len(parts) == 2:
            pair = np.uint64(int(parts[0], 16) << 32 | int(parts[1], 16))
            slot = slot_of(pair, pairs)
            if pairs[slot] == pair:
                values[slot] = point
    return Decomposition(joins=joins, places=places, parts=np.array(rows, np.int32), values=values)


def composed(texts: pa.Array) -> "tuple[pa.Array, NDArray[np.bool_]]":
    """Bring texts into normal form C.

    Args:
        texts: Strings, none of them null.

    Returns:
        The texts, and True for each that is in normal form C now; the others, with more marks on a letter than the
        kernel has room for, are as they were.
    """
    from emma500.languages.writing.normalisation_composing_kernel import compose

    data, offsets = buffers(texts)
    out = np.empty(_LARGEST_GROWTH * int(offsets[-1] - offsets[0]) + 1, np.uint8)
    places, is_done = np.zeros(len(offsets), np.int64), np.zeros(len(texts), np.bool_)
    known, made = composition(), decomposition()
    compose(
        data, offsets, known.classes, made.joins, made.places, made.parts, known.pairs, made.values,
        out, places, is_done,
    )  # fmt: skip
    return from_buffers(texts, out, places), is_done
