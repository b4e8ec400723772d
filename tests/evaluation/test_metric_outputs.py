import pyarrow as pa
import pytest

from emma500.errors import UsageError
from emma500.evaluation.metrics.outputs import empty_rate, repetition_rate, right_language_rate

SWAHILI = "Habari ya asubuhi rafiki yangu, leo nitakwenda sokoni kununua matunda na mboga."
ENGLISH = "Good morning my friend, today I am going to the market to buy fruit and vegetables."


class OnlyEnglish:
    name = "only English"
    labels = frozenset({"eng_Latn"})

    def identify(self, texts):
        return pa.array(["eng_Latn"] * len(texts)), pa.array([1.0] * len(texts), pa.float32())

    def knows(self, iso639_3):
        return iso639_3 == "eng"

    def fingerprint(self):
        return "0"


def test_white_space_and_dots_are_empty():
    assert empty_rate(["", " \n", "...", ". .", "a."]).value == pytest.approx(0.8)


def test_repeated_four_grams_are_counted_in_words_or_characters():
    found = repetition_rate(["a b c d a b c d", "a b c d e", "天天天天天天", "short"])
    assert list(found.each[:3]) == pytest.approx([1 / 5, 0.0, 2 / 3])
    assert found.n == 3


def test_the_identifier_tells_outputs_in_another_language():
    found = right_language_rate([SWAHILI, ENGLISH, ""], ["swh_Latn"] * 3)
    assert (found.value, found.n) == (0.5, 2)
    assert right_language_rate([SWAHILI], ["swa_Latn"]).value == 1.0  # its macrolanguage


def test_the_script_must_be_the_one_that_was_asked_for():
    assert right_language_rate([ENGLISH], ["eng_Cyrl"]).value == 0.0


def test_a_language_that_the_identifier_does_not_know_is_not_evaluated():
    found = right_language_rate(
        [ENGLISH, ENGLISH], ["aaa_Latn", "eng_Latn"], identifier=OnlyEnglish()
    )
    assert (found.value, found.n) == (1.0, 1)
    assert found.details == {"identifier": "only English"}


def test_a_language_for_each_text_is_needed():
    with pytest.raises(UsageError, match="1 texts and 2 languages"):
        right_language_rate(["a"], ["eng_Latn", "eng_Latn"])
