import numpy as np
import pytest
from sacrebleu.metrics import BLEU

from emma500.errors import UsageError
from emma500.evaluation.metrics.measured import Measured, mean_of
from emma500.evaluation.metrics.translation import bleu
from emma500.evaluation.resampling import bootstrap, compare_paired
from emma500.evaluation.significance import OVERALL, compare_models, holm, mcnemar
from emma500.evaluation.statistics import ratio

WORDS = [f"w{number}" for number in range(60)]


def noisy(references, share, seed):
    generator = np.random.default_rng(seed)
    return [
        " ".join(word if generator.random() > share else str(generator.choice(WORDS)) for word in text.split())
        for text in references
    ]  # fmt: skip


@pytest.fixture(scope="module")
def translations():
    generator = np.random.default_rng(0)
    references = [" ".join(generator.choice(WORDS, generator.integers(5, 20))) for _ in range(120)]
    return references, noisy(references, 0.2, 1), noisy(references, 0.4, 2)


def numbers(result, *names):
    """Fields of a result that must be numbers."""
    return [float(getattr(result, name)) for name in names]


def flips(share, n, seed):
    return (np.random.default_rng(seed).random(n) < share).astype(float)


def test_a_resample_of_counts_is_the_score_of_the_resampled_text(translations):
    references, outputs, _ = translations
    measured = bleu(outputs, references)
    drawn = np.random.default_rng(9).integers(0, 120, 120)
    expected = BLEU().corpus_score(
        [outputs[at] for at in drawn], [[references[at] for at in drawn]]
    )
    assert measured.take(drawn).value == pytest.approx(expected.score, abs=1e-9)


def test_the_bootstrap_is_the_spread_of_repeated_samples():
    measured = mean_of("accuracy", flips(0.3, 400, 1))
    found = bootstrap(measured)
    assert found.stderr == pytest.approx(measured.stderr, rel=0.05)
    low, value, high, stderr = numbers(found, "low", "value", "high", "stderr")
    assert low < value < high
    assert high - low == pytest.approx(2 * 1.96 * stderr, rel=0.1)


def test_the_interval_of_bleu_covers_the_truth_in_about_nineteen_of_twenty_samples(translations):
    references, outputs, _ = translations
    whole = bleu(outputs, references)
    generator = np.random.default_rng(3)
    hits = 0
    for seed in range(60):
        found = bootstrap(whole.take(generator.integers(0, 120, 80)), resamples=300, seed=seed)
        low, high = numbers(found, "low", "high")
        hits += low <= numbers(whole, "value")[0] <= high
    assert hits >= 52


def test_the_same_seed_gives_the_same_bounds_and_another_one_others():
    measured = mean_of("accuracy", flips(0.3, 50, 1))
    assert bootstrap(measured, seed=3) == bootstrap(measured, seed=3)
    assert bootstrap(measured, seed=3) != bootstrap(measured, seed=4)


def test_the_jackknife_is_the_delta_method_of_a_ratio():
    generator = np.random.default_rng(2)
    sizes = generator.integers(50, 400, 300).astype(float)
    bits = sizes * 3 + generator.normal(0, 40, 300)
    rows = np.stack([bits, sizes], axis=-1)
    measured = Measured(name="r", rows=rows, score=lambda sums: sums[..., 0] / sums[..., 1])
    assert measured.stderr == pytest.approx(ratio(bits, sizes).stderr, rel=0.01)


def test_no_item_has_no_value_and_one_has_no_spread():
    nothing = bootstrap(mean_of("accuracy", [None, None]))
    assert (nothing.value, nothing.stderr, nothing.low, nothing.n) == (None, None, None, 0)
    one = bootstrap(mean_of("accuracy", [1.0]))
    assert (one.value, one.stderr, one.n) == (1.0, None, 1)
    with pytest.raises(
        UsageError, match="at least 2 resamples and a level between 0 and 1, not 1 and"
    ):
        bootstrap(mean_of("accuracy", [1.0]), resamples=1)


def test_a_better_model_is_found_and_an_equal_one_is_not(translations):
    references, good, bad = translations
    better = compare_paired({"x": bleu(good, references)}, {"x": bleu(bad, references)})
    low, difference, high, p_value = numbers(better, "low", "difference", "high", "p_value")
    assert p_value < 0.001
    assert 0 < low < difference < high
    after, before = numbers(better, "after", "before")
    assert difference == pytest.approx(after - before)
    other = bleu(noisy(references, 0.2, 7), references)
    equal = compare_paired({"x": bleu(good, references)}, {"x": other})
    assert numbers(equal, "p_value")[0] > 0.05
    same = compare_paired({"x": other}, {"x": other})
    assert (same.p_value, same.difference) == (1.0, 0.0)


