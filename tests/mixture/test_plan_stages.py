"""Plans in stages, and what a plan does not depend on."""

from typing import Any

import pytest

from emma500.errors import ConfigError
from emma500.mixture.planning.plan import plan
from emma500.mixture.planning.presets import Stage
from tests.mixture.parts import ENGLISH, GEORGIAN, PYTHON, YORUBA, available, shares

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
