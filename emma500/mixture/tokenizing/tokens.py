"""Documents as tokens: in batches through the fast tokenizer, and side by side as documents of a label."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np

from emma500.manifest import fingerprint
from emma500.mixture.tokenizing.cutting import LONGEST, Cutter
from emma500.mixture.tokenizing.rehydration import repetitions
from emma500.progress import Progress, tracked

_TEXTS_A_BATCH = 1000
_PARTS_AT_ONCE = 4
_CHUNK = 1 << 20
"""Documents whose sizes are held in memory at once."""

_PROBE = ("", " a  b\n\nc", "Ọmọ ilé", "და არის", "ภาษาไทย 12", "é e\u0301 👩‍🌾\t</s><s>")
"""Texts on which the fast path must say what the tokenizer says."""


class TokenDocuments(Sequence[np.ndarray]):
    """Tokenized documents of one label.

    Args:
        ids: The token ids of all documents, one behind the other, in one array or several; may lie on the disk. A
            document lies in one of them.
        offsets: Where each document starts, and where the last one ends, counted through all arrays,
            (documents + 1,), int64.
        repeats: How often an epoch reads each document, (documents,); None for once.
    """

    def __init__(
        self,
        ids: np.ndarray | Sequence[np.ndarray],
        offsets: np.ndarray,
        repeats: np.ndarray | None = None,
    ) -> None:
        self.shards = [ids] if isinstance(ids, np.ndarray) else list(ids)
        self.offsets = offsets
        self.repeats = repeats
        self._starts = np.cumsum([0, *(len(each) for each in self.shards)])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: Any) -> Any:
        """Return the token ids of one document."""
        start, end = int(self.offsets[index]), int(self.offsets[index + 1])
        if start == end:
            return self.shards[0][:0]
        shard = int(np.searchsorted(self._starts, start, side="right")) - 1
        return self.shards[shard][start - self._starts[shard] : end - self._starts[shard]]

    @property
    def ids(self) -> np.ndarray:
        """The token ids of all documents; they are read into memory if they lie in several arrays."""
        return self.shards[0] if len(self.shards) == 1 else np.concatenate(self.shards)

    @property
    def n_tokens(self) -> int:
        """How many tokens all documents have, special tokens not counted."""
        return int(self.offsets[-1])

    @property
    def sizes(self) -> np.ndarray:
        """How many tokens each document has, special tokens not counted, (documents,), int64."""
        return np.diff(self.offsets)

    def epoch(self) -> tuple[int, int]:
        """Return how many documents and how many tokens an epoch reads, an end token for each document included."""
        if self.repeats is None:
            return len(self), self.n_tokens + len(self)
        n_documents = n_tokens = 0
        for first, sizes in self.size_chunks():
            times = self.repeats[first : first + len(sizes)].astype(np.int64)
            n_documents += int(times.sum())
            n_tokens += int((times * (sizes + 1)).sum())
        return n_documents, n_tokens

    def size_chunks(self, at_once: int = _CHUNK) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the sizes of some documents at a time, and the index of the first of them."""
        for first in range(0, len(self), at_once):
            yield first, np.diff(self.offsets[first : min(first + at_once, len(self)) + 1])

    def rehydrated(self, cluster_sizes: np.ndarray) -> "TokenDocuments":
        """Return the same documents, each read as often as its near-duplicates ask for.

        Args:
            cluster_sizes: How many documents each stood for, itself included, (documents,).

        Returns:
            The documents; `repetitions` says how often each is read.
        """
        repeats = [
            repetitions(cluster_sizes[first : first + _CHUNK])
            for first in range(0, len(self), _CHUNK)
        ]
        return TokenDocuments(
            self.shards, self.offsets, np.concatenate([np.zeros(0, np.uint8), *repeats])
        )


