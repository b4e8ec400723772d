"""Packed rows of a plan as a map-style dataset: row i is a function of (plan, seed, i), whoever asks and in what order.

The run is cut into pools of rows. Each label is an endless stream: its documents in a new order every epoch, keyed by
(seed, component, label, epoch). A pool takes from each stream the documents that start in its stretch of the stream,
packs them, and orders its rows so that any few neighbours hold the mixture. So nothing has to be remembered to go on:
a resumed run, another number of processes or another accumulation reads the same rows.
"""

from dataclasses import dataclass

import numpy as np

from emma500.manifest import fingerprint
from emma500.mixture.documents import Chosen, TokenDocuments
from emma500.mixture.packing import Pieces, empty_rows, piece_tokens, place, put
from emma500.mixture.plan import MixPlan

POOL_ROWS = 4096
"""Rows of a pool: enough that packing wastes little and the mixture is even, few enough to pack in a moment."""

IGNORED = -100
"""The label of a token that is not predicted (transformers' own)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pool:
    """A packed pool: which document of which part each piece belongs to, and the order of its rows."""

    part: np.ndarray
    document: np.ndarray
    pieces: Pieces
    order: np.ndarray


class PackedRows:
    """The rows of a training run, in the order they are trained on.

    Args:
        plan: The mixture.
        documents: The tokens of each part of the plan.
        length: Tokens a row.
        seed: Seed of the documents' order.
        prefix: The token every document starts with.
        eos: The token every document ends with.
        pad: The token that fills a row.
        pool_rows: Rows a pool.
    """

    def __init__(
        self,
        plan: MixPlan,
        documents: list[TokenDocuments],
        *,
        length: int,
        seed: int,
        prefix: int,
        eos: int,
        pad: int,
        pool_rows: int = POOL_ROWS,
    ) -> None:
        self.plan = plan
        self.n_rows = plan.n_tokens // length
        self._documents = documents
        self._length = length
        self._seed = seed
        self._prefix, self._eos, self._pad = prefix, eos, pad
        self._pool_tokens = min(pool_rows, self.n_rows) * (length - 1)
        self._orders: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
        self._cached: tuple[int, _Pool] | None = None
        self._first_rows, self.n_tokens_trained = self._survey()

    def __len__(self) -> int:
        return self.n_rows

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """Return row `index`: `input_ids`, `labels` and `position_ids`, each (length,), int64."""
        if not 0 <= index < self.n_rows:
            raise IndexError(f"row {index} of {self.n_rows}")
        number = int(np.searchsorted(self._first_rows, index, side="right")) - 1
        pool = self._pool(number)
        row = int(pool.order[index - self._first_rows[number]])
        first, last = np.searchsorted(pool.pieces.row, [row, row + 1])
        rows = empty_rows(1, self._length, self._pad)
        pieces = pool.pieces
        for piece in range(first, last):
            index = int(pieces.document[piece])
            document = self._documents[int(pool.part[index])][int(pool.document[index])]
            tokens = piece_tokens(
                document,
                int(pieces.start[piece]),
                int(pieces.size[piece]),
                prefix=self._prefix,
                eos=self._eos,
            )
            put(rows, tokens, row=0, offset=int(pieces.offset[piece]), document=index)
        return {
            "input_ids": rows["input_ids"][0].astype(np.int64),
            "labels": np.where(rows["document"][0] >= 0, rows["input_ids"][0], IGNORED).astype(
                np.int64
            ),
            "position_ids": rows["position_ids"][0].astype(np.int64),
        }

    def _survey(self) -> tuple[np.ndarray, list[int]]:
        """Pack every pool once, by sizes alone: where each starts, and how many tokens of each part are predicted."""
        first_rows = [0]
        trained = np.zeros(len(self._documents), np.int64)
        while first_rows[-1] < self.n_rows:
            # a pool in whose stretch no document starts has no rows; the next one starts where it does
            pool = self._pool(len(first_rows) - 1)
            used = np.zeros(pool.pieces.n_rows, bool)
            used[pool.order[: self.n_rows - first_rows[-1]]] = True
            counted = used[pool.pieces.row]
            parts = pool.part[pool.pieces.document[counted]]
            trained += np.bincount(
                parts, weights=pool.pieces.size[counted] - 1, minlength=len(trained)
            ).astype(np.int64)
            first_rows.append(first_rows[-1] + len(pool.order))
        return np.array(first_rows[:-1]), trained.tolist()

    def _pool(self, number: int) -> _Pool:
        if self._cached is None or self._cached[0] != number:
            self._cached = (number, self._packed(number))
        return self._cached[1]

    def _packed(self, number: int) -> _Pool:
        taken = [self._take(part, number) for part in range(len(self._documents))]
        part = np.repeat(np.arange(len(taken)), [len(each) for each in taken])
        document = np.concatenate(taken)
        sizes = np.concatenate([self._documents[i].sizes[each] + 1 for i, each in enumerate(taken)])
        pieces = place(sizes, self._length)
        return _Pool(
            part=part, document=document, pieces=pieces, order=self._row_order(part, pieces, number)
        )

    def _take(self, part: int, number: int) -> np.ndarray:
        """Return the documents of one part that start in the stretch of a pool, in the order of the stream."""
        share = self.plan.parts[part].share
        low, high = (share * self._pool_tokens * each for each in (number, number + 1))
        epoch_tokens = self.plan.parts[part].available.n_tokens
        taken = []
        for epoch in range(int(low // epoch_tokens), int(high // epoch_tokens) + 1):
            order, starts = self._order(part, epoch)
            first, last = np.searchsorted(
                starts, [low - epoch * epoch_tokens, high - epoch * epoch_tokens]
            )
            taken.append(order[first:last])
        return np.concatenate(taken)

    def _order(self, part: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the order of one part's documents in one epoch, and where each starts in the stream of that epoch."""
        if (part, epoch) not in self._orders:
            self._orders.pop((part, epoch - 2), None)
            sizes = self._documents[part].sizes + 1
            order = self._random(self.plan.parts[part].available.chosen, epoch).permutation(
                len(sizes)
            )
            self._orders[part, epoch] = order, np.cumsum(sizes[order]) - sizes[order]
        return self._orders[part, epoch]

    def _row_order(self, part: np.ndarray, pieces: Pieces, number: int) -> np.ndarray:
        """Spread the rows of each part evenly over the pool; a row belongs to the part it holds most tokens of."""
        n_parts = len(self._documents)
        held = np.bincount(
            pieces.row * n_parts + part[pieces.document],
            weights=pieces.size,
            minlength=pieces.n_rows * n_parts,
        )
        main = held.reshape(pieces.n_rows, n_parts).argmax(axis=1)
        key = np.zeros(pieces.n_rows)
        for each in np.unique(main):
            random = self._random(self.plan.parts[each].available.chosen, number, "rows")
            rows = random.permutation(np.flatnonzero(main == each))
            key[rows] = (np.arange(len(rows)) + random.random()) / len(rows)
        return np.argsort(key, kind="stable")

    def _random(self, chosen: Chosen, *names: object) -> np.random.Generator:
        return np.random.default_rng(
            int(fingerprint(self._seed, chosen.component, chosen.label, *names), 16)
        )
