import pickle

import numpy as np
import pytest

from emma500.mixture.packing.rows import IGNORED
from tests.mixture.made_up_rows import (
    LENGTH,
    PACKINGS,
    all_of,
    of_sizes,
    rows,
    rows_of,
)


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_row_is_the_same_in_whatever_order_and_process_rows_are_read(packing):
    forwards = all_of(rows(pool_rows=16, packing=packing))
    one = pickle.loads(pickle.dumps(rows(pool_rows=16, packing=packing)))
    for index in (70, 3, 41, 79, 0):
        for name, value in one[index].items():
            assert (value == forwards[name][index]).all()


@pytest.mark.parametrize("packing", PACKINGS)
def test_another_seed_gives_other_rows(packing):
    one, other = (all_of(rows(seed=seed, packing=packing))["input_ids"] for seed in (1, 2))
    assert (one != other).any()


def test_only_first_tokens_of_pieces_and_padding_are_not_predicted():
    read = all_of(rows())
    starts = read["position_ids"] == 0
    assert (read["labels"][starts] == IGNORED).all()
    assert (read["labels"][~starts] == read["input_ids"][~starts]).all()


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("pool_rows", [16, 4096])
def test_what_the_record_says_is_counted_exactly(pool_rows, packing):
    packed = rows(pool_rows=pool_rows, packing=packing)
    read = all_of(packed)
    predicted = read["labels"] != IGNORED
    assert sum(packed.n_tokens_trained) == predicted.sum()
    padding = (read["input_ids"] == 0).mean()
    assert packed.packing == {
        "mode": packing,
        "max_length": LENGTH,
        "n_rows": 80,
        "n_pieces": packed.pieces(0, 80).num_rows,
        "padding_share": pytest.approx(padding, abs=1e-6),
        "context_share": pytest.approx(1 - padding - predicted.mean(), abs=1e-6),
        "cut_share": packed.packing["cut_share"],
    }


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_share_of_cut_tokens_is_that_of_documents_in_two_rows(packing):
    packed = rows_of(of_sizes([30, 100, 30]), 6, packing=packing)
    pieces = packed.pieces(0, 6).to_pandas().groupby("document")
    in_two = pieces["row"].nunique() > 1
    tokens = pieces["n_tokens"].sum()
    assert packed.packing["cut_share"] == pytest.approx(
        tokens[in_two].sum() / tokens.sum(), abs=0.01
    )
    assert packed.packing["cut_share"] > 0.5


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("sizes", [[1] * 400, [0] * 700, [0, 1, 2] * 150, [400], [31, 30, 32] * 5])
@pytest.mark.parametrize("pool_rows", [4, 40])
def test_every_token_of_an_epoch_is_predicted_once_whatever_the_sizes(sizes, pool_rows, packing):
    tokens = of_sizes(sizes)
    n_rows = 4 * (len(sizes) * 2 + sum(sizes)) // LENGTH + 2 * pool_rows
    packed = rows_of(tokens, n_rows, pool_rows=pool_rows, packing=packing)
    whole_pools = int(packed._first_rows[-1])
    labels = all_of(packed)["labels"][:whole_pools]
    times = np.bincount(labels[labels > 2], minlength=10 + sum(sizes))[10:]
    n_ends = (labels == 2).sum()
    epochs = (times.sum() + n_ends) / (sum(sizes) + len(sizes))
    assert epochs > 1.9
    n_behind = (times < times.max(initial=0) - 1).sum()
    assert n_behind <= (packing == "concat")  # the very first token of a stream has no context
    assert int(epochs) * len(sizes) <= n_ends <= np.ceil(epochs) * len(sizes)


def test_concatenated_rows_are_slices_of_a_labels_text_with_an_end_between_documents():
    packed = rows_of(of_sizes([40, 5, 0, 70]), 12, packing="concat", pool_rows=3)
    read = all_of(packed)
    assert (read["position_ids"] == np.arange(LENGTH)).all()
    assert (read["labels"][:, 0] == IGNORED).all()
    assert (read["labels"][:, 1:] == read["input_ids"][:, 1:]).all()
    for ids in read["input_ids"]:
        following = np.diff(ids)
        within = (ids[:-1] != 2) & (ids[1:] != 2)
        assert (following[within] == 1).all()
    ends = np.array([10, 50, 55, 125])  # where documents start and end
    before, after = read["input_ids"][:, :-1], read["input_ids"][:, 1:]
    assert np.isin(after[(before == 2) & (after != 2)], ends).all()
    assert np.isin(before[(after == 2) & (before != 2)] + 1, ends).all()


def test_the_last_token_of_a_slice_is_the_first_of_the_next():
    packed = rows_of(of_sizes([1000]), 30, packing="concat")
    ids = all_of(packed)["input_ids"]
    ids = ids[np.argsort(ids[:, 0])]
    assert (ids[:-1, -1] == ids[1:, 0]).all()


def test_nothing_is_padded_where_rows_are_slices():
    assert rows(packing="concat").packing["padding_share"] == 0
    assert not (all_of(rows(packing="concat"))["input_ids"] == 0).any()


def test_documents_longer_than_a_pool_fill_every_row():
    packed = rows_of(of_sizes([700, 900, 800]), 75, pool_rows=4)  # a pool is 4 rows of 31 tokens
    labels = all_of(packed)["labels"]
    predicted = labels[(labels != IGNORED) & (labels != 2)]
    assert (labels != IGNORED).any(axis=1).all()
    assert sum(packed.n_tokens_trained) == (labels != IGNORED).sum() > 2000
    assert len(set(predicted.tolist())) == len(predicted)


def test_a_row_that_is_not_there_raises():
    with pytest.raises(IndexError, match="row 80 of 80"):
        rows()[80]
