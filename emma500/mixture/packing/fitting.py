"""Documents -> rows of fixed length, nothing truncated, no document seeing another.

A row holds pieces of several documents one behind the other. Every piece starts at position 0: a model that is
called with these position ids, without an attention mask and without a cache, keeps the pieces apart
(`models.token_nll`). The first token of a piece is context and is not predicted; every other token of every
document is predicted exactly once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emma500.errors import ConfigError

MIN_LENGTH = 2
"""The shortest row: one token of context and one to predict."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pieces:
    """Where documents are cut, and which row each piece went to; arrays of one entry a piece.

    `document` is the document's index; `start` is the index of the piece's first predicted token in its document (which
    counts the EOS, not the prefix); `size` is how many places of the row it takes, its one token of context included;
    `row` and `offset` say where it lies.
    """

    document: np.ndarray
    start: np.ndarray
    size: np.ndarray
    row: np.ndarray
    offset: np.ndarray
    n_rows: int


def pack(
    documents: Sequence[np.ndarray],
    *,
    length: int,
    prefix: int,
    eos: int | None = None,
    pad: int,
    window_context: bool = True,
) -> dict[str, np.ndarray]:
    """Pack documents into rows by best fit, longest piece first.

    A document is `[prefix] + tokens (+ [eos])`. One that is longer than a row is cut; each further piece starts with
    the last token of the one before it as context (`window_context`), or with the prefix. Padding stands at the end
    of a row, each padding token at position 0.

    Args:
        documents: The token ids of each document, without special tokens; an empty document predicts only its EOS.
        length: Tokens a row, at least 2.
        prefix: The token every document starts with.
        eos: The token every document ends with; None for none.
        pad: The token that fills a row.
        window_context: Give a later piece the token before it as context, as lm-evaluation-harness does.

    Returns:
        `input_ids`, `position_ids` and `document`, each (rows, length), int32. `document` is the index of the document
        whose token is predicted at this place, or -1 where nothing is predicted: labels are `input_ids` where
        `document >= 0` and -100 elsewhere.

    Raises:
        ConfigError: If the length is below 2.
    """
    sizes = np.fromiter((len(each) for each in documents), np.int64, len(documents))
    pieces = place(sizes + (eos is not None), length)
    rows = empty_rows(pieces.n_rows, length, pad)
    columns = (pieces.document, pieces.start, pieces.size, pieces.row, pieces.offset)
    for document, start, size, row, offset in zip(
        *(each.tolist() for each in columns), strict=True
    ):
        tokens = piece_tokens(
            documents[document], start, size, prefix=prefix, eos=eos, window_context=window_context
        )
        put(rows, tokens, row=row, offset=offset, document=document)
    return rows


def empty_rows(n_rows: int, length: int, pad: int) -> dict[str, np.ndarray]:
    """Return rows of padding only, in the form `pack` returns."""
    shape = (n_rows, length)
    return {
        "input_ids": np.full(shape, pad, np.int32),
        "position_ids": np.zeros(shape, np.int32),
        "document": np.full(shape, -1, np.int32),
    }


def piece_tokens(
    document: np.ndarray,
    start: int,
    size: int,
    *,
    prefix: int,
    eos: int | None,
    window_context: bool = True,
) -> np.ndarray:
    """Return the token ids of one piece, its token of context first; arguments as for `Pieces` and `pack`."""
    context = document[start - 1] if start and window_context else prefix
    tokens = document[start : start + size - 1]
    end = [] if eos is None or len(tokens) == size - 1 else [eos]
    return np.concatenate([[context], tokens, end]).astype(np.int32)


def put(
    rows: dict[str, np.ndarray], tokens: np.ndarray, *, row: int, offset: int, document: int
) -> None:
    """Write one piece into its place in the rows."""
    where = slice(offset, offset + len(tokens))
    rows["input_ids"][row, where] = tokens
    rows["position_ids"][row, where] = np.arange(len(tokens))
    rows["document"][row, offset + 1 : offset + len(tokens)] = document


def place(n_predicted: np.ndarray, length: int) -> Pieces:
    """Cut documents to pieces and give each piece its place, knowing only their sizes.

    Args:
        n_predicted: How many tokens each document predicts, its EOS included, (documents,).
        length: Tokens a row, at least 2.

    Returns:
        The pieces; those of one row stand in the order of the documents they come from.

    Raises:
        ConfigError: If the length is below 2.
    """
    if length < MIN_LENGTH:
        raise ConfigError(f"a row must hold at least {MIN_LENGTH} tokens, not {length}")
    step = length - 1
    predicted = np.asarray(n_predicted, np.int64)
    document, number = repeated(-(-predicted // step))
    start = number * step
    size = np.minimum(predicted[document] - start, step) + 1
    row, n_rows = best_fit(size, length)
    order = np.argsort(row, kind="stable")
    columns = {"document": document, "start": start, "size": size, "row": row}
    return Pieces(
        **{name: each[order] for name, each in columns.items()},
        offset=offsets_in_rows(row[order], size[order], n_rows),
        n_rows=n_rows,
    )


def repeated(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the index of each item as often as it counts, and a number from 0 on for each of its repetitions."""
    index = np.repeat(np.arange(len(times)), times)
    return index, np.arange(len(index)) - (np.cumsum(times) - times)[index]


def offsets_in_rows(row: np.ndarray, size: np.ndarray, n_rows: int) -> np.ndarray:
    """Return where each piece lies in its row; the pieces are in the order of their rows."""
    ends = np.cumsum(size)
    used = np.bincount(row, weights=size, minlength=n_rows).astype(np.int64)
    return ends - size - (np.cumsum(used) - used)[row]


def best_fit(sizes: np.ndarray, capacity: int) -> tuple[np.ndarray, int]:
    """Put each size, from large to small, into the fullest row that still has room, or into a new one.

    Args:
        sizes: Sizes between 1 and `capacity`, int64.
        capacity: What a row holds.

    Returns:
        The row of each size, rows being numbered as they are opened, and how many rows there are.
    """
    from emma500.mixture.packing.row_kernels import best_fit_rows, falling_order

    rows = np.empty(len(sizes), np.int64)
    return rows, best_fit_rows(sizes, falling_order(sizes, capacity), capacity, rows)
