"""Words of scripts with and without spaces, and sentences by the punctuation of all scripts.

    >>> words(["Ẹ káàárọ̀, ṣé dáadáa ni?"], "Latn").to_pylist()
    [['Ẹ', 'káàárọ̀', 'ṣé', 'dáadáa', 'ni']]
    >>> sentences(["J. K. Ojo ti dé. Ó ti lọ!", "人人生而自由。他们一律平等。"]).to_pylist()
    [['J. K. Ojo ti dé.', 'Ó ti lọ!'], ['人人生而自由。', '他们一律平等。']]

Words of Thai, Lao, Khmer, Burmese, Chinese and Japanese come from the dictionaries of ICU (`icu4py`, the extra
`segmentation`), at a few MB/s. Without it, and in the other scripts without spaces, each letter with its marks is a
word: about three times as many words, but the same ones on every machine. Tibetan is cut at the tsheg, into syllables.
All other scripts are cut at white space, and words lose the signs around them; so is Korean.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from emma500.configuration import need
from emma500.errors import UsageError
from emma500.languages.writing.characters import (
    CODE_POINTS,
    MARK,
    NUMBER,
    SPACE,
    SPECIAL,
    character_classes,
    described,
)
from emma500.languages.writing.strings import as_strings, buffers
from emma500.tables import read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emma500.languages.writing.strings import Texts

DICTIONARIES = {
    "Thai": "th", "Laoo": "lo", "Khmr": "km", "Mymr": "my", "Jpan": "ja", "Japn": "ja", "Hira": "ja",
    "Kana": "ja", "Hani": "zh", "Hans": "zh", "Hant": "zh",
}  # fmt: skip
"""Scripts whose words ICU has a dictionary of, and the locale it is asked for."""

_CONTENT = re.compile(r"[^\W_]")
_CLOSING = ("Pe", "Pf", "Pi")
_QUOTES = (0x22, 0x27)


def words(
    texts: "Texts",
    script: "str | Sequence[str | None] | pa.Array",
    *,
    dictionaries: bool | None = None,
) -> pa.Array:
    """Cut texts into words.

    Args:
        texts: Strings; null counts as empty.
        script: The ISO 15924 script of all texts, or of each.
        dictionaries: Whether ICU cuts the scripts of `DICTIONARIES`; None for where it is installed.

    Returns:
        A `large_list<large_string>` array.

    Raises:
        UsageError: If `texts` is one string, or there are not as many scripts as texts.
        MissingExtraError: If dictionaries are asked for and icu4py is not installed.
    """
    array = as_strings(texts)
    if dictionaries is None:
        dictionaries = find_spec("icu4py") is not None
    locales = _locales(array, script) if dictionaries else [""] * len(array)
    if not any(locales):
        return _spaced_words(array)
    by_dictionary = np.array([locale != "" for locale in locales], bool)
    need("icu4py", "segmentation")
    from icu4py.breakers import WordBreaker

    found = pa.array(
        [
            [word for word in WordBreaker(text or "", locale) if _CONTENT.search(word)]
            for text, locale in zip(array.to_pylist(), locales, strict=True)
            if locale
        ],
        pa.large_list(pa.large_string()),
    )
    rest = _spaced_words(array.filter(pa.array(~by_dictionary)))
    order = np.empty(len(array), np.int64)
    order[by_dictionary] = np.arange(len(found))
    order[~by_dictionary] = np.arange(len(rest)) + len(found)
    return pa.concat_arrays([found, rest]).take(pa.array(order))


def sentences(texts: "Texts") -> pa.Array:
    """Cut texts into sentences.

    A sentence ends with its line, at the full stop of a script that has its own (danda, shad, Ethiopic, Khmer, Chinese
    …), and where . ! ? are followed by white space, unless the dot follows a capital or a number of two digits, or a
    small letter comes next. Thai and Lao, which have no full stop, are cut by lines.

    Args:
        texts: Strings; null counts as empty.

    Returns:
        A `large_list<large_string>` array, without the white space around sentences.

    Raises:
        UsageError: If `texts` is one string.
    """
    from emma500.languages.writing.segmentation_kernel import count_ends, cut_sentences

    data, offsets = buffers(as_strings(texts))
    table = sentence_flags()
    out = np.empty(int(offsets[-1] - offsets[0]) + 1, np.uint8)
    places = np.empty(count_ends(data, offsets, table) + 1, np.int64)
    lists = np.empty(len(offsets), np.int64)
    cut_sentences(data, offsets, table, out, places, lists)
    return _lists(out, places, lists)


@cache
def sentence_flags() -> "NDArray[np.uint16]":
    """Return what each code point is to sentences, (0x110000) uint16; the flags stand in `segmentation_kernel`."""
    from emma500.languages.writing import segmentation_kernel as kernel

    classes, _ = character_classes()
    found = np.zeros(CODE_POINTS, np.uint16)
    found[(classes & (SPACE | SPECIAL)) == SPACE | SPECIAL] = kernel.WHITE
    is_content = ((classes & (SPACE | SPECIAL | MARK)) == 0) | ((classes & NUMBER) != 0)
    found[is_content] |= kernel.CONTENT
    found[(classes & NUMBER) != 0] |= kernel.DIGIT
    case = {"Ll": kernel.LOWER, "Lu": kernel.UPPER, "Lt": kernel.UPPER}
    for point in described():
        category = unicodedata.category(chr(point))
        found[point] |= case.get(category, kernel.CLOSER if category in _CLOSING else 0)
    found[list(_QUOTES)] |= kernel.CLOSER
    kinds = {"stop": kernel.STOP, "mark": kernel.SIGN, "end": kernel.END}
    for row in read_table("sentence_ends"):
        found[int(row["first"], 16) : int(row["last"], 16) + 1] = kinds[row["kind"]]
    return found


def _locales(texts: pa.Array, script: "str | Sequence[str | None] | pa.Array") -> list[str]:
    if isinstance(script, str):
        return [DICTIONARIES.get(script, "")] * len(texts)
    each = script.to_pylist() if isinstance(script, pa.Array) else list(script)
    if len(each) != len(texts):
        raise UsageError(f"script must be one, or one a text: {len(each)} for {len(texts)} texts")
    return [DICTIONARIES.get(name or "", "") for name in each]


def _spaced_words(texts: pa.Array) -> pa.Array:
    from emma500.languages.writing.segmentation_kernel import cut_words

    classes, _ = character_classes()
    data, offsets = buffers(texts)
    n_bytes = int(offsets[-1] - offsets[0])
    out = np.empty(n_bytes + 1, np.uint8)
    places = np.empty(n_bytes // 2 + 2 * len(offsets), np.int64)
    lists = np.empty(len(offsets), np.int64)
    cut_words(data, offsets, classes, out, places, lists)
    return _lists(out, places, lists)


def _lists(
    data: "NDArray[np.uint8]", places: "NDArray[np.int64]", lists: "NDArray[np.int64]"
) -> pa.Array:
    """Return lists of strings from their bytes, the offsets of the strings and those of the lists."""
    count = int(lists[-1])
    values = pa.Array.from_buffers(
        pa.large_string(),
        count,
        [None, pa.py_buffer(places[: count + 1].copy()), pa.py_buffer(data)],
    )
    return pa.LargeListArray.from_arrays(pa.array(lists), values)
