# ruff: noqa: RUF001  letters of other scripts are what is tested
"""Text in one form: what is mended, what is left alone, and that a second time changes nothing."""

import gzip
import json
import random
import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from emma500.errors import UsageError
from emma500.languages.writing import character_traits, normalisation
from emma500.languages.writing.characters import described
from emma500.languages.writing.normalisation import (
    count_replacements,
    normalise,
    without_repeated_lines,
)
from emma500.sources.embedded import gflanguages_passages
from tests.languages.normalised import BOM, SHY, WJ, ZWJ, ZWNJ, ZWSP, normalised


def test_white_space_becomes_one_blank_and_several_empty_lines_one():
    assert normalised("  a \t b\u00a0\u2003c  \r\n\r\n \n\n  d  \r e \n") == "a b c\n\nd\ne"
    assert normalised("a\u2028b\u2029c\x85d\u3000e\u2009f") == "a\nb\nc\nd e f"


@pytest.mark.parametrize("value", ["", "a", "a b", "a\nb", "a\n\nb", "የሰው ልጅ፡ሁሉ", "᚛ᚑᚋ\u1680ᚄ᚜"])
def test_text_in_order_is_not_even_copied(value):
    array = pa.array([value], pa.large_string())
    assert normalise(array).buffers()[2].address == array.buffers()[2].address


@pytest.mark.parametrize(
    "value", [" ", " a", "a ", "\na", "a\n", "a  b", "a \nb", "a\n b", "a\n\n\nb", "a\tb", "a\r\nb"]
)
def test_each_kind_of_untidy_white_space_is_seen(value):
    assert normalised(value) == "\n".join(
        line.strip() for line in value.split("\n")
    ).strip().replace("\n\n\n", "\n\n").replace("  ", " ").replace("\t", " ")


def test_text_comes_in_normal_form_c_and_keeps_its_marks_and_joiners():
    decomposed = unicodedata.normalize("NFD", "Gbogbo ènìyàn ni a bí ní òmìnira")
    assert normalised(decomposed) == "Gbogbo ènìyàn ni a bí ní òmìnira"
    joined = unicodedata.normalize("NFC", "नहीं क्\u200dष می\u200cخواهم")
    assert normalised(joined) == joined
    assert normalised("x² ﬁ Ａ ﻼ ①") == "x² ﬁ Ａ ﻼ ①"  # no compatibility form


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f"])
def test_form_feeds_and_separators_part_words(mark):
    array = pa.array([f"one{mark}two", f"{mark}one {mark} two{mark}"])
    assert normalise(array, np.zeros(2, bool)).to_pylist() == ["one two", "one two"]
    assert normalise(array, np.ones(2, bool))[0].as_py() == f"one{mark}two"  # code stays


def test_characters_that_mean_nothing_go():
    assert normalised("\ufeffa\x00b\x07c\x1bd\x7f") == "abcd"
    assert (
        normalised(f"co{SHY}op{BOM}era{WJ}tion{ZWSP}s\u2061\ufffc\ufdd0\U0001fffe")
        == "cooperations"
    )
    assert normalised("\x81a\x9d") == "a"


def test_c1_controls_are_the_windows_characters_they_were():
    assert normalised("don\x92t \x93so\x94 \x80 5") == "don’t “so” € 5"


def test_code_keeps_its_indentation_its_spaces_and_its_normal_form():
    program = 'def f():\n\n\n\n    return  "e\u0301&amp;\u200b\xa0"  # two'
    assert normalised(program.replace("\n", "\r\n") + "\n\n", code=True) == program
    assert normalised("\n\na\x00\ufeff\tb\u2028c", code=True) == "a\tb\nc"
    assert normalised("schÃ¶n", code=True, repair=True) == "schÃ¶n"


def test_null_stays_null_and_a_sliced_array_is_read_from_its_own_start():
    array = pa.array(["aa  b", None, "ccc  d", "e\u0301", None], pa.large_string())
    assert normalise(array[1:]).to_pylist() == [None, "ccc d", "é", None]
    assert normalise(pa.chunked_array([["a  b"], ["c"]])).to_pylist() == ["a b", "c"]
    assert normalise(pa.array([], pa.string())).to_pylist() == []


def test_one_string_and_a_wrong_number_of_flags_are_refused():
    with pytest.raises(UsageError, match="not one"):
        normalise("text")
    with pytest.raises(UsageError, match=r"one entry a text \(2\)"):
        normalise(["a", "b"], np.zeros(3, bool))


def test_replacement_characters_stay_and_are_counted():
    assert count_replacements(["a\ufffd\ufffdb", "c", None]).to_pylist() == [2, 0, None]


