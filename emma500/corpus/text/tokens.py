"""Texts cut into units, once: repetition, shingles and n-grams of benchmarks all read the same array.

A *unit* is what is counted: a white-space word without its punctuation and in lower case, or a character (with its
marks) where no spaces are written.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from emma500.languages.writing.characters import MARK, character_classes
from emma500.languages.writing.strings import buffers
from emma500.tables import read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LINE_ENDS = (0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """The units of some texts, one text after another.

    Attributes:
        units: (units) uint64 hash of each unit.
        lengths: (units) uint16 characters of each, marks included and punctuation left out; 65,535 at most.
        offsets: (texts + 1) int64, where each text's units begin and end.
        breaks: int64 places in `units` at which a sentence, a line or a text ends, in order, some of them twice.
        n_chars: (texts) int64 characters.
        n_words: (texts) int64 white-space words.
        n_special: (texts) int64 characters that are punctuation, numbers, symbols, controls or white space.
        n_unspaced: (texts) int64 units that are characters of a script without spaces.
    """

    units: "NDArray[np.uint64]"
    lengths: "NDArray[np.uint16]"
    offsets: "NDArray[np.int64]"
    breaks: "NDArray[np.int64]"
    n_chars: "NDArray[np.int64]"
    n_words: "NDArray[np.int64]"
    n_special: "NDArray[np.int64]"
    n_unspaced: "NDArray[np.int64]"

    @property
    def n_units(self) -> "NDArray[np.int64]":
        """Units of each text, (texts) int64."""
        return np.diff(self.offsets)

    @property
    def is_unspaced(self) -> "NDArray[np.bool_]":
        """Whether most units of a text are characters, (texts) bool: its n-grams are twice as long."""
        return 2 * self.n_unspaced > self.n_units


def tokenise(texts: pa.Array) -> Tokens:
    """Cut texts into units.

    Args:
        texts: Normalised strings; null counts as empty.

    Returns:
        Their units.
    """
    from emma500.corpus.text import token_kernels

    data, offsets = buffers(texts)
    # A text has no more units than bytes; what is not written to costs nothing.
    room = int(offsets[-1] - offsets[0])
    units, lengths = np.empty(room, np.uint64), np.empty(room, np.uint16)
    breaks = np.empty(room + len(texts), np.int64)
    ends, counts = np.zeros(len(offsets), np.int64), np.zeros((len(texts), 4), np.int64)
    n_breaks = token_kernels.tokenise(
        data, offsets, _characters(), units, lengths, breaks, ends, counts
    )
    return Tokens(
        units=units[: ends[-1]], lengths=lengths[: ends[-1]], offsets=ends, breaks=breaks[:n_breaks],
        n_chars=counts[:, 0], n_words=counts[:, 1], n_special=counts[:, 2], n_unspaced=counts[:, 3],
    )  # fmt: skip


def shingles(
    tokens: Tokens, ngram: int, wanted: "NDArray[np.bool_] | None" = None
) -> "tuple[NDArray[np.uint64], NDArray[np.int64]]":
    """Hash the shingles of texts: runs of units, order kept.

    Args:
        tokens: The texts' units.
        ngram: Words a shingle; twice as many characters where most units are characters.
        wanted: (texts) False for a text whose shingles are not wanted; it has none. None for all.

    Returns:
        The shingles of all texts, repeats included (uint64), and where each text's begin and end, (texts + 1). A text
        of fewer than two shingles' units has none.
    """
    from emma500.corpus.text import token_kernels

    sizes = np.where(tokens.is_unspaced, 2 * ngram, ngram)
    counts = np.where(tokens.n_units >= 2 * sizes, tokens.n_units - sizes + 1, 0)
    if wanted is not None:
        counts[~wanted] = 0
    places = np.concatenate([[0], np.cumsum(counts)])
    out = np.empty(int(places[-1]), np.uint64)
    token_kernels.ngrams(tokens.units, tokens.offsets, sizes, places, out)
    return out, places


@cache
def _characters() -> "NDArray[np.int32]":
    """Return, by code point, what it is to the kernel."""
    from emma500.corpus.text.token_kernels import END, MARKS, OTHERS

    classes, lower = character_classes()
    others = (classes & ~np.uint8(MARK)).astype(np.int32)
    others[list(_LINE_ENDS)] |= END
    for row in read_table("sentence_ends"):
        others[int(row["first"], 16) : int(row["last"], 16) + 1] |= END
    return np.where(classes == MARK, lower + MARKS, lower + others * OTHERS)
