"""Documents -> packed rows -> the negative log-likelihood of each document."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from emma500.benchmarks.base import Item
from emma500.errors import ConfigError, FailureError
from emma500.evaluation.aggregation import details_schema
from emma500.evaluation.memory import is_out_of_memory
from emma500.mixture.packing.fitting import pack, place
from emma500.models import document_nll, prefix_token
from emma500.processes import of_first_process, process_state
from emma500.progress import Progress

if TYPE_CHECKING:
    from emma500.evaluation.likelihood import TextCache

TOKENS_AT_ONCE = 1 << 22
"""Tokens that are packed at once: bounds the memory of the rows (48 MB), not of the model."""

KEPT_AT_ONCE = 1 << 14
"""Tokens, at least, between two writes to the cache, where there is one: what a killed run loses."""

SHORTEST_ROW = 256
"""Tokens of the rows of short documents. Attention costs the square of a row, so long rows are for long documents."""


def score_items(
    model: Any,
    tokenizer: Any,
    items: Sequence[tuple[str, Item]],
    *,
    max_length: int,
    batch_size: int = 1,
    bf16: bool = False,
    cache: "TextCache | None" = None,
    progress: Progress | None = None,
) -> pa.Table:
    """Score each text as a whole.

    A text is scored from the prefix token (BOS, else EOS) on, without EOS. A text longer than a row
    is scored in consecutive windows, each with the last token before it as context, as the rolling
    log-likelihood of lm-evaluation-harness.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer.
        items: Each document with the name of its benchmark.
        max_length: Tokens a row.
        batch_size: Rows a forward pass.
        bf16: Run the matrix products in bfloat16 (autocast).
        cache: Where scores are kept and looked up.
        progress: Called as rows are scored.

    Returns:
        One row a document, in their order, as `details_schema`.

    Raises:
        ConfigError: If a row is longer than what the model takes.
        FailureError: If the model gives a likelihood that is no number, or memory runs out with one row a pass.
    """
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit is not None and max_length > limit:
        raise ConfigError(f"max_length is {max_length}, but the model takes at most {limit} tokens")
    tokens = tokenize(tokenizer, [item.text for _, item in items])
    scorer = _Scorer(model, tokenizer, max_length, batch_size, bf16, cache)
    totals = scorer.totals(tokens, progress)
    _check_finite(totals, items)
    unknown = tokenizer.unk_token_id
    return _table(items, totals, tokens, unknown if unknown != tokenizer.eos_token_id else None)


def tokenize(tokenizer: Any, texts: Sequence[str]) -> list[np.ndarray]:
    """Return the token ids of each text, without special tokens."""
    ids = (
        tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        if texts
        else []
    )
    return [np.asarray(each, dtype=np.int32) for each in ids]


@dataclass(slots=True)
class _Scorer:
    """Scores documents part by part; where memory runs out, half as many rows a pass from then on."""

    model: Any
    tokenizer: Any
    max_length: int
    batch_size: int
    bf16: bool
    cache: "TextCache | None"

    def totals(self, tokens: Sequence[np.ndarray], progress: Progress | None) -> np.ndarray:
        """Return the nats of each document, (documents,); those that are kept are not scored again."""
        prefix = prefix_token(self.tokenizer)
        keys = [_key(prefix, each, self.max_length) for each in tokens] if self.cache else []
        totals = np.full(len(tokens), np.nan)
        if self.cache:  # the same to all processes: what one finds another may have just written
            for n, nll in of_first_process(partial(self.cache.find, keys)).items():
                totals[n] = nll
        missing = np.flatnonzero(np.isnan(totals))
        at_once = max(KEPT_AT_ONCE, 4 * self.batch_size * self.max_length)
        parts = _parts(
            np.array([len(tokens[n]) for n in missing.tolist()], dtype=np.int64),
            self.max_length,
            at_once if self.cache else TOKENS_AT_ONCE,
        )
        packed = [(missing[part], length) for part, length in parts]
        n_rows = sum(
            _n_own(place(np.array([len(tokens[n]) for n in part]), length).n_rows)
            for part, length in packed
        )
        done = 0
        for part, length in packed:
            own = [tokens[n] for n in part]
            pad = self.tokenizer.pad_token_id or 0
            share = _share(pack(own, length=length, prefix=prefix, pad=pad))
            totals[part] = _summed(self._part(share, len(part), _shifted(progress, done, n_rows)))
            done += len(share["document"])
            if self.cache:
                self.cache.add((keys[n], float(totals[n])) for n in part if np.isfinite(totals[n]))
        if self.cache:
            self.cache.flush()
        return totals

    def _part(
        self, rows: dict[str, np.ndarray], n_documents: int, progress: Progress | None
    ) -> np.ndarray:
        """Return the nats of the documents of some rows, (n_documents,)."""
        while True:
            try:
                found = document_nll(
                    self.model, rows, batch_size=self.batch_size, bf16=self.bf16, progress=progress
                )
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self.batch_size == 1:
                    raise FailureError(
                        f"memory ran out with one row of {rows['input_ids'].shape[1]} tokens a pass: take bf16=True, "
                        "a smaller dtype or max_length, or another device"
                    ) from error
                self.batch_size //= 2
                warnings.warn(
                    f"memory ran out: going on with {self.batch_size} rows a pass", stacklevel=5
                )
            else:
                return np.pad(found, (0, n_documents - len(found)))


def _key(prefix: int, tokens: np.ndarray, max_length: int) -> tuple[int, np.ndarray]:
    """Return what decides the score of a text beside the model: windows, where it needs several, and its tokens."""
    return max_length if len(tokens) >= max_length else 0, np.append(prefix, tokens)


def _parts(sizes: np.ndarray, max_length: int, at_once: int) -> list[tuple[np.ndarray, int]]:
    """Return which documents are packed together, and the length of their rows.

    A row is the least power of two that holds the document and its prefix token, so that the length of a row never
    changes a score, only its cost.
    """
    lengths = np.full(len(sizes), min(SHORTEST_ROW, max_length))
    while (short := (lengths <= sizes) & (lengths < max_length)).any():
        lengths[short] = np.minimum(2 * lengths[short], max_length)
    parts = []
    for length in np.unique(lengths):
        members = np.flatnonzero(lengths == length)
        chunks = np.cumsum(sizes[members]) // at_once
        parts += [(members[chunks == chunk], int(length)) for chunk in np.unique(chunks)]
    return parts


def _share(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the rows that this process scores: every n-th of them under `accelerate launch`, else all."""
    state = process_state()
    return {
        name: values[state.process_index :: state.num_processes] for name, values in rows.items()
    }


