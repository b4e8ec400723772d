import pytest

from emma500.errors import UsageError
from emma500.evaluation.metrics.choices import accuracy, label_accuracy

NAN = float("nan")


def test_the_largest_log_likelihood_is_the_answer():
    found = accuracy([[-3.0, -1.0], [-1.0, -2.0], [-5.0, -4.0]], [1, 0, 0])
    assert list(found.each) == [1.0, 1.0, 0.0]
    assert found.value == pytest.approx(2 / 3)


def test_the_longer_answer_may_win_by_its_length():
    scores, lengths = [[-4.0, -6.0]], [[2, 6]]
    assert accuracy(scores, [1]).value == 0.0
    normalised = accuracy(scores, [1], lengths=lengths)
    assert (normalised.name, normalised.value) == ("acc_norm", 1.0)


def test_ties_are_shared_but_the_first_takes_all_in_the_harness():
    scores = [[-2.0, -2.0, -3.0]] * 2
    assert list(accuracy(scores, [1, 2]).each) == [0.5, 0.0]
    assert list(accuracy(scores, [1, 0], ties="first").each) == [0.0, 1.0]


def test_an_item_with_a_score_that_is_no_number_is_not_evaluated():
    found = accuracy([[NAN, -1.0], [-1.0, -2.0]], [0, 0])
    assert (found.value, found.n) == (1.0, 1)
    assert accuracy([[NAN, NAN]], [0]).value is None


def test_a_right_answer_that_is_none_of_the_choices_is_refused():
    with pytest.raises(UsageError, match="item 0: the right answer is 2, of 2 answers from 0"):
        accuracy([[-1.0, -2.0]], [2])
    with pytest.raises(UsageError, match="2 items with scores and 1 with a right answer"):
        accuracy([[-1.0], [-1.0]], [0])


def test_no_prediction_is_a_wrong_one():
    assert label_accuracy(["a", None, "b"], ["a", "a", "c"]).value == pytest.approx(1 / 3)


def test_the_standard_error_of_a_share_is_that_of_a_mean():
    right = [1.0] * 30 + [0.0] * 70
    found = label_accuracy(right, [1.0] * 100)
    assert found.stderr == pytest.approx((0.3 * 0.7 / 99) ** 0.5)