def test_p_values_of_equal_models_are_uniform():
    found = [
        compare_paired(
            {"x": mean_of("accuracy", flips(0.5, 60, seed))},
            {"x": mean_of("accuracy", flips(0.5, 60, seed + 1000))},
            resamples=200,
        ).p_value
        for seed in range(200)
    ]
    assert 0.01 <= np.mean(np.array(found) < 0.05) <= 0.1
    assert np.mean(np.array(found) < 0.5) < 0.6


def test_translations_are_drawn_together_so_that_copies_add_nothing():
    after, before = mean_of("accuracy", flips(0.6, 80, 1)), mean_of("accuracy", flips(0.5, 80, 2))
    ids = [f"s{number}" for number in range(80)]
    one = compare_paired({"a": after}, {"a": before}, ids={"a": ids})
    languages = ("a", "b", "c")
    three = compare_paired(
        dict.fromkeys(languages, after), dict.fromkeys(languages, before), ids=dict.fromkeys(languages, ids)
    )  # fmt: skip
    apart = compare_paired(dict.fromkeys(languages, after), dict.fromkeys(languages, before))
    assert three.stderr == pytest.approx(one.stderr)
    assert apart.stderr == pytest.approx(numbers(one, "stderr")[0] / 3**0.5, rel=0.08)
    assert three.n_labels == 3


def test_items_that_one_model_was_not_evaluated_on_are_left_out_of_both():
    found = compare_paired(
        {"x": mean_of("accuracy", [1.0, 1.0, None, 0.0])},
        {"x": mean_of("accuracy", [None, 0.0, 1.0, 0.0])},
    )
    assert (found.n, found.after, found.before) == (2, 0.5, 0.0)
    nothing = compare_paired({"x": mean_of("accuracy", [None])}, {"x": mean_of("accuracy", [1.0])})
    assert (nothing.after, nothing.p_value, nothing.n) == (None, None, 0)


def test_other_items_or_languages_are_refused():
    one, two = mean_of("accuracy", [1.0]), mean_of("accuracy", [1.0, 0.0])
    with pytest.raises(UsageError, match="x: accuracy of 1 items and accuracy of 2"):
        compare_paired({"x": one}, {"x": two})
    with pytest.raises(UsageError, match="one of them lacks y"):
        compare_paired({"x": one}, {"x": one, "y": one})


def test_mcnemar_is_the_exact_binomial_test():
    from scipy.stats import binomtest

    after, before = flips(0.6, 300, 1), flips(0.5, 300, 2)
    gained = int(((after == 1) & (before == 0)).sum())
    lost = int(((after == 0) & (before == 1)).sum())
    assert mcnemar(after, before) == pytest.approx(binomtest(gained, gained + lost).pvalue)
    assert mcnemar(after, after) == 1.0
    assert mcnemar([], []) is None
    with pytest.raises(UsageError, match="a 1 or a 0"):
        mcnemar([0.5], [1.0])


def test_holm_multiplies_by_the_tests_that_are_left_and_never_falls():
    assert holm([0.01, 0.04, 0.03, 0.005]) == [0.03, 0.06, 0.06, 0.02]
    assert holm([None, 0.9, 0.8]) == [None, 1.0, 1.0]
    assert holm([]) == []


def test_languages_and_the_mean_of_all_are_compared_in_one_table():
    after = {label: mean_of("accuracy", flips(0.7, 150, seed)) for seed, label in enumerate("abc")}
    before = {
        label: mean_of("accuracy", flips(0.5, 150, seed + 9)) for seed, label in enumerate("abc")
    }
    frame = compare_models(after, before).set_index("label")
    assert list(frame.index) == ["a", "b", "c", OVERALL]
    languages = frame.loc[["a", "b", "c"]]
    assert (languages["p_holm"] >= languages["p_exact"]).all()
    assert frame.loc[OVERALL, "p_holm"] == frame.loc[OVERALL, "p_value"] < 0.001
    assert frame.loc[OVERALL, "difference"] == pytest.approx(languages["difference"].mean())
    assert frame.loc[OVERALL, "stderr"] < languages["stderr"].min()
    assert mcnemar(after["a"].each, before["a"].each) == frame.loc["a", "p_exact"]
