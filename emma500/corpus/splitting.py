"""The split stage: which rows are held out for validation, and which shard a row goes to. A function of hashes alone.

Documents and code: of a label with enough texts, the `min(ceil(share * n), most)` ones with the smallest hashes are
held out; a label with fewer texts keeps them all in training; a text that stands under several labels is never held
out. Pairs: a pair is held out if the hash of its source text falls under one threshold for all labels, so that a
held-out English string is held out in every language; the threshold is the share, lowered so that no label holds out
too many.
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
) -> "NDArray[np.bool_]":
    """Choose the validation pairs, by the hash of their source texts; arguments as for documents.

    Returns:
        (rows) True for validation.
    """
    if not len(units):
        return np.zeros(0, bool)
    sizes = np.bincount(labels)
    threshold = min(share, most / int(sizes.max()))
    is_under = units.astype(np.float64) < threshold * 2.0**64
    return is_under & (sizes[labels] >= least_to_split)


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