class Encoder:
    """Turn texts into token ids, in batches, without special tokens.

    A fast tokenizer is asked through `encode_batch_fast` of its backend, which leaves out what nobody reads (offsets)
    and runs on all cores; others, and those that say something else on a probe, through their own call.

    Args:
        tokenizer: A tokenizer of transformers.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._backend = _own_backend(tokenizer)
        largest = max(tokenizer.get_vocab().values(), default=0)
        self.dtype = np.dtype("<u2" if largest <= np.iinfo(np.uint16).max else "<u4")
        if self._backend is not None and self._fast(_PROBE) != self._plain(_PROBE):
            self._backend = None

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this tokenizer from others: its class, its size, and the digest of all its rules."""
        rules = (
            sorted(self._tokenizer.get_vocab().items())
            if self._backend is None
            else [self._backend.to_str(), self._backend.encode_special_tokens]
        )
        return {
            "class": type(self._tokenizer).__name__,
            "n_tokens": len(self._tokenizer),
            "digest": fingerprint(rules),
        }

    def encode(self, batches: Iterable[Sequence[str]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Encode batches of texts while the one before is being read; very long texts in parts.

        Args:
            batches: Texts, some hundred a batch.

        Yields:
            For each batch the ids of all its texts one behind the other, and how many each text has, int64.
        """
        call = self._plain if self._backend is None else self._encoded
        with ThreadPoolExecutor(2) as pool:
            ahead: list[Future[Any]] = []
            for batch in batches:
                if any(len(text) > LONGEST for text in batch):
                    yield from map(self._arrays, [each.result() for each in ahead])
                    ahead.clear()
                    yield self._in_parts(batch)
                    continue
                ahead.append(pool.submit(call, batch))
                if len(ahead) > 1:
                    yield self._arrays(ahead.pop(0).result())
            for each in ahead:
                yield self._arrays(each.result())

    def _in_parts(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Encode texts that may be very long, some parts at a time."""
        call = self._plain if self._backend is None else self._encoded
        arrays, sizes = [np.zeros(0, self.dtype)], []
        for text in texts:
            parts, size = self._cutter.parts(text, LONGEST), 0
            while some := list(itertools.islice(parts, _PARTS_AT_ONCE)):
                ids, _ = self._arrays(call(some))
                arrays.append(ids)
                size += len(ids)
            sizes.append(size)
        return np.concatenate(arrays), np.array(sizes, np.int64)

    @cached_property
    def _cutter(self) -> Cutter:
        encode = self._plain if self._backend is None else self._fast
        return Cutter(encode, list(self._tokenizer.get_vocab()), self._backend)

    def _encoded(self, texts: Sequence[str]) -> list[Any]:
        return self._backend.encode_batch_fast(list(texts), add_special_tokens=False)

    def _fast(self, texts: Sequence[str]) -> list[list[int]]:
        return [each.ids for each in self._encoded(texts)]

    def _plain(self, texts: Sequence[str]) -> list[list[int]]:
        return self._tokenizer(
            list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False
        )["input_ids"]

    def _arrays(self, encoded: list[Any]) -> tuple[np.ndarray, np.ndarray]:
        lists = encoded if self._backend is None else [each.ids for each in encoded]
        sizes = np.fromiter(map(len, lists), np.int64, len(lists))
        ids = np.fromiter(itertools.chain.from_iterable(lists), self.dtype, int(sizes.sum()))
        return ids, sizes


def _own_backend(tokenizer: Any) -> Any:
    """Return a copy of the Rust tokenizer that neither cuts nor pads, or None if there is none."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return None
    copy = type(backend).from_str(backend.to_str())
    copy.no_truncation()
    copy.no_padding()
    copy.encode_special_tokens = bool(getattr(tokenizer, "split_special_tokens", False))
    return copy


def tokenize(
    texts: Sequence[str], tokenizer: Any, *, progress: Progress | None = None
) -> TokenDocuments:
    """Tokenize documents in memory, without special tokens.

    Args:
        texts: The documents.
        tokenizer: A tokenizer of transformers.
        progress: Called as documents are tokenized.

    Returns:
        The tokens of each document, uint16 where the vocabulary allows it.
    """
    encoder = Encoder(tokenizer)
    starts = range(0, len(texts), _TEXTS_A_BATCH)
    batches = (texts[start : start + _TEXTS_A_BATCH] for start in starts)
    ids, sizes = [np.zeros(0, encoder.dtype)], [np.zeros(1, np.int64)]
    encoded = tracked(encoder.encode(batches), progress, "tokenizing", len(starts))
    for some_ids, some_sizes in encoded:
        ids.append(some_ids)
        sizes.append(some_sizes)
    return TokenDocuments(np.concatenate(ids), np.cumsum(np.concatenate(sizes)))
