"""Pools of rows: which pieces of which documents lie where in them, knowing sizes alone.

Pool n of a run holds what every label's stream has between two positions of the run; where these are follows from the
plan, so that a pool is made without the others. A piece belongs to the pool in which it starts: a long document goes
through many pools, and any few neighbouring rows hold the mixture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from emma500.mixture.packing.fitting import best_fit, offsets_in_rows, repeated
from emma500.mixture.packing.streams import Keyed, Stream
from emma500.mixture.planning.plan import MixPlan

Packing = Literal["isolated", "concat"]

PACKINGS = get_args(Packing)

_WINDOW = 64
"""Rows among which the next is chosen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cuts:
    """Pieces of the documents of one or several parts, in the order of pool, part and stream.

    `start` is the index of the piece's first token in its document, `size` how many places of a row it takes, and
    `is_cut` says that the document has tokens outside. `position` is where in the pool's part it belongs, however a
    packing counts that.
    """

    pool: np.ndarray
    part: np.ndarray
    document: np.ndarray
    start: np.ndarray
    size: np.ndarray
    is_cut: np.ndarray
    position: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """A packed pool: its pieces by row and offset, how many rows it has, and their order."""

    part: np.ndarray
    document: np.ndarray
    start: np.ndarray
    size: np.ndarray
    row: np.ndarray
    offset: np.ndarray
    is_cut: np.ndarray
    order: np.ndarray