def test_long_lines_that_repeat_in_a_text_go_and_short_ones_stay():
    line, refrain = "All human beings are born free and equal in dignity.", "Oh yes"
    document = "\n".join([line, refrain, line, "", refrain, line])
    array = pa.array([document, document, None], pa.large_string())
    found = without_repeated_lines(array, np.array([True, False, True])).to_pylist()
    assert found == ["\n".join([line, refrain, refrain]), document, None]


@pytest.mark.parametrize("letter", ["a", "я", "ம", "𞤀"])
def test_lines_are_short_or_long_by_their_characters_in_every_script(letter):
    short, long = letter * 39, letter * 40
    document = "\n".join([short, long, short, long])
    array = pa.array([document], pa.large_string())
    found = without_repeated_lines(array, np.array([True])).to_pylist()
    assert found == ["\n".join([short, long, short])]


def random_text(generator, pools):
    return "".join(
        chr(generator.choice(generator.choice(pools))) for _ in range(generator.randrange(14))
    )


@pytest.fixture(scope="module")
def hard_texts():
    """Random strings of what is hard: marks, jamo, parts of compositions, invisible characters, entities, controls."""
    generator = random.Random(500)
    pairs = [value for value in character_traits.composition().pairs.tolist() if value]
    kinds = character_traits.traits() & character_traits.KIND
    pools = [
        [point for point in described() if unicodedata.combining(chr(point))],
        [value >> 32 for value in pairs],
        [value & 0xFFFFFFFF for value in pairs],
        [point for point in described() if unicodedata.decomposition(chr(point))],
        [*range(0x1100, 0x1114), *range(0x1160, 0x1177), *range(0x11A7, 0x11C4), 0xAC00, 0xAC01],
        np.flatnonzero(kinds).tolist(),
        np.flatnonzero(kinds[:0xFFFF]).tolist(),
        [
            *map(ord, " \n\r\t&;#\x92aئكकक््កไᠠᠡא👩❤🏴"),
            0x200B,
            0x200C,
            0x200D,
            0x202F,
            0x180E,
            0x200F,
        ],
        [
            point
            for point in generator.sample(range(0x110000), 3000)
            if not 0xD800 <= point < 0xE000
        ],
    ]
    parts = [
        "&",
        "amp;",
        "#38;",
        "#x26;",
        "lt;",
        ";",
        "nbsp;",
        "shy;",
        "#173;",
        "zwj;",
        "\xad",
        " ",
    ]
    mixed = ["".join(generator.choices(parts, k=generator.randrange(12))) for _ in range(5000)]
    return [random_text(generator, pools) for _ in range(40_000)] + mixed


def test_no_text_out_of_normal_form_escapes(hard_texts):
    found = normalise(hard_texts).to_pylist()
    assert [text for text in found if not unicodedata.is_normalized("NFC", text)] == []


@pytest.mark.parametrize("repair", [False, True])
def test_a_second_time_changes_nothing(hard_texts, repair):
    if repair:
        pytest.importorskip("ftfy")
    once = normalise(hard_texts, repair_mojibake=repair)
    twice = normalise(once, repair_mojibake=repair)
    assert twice.equals(once)
    code = np.ones(len(hard_texts), bool)
    assert normalise(normalise(hard_texts, code), code).equals(normalise(hard_texts, code))


def test_a_text_comes_out_the_same_alone_and_among_others(hard_texts):
    some = hard_texts[::150]
    assert [normalised(text) for text in some] == normalise(some).to_pylist()


def test_real_text_of_150_scripts_loses_nothing_but_what_is_invisible():
    texts = [each.text for each in gflanguages_passages() if each.text]
    found = normalise(texts).to_pylist()
    invisible = dict.fromkeys(map(ord, [SHY, ZWSP, ZWNJ, ZWJ, WJ, BOM]))
    for before, after in zip(texts, found, strict=True):
        wanted = unicodedata.normalize("NFC", before).translate(invisible).split()
        assert after.translate(invisible).split() == wanted
    unchanged = sum(before == after for before, after in zip(texts, found, strict=True))
    assert len(texts) > 1000
    assert unchanged / len(texts) > 0.95


def test_real_text_normalises_once(shared):
    with gzip.open(shared / "data" / "bench_open" / "part-00003.jsonl.gz", "rt") as lines:
        texts = [json.loads(line)["text"] for _, line in zip(range(3000), lines, strict=False)]
    once = normalise(texts)
    assert normalise(once).equals(once)
    assert all(unicodedata.is_normalized("NFC", text) for text in once.to_pylist())


def test_nothing_is_made_of_texts_that_need_no_mending(monkeypatch):
    monkeypatch.setattr(normalisation, "_mended", None)
    monkeypatch.setattr(normalisation, "_tidied", None)
    texts = [
        "Ẹ káàárọ̀, ṣé dáadáa ni? 12 %",
        "सभी मनुष्यों को गौरव",
        "Привет, мир.\nКак дела?",
        "한국어",
        "à b̃ ǵ",
    ]
    assert normalise(texts).to_pylist() == texts
