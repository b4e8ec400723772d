from typing import Any

import pytest

from emma500.errors import ConfigError, LanguageError
from emma500.mixture.planning.plan import plan
from emma500.mixture.planning.presets import Stage
from tests.mixture.parts import ENGLISH, GEORGIAN, PAIRS, PYTHON, YORUBA, available, shares


def test_shares_are_proportional_to_tokens_beside_a_fixed_replay_share():
    mixture = plan(
        [ENGLISH, YORUBA, GEORGIAN],
        tokens_per_step=100,
        n_steps=10,
        stages=[Stage(replay_share=0.2)],
    )
    assert shares(mixture) == {"eng_Latn": 0.2, "yor_Latn": 0.6, "kat_Geor": 0.2}


def test_code_has_a_share_of_its_own():
    mixture = plan(
        [YORUBA, GEORGIAN, PYTHON],
        tokens_per_step=100,
        n_steps=10,
        stages=[Stage(shares={"code": 0.2})],
    )
    assert shares(mixture) == {"yor_Latn": 0.6, "kat_Geor": 0.2, "python": 0.2}


def test_uniform_weights_give_every_language_the_same():
    mixture = plan(
        [YORUBA, GEORGIAN], tokens_per_step=100, n_steps=10, stages=[Stage(mixture="uniform")]
    )
    assert shares(mixture) == {"yor_Latn": 0.5, "kat_Geor": 0.5}


def test_a_temperature_of_two_takes_the_square_root():
    one, nine = available("yor_Latn", 900), available("kat_Geor", 100)
    mixture = plan(
        [one, nine],
        tokens_per_step=10,
        n_steps=5,
        stages=[Stage(mixture="temperature", temperature=2.0)],
    )
    assert shares(mixture) == {"yor_Latn": 0.75, "kat_Geor": 0.25}


def test_epochs_are_the_trained_tokens_by_the_available_ones():
    mixture = plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=80)
    assert [part.epochs for part in mixture.parts] == [2.0, 2.0]


def test_too_many_repetitions_are_refused_with_the_largest_possible_run():
    uniform = [Stage(mixture="uniform")]
    with pytest.raises(ConfigError) as error:
        plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=200, stages=uniform)
    assert "monolingual text in kat_Geor 10.0 times (1,000 tokens, share 50.0%)" in str(error.value)
    assert "at most 80 steps are possible" in str(error.value)
    assert "lower its weights or shares, give what it cannot take to others" in str(error.value)
    plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=80, stages=uniform)


def test_replay_that_is_repeated_too_often_names_the_setting_that_holds_its_share():
    small = available("eng_Latn", 100, replay=True)
    replayed = [Stage(replay_share=0.5)]
    with pytest.raises(ConfigError, match=r"replay text in eng_Latn 5\.0 times") as error:
        plan([small, YORUBA], tokens_per_step=100, n_steps=10, stages=replayed)
    assert "lower replay_share, name more replay_languages, or raise max_epochs" in str(error.value)
    assert "weights" not in str(error.value)


def test_without_steps_the_new_text_is_read_once():
    mixture = plan(
        [ENGLISH, YORUBA, GEORGIAN],
        tokens_per_step=100,
        n_steps=None,
        stages=[Stage(replay_share=0.2)],
    )
    assert mixture.n_steps == 50
    assert [part.epochs for part in mixture.parts[1:]] == pytest.approx([1.0, 1.0])


def test_without_steps_the_cap_shortens_the_run_instead_of_refusing_it():
    small = available("eng_Latn", 100, replay=True)
    mixture = plan(
        [small, YORUBA],
        tokens_per_step=100,
        n_steps=None,
        stages=[Stage(replay_share=0.5)],
        max_epochs=2,
    )
    assert mixture.n_steps == 4


def test_text_that_does_not_fill_one_step_is_refused():
    with pytest.raises(ConfigError, match="not one step is possible: lower max_length"):
        plan([available("yor_Latn", 10)], tokens_per_step=1000, n_steps=None)


def test_nothing_to_train_on_is_refused():
    with pytest.raises(ConfigError, match="no text to train on"):
        plan([available("yor_Latn", 0)], tokens_per_step=10, n_steps=1)


def test_a_label_without_tokens_has_no_part():
    mixture = plan([YORUBA, available("kat_Geor", 0)], tokens_per_step=100, n_steps=1)
    assert shares(mixture) == {"yor_Latn": 1.0}


def test_shares_that_leave_nothing_are_refused():
    with pytest.raises(ConfigError, match="leave nothing for yor_Latn"):
        plan(
            [ENGLISH, YORUBA, PYTHON],
            tokens_per_step=10,
            n_steps=1,
            stages=[Stage(replay_share=0.6, shares={"code": 0.4})],
        )


def test_the_plan_is_a_table_of_one_row_a_label():
    table = plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=10).to_pandas()
    assert table["label"].tolist() == ["yor_Latn", "kat_Geor"]
    assert table["group"].tolist() == ["medium", "high"]
    assert table["n_tokens_trained"].tolist() == [750, 250]


