"""Texts as the corpus sees them: tidied, measured, cut into shingles, hashed."""

import unicodedata
from collections import Counter
from itertools import pairwise
from math import isqrt

import numpy as np
import pyarrow as pa
import pytest
from xxhash import xxh3_128_intdigest

from emma500.corpus import text

THAI = "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน"
SAMPLES = [
    "Ẹ káàárọ̀, ṣé dáadáa ni? 12 %",
    "The cat sat. The cat sat. The cat sat on the mat, and then the cat sat down again!",
    "འགྲོ་བ་མིའི་རིགས་རྒྱུད་ཡོངས་ལ་སྐྱེས་ཙམ་ཉིད་ནས",
    "የሰው ልጅ፡ሁሉ ሲወለድ ነጻ",
    "सभी मनुष्यों को गौरव और अधिकारों के मामले में",
    THAI,
    "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心",
    "",
    "  … !!",
]


def normalised(value, *, code=False):
    return text.normalise(pa.array([value], pa.large_string()), np.array([code])).to_pylist()[0]


def measured(texts):
    return text.measure(pa.array(texts, pa.large_string()), np.ones(len(texts), bool))


def test_white_space_becomes_one_blank_and_several_empty_lines_one():
    assert normalised("  a \t b\u00a0\u2003c  \r\n\r\n \n\n  d  \r e \n") == "a b c\n\nd\ne"


def test_text_comes_in_normal_form_c_and_keeps_its_marks_and_joiners():
    decomposed = unicodedata.normalize("NFD", "Gbogbo ènìyàn ni a bí ní òmìnira")
    assert normalised(decomposed) == "Gbogbo ènìyàn ni a bí ní òmìnira"
    joined = unicodedata.normalize("NFC", "नहीं क्\u200dष می\u200cخواهم")  # noqa: RUF001
    assert normalised(joined) == joined


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f"])
def test_form_feeds_and_separators_part_words(mark):
    array = pa.array([f"one{mark}two", f"{mark}one {mark} two{mark}"])
    assert text.normalise(array, np.zeros(2, bool)).to_pylist() == ["one two", "one two"]
    assert text.normalise(array, np.ones(2, bool))[0].as_py() == f"one{mark}two"  # code stays


def test_control_characters_and_byte_order_marks_go():
    assert normalised("\ufeffa\x00b\x07c\x1bd") == "abcd"


def test_code_keeps_its_indentation_its_spaces_and_its_normal_form():
    program = 'def f():\n\n\n\n    return  "e\u0301"  # two'
    assert normalised(program.replace("\n", "\r\n") + "\n\n", code=True) == program


def test_null_stays_null_and_a_sliced_array_is_read_from_its_own_start():
    array = pa.array(["aa  b", None, "ccc  d"], pa.large_string())
    assert text.normalise(array[1:], np.zeros(2, bool)).to_pylist() == [None, "ccc d"]


def test_long_lines_that_repeat_in_a_text_go_and_short_ones_stay():
    line, refrain = "All human beings are born free and equal in dignity.", "Oh yes"
    document = "\n".join([line, refrain, line, "", refrain, line])
    array = pa.array([document, document, None], pa.large_string())
    found = text.without_repeated_lines(array, np.array([True, False, True])).to_pylist()
    assert found == ["\n".join([line, refrain, refrain]), document, None]


def test_words_and_characters_are_what_python_counts():
    signals = measured(SAMPLES)
    assert signals.n_words.tolist() == [len(each.split()) for each in SAMPLES]
    assert signals.n_chars.tolist() == [len(each) for each in SAMPLES]


