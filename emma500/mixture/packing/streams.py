"""The endless stream of a label: its documents in a new order every epoch, read from anywhere without what is before.

An epoch is cut into units of some thousand documents. Units come in a random order, and so do the documents of a unit;
only the sizes of units are kept in memory. A document that is read k times an epoch stands in k units, so its
repetitions are far apart. Documents that follow each other in a corpus have nothing in common: its order is that of
their ids, which are digests.
"""

from dataclasses import dataclass

import numpy as np

from emma500.manifest import fingerprint
from emma500.mixture.tokenizing.tokens import TokenDocuments

UNIT = 1024
"""Documents a unit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Documents of a stretch of a stream, in its order: which they are, where they start, how many tokens they have.

    A document has one token more than its text: the end token.
    """

    document: np.ndarray
    start: np.ndarray
    size: np.ndarray


class Keyed:
    """Random generators by name.

    Args:
        *keys: The seed, and whatever else tells these generators from others.
    """

    def __init__(self, *keys: object) -> None:
        self._keys = keys

    def __call__(self, *names: object) -> np.random.Generator:
        """Return the generator of some names: the same keys and names, the same generator."""
        return np.random.default_rng(int(fingerprint(*self._keys, *names), 16))


class Stream:
    """One label's documents, epoch after epoch.

    Args:
        documents: The documents; at least one.
        random: The generators of this label.
        step: Tokens that a row predicts; only for counting pieces.
    """

    def __init__(self, documents: TokenDocuments, random: Keyed, step: int) -> None:
        self.documents = documents
        self._random = random
        self._unit_layers, self._unit_blocks, self._unit_tokens, n_pieces = _units(documents, step)
        self.n_tokens = int(self._unit_tokens.sum())
        self.pieces_a_token = n_pieces / self.n_tokens
        self._epochs: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._units: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}

    def take(self, low: int, high: int) -> Stretch:
        """Return the documents that have tokens in [low, high), counted from the start of the first epoch."""
        parts = [_EMPTY]
        for epoch in range(low // self.n_tokens, -(-high // self.n_tokens)):
            base = epoch * self.n_tokens
            order, starts = self._epoch(epoch)
            first = int(np.searchsorted(starts, max(low - base, 0), side="right")) - 1
            last = int(np.searchsorted(starts, high - base))
            for unit in range(first, last):
                document, size = self._unit(epoch, int(order[unit]))
                end = base + int(starts[unit]) + np.cumsum(size)
                parts.append((document, end - size, size))
        document, start, size = (np.concatenate(each) for each in zip(*parts, strict=True))
        inside = slice(
            int(np.searchsorted(start + size, low, side="right")), int(np.searchsorted(start, high))
        )
        return Stretch(document=document[inside], start=start[inside], size=size[inside])

    def _epoch(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the order of units in an epoch, and where each starts in it."""
        if epoch not in self._epochs:
            self._epochs = dict(list(self._epochs.items())[-1:])  # a stretch may end in the next
            order = self._random(epoch).permutation(len(self._unit_tokens))
            tokens = self._unit_tokens[order]
            self._epochs[epoch] = order, np.cumsum(tokens) - tokens
        return self._epochs[epoch]

    def _unit(self, epoch: int, unit: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the documents of a unit in their order in an epoch, and their sizes with the end token."""
        if (epoch, unit) not in self._units:
            self._units = dict(
                list(self._units.items())[-1:]
            )  # the next stretch starts in the last
            self._units[epoch, unit] = self._shuffled(epoch, unit)
        return self._units[epoch, unit]

    def _shuffled(self, epoch: int, unit: int) -> tuple[np.ndarray, np.ndarray]:
        first = int(self._unit_blocks[unit]) * UNIT
        sizes = np.diff(self.documents.offsets[first : first + UNIT + 1]) + 1
        chosen = np.arange(len(sizes))
        if self.documents.repeats is not None:
            repeats = self.documents.repeats[first : first + UNIT]
            chosen = np.flatnonzero(repeats > self._unit_layers[unit])
        order = chosen[self._random(epoch, unit).permutation(len(chosen))]
        return first + order, sizes[order]


_EMPTY = tuple(np.zeros(0, np.int64) for _ in range(3))


def _units(documents: TokenDocuments, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return the repetition and the block of documents of each unit, its tokens, and the pieces of all units."""
    layers, blocks, tokens = [], [], []
    n_pieces = 0
    for first, some in documents.size_chunks():
        sizes = some + 1
        times = np.ones(1, np.uint8)
        if documents.repeats is not None:
            times = documents.repeats[first : first + len(sizes)]
        n_pieces += int((-(-sizes // step) * times).sum())
        for layer in range(int(times.max())):
            sums = np.add.reduceat(sizes * (times > layer), np.arange(0, len(sizes), UNIT))
            used = np.flatnonzero(sums)
            layers.append(np.full(len(used), layer))
            blocks.append(first // UNIT + used)
            tokens.append(sums[used])
    return np.concatenate(layers), np.concatenate(blocks), np.concatenate(tokens), n_pieces
