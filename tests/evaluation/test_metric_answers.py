from decimal import Decimal

import pytest

from emma500.errors import UsageError
from emma500.evaluation.metrics.answers import (
    exact_match,
    extract_number,
    lm_eval_number,
    number_match,
)

MGSM = {"bn": "উত্তর হল ১৮।", "de": "Die Antwort ist 18.", "th": "คำตอบคือ ๑๘", "zh": "答案是 18。",
        "ja": "答えは１８です。", "te": "సమాధానం ౧౮.",
        "ar": "الجواب هو ١٨", "fa": "پاسخ ۱۸ است", "my": "အဖြေက ၁၈", "ne": "उत्तर १८ हो"}  # fmt: skip


@pytest.mark.parametrize("language", MGSM)
def test_the_digits_of_every_script_are_read(language):
    assert extract_number(MGSM[language]) == 18


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,234", "1234"), ("1.234", "1234"), ("1 234 567", "1234567"), ("1\u202f234", "1234"), ("12,34,567", "1234567"),
     ("1.234,50", "1234.50"), ("1,234.50", "1234.50"), ("1'234", "1234"), ("3.14", "3.14"),
     ("\u0661\u066c\u0662\u0663\u0664\u066b\u0665", "1234.5"),
     ("2,5", "2.5"), ("$1,000.", "1000"), ("-$5", "-5"), ("$-5", "-5"), ("\u22125", "-5"), ("10-5", "5"),
     ("10 20", "20"), ("5, 6, 7", "7"), ("3/4", "4"), ("100%", "100"), ("18.", "18"), ("答案是1,234,567元", "1234567"),
     ("#### 72", "72"), ("x=18", "18"), ("0,5", "0.5"), ("3 of 4: 7.", "7")],
)  # fmt: skip
def test_numbers_are_read_as_they_are_written_around_the_world(text, number):
    assert extract_number(text) == Decimal(number)


def test_a_text_without_digits_has_no_number():
    assert extract_number("none at all") is None
    assert number_match(["none"], ["3"]).value == 0.0


@pytest.mark.parametrize(
    ("text", "found"),
    [("so 5 + 13 = 18.", "18."), ("It costs $1,234.", "$1,234."), ("-7", "-7"), ("none", "[invalid]"), ("a 5", "5"),
     ("答案是18", "18")],
)  # fmt: skip
def test_flexible_extract_is_the_last_match_of_the_harness(text, found):
    assert lm_eval_number(text) == found


def test_the_harness_takes_five_for_minus_five_and_does_not_read_bengali():
    outputs, references = ["-5", "উত্তর হল ১৮", "18.0", "1,234 kg"], ["5", "18", "18", "1234"]
    assert list(number_match(outputs, references, mode="lm-eval").each) == [1.0, 0.0, 0.0, 1.0]
    assert list(number_match(outputs, references).each) == [0.0, 1.0, 1.0, 1.0]


def test_a_reference_without_a_number_is_refused():
    with pytest.raises(UsageError, match="reference of item 1 holds no number"):
        number_match(["1", "2"], ["1", "two"])


def test_exact_match_looks_past_form_and_where_asked_past_case_and_punctuation():
    outputs, references = (
        [" Paris ", "cafe\u0301", "paris。", "Rome"],
        ["Paris", "caf\u00e9", "Paris", ["Roma", "Rome"]],
    )
    assert list(exact_match(outputs, references).each) == [1.0, 1.0, 0.0, 1.0]
    folded = exact_match(outputs, references, ignore_case=True, ignore_punctuation=True)
    assert folded.value == 1.0


def test_the_answers_of_mgsm_are_all_numbers(shared):
    for path in sorted((shared / "data" / "mgsm").glob("*.tsv")):
        answers = [line.split("\t")[1] for line in path.read_text(encoding="utf-8").splitlines()]
        assert len(answers) == 250
        assert number_match(answers, answers).value == 1.0