@pytest.mark.parametrize(
    ("value", "units"),
    [
        ("Ẹ káàárọ̀, ṣé dáadáa ni? 12 %", 6),  # words and numbers, no signs
        ("don't stop", 2),
        (
            THAI,
            sum(unicodedata.category(each) == "Lo" for each in THAI),
        ),  # characters without their marks
        ("人人生而自由,在", 7),
        ("སྐྱེས་ཙམ་ཉིད་ནས", 4),  # syllables, parted by the tsheg
        ("ልጅ፡ሁሉ ሲወለድ", 3),
        ("⠓⠑⠇⠇⠕ ⠺⠕⠗⠇⠙", 2),  # Braille patterns are symbols to Unicode
        ("!? ...", 0),
    ],
)
def test_units_are_words_or_characters_where_no_spaces_are_written(value, units):
    assert measured([value]).n_units[0] == units


def test_special_characters_are_punctuation_numbers_symbols_and_white_space():
    assert measured(["ab, 12 %"]).special_share[0] == pytest.approx(6 / 8)
    assert measured(["ལ་སྐྱེས་"]).special_share[0] == 0


def reference_character_repetition(value, n=10):
    counts = Counter(value[place : place + n] for place in range(len(value) - n + 1))
    repeated = sorted((count for count in counts.values() if count > 1), reverse=True)
    top = min(isqrt(len(counts)), len(repeated))
    return sum(repeated[:top]) / sum(counts.values()) if counts else 0.0


def reference_word_repetition(value, n=5):
    words = ["".join(c for c in word.lower() if c.isalnum()) for word in value.split()]
    words = [word for word in words if word]
    counts = Counter(tuple(words[place : place + n]) for place in range(len(words) - n + 1))
    return (
        sum(count for count in counts.values() if count > 1) / sum(counts.values())
        if counts
        else 0.0
    )


def test_repetition_shares_are_those_of_the_roots_pipeline():
    generator = np.random.default_rng(5)
    words = np.array(
        [
            "the",
            "cat",
            "sat",
            "on",
            "a",
            "mat",
            "and",
            "Then",
            "it",
            "Slept.",
            "all",
            "day,",
            "long",
        ]
    )
    texts = [
        " ".join(generator.choice(words[:size], 80)) for size in (2, 4, 6, 12) for _ in range(5)
    ]
    signals = measured(texts)
    assert signals.character_repetition.tolist() == pytest.approx(
        [reference_character_repetition(each) for each in texts]
    )
    assert signals.word_repetition.tolist() == pytest.approx(
        [reference_word_repetition(each) for each in texts]
    )
    assert signals.word_repetition.max() > 0.5


def test_repetition_is_not_measured_where_it_is_not_wanted():
    array = pa.array(["na na na na " * 20], pa.large_string())
    assert text.measure(array, np.array([True])).word_repetition[0] == 1
    assert text.measure(array, np.array([False])).word_repetition[0] == 0


def test_shingles_keep_the_order_of_words_and_ignore_case_and_punctuation():
    texts = ["a b c d e f g h i j", "A, b; c. D e f g h i j!", "b a c d e f g h i j", "too short"]
    grams, offsets = text.shingles(pa.array(texts, pa.large_string()), 5)
    sets = [set(grams[start:end].tolist()) for start, end in pairwise(offsets)]
    assert [len(each) for each in sets] == [6, 6, 6, 0]
    assert sets[0] == sets[1]
    assert len(sets[0] & sets[2]) == 4


def test_shingles_of_unspaced_scripts_are_runs_of_twice_as_many_characters():
    grams, offsets = text.shingles(
        pa.array(["人" * 4 + "生而自由在尊严和权利上一律平等他"], pa.large_string()), 5
    )
    assert offsets.tolist() == [0, 11]
    assert len(set(grams.tolist())) == 11


def test_hashes_are_xxh3_of_the_bytes():
    found = text.hashes(
        pa.array(["ọjọ́", "", None], pa.large_string()), np.array([3, 4, 4], np.uint64)
    )
    whole = [int(high) << 64 | int(low) for high, low in found.tolist()]
    assert whole == [
        xxh3_128_intdigest("ọjọ́".encode(), seed=3),
        *[xxh3_128_intdigest(b"", seed=4)] * 2,
    ]
