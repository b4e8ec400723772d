"""The script a text is written in, from its characters alone.

    >>> main, share = scripts(["Ẹ káàárọ̀", "Привет, Ann", "12 %", "漢語", "汉语", "日本"])
    >>> main.to_pylist()
    ['Latn', 'Cyrl', 'Zyyy', 'Hant', 'Hans', 'Hani']

Common, inherited and unassigned characters (Zyyy, Zinh, Zzzz) never win over a script. Han, kana, hangul and bopomofo
are weighed together and named as ISO 15924 names writing systems: Jpan from 5 % kana on, Kore from 10 % hangul on (with
Han characters or without), else by the characters only simplified and only traditional text has, Hans or Hant, and Hani
where these are as many, or none. Variants that share their characters are not told apart (Aran and Arab, Latf and
Latn): a label may name them and `compatible` accepts them.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.languages.writing.script_tables import Cells, cells
from emma500.languages.writing.strings import as_strings, buffers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emma500.languages.writing.strings import Texts

COMMON = "Zyyy"

_ROWS_AT_ONCE = 8192

_SAME_CHARACTERS = {
    "Aran": "Arab", "Cyrs": "Cyrl", "Geok": "Geor", "Hang": "Kore", "Jamo": "Kore", "Japn": "Jpan",
    "Latf": "Latn", "Latg": "Latn", "Syre": "Syrc", "Syrj": "Syrc", "Syrn": "Syrc",
}  # fmt: skip
_WRITTEN_AS = {
    "Hani": ("Hans", "Hant"), "Hanb": ("Hani", "Hans", "Hant", "Bopo"), "Hans": ("Hani",), "Hant": ("Hani",),
    "Hira": ("Jpan",), "Kana": ("Jpan",), "Hrkt": ("Jpan",),
    "Jpan": ("Hani", "Hans", "Hant"), "Kore": ("Hani", "Hant"),
}  # fmt: skip
"""What a text in a script may be found to be, besides the script itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptSurvey:
    """What one pass over texts finds.

    Attributes:
        main: The main script of each text (ISO 15924, `string`); "Zyyy" for a text without any, null for a null.
        share: Its share of the characters that have a script (`float32`), 0 where there are none, null for a null.
        shares: Every Unicode script of each text and its share of *all* characters, the largest first
            (`map<string, float>`); Zyyy, Zinh and Zzzz too, which are spaces, digits, punctuation and noise. An empty
            text has none; null for a null.
        blocks: Characters of all texts by Unicode block, in the order of Unicode; "No_Block" is outside any.
    """

    main: pa.Array
    share: pa.Array
    shares: pa.Array
    blocks: dict[str, int]


def scripts(texts: "Texts") -> tuple[pa.Array, pa.Array]:
    """Find the main script of each text.

    Args:
        texts: Strings, in Arrow or not.

    Returns:
        `main` and `share` of the `ScriptSurvey`.
    """
    known = cells()
    main, share = _parts(texts, known, np.zeros(len(known.block_names), np.int64))
    return main, share


def script_shares(texts: "Texts") -> pa.Array:
    """Find every script of each text, and its share of all characters.

    >>> {name: round(share, 2) for name, share in script_shares(["да — ok"])[0].as_py()}
    {'Zyyy': 0.43, 'Cyrl': 0.29, 'Latn': 0.29}

    Args:
        texts: Strings, in Arrow or not.

    Returns:
        `shares` of the `ScriptSurvey`.
    """
    return survey(texts).shares