class Pools:
    """All pools of a run, each made when it is asked for.

    Args:
        plan: The mixture.
        streams: The stream of each part.
        packing: "isolated": pieces are packed by best fit, each with a place for its context. "concat": rows are
            slices of each part's stream, which overlap by the one token that a row starts with and does not predict.
        length: Tokens a row.
        pool_rows: How many rows a pool has at most, about; the run's rows are shared out evenly, `n_rows` each.
        random: The generators of the order of rows.
    """

    def __init__(
        self,
        plan: MixPlan,
        streams: Sequence[Stream],
        *,
        packing: Packing,
        length: int,
        pool_rows: int,
        random: Keyed,
    ) -> None:
        self.plan = plan
        self.streams = streams
        self.packing = packing
        self.length = length
        self._random = random
        n_rows = plan.n_tokens // length
        self.n_rows = -(-n_rows // -(-n_rows // pool_rows))
        self._places = self.n_rows * length
        components = [part.available.component for part in plan.parts]
        self._component = np.unique(components, return_inverse=True)[1]
        shares = np.array([part.share for part in plan.parts])
        contexts = (
            shares @ [each.pieces_a_token for each in streams]
            if packing == "isolated"
            else shares.sum() / (length - 1)
        )
        self._predicted_a_place = shares.sum() / (shares.sum() + contexts)
        rows, counts = self.survey(0, 1)
        if rows[0]:  # some places will be padding, more of them where documents fill half a row
            self._predicted_a_place *= counts[..., 1].sum() / (rows[0] * length)

    def pool(self, number: int) -> Pool:
        """Return one pool."""
        cuts = self._cuts(number, number + 1)
        row, n_rows = self._rows(cuts)
        order = np.lexsort((cuts.start, cuts.document, cuts.part, row))
        if self.packing == "concat":
            order = np.argsort(row, kind="stable")
        row, size, part = row[order], cuts.size[order], cuts.part[order]
        return Pool(
            part=part,
            document=cuts.document[order],
            start=cuts.start[order],
            size=size,
            row=row,
            offset=offsets_in_rows(row, size, n_rows),
            is_cut=cuts.is_cut[order],
            order=self._row_order(part, row, size, n_rows=n_rows, number=number),
        )

    def survey(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Count the rows and the tokens of some pools, faster than by making each.

        Args:
            first: The first pool.
            last: The pool after the last.

        Returns:
            The rows of each pool, (pools,), and what `counts` says of each, (pools, parts, 4).
        """
        cuts = self._cuts(first, last)
        ends = np.searchsorted(cuts.pool, np.arange(last - first + 1))
        rows, counted = [], []
        for low, high in pairwise(ends.tolist()):
            own = slice(low, high)
            if self.packing == "isolated":
                rows.append(best_fit(cuts.size[own], self.length)[1])
            else:
                rows.append(_n_slices(cuts.part[own], cuts.position[own]))
            counted.append(
                self.counts(
                    cuts.part[own], cuts.size[own], cuts.is_cut[own], self._heads(cuts, own)
                )
            )
        return np.array(rows, np.int64), np.array(counted)

    def counts(
        self, part: np.ndarray, size: np.ndarray, is_cut: np.ndarray, is_head: np.ndarray
    ) -> np.ndarray:
        """Return predicted tokens, taken places, pieces, and predicted tokens of cut documents by part, (parts, 4)."""
        predicted = size - is_head
        columns = (predicted, size, predicted > 0, predicted * is_cut)
        n_parts = len(self.streams)
        return np.stack(
            [np.bincount(part, weights=each, minlength=n_parts) for each in columns], axis=1
        ).astype(np.int64)

    def heads(self, offset: np.ndarray) -> np.ndarray:
        """Return which pieces start with a token that is not predicted, by where they lie in their rows."""
        return np.ones(len(offset), bool) if self.packing == "isolated" else offset == 0

    def _heads(self, cuts: Cuts, own: slice) -> np.ndarray:
        if self.packing == "isolated":
            return np.ones(own.stop - own.start, bool)
        return _changes(cuts.part[own], cuts.position[own])

    def _edge(self, part: int, number: int) -> int:
        """Return where in a part's stream a pool starts."""
        position, n_tokens = number * self._places, self.plan.n_tokens
        laid = self.plan.tokens_before(part, min(position, n_tokens))
        if position > n_tokens:  # rows turned out fuller than expected: on as in the end
            before = self.plan.tokens_before(part, n_tokens - self._places)
            laid += (laid - before) * (position - n_tokens) / self._places
        return round(laid * self._predicted_a_place)

    def _cuts(self, first: int, last: int) -> Cuts:
        cut = self._isolated if self.packing == "isolated" else self._slices
        parts = []
        for part in range(len(self.streams)):
            edges = np.array([self._edge(part, number) for number in range(first, last + 1)])
            if edges[0] < edges[-1]:
                parts.append(cut(part, edges))
        if not parts:
            return Cuts(**{name: np.zeros(0, np.int64) for name in Cuts.__slots__})
        columns = {
            name: np.concatenate([getattr(each, name) for each in parts]) for name in Cuts.__slots__
        }
        if last - first > 1:
            order = np.argsort(columns["pool"], kind="stable")
            columns = {name: each[order] for name, each in columns.items()}
        return Cuts(**columns)

    def _isolated(self, part: int, edges: np.ndarray) -> Cuts:
        """Cut what starts between the edges to pieces that predict at most a row's tokens."""
        step = self.length - 1
        taken = self.streams[part].take(int(edges[0]), int(edges[-1]))
        first = np.maximum(-(-(edges[0] - taken.start) // step), 0)
        last = np.minimum(-(-taken.size // step), -(-(edges[-1] - taken.start) // step))
        index, number = repeated(np.maximum(last - first, 0))
        start = (first[index] + number) * step
        position = taken.start[index] + start
        return Cuts(
            pool=np.searchsorted(edges, position, side="right") - 1,
            part=np.full(len(index), part),
            document=taken.document[index],
            start=start,
            size=np.minimum(taken.size[index] - start, step) + 1,
            is_cut=taken.size[index] > step,
            position=position,
        )

    def _slices(self, part: int, edges: np.ndarray) -> Cuts:
        """Cut the rows that start between the edges out of the stream; `position` is the row's number in it."""
        step, length = self.length - 1, self.length
        rows = -(-edges // step)
        taken = self.streams[part].take(int(rows[0]) * step, int(rows[-1] - 1) * step + length)
        end = taken.start + taken.size
        first = np.maximum((taken.start - length) // step + 1, rows[0])
        last = np.minimum((end - 1) // step + 1, rows[-1])
        index, number = repeated(np.maximum(last - first, 0))
        row = first[index] + number
        low = np.maximum(taken.start[index], row * step)
        size = np.minimum(end[index], row * step + length) - low
        order = np.argsort(row, kind="stable")
        columns = {
            "pool": np.searchsorted(rows, row, side="right") - 1,
            "document": taken.document[index],
            "start": low - taken.start[index],
            "size": size,
            "is_cut": size < taken.size[index],
            "position": row,
        }
        return Cuts(
            part=np.full(len(index), part), **{name: each[order] for name, each in columns.items()}
        )

    def _rows(self, cuts: Cuts) -> tuple[np.ndarray, int]:
        """Return the row of each piece, and how many rows there are."""
        if self.packing == "isolated":
            return best_fit(cuts.size, self.length)
        changes = _changes(cuts.part, cuts.position)
        return np.cumsum(changes) - 1, int(changes.sum())

    def _row_order(
        self, part: np.ndarray, row: np.ndarray, size: np.ndarray, *, n_rows: int, number: int
    ) -> np.ndarray:
        """Return the rows so that those of a part are spread, and neighbours hold the components' shares."""
        from emma500.mixture.packing.row_kernels import balanced_order

        n_parts, n_components = len(self.streams), int(self._component.max()) + 1
        held = np.bincount(row * n_parts + part, weights=size, minlength=n_rows * n_parts)
        main = held.reshape(n_rows, n_parts).argmax(axis=1)  # the part it holds most tokens of
        random = self._random("rows", number)
        in_part = _spread(main, random.permutation(n_rows), random.random(n_parts))
        places = _spread(self._component[main], in_part, random.random(n_components))
        content = np.bincount(
            row * n_components + self._component[part],
            weights=size,
            minlength=n_rows * n_components,
        )
        return balanced_order(
            np.argsort(places, kind="stable"), content.reshape(n_rows, n_components), _WINDOW
        )


def _spread(group: np.ndarray, rank: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return a place between 0 and 1 for each row, at equal distances for those of a group in the order of a rank."""
    order = np.lexsort((rank, group))
    n_rows = np.bincount(group, minlength=len(offsets))
    first = np.cumsum(n_rows) - n_rows
    places = np.empty(len(group))
    of = group[order]
    places[order] = (np.arange(len(group)) - first[of] + offsets[of]) / n_rows[of]
    return places


def _changes(part: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Return where another row of a stream, or of another stream, begins."""
    changes = np.ones(len(part), bool)
    changes[1:] = (part[1:] != part[:-1]) | (position[1:] != position[:-1])
    return changes


def _n_slices(part: np.ndarray, position: np.ndarray) -> int:
    return int(_changes(part, position).sum())
