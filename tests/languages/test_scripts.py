"""The script of a text, on toy strings and on real texts in 150 scripts."""

from itertools import pairwise

import pyarrow as pa
import pytest

from emma500.languages.scripts import compatible, scripts
from emma500.tables import read_table


def main_script(text):
    script, share = scripts(pa.array([text]))
    return script[0].as_py(), round(share[0].as_py(), 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ẹ káàárọ̀", ("Latn", 1.0)),
        ("Привет abc", ("Cyrl", 0.667)),
        ("12 %, «—…» 😀", ("Zyyy", 0.0)),
        ("", ("Zyyy", 0.0)),
        ("\u0301\u0301\u0301\u0301a", ("Latn", 1.0)),
        ("漢字かな交じり文", ("Jpan", 1.0)),
        ("中文文本", ("Hani", 1.0)),
        ("한국어 大韓民國", ("Kore", 1.0)),
        ("ㄅㄆㄇ", ("Bopo", 1.0)),
        ("한국어 文 abcdef", ("Latn", 0.6)),
        ("𞤀𞤣𞤤𞤢𞤥", ("Adlm", 1.0)),
        ("ߒߞߏ", ("Nkoo", 1.0)),
    ],
)
def test_the_main_script_and_its_share(text, expected):
    assert main_script(text) == expected


def test_five_percent_of_kana_make_japanese():
    assert main_script("字" * 95 + "か" * 5)[0] == "Jpan"
    assert main_script("字" * 96 + "か" * 4)[0] == "Hani"


def test_ten_percent_of_hangul_make_korean():
    assert main_script("字" * 90 + "한" * 10)[0] == "Kore"
    assert main_script("字" * 91 + "한" * 9)[0] == "Hani"


def test_inherited_arabic_vowel_signs_count_as_arabic():
    assert main_script("\u0628\u064e\u0628\u064e") == ("Arab", 1.0)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_slices_nulls_and_empty_arrays_keep_their_places(kind):
    array = pa.array(["x", None, "я", "", "ω"], kind)
    assert scripts(array)[0].to_pylist() == ["Latn", None, "Cyrl", "Zyyy", "Grek"]
    assert scripts(array)[1].to_pylist() == [1, None, 1, 0, 1]
    assert scripts(array[2:])[0].to_pylist() == ["Cyrl", "Zyyy", "Grek"]
    assert scripts(pa.array([], kind))[0].to_pylist() == []
    assert scripts(pa.array([None], kind))[0].to_pylist() == [None]


def test_batches_larger_than_the_kernels_keep_their_order():
    texts = ["x", "я", "ω"] * 3000
    assert scripts(pa.array(texts))[0].to_pylist() == ["Latn", "Cyrl", "Grek"] * 3000


def test_the_ranges_are_sorted_and_do_not_overlap():
    ranges = [(int(row["first"], 16), int(row["last"], 16)) for row in read_table("scripts")]
    assert all(first <= last for first, last in ranges)
    assert all(one[1] < two[0] for one, two in pairwise(ranges))
    assert len({row["script"] for row in read_table("scripts")}) > 165


def test_the_table_agrees_with_the_names_python_has_for_letters():
    import unicodedata

    prefixes = {
        "LATIN": "Latn",
        "CYRILLIC": "Cyrl",
        "DEVANAGARI": "Deva",
        "ETHIOPIC": "Ethi",
        "TIFINAGH": "Tfng",
    }
    for point in range(0x80, 0x30000):
        character = chr(point)
        word = unicodedata.name(character, "").split(" ")[0]
        if word in prefixes and unicodedata.category(character) in ("Lu", "Ll", "Lo"):
            assert main_script(character)[0] == prefixes[word], hex(point)


def test_every_real_text_is_in_the_script_of_its_label():
    from emma500.sources.embedded import gflanguages_passages

    pytest.importorskip("gflanguages", reason="gflanguages is not installed (extra demo)")
    rows = gflanguages_passages()
    found, share = scripts(pa.array([row.text for row in rows]))
    expected = [next(part for part in row.code.split("_")[1:] if len(part) == 4) for row in rows]
    pairs = zip(rows, found.to_pylist(), expected, strict=True)
    assert [
        (row.origin, script) for row, script, wanted in pairs if not compatible(script, wanted)
    ] == []
    assert min(share.to_pylist()) > 0.5


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("Latn", "Latn"), ("Hani", "Hans"), ("Hani", "Hant"), ("Hani", "Jpan"), ("Hani", "Kore"), ("Jpan", "Hira"),
        ("Kore", "Hang"), ("Arab", "Aran"), ("Jpan", "Japn"), ("Latn", ""), ("Latn", "Zyyy"), ("Hans", "Hani"),
    ],
)  # fmt: skip
def test_compatible_scripts(script, expected):
    assert compatible(script, expected)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("Latn", "Cyrl"),
        ("Jpan", "Hani"),
        ("Kore", "Jpan"),
        ("Jpan", "Hant"),
        ("Zyyy", "Latn"),
        ("Hani", "Latn"),
    ],
)
def test_incompatible_scripts(script, expected):
    assert not compatible(script, expected)
