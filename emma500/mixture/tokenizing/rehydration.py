"""Rehydration: a document that stood for near-duplicates is read more than once, by FineWeb2's weights."""

import numpy as np

from emma500.tables import read_table


def repetitions(cluster_sizes: np.ndarray) -> np.ndarray:
    """Return how often documents are read for the near-duplicates they stand for.

    What many pages copied is better text than what none did, up to a point: clusters of thousands are boilerplate
    (FineWeb2; `emma500/tables/rehydration.tsv` holds its weights).

    Args:
        cluster_sizes: Near-duplicates that were folded into each document, itself included, (documents,); 0 counts
            as 1.

    Returns:
        Between 1 and 8 times, (documents,), uint8.
    """
    rows = read_table("rehydration")
    limits = np.array([int(row["cluster_size"]) for row in rows])
    times = np.array([int(row["times"]) for row in rows], np.uint8)
    return times[np.searchsorted(limits, np.maximum(cluster_sizes, 1), side="right") - 1]
