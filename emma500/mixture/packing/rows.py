"""Packed rows of a plan as a map-style dataset: row i is a function of (plan, seed, i), whoever asks and in what order.

So nothing has to be remembered to go on: a resumed run, another number of processes or another accumulation reads the
same rows, and what a model has seen between two steps can be asked for at any time.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from emma500.mixture.packing.fitting import empty_rows, piece_tokens, put
from emma500.mixture.packing.pools import Packing, Pool, Pools
from emma500.mixture.packing.streams import Keyed, Stream
from emma500.mixture.planning.plan import MixPlan
from emma500.mixture.tokenizing.tokens import TokenDocuments

POOL_ROWS = 4096
"""Rows of a pool: enough that packing wastes little and the mixture is even, few enough to pack in a moment."""

IGNORED = -100
"""The label of a token that is not predicted (transformers' own)."""

_SURVEYED = 16
"""Pools that are counted at once: their pieces, 40 bytes each, are held in memory."""


class PackedRows:
    """The rows of a training run, in the order they are trained on.

    Args:
        plan: The mixture.
        documents: The tokens of each part of the plan.
        length: Tokens a row.
        seed: Seed of the documents' order.
        prefix: The token every document starts with, where documents are isolated.
        eos: The token every document ends with.
        pad: The token that fills a row.
        packing: "isolated": no document sees another. "concat": rows are slices of each label's documents one behind
            the other, and what is before in a row is seen, as GPT-NeoX does.
        pool_rows: Rows a pool.
    """

    def __init__(
        self,
        plan: MixPlan,
        documents: Sequence[TokenDocuments],
        *,
        length: int,
        seed: int,
        prefix: int,
        eos: int,
        pad: int,
        packing: Packing = "isolated",
        pool_rows: int = POOL_ROWS,
    ) -> None:
        self.plan = plan
        self.length = length
        self.n_rows = plan.n_tokens // length
        self._documents = documents
        self._prefix, self._eos, self._pad = prefix, eos, pad
        chosen = [part.available.chosen for part in plan.parts]
        streams = [
            Stream(each, Keyed(seed, one.component, one.label), length - 1)
            for one, each in zip(chosen, documents, strict=True)
        ]
        self._pools = Pools(
            plan,
            streams,
            packing=packing,
            length=length,
            pool_rows=pool_rows,
            random=Keyed(seed),
        )
        self._cached: tuple[int, Pool] | None = None
        self._first_rows, self._counts = self._survey()

    def __len__(self) -> int:
        return self.n_rows

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """Return row `index`: `input_ids`, `labels` and `position_ids`, each (length,), int64."""
        if not 0 <= index < self.n_rows:
            raise IndexError(f"row {index} of {self.n_rows}")
        number = self._pool_of(index)
        pool = self._pool(number)
        row = int(pool.order[index - self._first_rows[number]])
        first, last = (int(each) for each in np.searchsorted(pool.row, [row, row + 1]))
        read = self._isolated if self._pools.packing == "isolated" else self._concatenated
        rows = read(pool, range(first, last))
        ids = rows["input_ids"][0].astype(np.int64)
        return {
            "input_ids": ids,
            "labels": np.where(rows["document"][0] >= 0, ids, IGNORED),
            "position_ids": rows["position_ids"][0].astype(np.int64),
        }

    @property
    def n_tokens_trained(self) -> list[int]:
        """How many tokens of each part of the plan are predicted."""
        return self._counts[:, 0].tolist()

    @property
    def packing(self) -> dict[str, str | int | float]:
        """How the rows are packed, and what that costs; no token is dropped.

        `padding_share` and `context_share` are the shares of all places that hold padding, and tokens that are only
        context. `cut_share` is the share of predicted tokens that stand in a document with tokens in another row.
        """
        predicted, places, n_pieces, cut = (int(each) for each in self._counts.sum(axis=0))
        n_places = self.n_rows * self.length
        return {
            "mode": self._pools.packing,
            "max_length": self.length,
            "n_rows": self.n_rows,
            "n_pieces": n_pieces,
            "padding_share": round(1 - places / n_places, 6),
            "context_share": round((places - predicted) / n_places, 6),
            "cut_share": round(cut / max(predicted, 1), 6),
        }

    def seen(self, first: int, stop: int) -> dict[tuple[str, str], int]:
        """Return how many tokens of each label some rows predict.

        Args:
            first: The first row.
            stop: The row after the last one.

        Returns:
            Tokens by component and label.
        """
        tokens = np.zeros(len(self.plan.parts), np.int64)
        for pool, own, _ in self._between(first, stop):
            n_predicted = pool.size[own] - self._pools.heads(pool.offset[own])
            np.add.at(tokens, pool.part[own], n_predicted)
        held: dict[tuple[str, str], int] = {}
        for part, n_tokens in zip(self.plan.parts, tokens.tolist(), strict=True):
            chosen = part.available.chosen
            key = (chosen.component, chosen.label)
            if n_tokens:
                held[key] = held.get(key, 0) + n_tokens
        return held

    def pieces(self, first: int, stop: int) -> pa.Table:
        """Tell which documents some rows hold, without reading any text.

        Args:
            first: The first row.
            stop: The row after the last one.

        Returns:
            One row a piece of a document: `row`, `component`, `label`, `document` (its index among the label's
            documents, in the order of their ids), `start` (its first predicted token in it) and `n_tokens` (how many
            are predicted).
        """
        columns = [np.zeros((5, 0), np.int64)]
        for pool, own, row in self._between(first, stop):
            heads = self._pools.heads(pool.offset[own])
            start = pool.start[own] + (heads if self._pools.packing == "concat" else 0)
            n_predicted = pool.size[own] - heads
            of = np.stack([row, pool.part[own], pool.document[own], start, n_predicted])
            columns.append(of[:, n_predicted > 0])
        row, part, document, start, n_tokens = np.concatenate(columns, axis=1)
        chosen = [each.available.chosen for each in self.plan.parts]
        return pa.table(
            {
                "row": row,
                "component": pa.array([each.component for each in chosen]).take(pa.array(part)),
                "label": pa.array([each.label for each in chosen]).take(pa.array(part)),
                "document": document,
                "start": start,
                "n_tokens": n_tokens,
            }
        )

    def _between(self, first: int, stop: int) -> Iterator[tuple[Pool, np.ndarray, np.ndarray]]:
        """Yield pools, the indices of their pieces that lie in some rows, and the rows of these, in order."""
        first, stop = max(first, 0), min(stop, self.n_rows)
        while first < stop:
            number = self._pool_of(first)
            pool, base = self._pool(number), int(self._first_rows[number])
            place = np.empty(len(pool.order), np.int64)
            place[pool.order] = base + np.arange(len(pool.order))
            row = place[pool.row]
            own = np.flatnonzero((row >= first) & (row < stop))
            own = own[np.argsort(row[own], kind="stable")]
            yield pool, own, row[own]
            first = base + len(pool.order)

    def _isolated(self, pool: Pool, pieces: range) -> dict[str, np.ndarray]:
        rows = empty_rows(1, self.length, self._pad)
        for piece in pieces:
            tokens = piece_tokens(
                self._documents[pool.part[piece]][pool.document[piece]],
                int(pool.start[piece]),
                int(pool.size[piece]),
                prefix=self._prefix,
                eos=self._eos,
            )
            put(rows, tokens, row=0, offset=int(pool.offset[piece]), document=piece)
        return rows

    def _concatenated(self, pool: Pool, pieces: range) -> dict[str, np.ndarray]:
        rows = empty_rows(1, self.length, self._eos)  # which stands where a document has ended
        rows["position_ids"][0] = np.arange(self.length)
        rows["document"][0, 1:] = 0
        for piece in pieces:
            start, offset = int(pool.start[piece]), int(pool.offset[piece])
            document = self._documents[pool.part[piece]][pool.document[piece]]
            tokens = document[start : start + int(pool.size[piece])]
            rows["input_ids"][0, offset : offset + len(tokens)] = tokens
        return rows

    def _survey(self) -> tuple[np.ndarray, np.ndarray]:
        """Count every pool once, by sizes alone: where each starts, and the sum of its counts."""
        rows, counted = [np.zeros(0, np.int64)], []
        n_rows = first = 0
        while n_rows < self.n_rows:
            missing = -(-(self.n_rows - n_rows) // self._pools.n_rows)
            some, counts = self._pools.survey(first, first + min(missing, _SURVEYED))
            enough = int(np.searchsorted(n_rows + np.cumsum(some), self.n_rows)) + 1
            rows.append(some[:enough])
            counted.append(counts[:enough].sum(axis=0))
            n_rows += int(rows[-1].sum())
            first += len(rows[-1])
        all_rows = np.concatenate(rows)
        starts = np.cumsum(all_rows) - all_rows
        return starts, np.sum(counted, axis=0) - self._beyond(
            first - 1, self.n_rows - int(starts[-1])
        )

    def _beyond(self, number: int, used: int) -> np.ndarray:
        """Return the counts of those rows of the last pool that are not used."""
        pool = self._pool(number)
        is_beyond = np.ones(len(pool.order), bool)
        is_beyond[pool.order[:used]] = False
        own = is_beyond[pool.row]
        return self._pools.counts(
            pool.part[own], pool.size[own], pool.is_cut[own], self._pools.heads(pool.offset[own])
        )

    def _pool_of(self, index: int) -> int:
        return int(np.searchsorted(self._first_rows, index, side="right")) - 1

    def _pool(self, number: int) -> Pool:
        if self._cached is None or self._cached[0] != number:
            self._cached = (number, self._pools.pool(number))
        return self._cached[1]
