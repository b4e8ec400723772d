"""Texts as Arrow arrays: tidied, measured, cut into shingles, hashed. Pure functions over the kernels."""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.tables import read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNSPACED = (
    "Ahom Bali Batk Bopo Brah Buhd Cari Cham Diak Egyp Hani Hano Hira Hluw Java Kana Kawi Khmr Kits Lana Laoo Maka"
    " Mymr Nshu Sund Tagb Tale Talu Tang Tavt Tglg Thai Vaii Xsux Yiii"
)
UNSPACED_SCRIPTS = frozenset(_UNSPACED.split())
"""Scripts written without spaces between words: their characters count where others' words do."""

REPETITION_LIMIT = 1 << 20
"""Repetition is looked for in this many first characters (and units) of a text."""

SHORT_LINE_BYTES = 40
"""Shorter lines may stand in a text as often as they like."""

_SYMBOLS_AS_LETTERS = {"Brai", "Sgnw"}  # symbols to Unicode, but what these scripts write with
_SHARED = {"Zyyy", "Zinh", "Latn"}
_SEPARATORS = (
    0x205A,
    0x205B,
    0x205D,
    0x205E,
    0x2E31,
)  # rows of dots and the middle dot that part words


@dataclass(frozen=True, kw_only=True, slots=True)
class Signals:
    """What is measured of each text; all arrays have one entry a text."""

    n_units: "NDArray[np.int64]"
    n_chars: "NDArray[np.int64]"
    n_words: "NDArray[np.int64]"
    character_repetition: "NDArray[np.float32]"
    word_repetition: "NDArray[np.float32]"
    special_share: "NDArray[np.float32]"


def buffers(texts: pa.Array) -> "tuple[NDArray[np.uint8], NDArray[np.int64]]":
    """Return the UTF-8 bytes and the offsets of texts, without a copy; a null is an empty text."""
    texts = texts.cast(pa.large_string())
    if texts.null_count:
        texts = pc.fill_null(texts, "")
    _, offsets, data = texts.buffers()
    if offsets is None or not len(texts):
        return np.zeros(0, np.uint8), np.zeros(len(texts) + 1, np.int64)
    places = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data or b"", np.uint8), places


def normalise(texts: pa.Array, plain: "NDArray[np.bool_]") -> pa.Array:
    """Bring texts to NFC and tidy their white space.

    Runs of spaces become one blank, lines are stripped, several empty lines become one, control characters and byte
    order marks go. Code is left as it is but for line ends, control characters and empty lines around it.

    Args:
        texts: Strings; null stays null.
        plain: True where a text is code.

    Returns:
        A `large_string` array of the same length.
    """
    from emma500.corpus.kernels import clean

    classes, _ = character_classes()
    data, offsets = buffers(_composed(texts, plain))
    out = np.empty(len(data) + 1, np.uint8)
    places = np.zeros(len(offsets), np.int64)
    clean(data, offsets, classes, plain, out, places)
    return _strings(texts, out, places)


def without_repeated_lines(texts: pa.Array, wanted: "NDArray[np.bool_]") -> pa.Array:
    """Drop the lines that stand earlier in the same text: templates, menus, filling.

    Args:
        texts: Normalised strings; null stays null.
        wanted: False where a text is left as it is.

    Returns:
        A `large_string` array; lines of fewer than `SHORT_LINE_BYTES` bytes stay.
    """
    from emma500.corpus.kernels import unique_lines

    data, offsets = buffers(texts)
    out = np.empty(len(data) + 1, np.uint8)
    places = np.zeros(len(offsets), np.int64)
    unique_lines(data, offsets, wanted, SHORT_LINE_BYTES, out, places)
    return _strings(texts, out, places)


