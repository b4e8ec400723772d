"""One forward pass: hidden states of a batch -> log-likelihoods of its targets, and keys and values to keep."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from emma500.evaluation.likelihood.batches import Batch

_AT_ONCE = 128
"""Rows of logits that are brought to float32 at a time."""

_TREE_ATTENTION = ("sdpa", "eager")
"""The attention implementations of transformers that take a mask of four dimensions."""

Kept = list[tuple[Any, Any]]
"""Keys and values of each layer, (1, heads, tokens, size of a head)."""


def takes_masks(model: Any, longest: int) -> bool:
    """Tell whether the model's attention takes a mask of four dimensions and sees all `longest` tokens."""
    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None)
    return config._attn_implementation in _TREE_ATTENTION and (not window or longest <= window)


def max_positions(model: Any) -> int:
    """Return how many tokens the model takes; a very large number where its configuration does not tell."""
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return 1 << 30 if limit is None else int(limit)


def score_batch(
    model: Any, batch: Batch, kept: Kept | None, *, keep: bool = False, bf16: bool = False
) -> tuple[np.ndarray, np.ndarray, Kept | None]:
    """Run the model on a batch.

    Args:
        model: A causal language model in evaluation mode.
        batch: The rows.
        kept: Keys and values of the tokens before them.
        keep: Return the keys and values of the batch's single row, those before it included.
        bf16: Run the matrix products in bfloat16 (autocast).

    Returns:
        The log-likelihood of each target in nats, float64, taken in float32; whether the target is the likeliest token;
        and the keys and values if they are kept.
    """
    import torch
    from transformers import DynamicCache

    device, n_rows = next(model.parameters()).device, len(batch.ids)
    arguments: dict[str, Any] = {
        "input_ids": torch.as_tensor(batch.ids, device=device),
        "use_cache": False,
    }
    if batch.visible is not None:  # without a mask, positions are those of plain rows
        arguments["position_ids"] = torch.as_tensor(batch.positions, device=device)
        arguments["attention_mask"] = _additive(model, batch.visible, device)
    if keep or kept:
        before = [tuple(each.expand(n_rows, -1, -1, -1) for each in pair) for pair in kept or ()]
        arguments |= {"use_cache": True, "past_key_values": DynamicCache(before or None)}
    places, inverse = np.unique(batch.place, return_inverse=True)
    index = torch.as_tensor(places, device=device)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        with _only_rows(model.get_output_embeddings(), index):
            logits = model(**arguments).logits.flatten(0, -2)
        if len(logits) != len(index):  # the output layer was not called as one module
            logits = logits[index]
        likelihoods, is_greedy = _targets(logits, inverse, batch.token)
    if not keep:
        return likelihoods, is_greedy, None
    layers = arguments["past_key_values"].layers
    return likelihoods, is_greedy, [(layer.keys, layer.values) for layer in layers]


def _additive(model: Any, visible: np.ndarray, device: Any) -> Any:
    """Return a mask that is 0 where a token is seen, (rows, 1, width, kept + width)."""
    import torch

    dtype = next(model.parameters()).dtype
    hidden = torch.as_tensor(~visible, device=device)[:, None]
    mask = torch.zeros(hidden.shape, dtype=dtype, device=device)
    return mask.masked_fill_(hidden, torch.finfo(dtype).min)


@contextmanager
def _only_rows(head: Any, index: Any) -> Iterator[None]:
    """Let the output layer see only some of the hidden states, and so cost only these."""
    if head is None:
        yield
        return
    handle = head.register_forward_pre_hook(
        lambda _, inputs: (inputs[0].flatten(0, -2)[index][None], *inputs[1:])
    )
    try:
        yield
    finally:
        handle.remove()


def _targets(logits: Any, inverse: np.ndarray, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the log-likelihood of each target and whether it is the likeliest, given the row of each."""
    import torch

    order = np.argsort(inverse, kind="stable")
    row = torch.as_tensor(inverse[order], device=logits.device)
    token = torch.as_tensor(tokens[order], device=logits.device)
    bounds = np.searchsorted(inverse[order], np.arange(0, len(logits) + _AT_ONCE, _AT_ONCE))
    found, best = [], []
    for number, begin in enumerate(range(0, len(logits), _AT_ONCE)):
        here = slice(int(bounds[number]), int(bounds[number + 1]))
        chunk = torch.log_softmax(logits[begin : begin + _AT_ONCE].float(), dim=-1)
        found.append(chunk[row[here] - begin, token[here]])
        best.append(chunk.argmax(dim=-1)[row[here] - begin] == token[here])
    likelihoods, is_greedy = np.zeros(len(tokens)), np.zeros(len(tokens), bool)
    if found:
        likelihoods[order] = torch.cat(found).double().cpu().numpy()
        is_greedy[order] = torch.cat(best).cpu().numpy()
    return likelihoods, is_greedy