def block_counts(texts: "Texts") -> dict[str, int]:
    """Count the characters of all texts by Unicode block.

    >>> block_counts(["да ok", "да"])
    {'Basic Latin': 3, 'Cyrillic': 4}

    Args:
        texts: Strings, in Arrow or not.

    Returns:
        Characters by block; counts of several calls can be added.
    """
    from emma500.languages.writing.script_kernel import count_scripts

    known = cells()
    data, offsets = buffers(as_strings(texts))
    main, share = np.empty(1, np.uint8), np.empty(1, np.float32)
    places = np.zeros(2, np.int32)
    found = np.empty(len(known.script_names), np.uint8)
    shares = np.empty(len(found), np.float32)
    blocks = np.zeros(len(known.block_names), np.int64)
    # All texts are one to the kernel: they stand one after another.
    count_scripts(
        data, offsets[[0, -1]], known.by_point, known.scripts, known.blocks,
        main, share, places, found, shares, blocks,
    )  # fmt: skip
    return {known.block_names[place]: int(blocks[place]) for place in np.flatnonzero(blocks)}


def survey(texts: "Texts") -> ScriptSurvey:
    """Find the scripts and the blocks of texts in one pass.

    Args:
        texts: Strings, in Arrow or not.

    Returns:
        What was found.
    """
    known = cells()
    blocks = np.zeros(len(known.block_names), np.int64)
    main, share, shares = _parts(texts, known, blocks, with_shares=True)
    counted = zip(known.block_names, blocks.tolist(), strict=True)
    return ScriptSurvey(
        main=main, share=share, shares=shares, blocks={name: n for name, n in counted if n}
    )


def compatible(script: str, expected: str) -> bool:
    """Tell whether a text in a detected script can carry a label's script.

    Args:
        script: The script `scripts` found.
        expected: The script of the label; "" and Zyyy claim nothing.

    Returns:
        True if the characters of `expected` can look like `script`: Hans and Hant fit Hani, Hani fits Hans, Hant, Jpan
        and Kore; Latn fits Latf. Hans does not fit Hant.
    """
    if expected in ("", COMMON) or script == expected:
        return True
    written = _SAME_CHARACTERS.get(script, script)
    wanted = _SAME_CHARACTERS.get(expected, expected)
    return written == wanted or written in _WRITTEN_AS.get(wanted, ())


def _parts(
    texts: "Texts", known: Cells, blocks: "NDArray[np.int64]", *, with_shares: bool = False
) -> list[pa.Array]:
    """Return `main`, `share` and, where it is asked for, `shares`, and add to the characters by block."""
    array = as_strings(texts)
    parts = [
        _part(array.slice(start, _ROWS_AT_ONCE), known, blocks, with_shares=with_shares)
        for start in range(0, max(len(array), 1), _ROWS_AT_ONCE)
    ]
    return [pa.concat_arrays(each) for each in zip(*parts, strict=True)]


def _part(
    texts: pa.Array, known: Cells, blocks: "NDArray[np.int64]", *, with_shares: bool
) -> list[pa.Array]:
    """Do so for a few thousand texts."""
    from emma500.languages.writing.script_kernel import count_scripts

    data, offsets = buffers(texts)
    main, share = np.empty(len(texts), np.uint8), np.empty(len(texts), np.float32)
    places = np.zeros(len(texts) + 1, np.int32)
    room = min(int(offsets[-1] - offsets[0]), len(texts) * len(known.script_names))
    found, shares = np.empty(room, np.uint8), np.empty(room, np.float32)
    count_scripts(
        data, offsets, known.by_point, known.scripts, known.blocks,
        main, share, places, found, shares, blocks,
    )  # fmt: skip
    null, n_found = pc.is_null(texts), places[-1]
    parts = [pc.if_else(null, None, _named(main)), pc.if_else(null, None, pa.array(share))]
    if with_shares:
        names, values = _named(found[:n_found]), pa.array(shares[:n_found])
        parts.append(pa.MapArray.from_arrays(pa.array(places), names, values, mask=null))
    return parts


def _named(numbers: "NDArray[np.uint8]") -> pa.Array:
    return _script_names().take(pa.array(numbers))


@cache
def _script_names() -> pa.Array:
    return pa.array(cells().script_names, pa.string())
