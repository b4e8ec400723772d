"""The split stage: which rows are held out for validation, and which shard a row goes to. A function of hashes alone.

Documents and code: of a label with enough texts, the `min(ceil(share * n), most)` ones with the smallest hashes are
held out; a label with fewer texts keeps them all in training; a text that stands under several labels is never held
out. Pairs: those whose source text's hash falls under the share are held out, of each label at most the ones with the
smallest hashes; any other pair with a source text that is held out in some label is left out of both splits, so that
no held-out English string is trained on.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def held_out_documents(
    units: "NDArray[np.uint64]",
    labels: "NDArray[np.int64]",
    *,
    share: float,
    most: int,
    least_to_split: int,
) -> "NDArray[np.bool_]":
    """Choose the validation documents of one component.

    Args:
        units: (rows) hash of each text.
        labels: (rows) number of each row's label.
        share: The share to hold out.
        most: The most documents of a label to hold out.
        least_to_split: A label with fewer documents is not split.

    Returns:
        (rows) True for validation.
    """
    _, inverse, copies = np.unique(units, return_inverse=True, return_counts=True)
    is_shared = copies[inverse] > 1
    order = np.lexsort((units, is_shared, labels))
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(starts, sizes)
    quota = np.array([_quota(int(size), share, most, least_to_split) for size in sizes], np.int64)
    chosen = np.zeros(len(order), bool)
    chosen[order] = (place < np.repeat(quota, sizes)) & ~is_shared[order]
    return chosen


def _quota(size: int, share: float, most: int, least_to_split: int) -> int:
    return 0 if size < least_to_split or not share else min(math.ceil(share * size), most)


def held_out_pairs(
    units: "NDArray[np.uint64]",
    labels: "NDArray[np.int64]",
    *,
    share: float,
    most: int,
    least_to_split: int,
) -> "tuple[NDArray[np.bool_], NDArray[np.bool_]]":
    """Choose the validation pairs, by the hash of their source texts; arguments as for documents.

    Returns:
        (rows) True for validation; (rows) True where the source text is held out in another row, and this one goes to
        neither split.
    """
    is_large = np.bincount(labels)[labels] >= least_to_split if len(labels) else np.zeros(0, bool)
    under = np.flatnonzero((units.astype(np.float64) < share * 2.0**64) & is_large)
    order = under[np.lexsort((units[under], labels[under]))]
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    place = np.arange(len(order)) - np.repeat(starts, sizes)
    held_out = np.zeros(len(units), bool)
    held_out[order[place < most]] = True
    # Equal source texts at the cut share their fate, or the order of the rows would decide.
    cut = order[place == most]
    last = np.zeros(int(labels.max(initial=-1)) + 1, np.uint64)
    is_cut = np.zeros(len(last), bool)
    last[labels[cut]], is_cut[labels[cut]] = units[cut], True
    held_out[order] &= ~(is_cut[labels[order]] & (units[order] == last[labels[order]]))
    return held_out, np.isin(units, units[held_out]) & ~held_out


def shard_numbers(
    ids: "NDArray[np.uint64]", part: "NDArray[np.int64]", n_shards: "NDArray[np.int64]"
) -> "NDArray[np.int64]":
    """Return each row's shard: ranges of ids, so that shards read one after another are sorted by id.

    Args:
        ids: (rows, 2) uint64.
        part: (rows) number of the component, label and split.
        n_shards: (parts) shards of each.

    Returns:
        (rows) shard within its part.
    """
    top = (ids[:, 0] >> np.uint64(32)).astype(np.float64) / 2.0**32
    return np.minimum((top * n_shards[part]).astype(np.int64), n_shards[part] - 1)
