"""Texts as the corpus sees them: measured, cut into shingles, hashed."""

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


def measured(texts):
    return text.measure(pa.array(texts, pa.large_string()), np.ones(len(texts), bool))


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