def test_weights_are_factors_and_the_most_specific_counts():
    mixture = plan(
        [YORUBA, GEORGIAN, PAIRS],
        tokens_per_step=100,
        n_steps=10,
        stages=[Stage(weights={"monolingual": 0.5, "medium": 2, "eng_Latn-yor_Latn": 0.25})],
    )  # 6,000 of Yoruba (its group), 500 of Georgian (its component), 500 of the pairs
    assert shares(mixture) == {
        "yor_Latn": 0.8571,
        "kat_Geor": 0.0714,
        "eng_Latn-yor_Latn": 0.0714,
    }


def test_a_weight_may_name_a_language_by_any_code():
    mixture = plan(
        [YORUBA, GEORGIAN], tokens_per_step=100, n_steps=10, stages=[Stage(weights={"ka": 3})]
    )
    assert shares(mixture) == {"yor_Latn": 0.5, "kat_Geor": 0.5}


def test_a_weight_of_zero_leaves_out_and_the_plan_says_so():
    mixture = plan(
        [YORUBA, GEORGIAN], tokens_per_step=100, n_steps=10, stages=[Stage(weights={"high": 0})]
    )
    assert shares(mixture) == {"yor_Latn": 1.0}
    assert repr(mixture).endswith("left out with weight 0: 1 label, 1,000 tokens")


def test_shares_by_component_group_and_label_leave_the_rest_to_the_others():
    mixture = plan(
        [ENGLISH, YORUBA, GEORGIAN, PAIRS, PYTHON],
        tokens_per_step=10,
        n_steps=100,
        stages=[Stage(replay_share=0.1, shares={"bilingual": 0.2, "kat_Geor": 0.05, "code": 0.25})],
    )
    assert shares(mixture) == {
        "eng_Latn": 0.1,
        "yor_Latn": 0.4,
        "kat_Geor": 0.05,
        "eng_Latn-yor_Latn": 0.2,
        "python": 0.25,
    }


def test_code_without_a_word_on_it_has_fifteen_in_a_hundred():
    mixture = plan([YORUBA, PYTHON], tokens_per_step=100, n_steps=10)
    assert shares(mixture) == {"yor_Latn": 0.85, "python": 0.15}


def test_a_share_of_text_that_is_not_there_is_refused():
    with pytest.raises(
        ConfigError, match="shares names 'papers', but there is no text of this comp"
    ):
        plan([YORUBA], tokens_per_step=10, n_steps=1, stages=[Stage(shares={"papers": 0.2})])
    with pytest.raises(
        ConfigError, match=r"weights names 'low', .*there is: medium: take it out of"
    ):
        plan([YORUBA], tokens_per_step=10, n_steps=1, stages=[Stage(weights={"low": 2})])


def test_a_weight_for_a_label_that_is_not_there_lists_the_nearest():
    with pytest.raises(LanguageError, match="no text in 'yor_Arab'; nearest: yor_Latn"):
        plan([YORUBA], tokens_per_step=10, n_steps=1, stages=[Stage(weights={"yor_Arab": 2})])


def test_a_share_that_its_own_labels_take_away_is_refused():
    with pytest.raises(
        ConfigError, match=r"'high' 20.0% of the tokens, .*its labels have shares of"
    ):
        plan(
            [YORUBA, GEORGIAN],
            tokens_per_step=10,
            n_steps=1,
            stages=[Stage(shares={"high": 0.2, "kat_Geor": 0.1})],
        )


def test_shares_below_one_without_other_text_are_refused():
    with pytest.raises(ConfigError, match=r"add up to 15.0% of the tokens, and there is no other"):
        plan([PYTHON], tokens_per_step=10, n_steps=1)


def test_unimax_shares_equally_up_to_the_cap():
    mixture = plan(
        [YORUBA, GEORGIAN, available("ibo_Latn", 50)],
        tokens_per_step=100,
        n_steps=30,
        max_epochs=2,
        stages=[Stage(mixture="unimax")],
    )  # 3,000 tokens: Igbo and then Georgian are read twice, what is left is for Yoruba
    tokens = {part.available.chosen.label: part.share * 3000 for part in mixture.parts}
    assert tokens == pytest.approx({"ibo_Latn": 100, "kat_Geor": 1450, "yor_Latn": 1450})


def test_unimax_beyond_all_caps_is_refused_with_the_largest_possible_run():
    options: dict[str, Any] = {
        "tokens_per_step": 100,
        "max_epochs": 2,
        "stages": [Stage(mixture="unimax")],
    }
    with pytest.raises(ConfigError, match=r"at most 80 steps are possible \(8,000 tokens\)"):
        plan([YORUBA, GEORGIAN], n_steps=90, **options)
    mixture = plan([YORUBA, GEORGIAN], n_steps=80, **options)
    assert [part.epochs for part in mixture.parts] == pytest.approx([2.0, 2.0])


def test_a_refusal_names_the_group_and_how_many_more_are_repeated_too_often():
    small = [available("ibo_Latn", 100), available("hau_Latn", 200)]
    with pytest.raises(ConfigError) as error:
        plan(
            [YORUBA, *small],
            tokens_per_step=100,
            n_steps=60,
            stages=[Stage(mixture="uniform")],
        )
    assert "the medium-high monolingual text in ibo_Latn 20.0 times" in str(error.value)
    assert "(and that of 1 more label too often)" in str(error.value)
    assert "at most 12 steps are possible (1,200 tokens)" in str(error.value)