def _n_own(n_rows: int) -> int:
    """Return how many of some rows `_share` leaves to this process."""
    state = process_state()
    return len(range(state.process_index, n_rows, state.num_processes))


def _summed(totals: np.ndarray) -> np.ndarray:
    """Add up the totals of all processes."""
    import torch
    from accelerate.utils import gather_object

    return np.sum(gather_object([totals]), axis=0) if torch.distributed.is_initialized() else totals


def _shifted(progress: Progress | None, before: int, total: int) -> Progress | None:
    """Report the rows of one part as rows of all parts."""
    if progress is None:
        return None
    return lambda description, done, _: progress(description, before + done, total)


def _check_finite(totals: np.ndarray, items: Sequence[tuple[str, Item]]) -> None:
    bad = np.flatnonzero(~np.isfinite(totals))
    if len(bad):
        benchmark, item = items[int(bad[0])]
        raise FailureError(
            f"the model's log-likelihood is not finite on {len(bad)} of {len(totals)} documents, first on {item.id} "
            f"({item.label}, {benchmark}): its weights are broken, or float16 overflows (dtype='float32')"
        )


def _table(
    items: Sequence[tuple[str, Item]],
    totals: np.ndarray,
    tokens: list[np.ndarray],
    unknown: int | None,
) -> pa.Table:
    columns = {
        "benchmark": [name for name, _ in items],
        "label": [item.label for _, item in items],
        "id": [item.id for _, item in items],
        "parallel_id": [item.parallel_id for _, item in items],
        "nll": totals,
        "n_bytes": [len(item.text.encode()) for _, item in items],
        "n_chars": [len(item.text) for _, item in items],
        "n_tokens": [len(each) for each in tokens],
        "n_unknown": [0 if unknown is None else int((each == unknown).sum()) for each in tokens],
    }
    return pa.table(columns, schema=details_schema())
