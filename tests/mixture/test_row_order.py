import numpy as np
import pytest

from emma500.mixture.packing.rows import IGNORED, PackedRows
from emma500.mixture.planning.plan import plan
from emma500.mixture.planning.presets import Stage
from emma500.mixture.tokenizing.tokens import TokenDocuments
from tests.mixture.made_up_rows import (
    LABELS,
    LENGTH,
    PACKINGS,
    all_of,
    available,
    documents,
    of_sizes,
    rows,
    rows_of,
)


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("pool_rows", [16, 4096])
def test_every_label_gets_its_share_over_the_run(pool_rows, packing):
    packed = rows(n_steps=40, pool_rows=pool_rows, packing=packing)
    trained = np.array(packed.n_tokens_trained)
    assert np.abs(trained / trained.sum() - 1 / 3).max() < 0.05


def test_a_step_mixes_labels():
    ids = all_of(rows(n_steps=40))["input_ids"].reshape(40, -1)
    kinds = [len(set((step[step >= 10_000] // 10_000).tolist())) for step in ids]
    assert np.mean(kinds) > 2.5
    assert min(kinds) >= 2


@pytest.mark.parametrize("packing", PACKINGS)
def test_no_document_comes_twice_before_all_have_come_once(packing):
    packed = rows(n_steps=18, pool_rows=8, packing=packing)
    assert all(each.epochs <= 1 for each in packed.plan.parts)
    seen = packed.pieces(0, len(packed)).to_pandas()
    starts = seen[["label", "document", "start"]]
    assert len(seen) > 90
    assert not starts.duplicated().any()


def test_a_second_epoch_reads_all_documents_in_another_order():
    packed = rows_of(of_sizes([3] * 2500), 2 * 420, pool_rows=8)
    order = packed.pieces(0, len(packed))["document"].to_numpy()
    first, second = order[:2500], order[2500:5000]
    assert np.intersect1d(first[:2400], second[:2400]).size > 2200
    assert (first[:2000] != second[:2000]).mean() > 0.99


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_document_of_ten_million_tokens_goes_through_the_run_and_leaves_the_rest_its_share(
    packing,
):
    long = TokenDocuments(np.full(10_000_000, 7, np.uint16), np.array([0, 10_000_000]))
    short = of_sizes([300] * 4000)
    parts = [available(long, "yor_Latn", "books"), available(short, "kat_Geor")]
    mixture = plan(parts, tokens_per_step=1024 * 8, n_steps=250, stages=[Stage(mixture="uniform")])
    packed = PackedRows(
        mixture, [long, short], length=1024, seed=1, prefix=1, eos=2, pad=0, packing=packing, pool_rows=512
    )  # fmt: skip
    for first in range(0, len(packed) - 200, 150):
        seen = packed.seen(first, first + 200)
        assert seen["books", "yor_Latn"] / sum(seen.values()) == pytest.approx(0.5, abs=0.02)


def realistic(packing):
    """200 labels between three documents and a third of all, long documents among them."""
    random = np.random.default_rng(5)
    weights = random.lognormal(0, 2.0, 200)
    parts, tokens = [], []
    for index, weight in enumerate(weights / weights.sum()):
        sizes = random.lognormal(4.5, 1.2, max(3, int(weight * 60_000))).astype(np.int64)
        if index % 40 == 7:
            sizes[0] = 60_000
        component = ("papers", "books", "code")[index % 3] if index % 4 == 0 else "monolingual"
        tokens.append(of_sizes(sizes))
        parts.append(
            available(tokens[-1], f"{chr(97 + index // 26)}{chr(97 + index % 26)}x_Latn", component)
        )
    mixture = plan(
        parts, tokens_per_step=1024 * 32, n_steps=250, max_epochs=1e6,
        stages=[Stage(mixture="temperature", temperature=1.5)],
    )  # fmt: skip
    return PackedRows(mixture, tokens, length=1024, seed=3, prefix=1, eos=2, pad=0, packing=packing)


@pytest.mark.parametrize("packing", PACKINGS)
def test_every_window_of_a_thousand_rows_is_within_two_hundredths_of_the_plan(packing):
    packed = realistic(packing)
    shares: dict[str, float] = {}
    for each in packed.plan.parts:
        component = each.available.component
        shares[component] = shares.get(component, 0) + each.share
    worst: dict[str, float] = {}
    for first in range(0, len(packed) - 1000, 250):
        seen = packed.seen(first, first + 1000)
        for component, share in shares.items():
            held = sum(n for (name, _), n in seen.items() if name == component)
            worst[component] = max(worst.get(component, 0), abs(held / sum(seen.values()) - share))
    assert len(worst) == 4
    assert max(worst.values()) < 0.02
    assert max(worst[each] / shares[each] for each in shares if shares[each] > 0.1) < 0.02
    assert packed.packing["padding_share"] < 0.01


@pytest.mark.parametrize("packing", PACKINGS)
def test_what_was_seen_is_told_without_reading_text(packing):
    packed = rows(pool_rows=16, packing=packing)
    read = all_of(packed)["labels"]
    with_text = rows(pool_rows=16, packing=packing)
    for tokens in with_text._documents:
        tokens.shards = None
    seen = with_text.pieces(10, 50)
    assert seen["row"].unique().to_pylist() == list(range(10, 50))
    for index in (10, 17, 49):
        ids = read[index]
        told = seen.filter([each == index for each in seen["row"].to_pylist()]).to_pylist()
        expected = sorted(
            10_000 * (LABELS.index(each["label"]) + 1) + each["document"]
            for each in told
            for _ in range(each["n_tokens"])
        )
        assert len(expected) == (ids != IGNORED).sum()
        assert set(ids[ids >= 10_000].tolist()) <= set(expected)
    assert with_text.seen(10, 50) == {
        (component, label): int(
            sum(each["n_tokens"] for each in seen.to_pylist() if each["label"] == label)
        )
        for component, label in [("monolingual", label) for label in LABELS]
    }


def test_rows_that_are_not_there_were_not_seen():
    packed = rows()
    assert packed.seen(80, 90) == {}
    assert packed.pieces(5, 5).num_rows == 0
    assert packed.pieces(-3, 1000).num_rows == packed.pieces(0, 80).num_rows


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_rehydrated_document_comes_as_often_as_it_counts_and_not_at_once(packing):
    tokens = of_sizes([14] * 3000).rehydrated(np.where(np.arange(3000) % 2, 5, 1))
    assert tokens.epoch() == (9000, 9000 * 15)
    n_rows = 9000 // 2 if packing == "isolated" else 9000 * 15 // 31
    packed = rows_of(tokens, n_rows, packing=packing)
    starts = packed.pieces(0, len(packed)).to_pandas().query("start == 0")
    times = starts.groupby("document").size()
    assert times[times.index % 2 == 1].sum() / 1500 == pytest.approx(5, rel=0.05)
    assert times[times.index % 2 == 0].sum() / 1500 == pytest.approx(1, rel=0.05)
    spread = starts[starts["document"] % 2 == 1].groupby("document")["row"].agg(["min", "max"])
    assert (spread["max"] - spread["min"]).mean() > len(packed) / 3


def test_a_label_of_a_late_stage_is_read_in_that_stage_to_its_end():
    tokens = [documents(index, n=400) for index in range(2)]
    parts = [available(each, label) for each, label in zip(tokens, LABELS[:2], strict=True)]
    stages = [Stage(share=0.75, weights={LABELS[1]: 0.0}), Stage(share=0.25, mixture="uniform")]
    mixture = plan(parts, tokens_per_step=4 * LENGTH, n_steps=100, stages=stages)
    packed = PackedRows(
        mixture, tokens, length=LENGTH, seed=1, prefix=1, eos=2, pad=0, pool_rows=20
    )
    early, late = packed.seen(0, 280), packed.seen(320, 400)
    assert ("monolingual", LABELS[1]) not in early
    assert late["monolingual", LABELS[1]] / sum(late.values()) == pytest.approx(0.5, abs=0.1)
