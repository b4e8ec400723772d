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
    assert not held_out_pairs(
        units(100), np.zeros(100, np.int64), share=0.0, most=5, least_to_split=1
    ).any()


def test_a_source_string_is_held_out_in_every_language_or_in_none():
    english = units(3000)
    held_out = held_out_pairs(np.tile(english, 5), np.repeat(np.arange(5), 3000), **RULE).reshape(
        5, 3000
    )
    assert (held_out == held_out[0]).all()
    assert 10 < held_out[0].sum() < 60


def test_no_pair_label_holds_out_many_more_than_the_cap():
    hashes, labels = units(50_000), np.repeat([0, 1], [48_000, 2000])
    held_out = held_out_pairs(hashes, labels, share=0.5, most=200, least_to_split=10)
    assert 140 < held_out[labels == 0].sum() < 260
    assert held_out[labels == 1].sum() < 25


def test_shards_are_ranges_of_ids_so_that_reading_them_in_order_is_reading_by_id():
    ids = np.column_stack([units(1000), units(1000, 1)])
    ids = ids[np.lexsort((ids[:, 1], ids[:, 0]))]
    shards = shard_numbers(ids, np.zeros(1000, np.int64), np.array([7]))
    assert (np.diff(shards) >= 0).all()
    assert sorted(set(shards.tolist())) == list(range(7))
