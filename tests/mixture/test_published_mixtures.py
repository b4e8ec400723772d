"""The whole published mix: the rates of `tables/mixtures.tsv` on the published counts give the published totals.

Counts are white-space words, from `../shared/published`. Certain are the counts of the monolingual and the bilingual
corpus and the shares of the second generation (the project's website). The counts of papers and books and all rates
are remembered; those of code and instruction follow from the website's shares. So no rate is pinned here: it is tested
that rates, counts and shares agree.

Where published totals disagree with their own parts: the shares of the mix "Mono" add up to 99.9%, those of "Bi" to
100.0%. A plan's shares add up to 100%, so Mono's differ from the website's by 0.04 points at most.
"""

import csv
from collections import Counter

import pytest

from emma500.errors import ConfigError
from emma500.languages.labels import inventory
from emma500.mixture.planning.available import Available
from emma500.mixture.planning.plan import plan
from emma500.mixture.planning.presets import (
    MIXTURES,
    Stage,
    components_of,
    published_rates,
    published_shares,
)
from emma500.mixture.tokenizing.documents import Chosen

OTHERS = {
    "papers": 38_256_934_181,
    "books": 5_173_357_710,
    "code": 21_700_000_000,
    "instruction": 16_500_000_000,
}
"""Words before any rate: remembered; of code and instruction what the mix reads, since their rates are not known."""

WEBSITE = {
    "emma500-bi": {"bilingual": 0.323, "monolingual": 0.263, "code": 0.150, "papers": 0.132, "instruction": 0.114,
                   "books": 0.018},
    "emma500-mono": {"monolingual": 0.389, "code": 0.221, "papers": 0.195, "instruction": 0.168, "books": 0.026},
}  # fmt: skip
GROUPS = {
    "English": 3_002_029_817,
    "high": 40_411_201_964,
    "medium-high": 27_515_227_962,
    "medium": 2_747_484_380,
    "medium-low": 481_935_633,
    "low": 97_535_696,
    "unseen": 4_132_526,
}
"""Words by group, English apart: recomputed from the published counts."""

STEP = 16_777_216


def available(component, label, n_words):
    chosen = Chosen(component=component, label=label, language=label)
    return Available(chosen=chosen, sources=[], n_documents=1, n_tokens=n_words)


@pytest.fixture(scope="module")
def published(shared):
    """What there is of every label, by component."""

    def read(name):
        with (shared / "published" / f"{name}.csv").open() as file:
            return list(csv.DictReader(file))

    found = {
        "monolingual": [
            available("monolingual", row["lang_code"], int(row["num_tokens"]))
            for row in read("mala-monolingual")
        ],
        "bilingual": [
            available("bilingual", row["lang_pair"], int(float(row["tot_num_tokens"])))
            for row in read("mala-bilingual-translation-corpus")
        ],
    }
    return found | {name: [available(name, "eng_Latn", n)] for name, n in OTHERS.items()}


def mixed(published, name, max_epochs=50):
    """Return the plan of one pass of a published mixture over everything published."""
    stages = [Stage(mixture=name)]
    there = [each for component in components_of(stages) for each in published[component]]
    return plan(
        there,
        tokens_per_step=STEP,
        n_steps=None,
        stages=stages,
        max_epochs=max_epochs,
        required=components_of(stages),
        unit="words",
    )


def words(mixture, by):
    total: Counter[str] = Counter()
    for part in mixture.parts:
        total[getattr(part.available, by)] += part.share * mixture.n_tokens
    return total


