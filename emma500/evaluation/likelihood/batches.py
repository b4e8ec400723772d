"""Pieces -> the arrays of a forward pass: token ids, positions, who sees whom, and what is predicted where."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from emma500.evaluation.likelihood.plan import Piece
from emma500.evaluation.likelihood.trie import Sequences

MOST_PADDING = 0.03
"""Share of a batch that may be padding."""

Row = list[Piece]


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Rows of a forward pass.

    `ids` and `positions` are (rows, width); `visible` is (rows, width, kept + width), True where a token sees another,
    or None where each row is one plain sequence. `place` is the flat index into (rows, width) of the token that
    predicts a target, `token` the target, `request` whose it is. `n_tokens` counts what is not padding.
    """

    ids: np.ndarray
    positions: np.ndarray
    visible: np.ndarray | None
    place: np.ndarray
    token: np.ndarray
    request: np.ndarray
    n_tokens: int


def pack_rows(trees: Sequence[Piece], capacity: int) -> list[Row]:
    """Put trees into rows of at most `capacity` tokens, from long to short, each into the fullest row that has room.

    Args:
        trees: The trees; one that is longer than a row has a row of its own.
        capacity: Tokens a row.

    Returns:
        The rows, in the order they were opened.
    """
    rows: list[Row] = []
    rooms: list[tuple[int, int]] = []  # the room of each row that has some and its index, in order
    for tree in sorted(trees, key=lambda tree: -tree.n_tokens):
        place = bisect_left(rooms, (tree.n_tokens, 0))
        room, row = rooms.pop(place) if place < len(rooms) else (capacity, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(tree)
        if room > tree.n_tokens:
            insort(rooms, (room - tree.n_tokens, row))
    return rows


def group_rows(rows: Sequence[Row], token_budget: int) -> Iterator[list[Row]]:
    """Yield rows that go through the model together: similar lengths, longest first.

    Args:
        rows: The rows.
        token_budget: Tokens a batch, its padding included; a longer row goes alone.

    Yields:
        The rows of a batch, at most `MOST_PADDING` of it padding.
    """
    members: list[Row] = []
    width = filled = 0
    for row in sorted(rows, key=_size, reverse=True):
        size = _size(row)
        area = width * (len(members) + 1)
        if members and (area > token_budget or area - filled - size > MOST_PADDING * area):
            yield members
            members, filled = [], 0
        if not members:
            width = size
        members.append(row)
        filled += size
    if members:
        yield members


def make_batch(found: Sequences, rows: Sequence[Row], kept: int) -> Batch:
    """Lay out rows.

    Args:
        found: The sequences.
        rows: The pieces of each row.
        kept: How many tokens before them are kept; every token sees all of these.

    Returns:
        The batch.
    """
    width = max(map(_size, rows))
    ids, positions = np.zeros((2, len(rows), width), np.int64)
    visible = None
    if kept or any(len(row) > 1 or not _is_chain(row[0]) for row in rows):
        visible = np.zeros((len(rows), width, kept + width), bool)
        visible[:, :, :kept] = True
        visible[:, np.arange(width), np.arange(kept, kept + width)] = True
    targets: list[tuple[np.ndarray, np.ndarray, int]] = []
    for number, row in enumerate(rows):
        offset = 0
        for piece in row:
            here = slice(offset, offset + piece.n_tokens)
            sees = None if visible is None else visible[number, here, kept:][:, here]
            own = _lay_out(
                found, piece, ids=ids[number, here], positions=positions[number, here], sees=sees
            )
            targets += [
                (place + number * width + offset, tokens, request) for place, tokens, request in own
            ]
            offset += piece.n_tokens
    return Batch(
        ids=ids,
        positions=positions,
        visible=visible,
        place=_joined([place for place, _, _ in targets]),
        token=_joined([tokens for _, tokens, _ in targets]),
        request=np.repeat(
            np.array([request for _, _, request in targets], np.int64),
            np.array([len(tokens) for _, tokens, _ in targets], np.int64),
        ),
        n_tokens=sum(map(_size, rows)),
    )


def _lay_out(
    found: Sequences,
    piece: Piece,
    *,
    ids: np.ndarray,
    positions: np.ndarray,
    sees: np.ndarray | None,
) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """Write one piece into its place, and return the places, tokens and request of its targets."""
    path = np.zeros(piece.stop - piece.start, np.int64)  # where the current sequence's tokens lie
    filled = 0
    targets = []
    for n in range(piece.first, piece.last):
        begin = piece.start if n == piece.first else max(int(found.shared[n]), piece.start)
        end = min(int(found.lengths[n]), piece.stop)
        if begin < end:
            new = slice(filled, filled + end - begin)
            path[begin - piece.start : end - piece.start] = np.arange(new.start, new.stop)
            ids[new] = found.tokens[n][begin:end]
            positions[new] = np.arange(begin, end)
            if sees is not None:
                sees[new, path[: begin - piece.start]] = True
                sees[new, new] = np.tri(end - begin, dtype=bool)
            filled = new.stop
        for target in found.targets[n]:
            low = max(target.start, piece.start)
            if low < end:
                tokens = target.tokens[low - target.start : end - target.start]
                targets.append(
                    (path[low - piece.start : end - piece.start].copy(), tokens, target.request)
                )
    return targets


def _is_chain(piece: Piece) -> bool:
    return piece.n_tokens == piece.stop - piece.start


def _size(row: Row) -> int:
    return sum(piece.n_tokens for piece in row)


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int64)
