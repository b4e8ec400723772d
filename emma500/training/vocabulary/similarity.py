"""Which old tokens resemble a new piece, by what stands beside them in text (as FOCUS, arXiv 2305.14481).

FOCUS trains fastText on the new language, and mixes the rows of tokens that both vocabularies share by the sparsemax of
their cosines. Here the vectors are positive pointwise mutual information, reduced by a randomised SVD.
"""

from typing import Any

import numpy as np

from emma500.mixture.tokenizing.tokens import TokenDocuments
from emma500.training.vocabulary.pieces import Pieces

_WINDOW = 5
_DIMENSIONS = 128
_MIN_COUNT = 5
_SMOOTHING = 0.75
"""Counts of contexts are raised to this power (Levy and others 2015)."""

_MAX_TOKENS = 3_000_000
_PIECES_A_BLOCK = 512


def similar_tokens(documents: TokenDocuments, pieces: Pieces, *, seed: int) -> Any:
    """Weigh the old tokens of a text by their likeness to each new piece.

    Args:
        documents: The text in tokens of the extended tokenizer.
        pieces: The new pieces.
        seed: Of the SVD.

    Returns:
        Weights, (pieces, first new id), a sparse float32 tensor of torch: each row sums to 1, or is empty for a piece
        that occurs fewer than five times.
    """
    import torch

    first = int(pieces.ids[0])
    known, vectors = _vectors(documents, seed)
    is_new = known >= first
    old = vectors[torch.as_tensor(~is_new)]
    places, weights = [np.zeros((2, 0), np.int64)], [np.zeros(0, np.float32)]
    new = torch.as_tensor(np.flatnonzero(is_new))
    for block in new.split(_PIECES_A_BLOCK) if len(old) else ():
        share = _sparsemax(vectors[block] @ old.T).numpy()
        row, column = share.nonzero()
        weights.append(share[row, column])
        places.append(np.stack([known[block.numpy()][row] - first, known[~is_new][column]]))
    return torch.sparse_coo_tensor(
        torch.as_tensor(np.concatenate(places, axis=1)),
        torch.as_tensor(np.concatenate(weights)),
        (len(pieces.names), first),
        check_invariants=True,
    ).coalesce()


def _vectors(documents: TokenDocuments, seed: int) -> tuple[np.ndarray, Any]:
    """Return the ids of frequent tokens, and a vector of length 1 for each."""
    import torch

    n = int(np.searchsorted(documents.offsets[1:], _MAX_TOKENS, side="right"))
    document = np.repeat(np.arange(n), documents.sizes[:n])
    tokens = np.concatenate(documents.shards)[: documents.offsets[n]].astype(np.int64)
    known, place, counts = np.unique(tokens, return_inverse=True, return_counts=True)
    frequent = counts >= _MIN_COUNT
    number = np.where(frequent, np.cumsum(frequent) - 1, -1)[place]
    rows, columns, values = _mutual_information(number, document, int(frequent.sum()))
    size = (int(frequent.sum()),) * 2
    matrix = torch.sparse_coo_tensor(
        torch.as_tensor(np.stack([rows, columns])),
        torch.as_tensor(values),
        size,
        check_invariants=True,
    ).coalesce()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        left, scale, _ = torch.svd_lowrank(matrix, q=min(_DIMENSIONS, *size))
    return known[frequent], torch.nn.functional.normalize(left * scale.sqrt(), dim=1)


def _mutual_information(
    number: np.ndarray, document: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row, column and value of the positive mutual information of tokens within a window.

    Args:
        number: The number of each token, -1 for a rare one.
        document: The document of each token.
        n: How many numbers there are.
    """
    keys = [np.zeros(0, np.int64)]
    for distance in range(1, _WINDOW + 1):
        left, right = number[:-distance], number[distance:]
        inside = (document[:-distance] == document[distance:]) & (left >= 0) & (right >= 0)
        keys += [left[inside] * n + right[inside], right[inside] * n + left[inside]]
    key, counts = np.unique(np.concatenate(keys), return_counts=True)
    rows, columns = np.divmod(key, max(n, 1))
    totals = np.bincount(rows, weights=counts, minlength=n)
    contexts = totals**_SMOOTHING
    expected = totals[rows] * contexts[columns] / max(contexts.sum(), 1)
    values = np.log(counts / expected)
    positive = values > 0
    return rows[positive], columns[positive], values[positive].astype(np.float32)


def _sparsemax(scores: Any) -> Any:
    """Return the nearest point of the simplex to each row of scores (Martins and Astudillo 2016)."""
    import torch

    ordered = scores.sort(dim=1, descending=True).values
    ranks = torch.arange(1, scores.shape[1] + 1, device=scores.device)
    sums = ordered.cumsum(dim=1) - 1
    size = (ordered * ranks > sums).sum(dim=1, keepdim=True)
    return (scores - sums.gather(1, size - 1) / size).clamp(min=0)
