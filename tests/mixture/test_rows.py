import numpy as np
import pytest

from emma500.mixture.documents import Chosen, TokenDocuments
from emma500.mixture.plan import Available, plan
from emma500.mixture.rows import IGNORED, PackedRows

LENGTH = 32
LABELS = ("kat_Geor", "swa_Latn", "yor_Latn")


def documents(index, n=60, seed=0):
    """Documents whose tokens tell their label and document: 10000 * label + document."""
    sizes = np.random.default_rng(seed + index).integers(5, 60, n)
    ids = np.repeat(10_000 * (index + 1) + np.arange(n), sizes).astype(np.uint32)
    return TokenDocuments(ids, np.concatenate([[0], np.cumsum(sizes)]))


def rows(n_steps=20, seed=1, **options):
    tokens = [documents(index) for index in range(len(LABELS))]
    available = [
        Available(
            chosen=Chosen(component="monolingual", label=label, language=label),
            sources=["made-up"],
            n_documents=len(each),
            n_tokens=len(each.ids) + len(each),
        )
        for label, each in zip(LABELS, tokens, strict=True)
    ]
    mixture = plan(available, tokens_per_step=4 * LENGTH, n_steps=n_steps, weights="uniform")
    return PackedRows(mixture, tokens, length=LENGTH, seed=seed, prefix=1, eos=2, pad=0, **options)


def all_of(packed):
    return {
        name: np.stack([packed[index][name] for index in range(len(packed))])
        for name in ("input_ids", "labels", "position_ids")
    }


def test_a_row_is_the_same_in_whatever_order_rows_are_read():
    forwards = all_of(rows(pool_rows=16))
    one = rows(pool_rows=16)
    for index in (70, 3, 41, 79, 0):
        for name, value in one[index].items():
            assert (value == forwards[name][index]).all()


def test_another_seed_gives_other_rows():
    assert (all_of(rows(seed=1))["input_ids"] != all_of(rows(seed=2))["input_ids"]).any()


def test_only_first_tokens_of_pieces_and_padding_are_not_predicted():
    read = all_of(rows())
    starts = read["position_ids"] == 0
    assert (read["labels"][starts] == IGNORED).all()
    assert (read["labels"][~starts] == read["input_ids"][~starts]).all()


def test_the_trained_tokens_are_counted_exactly():
    packed = rows(pool_rows=16)
    labels = all_of(packed)["labels"]
    assert sum(packed.n_tokens_trained) == (labels != IGNORED).sum()


@pytest.mark.parametrize("pool_rows", [16, 4096])
def test_every_label_gets_its_share_over_the_run(pool_rows):
    trained = np.array(rows(n_steps=40, pool_rows=pool_rows).n_tokens_trained)
    assert np.abs(trained / trained.sum() - 1 / 3).max() < 0.05


def test_a_step_mixes_labels():
    ids = all_of(rows(n_steps=40))["input_ids"].reshape(40, -1)
    kinds = [len(set((step[step >= 10_000] // 10_000).tolist())) for step in ids]
    assert np.mean(kinds) > 2.5
    assert min(kinds) >= 2


def test_no_document_comes_twice_before_all_have_come_once():
    packed = rows(n_steps=18, pool_rows=8)
    ids = all_of(packed)["input_ids"]
    ends = np.flatnonzero(ids.ravel() == 2)
    finished = ids.ravel()[ends - 1]
    for part, each in enumerate(packed.plan.parts):
        assert each.epochs <= 1
        of_part = finished[finished // 10_000 == part + 1]
        assert len(set(of_part.tolist())) == len(of_part) > 0


def test_a_second_epoch_has_another_order():
    packed = rows()
    assert sorted(packed._order(0, 0)[0]) == sorted(packed._order(0, 1)[0])
    assert packed._order(0, 0)[0].tolist() != packed._order(0, 1)[0].tolist()


def test_documents_longer_than_a_pool_leave_pools_without_a_start_and_fill_every_row():
    sizes = np.array([700, 900, 800])  # a pool is 4 rows of 31 tokens
    ids = np.arange(10, 10 + sizes.sum()).astype(np.uint32)
    tokens = TokenDocuments(ids, np.concatenate([[0], np.cumsum(sizes)]))
    available = Available(
        chosen=Chosen(component="monolingual", label="yor_Latn", language="yor_Latn"),
        sources=["made-up"],
        n_documents=3,
        n_tokens=2403,
    )
    mixture = plan([available], tokens_per_step=LENGTH, n_steps=75)
    packed = PackedRows(
        mixture, [tokens], length=LENGTH, seed=1, prefix=1, eos=2, pad=0, pool_rows=4
    )
    labels = all_of(packed)["labels"]
    predicted = labels[(labels != IGNORED) & (labels != 2)]
    assert (labels != IGNORED).any(axis=1).all()
    assert sum(packed.n_tokens_trained) == (labels != IGNORED).sum() > 2000
    assert len(set(predicted.tolist())) == len(predicted)


def test_a_row_that_is_not_there_raises():
    with pytest.raises(IndexError, match="row 80 of 80"):
        rows()[80]
