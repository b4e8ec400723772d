"""Documents -> packed rows -> the negative log-likelihood of each document."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from emma500.benchmarks.base import Item
from emma500.errors import ConfigError, FailureError
from emma500.evaluation.aggregation import details_schema
from emma500.mixture.packing.fitting import pack, place
from emma500.models import document_nll, prefix_token
from emma500.progress import Progress

TOKENS_AT_ONCE = 1 << 22
"""Tokens that are packed at once: bounds the memory of the rows (48 MB), not of the model."""

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
        progress: Called as rows are scored.

    Returns:
        One row a document, in their order, as `details_schema`.

    Raises:
        ConfigError: If a row is longer than what the model takes.
        FailureError: If the model gives a likelihood that is no number.
    """
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit is not None and max_length > limit:
        raise ConfigError(f"max_length is {max_length}, but the model takes at most {limit} tokens")
    tokens = tokenize(tokenizer, [item.text for _, item in items])
    parts = _parts(np.array([len(each) for each in tokens], dtype=np.int64), max_length)
    n_rows = sum(
        place(np.array([len(tokens[n]) for n in part]), length).n_rows for part, length in parts
    )
    totals, done = np.zeros(len(tokens)), 0
    for part, length in parts:
        rows = pack(
            [tokens[n] for n in part],
            length=length,
            prefix=prefix_token(tokenizer),
            pad=tokenizer.pad_token_id or 0,
        )
        shown = _shifted(progress, done, n_rows)
        share = _share(rows)
        found = document_nll(model, share, batch_size=batch_size, bf16=bf16, progress=shown)
        totals[part[: len(found)]] += found
        done += len(share["document"])
    totals = _summed(totals)
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


def _parts(sizes: np.ndarray, max_length: int) -> list[tuple[np.ndarray, int]]:
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
        chunks = np.cumsum(sizes[members]) // TOKENS_AT_ONCE
        parts += [(members[chunks == chunk], int(length)) for chunk in np.unique(chunks)]
    return parts


def is_main_process() -> bool:
    """Tell whether this is the first process of those that `accelerate launch` started, or the only one."""
    from accelerate import PartialState

    return bool(PartialState().is_main_process)


def _share(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the rows that this process scores: every n-th of them under `accelerate launch`, else all."""
    from accelerate import PartialState

    state = PartialState()
    return {
        name: values[state.process_index :: state.num_processes] for name, values in rows.items()
    }


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