def test_the_rates_on_the_published_counts_give_the_published_total(published):
    mixture = mixed(published, "emma500")
    assert mixture.n_tokens == pytest.approx(136.2e9, rel=1e-3)  # the paper: "136B"
    counts: Counter[str] = Counter()
    for each in published["monolingual"]:
        counts[each.group] += each.n_tokens
    assert counts == GROUPS
    rates = published_rates("emma500")
    monolingual = sum(rates[group] * n for group, n in counts.items())
    assert monolingual == pytest.approx(76_273_951_286, abs=1)
    assert words(mixture, "component")["monolingual"] == pytest.approx(monolingual, rel=2e-3)
    groups = words(mixture, "group")
    for group, n in counts.items():
        share = groups[group] / words(mixture, "component")["monolingual"]
        assert share == pytest.approx(rates[group] * n / monolingual, rel=1e-9), group


def test_the_plan_holds_the_546_languages_and_leaves_the_others_out(published):
    mixture = mixed(published, "emma500")
    assert sum(part.available.component == "monolingual" for part in mixture.parts) == 546
    assert len(mixture.left_out) == 939 - 546
    assert sum(each.n_tokens for each in mixture.left_out) == 4_132_526


@pytest.mark.parametrize("name", list(WEBSITE))
def test_the_components_have_the_shares_of_the_website(published, name):
    mixture = mixed(published, name, max_epochs=100)
    found = words(mixture, "component")
    for component, share in WEBSITE[name].items():
        assert found[component] / mixture.n_tokens == pytest.approx(share, abs=5e-4), component
    assert sum(WEBSITE[name].values()) == pytest.approx(1.0 if name == "emma500-bi" else 0.999)


@pytest.mark.parametrize("name", list(WEBSITE))
def test_half_of_the_first_mix_fits_the_shares_of_the_second(published, name):
    """There is a total of which all three parts are the website's share, within its rounding to 0.1 points."""
    first = mixed(published, "emma500")
    parts = {
        each: sum(part.available.n_tokens * published_rates("emma500")[part.available.group or each]
                  for part in first.parts if part.available.component == each)
        for each in ("monolingual", "papers", "books")
    }  # fmt: skip
    parts["monolingual"] /= 2
    least = max(parts[each] / (WEBSITE[name][each] + 5e-4) for each in parts)
    most = min(parts[each] / (WEBSITE[name][each] - 5e-4) for each in parts)
    assert least < most
    assert 97e9 < least < 146e9


def test_the_published_rates_are_refused_under_the_default_cap_with_the_size_that_is_possible(
    published,
):
    there = [each for name in components_of([Stage(mixture="emma500")]) for each in published[name]]
    with pytest.raises(
        ConfigError, match=r"low monolingual text in .* 4[0-9]\.\d times .* \(and that of \d+ more"
    ):
        plan(there, tokens_per_step=STEP, n_steps=8000, stages=[Stage(mixture="emma500")])


def test_the_package_has_the_counts_that_were_published(published):
    own = {each.label: each.n_words for each in inventory()}
    assert own == {each.chosen.label: each.n_tokens for each in published["monolingual"]}


def test_a_published_mixture_says_what_becomes_of_every_component():
    for name in MIXTURES[4:]:
        assert set(published_rates(name)) >= {"monolingual", "bilingual", "code", "papers", "books"}
        assert 0.27 < sum(published_shares(name).values()) <= 1.0 + 1e-9


def test_a_component_that_is_missing_is_named_with_those_there_are(published):
    there = [*published["monolingual"], *published["code"]]
    stages = [Stage(mixture="emma500-mono")]
    with pytest.raises(ConfigError) as error:
        plan(there, tokens_per_step=STEP, n_steps=10, stages=stages, required=components_of(stages))
    assert "the mixture emma500-mono has papers, but there is no such text" in str(error.value)
    assert "(components=['monolingual', 'code'])" in str(error.value)


def test_the_components_that_are_named_share_all_tokens(published):
    there = [*published["monolingual"], *published["code"]]
    stages = [Stage(mixture="emma500-mono")]
    found = words(plan(there, tokens_per_step=STEP, n_steps=10, stages=stages), "component")
    assert found["code"] / found["monolingual"] == pytest.approx(0.221 / 0.389)
