"""The script a text is written in, from its characters alone.

    >>> import pyarrow as pa
    >>> main, share = scripts(pa.array(["Ẹ káàárọ̀", "Привет, Ann", "12 %"]))
    >>> main.to_pylist()
    ['Latn', 'Cyrl', 'Zyyy']

Common and inherited characters (Zyyy, Zinh) never win over a script. Han, kana, hangul and bopomofo
are weighed together, then named: Jpan from 5 % kana on, Kore from 10 % hangul on, else Hani. Hans
and Hant are not told apart, nor are variants that share their characters (Aran and Arab, Latf and
Latn): a label may name them and `compatible` accepts them.
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from emma500.tables import read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNASSIGNED = "Zzzz"
COMMON = "Zyyy"
_NO_SCRIPT = (UNASSIGNED, COMMON, "Zinh")
_EAST_ASIAN = ("Hani", "Hira", "Kana", "Hang", "Bopo")
_MIN_KANA = 0.05
_MIN_HANGUL = 0.10
_ROWS_AT_ONCE = 8192

_SAME_CHARACTERS = {
    "Aran": "Arab", "Cyrs": "Cyrl", "Geok": "Geor", "Hans": "Hani", "Hant": "Hani", "Hanb": "Hani",
    "Jamo": "Kore", "Hang": "Kore", "Japn": "Jpan", "Hrkt": "Jpan", "Hira": "Jpan", "Kana": "Jpan",
    "Latf": "Latn", "Latg": "Latn", "Syre": "Syrc", "Syrj": "Syrc", "Syrn": "Syrc",
}  # fmt: skip
_ALSO = {"Jpan": "Hani", "Kore": "Hani"}


def scripts(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Find the main script of each text.

    Args:
        texts: Strings (`string` or `large_string`).

    Returns:
        The main script (ISO 15924, `string`; "Zyyy" for a text without any) and its share of the
        characters that have a script (`float32`, 0 where there are none). Null where the text is
        null.
    """
    names = np.array(_names(), dtype=object)
    main, share = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        numbers, shares = _decide(_counts(texts.slice(start, _ROWS_AT_ONCE)))
        main.append(numbers)
        share.append(shares)
    null = texts.is_null().to_numpy(zero_copy_only=False)
    return (
        pa.array(names[np.concatenate(main)], type=pa.string(), mask=null),
        pa.array(np.concatenate(share), type=pa.float32(), mask=null),
    )


def compatible(script: str, expected: str) -> bool:
    """Tell whether a text in a detected script can carry a label's script.

    Args:
        script: The script `scripts` found.
        expected: The script of the label; "" and Zyyy claim nothing.

    Returns:
        True if the characters of `expected` can look like `script`: Hani fits Hans, Hant, Jpan and
        Kore; Latn fits Latf.
    """
    if expected in ("", COMMON) or script == expected:
        return True
    wanted = _SAME_CHARACTERS.get(expected, expected)
    return script in (wanted, _ALSO.get(wanted)) or _SAME_CHARACTERS.get(script) == wanted


@cache
def _names() -> tuple[str, ...]:
    found = sorted({row["script"] for row in read_table("scripts")} - {*_NO_SCRIPT, *_EAST_ASIAN})
    return (*_NO_SCRIPT, *_EAST_ASIAN, *found, "Jpan", "Kore")


@cache
def _table() -> "NDArray[np.uint8]":
    """Script number by code point; 1.1 MB."""
    numbers = {name: number for number, name in enumerate(_names())}
    table = np.zeros(0x110000, np.uint8)
    for row in read_table("scripts"):
        table[int(row["first"], 16) : int(row["last"], 16) + 1] = numbers[row["script"]]
    return table


def _counts(texts: pa.Array) -> "NDArray[np.int64]":
    from emma500.languages.script_kernel import count_scripts

    texts = texts.cast(pa.large_string())
    _, offsets, data = texts.buffers()
    counts = np.zeros((len(texts), len(_names())), np.int64)
    if data is not None:
        ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
        count_scripts(np.frombuffer(data, np.uint8), ends, _table(), counts.shape[1], counts)
    return counts


def _decide(counts: "NDArray[np.int64]") -> "tuple[NDArray[np.int64], NDArray[np.float32]]":
    """Return the number of the main script and its share, by row."""
    number = {name: place for place, name in enumerate(_names())}
    none, east = len(_NO_SCRIPT), slice(len(_NO_SCRIPT), len(_NO_SCRIPT) + len(_EAST_ASIAN))
    total = counts[:, none:].sum(axis=1)
    asian = counts[:, east].sum(axis=1)
    han, hangul = counts[:, number["Hani"]], counts[:, number["Hang"]]
    kana = counts[:, number["Hira"]] + counts[:, number["Kana"]]
    others = counts.copy()
    others[:, : east.stop] = 0
    main = others.argmax(axis=1)
    best = others.max(axis=1)
    is_asian = (asian >= best) & (asian > 0)
    is_japanese = is_asian & (kana >= _MIN_KANA * asian) & (kana >= hangul) & (kana > 0)
    is_korean = is_asian & ~is_japanese & (hangul >= _MIN_HANGUL * asian) & (hangul > 0)
    is_bopomofo = is_asian & ~is_japanese & ~is_korean & (han == 0)
    main = np.select(
        [is_japanese, is_korean, is_bopomofo, is_asian, best == 0],
        [number["Jpan"], number["Kore"], number["Bopo"], number["Hani"], number[COMMON]],
        main,
    )
    won = np.select([is_japanese, is_korean, is_asian], [han + kana, han + hangul, asian], best)
    return main, np.where(total > 0, won / np.maximum(total, 1), 0).astype(np.float32)
