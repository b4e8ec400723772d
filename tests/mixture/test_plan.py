import pytest

from emma500.errors import ConfigError
from emma500.mixture.documents import Chosen
from emma500.mixture.plan import Available, plan


def available(label, n_tokens, component="monolingual", replay=False):
    chosen = Chosen(component=component, label=label, language=label, replay=replay)
    return Available(chosen=chosen, sources=["made-up"], n_documents=10, n_tokens=n_tokens)


ENGLISH = available("eng_Latn", 10_000, replay=True)
YORUBA, GEORGIAN = available("yor_Latn", 3_000), available("kat_Geor", 1_000)
PYTHON = available("python", 50_000, "code")


def shares(mixture):
    return {part.available.chosen.label: round(part.share, 4) for part in mixture.parts}


def test_shares_are_proportional_to_tokens_beside_a_fixed_replay_share():
    mixture = plan([ENGLISH, YORUBA, GEORGIAN], tokens_per_step=100, n_steps=10, replay_share=0.2)
    assert shares(mixture) == {"eng_Latn": 0.2, "yor_Latn": 0.6, "kat_Geor": 0.2}


def test_code_has_a_share_of_its_own():
    mixture = plan([YORUBA, GEORGIAN, PYTHON], tokens_per_step=100, n_steps=10, code_share=0.2)
    assert shares(mixture) == {"yor_Latn": 0.6, "kat_Geor": 0.2, "python": 0.2}


def test_uniform_weights_give_every_language_the_same():
    mixture = plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=10, weights="uniform")
    assert shares(mixture) == {"yor_Latn": 0.5, "kat_Geor": 0.5}


def test_a_temperature_of_two_takes_the_square_root():
    one, nine = available("yor_Latn", 900), available("kat_Geor", 100)
    mixture = plan(
        [one, nine], tokens_per_step=10, n_steps=5, weights="temperature", temperature=2.0
    )
    assert shares(mixture) == {"yor_Latn": 0.75, "kat_Geor": 0.25}


def test_epochs_are_the_trained_tokens_by_the_available_ones():
    mixture = plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=80)
    assert [part.epochs for part in mixture.parts] == [2.0, 2.0]


def test_too_many_repetitions_are_refused_with_the_largest_possible_run():
    with pytest.raises(ConfigError) as error:
        plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=200, weights="uniform", max_epochs=4)
    assert "monolingual text in kat_Geor 10.0 times (1,000 tokens, share 50.0%)" in str(error.value)
    assert "at most 80 steps are possible" in str(error.value)
    plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=80, weights="uniform", max_epochs=4)


def test_without_steps_the_new_text_is_read_once():
    mixture = plan([ENGLISH, YORUBA, GEORGIAN], tokens_per_step=100, n_steps=None, replay_share=0.2)
    assert mixture.n_steps == 50
    assert [part.epochs for part in mixture.parts[1:]] == [1.0, 1.0]


def test_without_steps_the_cap_shortens_the_run_instead_of_refusing_it():
    small = available("eng_Latn", 100, replay=True)
    mixture = plan(
        [small, YORUBA], tokens_per_step=100, n_steps=None, replay_share=0.5, max_epochs=2
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
            replay_share=0.6,
            code_share=0.4,
        )


def test_the_plan_prints_as_a_tree():
    mixture = plan([ENGLISH, YORUBA, GEORGIAN], tokens_per_step=100, n_steps=10, replay_share=0.2)
    assert repr(mixture).split("\n") == [
        "MixPlan: 10 steps x 100 tokens = 1,000 tokens",
        "├─ replay 20.0%",
        "│  └─ eng_Latn 20.0%: 0.02 epochs of 10,000 tokens (made-up)",
        "└─ monolingual 80.0%",
        "   ├─ yor_Latn 60.0%: 0.20 epochs of 3,000 tokens (made-up)",
        "   └─ kat_Geor 20.0%: 0.20 epochs of 1,000 tokens (made-up)",
    ]


def test_the_plan_is_a_table_of_one_row_a_label():
    table = plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=10).to_pandas()
    assert table["label"].tolist() == ["yor_Latn", "kat_Geor"]
    assert table["n_tokens_trained"].tolist() == [750, 250]