def _strings(texts: pa.Array, data: "NDArray[np.uint8]", offsets: "NDArray[np.int64]") -> pa.Array:
    """Return bytes as strings, null where `texts` is."""
    array = pa.Array.from_buffers(
        pa.large_string(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )
    return pc.if_else(pc.is_valid(texts), array, None) if texts.null_count else array


def _composed(texts: pa.Array, plain: "NDArray[np.bool_]") -> pa.Array:
    if bool(pc.all(pc.string_is_ascii(texts)).as_py() is not False):
        return texts
    found = texts.to_pylist()
    changed = False
    for place, text in enumerate(found):
        if text is not None and not plain[place] and not unicodedata.is_normalized("NFC", text):
            found[place] = unicodedata.normalize("NFC", text)
            changed = True
    return pa.array(found, pa.large_string()) if changed else texts


def measure(texts: pa.Array, wanted: "NDArray[np.bool_]") -> Signals:
    """Measure texts.

    Args:
        texts: Normalised strings; null counts as empty.
        wanted: False where the repetition shares are not wanted; they are 0 there.

    Returns:
        Units, characters, white-space words, and the shares of repeated character 10-grams, of repeated unit n-grams
        and of special characters.
    """
    from emma500.corpus import kernels

    classes, lower = character_classes()
    counts = np.zeros((len(texts), 4), np.int64)
    shares = np.zeros((len(texts), 3), np.float32)
    kernels.measure(*buffers(texts), classes, lower, wanted, REPETITION_LIMIT, counts, shares)
    return Signals(
        n_units=counts[:, 0], n_chars=counts[:, 1], n_words=counts[:, 2],
        character_repetition=shares[:, 0], word_repetition=shares[:, 1], special_share=shares[:, 2],
    )  # fmt: skip


def shingles(texts: pa.Array, ngram: int) -> "tuple[NDArray[np.uint64], NDArray[np.int64]]":
    """Return the shingle hashes of texts and their offsets; a text of under 2n units has none."""
    from emma500.corpus import kernels

    classes, lower = character_classes()
    data, offsets = buffers(texts)
    out = np.empty(int(offsets[-1] - offsets[0]) + len(texts), np.uint64)
    places = np.zeros(len(offsets), np.int64)
    kernels.shingles(data, offsets, classes, lower, ngram, out, places)
    return out[: places[-1]], places


def hashes(texts: pa.Array, seeds: "NDArray[np.uint64]") -> "NDArray[np.uint64]":
    """Return the 128-bit XXH3 of each text as two numbers.

    Args:
        texts: Strings; null counts as empty.
        seeds: A seed for each text.

    Returns:
        (texts, 2) uint64, the high half first.
    """
    from xxhash import xxh3_128_digest

    data, offsets = buffers(texts)
    view = memoryview(data)  # type: ignore[arg-type]  # an array is a buffer
    digests = b"".join(
        xxh3_128_digest(view[start:end], seed=int(seed))
        for start, end, seed in zip(offsets[:-1], offsets[1:], seeds, strict=True)
    )
    return np.frombuffer(digests, ">u8").astype(np.uint64).reshape(-1, 2)


@cache
def character_classes() -> "tuple[NDArray[np.uint8], NDArray[np.int32]]":
    """Return the flags and the lower case of every code point, (0x110000) each.

    Punctuation that belongs to one script parts words and is nothing special: Tibetan tsheg, Ethiopic word space.
    Unassigned characters have no flag: a script newer than this Python is text all the same.
    """
    from emma500.corpus.kernels import (
        CONTROL,
        MARK,
        NUMBER,
        PUNCTUATION,
        SPACE,
        SPECIAL,
        UNSPACED,
    )

    flags = {
        "Z": SPACE | SPECIAL,
        "P": PUNCTUATION,
        "S": SPECIAL,
        "N": SPECIAL | NUMBER,
        "M": MARK,
        "Cc": CONTROL | SPECIAL,
    }
    classes = np.zeros(0x110000, np.uint8)
    lower = np.arange(0x110000, dtype=np.int32)
    for point in [*range(0x33480), *range(0xE0000, 0xE01F0)]:
        character = chr(point)
        category = unicodedata.category(character)
        classes[point] = flags.get(category, flags.get(category[0], 0))
        if category in {"Lu", "Lt"} and len(character.lower()) == 1:
            lower[point] = ord(character.lower())
    for row in read_table("scripts"):
        part = slice(int(row["first"], 16), int(row["last"], 16) + 1)
        if row["script"] in _SYMBOLS_AS_LETTERS:
            classes[part] = 0
        if (
            row["script"] not in _SHARED
        ):  # a script's own punctuation parts its words, as the Tibetan tsheg does
            classes[part][classes[part] == PUNCTUATION] = SPACE
        if row["script"] in UNSPACED_SCRIPTS:
            classes[part][(classes[part] & (SPACE | SPECIAL | MARK)) == 0] |= UNSPACED
    # Form feeds and separators part words, though Unicode counts them as control characters.
    classes[[*range(0x09, 0x0E), *range(0x1C, 0x20), 0x85]] = SPACE | SPECIAL
    classes[list(_SEPARATORS)] = SPACE
    classes[classes == PUNCTUATION] = SPECIAL
    classes[0xFEFF] = CONTROL
    return classes, lower
