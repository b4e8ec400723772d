import numpy as np
import pytest

from emma500.evaluation.statistics import macro_mean, ratio


def test_a_ratio_is_that_of_the_sums_and_not_the_mean_of_ratios():
    found = ratio(np.array([10.0, 2.0]), np.array([10.0, 1.0]))
    assert found.value == pytest.approx(12 / 11)
    assert found.n == 2


def test_the_standard_error_is_the_delta_methods():
    x, y = np.array([3.0, 5.0, 9.0]), np.array([1.0, 2.0, 3.0])
    residuals = x - x.sum() / y.sum() * y
    expected = np.sqrt(3 / 2 * (residuals**2).sum()) / y.sum()
    assert ratio(x, y).stderr == pytest.approx(expected)


def test_the_standard_error_is_the_spread_of_repeated_samples():
    generator = np.random.default_rng(5)
    sizes = generator.integers(20, 400, (3000, 60)).astype(float)
    bits = sizes * 3 + generator.normal(0, 1, sizes.shape) * sizes
    estimates = [ratio(x, y) for x, y in zip(bits, sizes, strict=True)]
    spread = np.array([each.value for each in estimates], float).std()
    assert np.array([each.stderr for each in estimates], float).mean() == pytest.approx(
        spread, rel=0.05
    )


def test_a_mean_of_equal_sizes_has_the_standard_error_of_a_mean():
    x = np.array([1.0, 2.0, 4.0, 9.0])
    assert ratio(x, np.ones(4)).stderr == pytest.approx(x.std(ddof=1) / 2)


def test_no_data_gives_none_and_one_document_no_standard_error():
    empty = np.array([])
    assert (ratio(empty, empty).value, ratio(empty, empty).n) == (None, 0)
    assert ratio(np.array([1.0]), np.array([0.0])).value is None
    one = ratio(np.array([6.0]), np.array([2.0]))
    assert (one.value, one.stderr, one.n) == (3.0, None, 1)
    nothing = macro_mean(empty, empty, labels=[], parallel_ids=[])
    assert (nothing.value, nothing.stderr, nothing.n_labels) == (None, None, 0)


def test_every_language_has_the_same_weight_in_the_mean():
    found = macro_mean(
        np.array([10.0, 10.0, 2.0]),
        np.array([10.0, 10.0, 1.0]),
        labels=["a", "a", "b"],
        parallel_ids=["1", "2", "3"],
    )
    assert found.value == pytest.approx(1.5)
    assert (found.n, found.n_labels) == (3, 2)


def test_translations_are_not_taken_for_independent_documents():
    x, y = np.array([3.0, 5.0, 9.0]), np.array([1.0, 2.0, 3.0])
    ids = ["p", "q", "r"]
    alone = ratio(x, y).stderr
    both = macro_mean(
        np.tile(x, 2), np.tile(y, 2), labels=["a"] * 3 + ["b"] * 3, parallel_ids=ids * 2
    )
    assert both.clustered_by == "parallel_id"
    assert both.stderr == pytest.approx(alone)  # the same errors twice: no new information


def test_the_clustered_standard_error_is_the_spread_of_repeated_samples():
    generator = np.random.default_rng(7)
    labels = np.repeat(["a", "b", "c"], 50)
    ids = np.tile([f"s{n}" for n in range(50)], 3)
    values, errors = [], []
    for _ in range(1500):
        hardness = np.tile(generator.normal(0, 1, 50), 3)
        size = generator.integers(50, 150, 150).astype(float)
        bits = size * (3 + 0.5 * hardness + generator.normal(0, 0.5, 150))
        found = macro_mean(bits, size, labels=list(labels), parallel_ids=list(ids))
        values.append(found.value)
        errors.append(found.stderr)
    assert np.array(errors, float).mean() == pytest.approx(np.array(values, float).std(), rel=0.06)


def test_without_translations_the_languages_are_the_sample():
    x = np.array([1.0, 1.0, 2.0, 2.0, 6.0, 6.0])
    found = macro_mean(x, np.ones(6), labels=list("aabbcc"), parallel_ids=list("123456"))
    assert found.clustered_by == "label"
    assert found.value == pytest.approx(3.0)
    assert found.stderr == pytest.approx(np.std([1, 2, 6], ddof=1) / np.sqrt(3))


def test_one_language_has_the_standard_error_of_its_documents():
    x, y = np.array([3.0, 5.0, 9.0]), np.array([1.0, 2.0, 3.0])
    found = macro_mean(x, y, labels=["a"] * 3, parallel_ids=list("123"))
    assert found.clustered_by == "document"
    assert found.stderr == pytest.approx(ratio(x, y).stderr)


def test_a_language_without_bytes_leaves_the_mean_alone():
    found = macro_mean(
        np.array([4.0, 2.0, 0.0]),
        np.array([2.0, 1.0, 0.0]),
        labels=["a", "a", "b"],
        parallel_ids=list("123"),
    )
    assert (found.value, found.n_labels) == (2.0, 1)
