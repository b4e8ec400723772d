from emma500.mixture.planning.available import Available
from emma500.mixture.planning.plan import plan
from emma500.mixture.planning.presets import Stage
from emma500.mixture.tokenizing.documents import Chosen


def available(label, n_tokens, component="monolingual", replay=False):
    chosen = Chosen(component=component, label=label, language=label, replay=replay)
    return Available(chosen=chosen, sources=["made-up"], n_documents=10, n_tokens=n_tokens)


ENGLISH = available("eng_Latn", 10_000, replay=True)
YORUBA, GEORGIAN = available("yor_Latn", 3_000), available("kat_Geor", 1_000)


def test_the_plan_prints_as_a_tree_of_component_group_and_label():
    mixture = plan(
        [ENGLISH, YORUBA, GEORGIAN],
        tokens_per_step=100,
        n_steps=10,
        stages=[Stage(replay_share=0.2)],
    )
    assert repr(mixture).split("\n") == [
        "MixPlan: 10 steps x 100 tokens = 1,000 tokens, proportional",
        "├─ replay 20.0%",
        "│  └─ eng_Latn 20.0%: 0.02 epochs of 10,000 tokens (made-up)",
        "└─ monolingual 80.0%: 0.20 epochs of 4,000 tokens, 2 labels",
        "   ├─ high 20.0%",
        "   │  └─ kat_Geor 20.0%: 0.20 epochs of 1,000 tokens (made-up)",
        "   └─ medium 60.0%",
        "      └─ yor_Latn 60.0%: 0.20 epochs of 3,000 tokens (made-up)",
    ]


def test_stages_print_their_steps_and_what_is_asked_of_each():
    stages = [
        Stage(share=0.75, weights={"kat_Geor": 0}),
        Stage(share=0.25, mixture="temperature", temperature=5, shares={"medium": 0.25}),
    ]
    lines = repr(plan([YORUBA, GEORGIAN], tokens_per_step=100, n_steps=8, stages=stages)).split(
        "\n"
    )
    assert lines[:3] == [
        "MixPlan: 8 steps x 100 tokens = 800 tokens, 2 stages",
        "stage 1: steps 1 to 6, proportional weights kat_Geor 0",
        "stage 2: steps 7 to 8, temperature 5 shares medium 0.25",
    ]
    assert lines[5] == (
        "   │  └─ kat_Geor 18.8% [0.0% > 75.0%]: 0.15 epochs of 1,000 tokens (made-up)"
    )


def test_a_thousand_labels_print_the_largest_and_count_the_others():
    labels = [available(f"q{number:03}_Latn", 1000 + number, "papers") for number in range(1000)]
    lines = repr(plan(labels, tokens_per_step=100, n_steps=1000)).split("\n")
    assert len(lines) == 11
    assert lines[2].startswith("   ├─ q999_Latn 0.1%: 0.07 epochs of 1,999 tokens")
    assert lines[-1] == "   └─ … 992 more 98.9%: 0.07 epochs of 1,483,536 tokens"


def test_nine_labels_are_all_named():
    labels = [available(f"q{number:03}_Latn", 1000, "papers") for number in range(9)]
    assert "more" not in repr(plan(labels, tokens_per_step=100, n_steps=10))


def test_a_share_that_rounds_to_nothing_is_shown_with_two_figures():
    there = [available("yor_Latn", 10**9), available("kat_Geor", 12_345)]
    assert "kat_Geor 0.0012%: 0.00 epochs" in repr(plan(there, tokens_per_step=10, n_steps=1))
