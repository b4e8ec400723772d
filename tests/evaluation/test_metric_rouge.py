import random

import pytest

from emma500.errors import UsageError
from emma500.evaluation.metrics.rouge import common_length, rouge_l, units

PAIRS = [
    ("The cat sat on the mat. It was warm.", "The cat lay on the mat. The mat was warm."),
    ("a b c a b. c d", "a c b d. b a c"),
    ("police kill the gunman", "police killed the gunman"),
    ("the the the cat", "the cat the dog the"),
    ("one two three. four five six. seven", "one three two. six five. seven eight nine. ten"),
]
ROUGE_SCORE = [14 / 19, 4 / 7, 0.75, 2 / 3, 0.5]  # rouge-score 0.1.2, rougeL without stemmer
ROUGE = [
    0.823529406782007,
    0.999999995,
    0.749999995,
    0.39999999520000007,
    0.4999999950781251,
]  # rouge 1.0.1
OUTPUTS, REFERENCES = ([pair[side] for pair in PAIRS] for side in (0, 1))


def test_plain_english_has_the_values_of_rouge_score():
    assert rouge_l(OUTPUTS, REFERENCES).each == pytest.approx(ROUGE_SCORE)


def test_paper_mode_has_the_values_of_the_package_rouge():
    found = rouge_l(OUTPUTS, REFERENCES, mode="paper")
    assert found.each == pytest.approx(ROUGE, abs=1e-12)
    assert found.details == {"mode": "paper"}


@pytest.mark.parametrize(
    "text",
    ["今天天气很好", "صباح الخير يا صديقي", "नमस्ते दुनिया", "สวัสดีชาวโลก", "こんにちは世界",
     "བཀྲ་ཤིས་བདེ་ལེགས", "សួស្តីពិភពលោក", "ສະບາຍດີຊາວໂລກ", "မင်္ဂလာပါကမ္ဘာ", "Ẹ káàárọ̀"],
)  # fmt: skip
def test_identical_texts_of_any_script_score_one(text):
    assert rouge_l([text], [text]).value == 1.0
    assert len(units([text])[0]) > 1


def test_chinese_that_differs_in_a_character_is_nearly_the_same():
    found = rouge_l(["今天天气很好"], ["今天天气不好"])
    assert found.value == pytest.approx(5 / 6)
    assert rouge_l(["今天天气很好"], ["今天天气不好"], mode="paper").value == 0.0


def test_composed_and_decomposed_letters_are_the_same_and_case_counts_for_nothing():
    assert rouge_l(["CAF\u00c9 noir"], ["cafe\u0301 noir"]).value == 1.0


def test_empty_outputs_score_zero_but_the_paper_dropped_them():
    outputs, references = ["", "...", "a b"], ["a b", "a b", "a b"]
    fixed, paper = rouge_l(outputs, references), rouge_l(outputs, references, mode="paper")
    assert fixed.value == pytest.approx(1 / 3)
    assert paper.value == pytest.approx(1.0)
    assert (fixed.n, paper.n) == (3, 1)


def test_the_best_of_several_references_counts():
    assert rouge_l(["a b c"], [["x y", "a b c d e"]]).value == pytest.approx(0.75)


def test_the_length_of_the_common_subsequence_is_that_of_the_table():
    generator = random.Random(5)
    for _ in range(200):
        one, other = (generator.choices("abcd", k=generator.randint(0, 80)) for _ in range(2))
        row = [0] * (len(other) + 1)
        for unit in one:
            above = row[:]
            for place, given in enumerate(other, start=1):
                row[place] = (
                    above[place - 1] + 1 if unit == given else max(above[place], row[place - 1])
                )
        assert common_length(one, other) == row[-1]


def test_as_many_references_as_outputs_are_needed():
    with pytest.raises(UsageError, match="2 predictions and 1 references"):
        rouge_l(["a", "b"], ["a"])
