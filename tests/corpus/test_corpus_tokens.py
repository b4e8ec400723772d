"""Texts cut into units, and units into shingles."""

import unicodedata
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from emma500.corpus.text.tokens import shingles, tokenise

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


def tokens_of(texts):
    return tokenise(pa.array(texts, pa.large_string()))


def test_words_and_characters_are_what_python_counts():
    tokens = tokens_of(SAMPLES)
    assert tokens.n_words.tolist() == [len(each.split()) for each in SAMPLES]
    assert tokens.n_chars.tolist() == [len(each) for each in SAMPLES]


@pytest.mark.parametrize(
    ("value", "units"),
    [
        ("Ẹ káàárọ̀, ṣé dáadáa ni? 12 %", 6),  # words and numbers, no signs
        ("don't stop", 2),
        (THAI, sum(unicodedata.category(each) == "Lo" for each in THAI)),  # with their marks
        ("人人生而自由,在", 7),
        ("སྐྱེས་ཙམ་ཉིད་ནས", 4),  # syllables, parted by the tsheg
        ("ልጅ፡ሁሉ ሲወለድ", 3),
        ("⠓⠑⠇⠇⠕ ⠺⠕⠗⠇⠙", 2),  # Braille patterns are symbols to Unicode
        ("!? ...", 0),
    ],
)
def test_units_are_words_or_characters_where_no_spaces_are_written(value, units):
    assert tokens_of([value]).n_units.tolist() == [units]


def test_a_unit_is_as_long_as_its_characters_without_punctuation():
    tokens = tokens_of(["Ẹ káàárọ̀, don't", "人们 ok", THAI])
    lengths = [tokens.lengths[start:end].tolist() for start, end in pairwise(tokens.offsets)]
    assert lengths[0] == [1, 7, 4]
    assert lengths[1] == [1, 1, 2]
    assert sum(lengths[2]) == len(THAI)


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ("One two. Three! Four five? six", [2, 3, 5, 6]),
        ("One two\nthree\r\n\nfour", [2, 3, 4]),
        ("Version 3.5 of example.org is “here.” (Yes…) no", [6, 7, 8]),
        ("... One ?! two", [0, 1, 2]),
        ("वह गया। वह आया॥", [2, 4]),
        ("人生。而“自由。”在", [2, 5, 6]),
        ("རིགས་རྒྱུད། ཉིད་ནས།", [2, 4]),
        ("ልጅ ሁሉ። ነጻ", [2, 3]),
        ("ฝนตก\nมาก", [4, 7]),
        ("هل عبر؟ نعم\u06d4 لا", [2, 3, 4]),
        ("", [0]),
    ],
)
def test_sentences_and_lines_end_where_white_space_or_the_next_character_follows(value, places):
    assert np.unique(tokens_of([value]).breaks).tolist() == places
    beside = tokens_of(["ab. cd", value])
    assert np.unique(beside.breaks[beside.breaks > 2] - 2).tolist() == [n for n in places if n]


def test_special_characters_are_punctuation_numbers_symbols_and_white_space():
    assert tokens_of(["ab, 12 %"]).n_special.tolist() == [6]


def test_a_text_is_unspaced_if_most_of_its_units_are_characters():
    assert tokens_of([THAI, "人人生 and so on, or not", "", "ab"]).is_unspaced.tolist() == [
        True, False, False, False,
    ]  # fmt: skip


def test_the_units_of_a_text_do_not_depend_on_the_texts_beside_it_or_on_a_slice():
    whole = pa.array([None, *SAMPLES], pa.large_string())
    tokens = tokenise(whole)
    assert tokens.n_units[0] == 0
    for place in range(len(whole)):
        one = tokenise(whole.slice(place, 1))
        start, end = tokens.offsets[place : place + 2]
        assert one.units.tolist() == tokens.units[start:end].tolist()
        assert one.lengths.tolist() == tokens.lengths[start:end].tolist()


def test_shingles_keep_the_order_of_words_and_ignore_case_and_punctuation():
    texts = ["a b c d e f g h i j", "A, b; c. D e f g h i j!", "b a c d e f g h i j", "too short"]
    grams, offsets = shingles(tokens_of(texts), 5)
    sets = [set(grams[start:end].tolist()) for start, end in pairwise(offsets)]
    assert [len(each) for each in sets] == [6, 6, 6, 0]
    assert sets[0] == sets[1]
    assert len(sets[0] & sets[2]) == 4


def test_shingles_of_unspaced_scripts_are_runs_of_twice_as_many_characters():
    grams, offsets = shingles(tokens_of(["人" * 4 + "生而自由在尊严和权利上一律平等他"]), 5)
    assert offsets.tolist() == [0, 11]
    assert len(set(grams.tolist())) == 11


def test_a_text_whose_shingles_are_not_wanted_has_none():
    tokens = tokens_of(["a b c d e f g h i j", "k l m n o p q r s t"])
    grams, offsets = shingles(tokens, 5, np.array([False, True]))
    assert offsets.tolist() == [0, 0, 6]
    assert grams.tolist() == shingles(tokens, 5)[0][6:].tolist()
