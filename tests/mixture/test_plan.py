from typing import Any

import pytest

from emma500.errors import ConfigError, LanguageError
from emma500.mixture.planning.available import Available
from emma500.mixture.planning.plan import plan
from emma500.mixture.planning.presets import Stage
from emma500.mixture.tokenizing.documents import Chosen


def available(label, n_tokens, component="monolingual", replay=False):
    chosen = Chosen(component=component, label=label, language=label, replay=replay)
    return Available(chosen=chosen, sources=["made-up"], n_documents=10, n_tokens=n_tokens)


ENGLISH = available("eng_Latn", 10_000, replay=True)
YORUBA, GEORGIAN = available("yor_Latn", 3_000), available("kat_Geor", 1_000)
PYTHON = available("python", 50_000, "code")
PAIRS = available("eng_Latn-yor_Latn", 2_000, "bilingual")


def shares(mixture):
    return {part.available.chosen.label: round(part.share, 4) for part in mixture.parts}


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
    plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=80, stages=uniform)


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


STAGES = [Stage(share=0.75, weights={"kat_Geor": 0}), Stage(share=0.25, mixture="uniform")]


def test_a_language_may_enter_in_a_late_stage():
    mixture = plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=8, stages=STAGES)
    assert mixture.stage_ends == (600, 800)
    assert [part.stage_shares for part in mixture.parts] == [(1.0, 0.5), (0.0, 0.5)]
    assert [part.share for part in mixture.parts] == pytest.approx([0.875, 0.125])
    assert [part.epochs for part in mixture.parts] == pytest.approx([700 / 3000, 100 / 1000])


def test_the_tokens_laid_before_a_position_are_linear_within_a_stage():
    mixture = plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=8, stages=STAGES)
    yoruba = [mixture.tokens_before(0, position) for position in (0, 300, 600, 700, 800)]
    georgian = [mixture.tokens_before(1, position) for position in (0, 300, 600, 700, 800)]
    assert yoruba == [0, 300, 600, 650, 700]
    assert georgian == [0, 0, 0, 50, 100]


def test_the_tokens_laid_at_the_end_are_the_epochs_of_a_part():
    mixture = plan([ENGLISH, YORUBA, GEORGIAN], tokens_per_step=70, n_steps=9,
                   stages=[Stage(share=0.3, replay_share=0.1), Stage(share=0.7, replay_share=0.4)])  # fmt: skip
    for number, part in enumerate(mixture.parts):
        laid = mixture.tokens_before(number, mixture.n_tokens)
        assert part.epochs == pytest.approx(laid / part.available.n_tokens)
    assert sum(part.share for part in mixture.parts) == pytest.approx(1)


def test_the_cap_holds_for_all_stages_together():
    with pytest.raises(ConfigError, match=r"text in kat_Geor 5.0 times .*at most 322 steps"):
        plan(
            [available("yor_Latn", 30_000), GEORGIAN],
            tokens_per_step=100,
            n_steps=400,
            stages=STAGES,
        )


def test_a_late_stage_of_unimax_has_the_epochs_that_the_first_left():
    stages = [Stage(share=0.5), Stage(share=0.5, mixture="unimax")]
    mixture = plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=60, stages=stages, max_epochs=2)
    georgian = mixture.parts[1]
    assert georgian.stage_shares[0] == 0.25  # 750 of 3,000 tokens: 1,250 are left to the cap
    assert georgian.epochs == pytest.approx(2.0)


def test_a_stage_of_less_than_a_step_is_refused():
    stages = [Stage(share=0.99), Stage(share=0.01, mixture="uniform")]
    with pytest.raises(ConfigError, match=r"stage 2 is 1.0% of 10 steps, less than one step"):
        plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=10, stages=stages)


def test_one_pass_reads_a_text_as_often_as_its_weight_says():
    mixture = plan(
        [YORUBA, GEORGIAN],
        tokens_per_step=100,
        n_steps=None,
        stages=[Stage(weights={"kat_Geor": 3})],
    )
    assert mixture.n_steps == 60
    assert [part.epochs for part in mixture.parts] == pytest.approx([1, 3])


def test_the_parts_do_not_depend_on_the_order_of_the_text():
    options: dict[str, Any] = {
        "tokens_per_step": 100,
        "n_steps": 30,
        "stages": [Stage(mixture="unimax")],
    }
    there = [YORUBA, GEORGIAN, available("ibo_Latn", 500)]
    assert shares(plan(there, **options)) == shares(plan(there[::-1], **options))


def test_a_share_that_is_asked_for_stands_and_the_published_ones_fill_what_is_left():
    mixture = plan(
        [YORUBA, PYTHON, available("eng_Latn", 9_000, "papers")],
        tokens_per_step=10,
        n_steps=1,
        stages=[Stage(mixture="emma500-mono", shares={"code": 0.416})],
    )  # 58.4% for monolingual text and papers, which have 38.9 and 19.5 points as published
    assert shares(mixture) == {"yor_Latn": 0.389, "python": 0.416, "eng_Latn": 0.195}


def test_a_weight_is_a_factor_on_the_published_rate():
    there = [YORUBA, GEORGIAN]  # rates 5 and 0.5
    published = plan(there, tokens_per_step=10, n_steps=1, stages=[Stage(mixture="emma500")])
    assert shares(published) == {"yor_Latn": round(15 / 15.5, 4), "kat_Geor": round(0.5 / 15.5, 4)}
    weighted = Stage(mixture="emma500", weights={"high": 10})
    assert shares(plan(there, tokens_per_step=10, n_steps=1, stages=[weighted])) == {
        "yor_Latn": 0.75,
        "kat_Geor": 0.25,
    }


def test_english_beside_the_high_group_has_a_rate_of_its_own():
    there = [available("eng_Latn", 1000), GEORGIAN]
    mixture = plan(there, tokens_per_step=10, n_steps=1, stages=[Stage(mixture="emma500")])
    assert shares(mixture) == {"eng_Latn": 0.1667, "kat_Geor": 0.8333}
