"""Which texts are held out, and which shard a row goes to."""

from typing import Any

import numpy as np

from emma500.corpus.splitting import held_out_documents, held_out_pairs, shard_numbers

RULE: dict[str, Any] = {"share": 0.01, "most": 200, "least_to_split": 10}


def units(n, seed=0):
    return np.random.default_rng(seed).integers(0, 2**64, n, dtype=np.uint64)


def test_a_hundredth_rounded_up_is_held_out_up_to_the_cap():
    labels = np.repeat([0, 1, 2, 3], [9, 10, 250, 30_000])
    chosen = held_out_documents(units(len(labels)), labels, **RULE)
    assert [int(chosen[labels == each].sum()) for each in range(4)] == [0, 1, 3, 200]


def test_the_texts_held_out_do_not_depend_on_the_order_of_rows():
    hashes, labels = units(500), np.repeat([0, 1], 250)
    order = np.random.default_rng(1).permutation(500)
    first = held_out_documents(hashes, labels, **RULE)
    assert (held_out_documents(hashes[order], labels[order], **RULE) == first[order]).all()


def test_a_text_that_stands_under_two_labels_is_never_held_out():
    hashes = units(100)
    both, labels = (
        np.concatenate([hashes, hashes[:90], units(30, 2)]),
        np.repeat([0, 1], [100, 120]),
    )
    chosen = held_out_documents(both, labels, **(RULE | {"share": 0.5}))
    assert set(both[chosen].tolist()).isdisjoint(hashes[:90].tolist())
    assert chosen[labels == 0].sum() == 10


def test_no_share_holds_nothing_out():
    assert not held_out_documents(
        units(100), np.zeros(100, np.int64), share=0.0, most=5, least_to_split=1
    ).any()
    held_out, elsewhere = held_out_pairs(
        units(100), np.zeros(100, np.int64), share=0.0, most=5, least_to_split=1
    )
    assert not held_out.any()
    assert not elsewhere.any()


def test_a_source_string_is_held_out_in_every_language_or_in_none():
    english = units(3000)
    held_out, elsewhere = held_out_pairs(np.tile(english, 5), np.repeat(np.arange(5), 3000), **RULE)
    by_label = held_out.reshape(5, 3000)
    assert (by_label == by_label[0]).all()
    assert 10 < by_label[0].sum() < 60
    assert not elsewhere.any()


def test_a_large_pair_label_holds_out_no_more_than_the_cap_and_takes_nothing_from_small_ones():
    hashes = units(50_000)
    both = np.concatenate([hashes, hashes[:2000]])
    labels = np.repeat([0, 1], [50_000, 2000])
    held_out, _ = held_out_pairs(both, labels, share=0.05, most=200, least_to_split=10)
    assert held_out[labels == 0].sum() == 200
    assert both[held_out & (labels == 0)].max() < np.delete(hashes, np.argsort(hashes)[:200]).min()
    assert held_out[labels == 1].sum() == (hashes[:2000] < 0.05 * 2.0**64).sum() > 50


def test_no_source_string_is_held_out_in_one_pair_label_and_trained_on_in_another():
    hashes = units(20_000)
    both = np.concatenate([hashes, hashes[:3000], np.sort(hashes)[:5]])
    labels = np.repeat([0, 1, 2], [20_000, 3000, 5])  # the last is too small to be split
    held_out, elsewhere = held_out_pairs(both, labels, share=0.1, most=50, least_to_split=10)
    train = ~held_out & ~elsewhere
    assert set(both[held_out].tolist()).isdisjoint(both[train].tolist())
    assert elsewhere[labels == 2].all()
    assert set(both[elsewhere].tolist()) <= set(both[held_out].tolist())
    order = np.random.default_rng(1).permutation(len(both))
    again = held_out_pairs(both[order], labels[order], share=0.1, most=50, least_to_split=10)
    assert (again[0] == held_out[order]).all()
    assert (again[1] == elsewhere[order]).all()


def test_pairs_with_one_source_text_at_the_cap_share_their_fate():
    hashes = np.array([1, 2, 2, 2, 5, 6, 7, 8, 9, 10], np.uint64)
    held_out, elsewhere = held_out_pairs(
        hashes, np.zeros(10, np.int64), share=0.5, most=3, least_to_split=10
    )
    assert held_out.tolist() == [True] + [False] * 9
    assert not elsewhere.any()


def test_shards_are_ranges_of_ids_so_that_reading_them_in_order_is_reading_by_id():
    ids = np.column_stack([units(1000), units(1000, 1)])
    ids = ids[np.lexsort((ids[:, 1], ids[:, 0]))]
    shards = shard_numbers(ids, np.zeros(1000, np.int64), np.array([7]))
    assert (np.diff(shards) >= 0).all()
    assert sorted(set(shards.tolist())) == list(range(7))
