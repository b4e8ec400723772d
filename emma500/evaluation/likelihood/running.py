"""A plan -> batches -> results: trees after kept prefixes, or plain rows."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from emma500.evaluation.likelihood.batches import Batch, Row, group_rows, make_batch, pack_rows
from emma500.evaluation.likelihood.forward import Kept, score_batch
from emma500.evaluation.likelihood.plan import Piece, Plan, Prefix, make_plan
from emma500.evaluation.likelihood.requests import Request
from emma500.evaluation.likelihood.totals import Totals
from emma500.evaluation.likelihood.trie import Sequences, sequences
from emma500.evaluation.memory import is_out_of_memory

Result = tuple[Batch, np.ndarray, np.ndarray]
"""A batch, the log-likelihood of each target, and whether it is the likeliest token."""

_REFUSALS = (RuntimeError, ValueError, TypeError, AttributeError, IndexError)
"""What models raise that do not know a mask of four dimensions, or a cache."""

_TOLERANCE = {"float32": 1e-2, "float64": 1e-2}
_COARSE = 0.2  # nats by which a sum of a few tokens may differ in 16 bits


def tree_batches(
    model: Any, found: Sequences, plan: Plan, *, row: int, token_budget: int, bf16: bool
) -> Iterator[Result]:
    """Run the model on a plan.

    Args:
        model: A causal language model in evaluation mode.
        found: The sequences.
        plan: What to compute.
        row: Tokens a row.
        token_budget: Tokens a forward pass.
        bf16: Run the matrix products in bfloat16 (autocast).

    Yields:
        The results of each forward pass.
    """
    run = partial(score_batch, model, bf16=bf16)
    stack: list[tuple[Prefix, Kept | None]] = []
    for group in plan.groups:
        chain = _chain(group.prefix)
        while stack and (len(stack) > len(chain) or stack[-1][0] is not chain[len(stack) - 1]):
            stack.pop()
        for prefix in chain[len(stack) :]:
            batch = make_batch(found, [[prefix.piece]], prefix.piece.start)
            likelihoods, is_greedy, kept = run(batch, _top(stack), keep=True)
            stack.append((prefix, kept))
            yield batch, likelihoods, is_greedy
        n_kept = 0 if group.prefix is None else group.prefix.piece.stop
        for rows in group_rows(pack_rows(group.trees, row), token_budget):
            batch = make_batch(found, rows, n_kept)
            likelihoods, is_greedy, _ = run(batch, _top(stack))
            yield batch, likelihoods, is_greedy


def plain_batches(
    model: Any, found: Sequences, *, token_budget: int, bf16: bool
) -> Iterator[Result]:
    """Run the model on each sequence as a row of its own, padded on the right, longest first.

    Args:
        model: A causal language model in evaluation mode.
        found: The sequences.
        token_budget: Tokens a forward pass.
        bf16: Run the matrix products in bfloat16 (autocast).

    Yields:
        The results of each forward pass.
    """
    rows: list[Row] = [
        [Piece(first=n, last=n + 1, start=0, stop=size, n_tokens=size)]
        for n, size in enumerate(found.lengths.tolist())
    ]
    for members in group_rows(rows, token_budget):
        batch = make_batch(found, members, 0)
        likelihoods, is_greedy, _ = score_batch(model, batch, None, bf16=bf16)
        yield batch, likelihoods, is_greedy


def keeps_branches_apart(model: Any, *, bf16: bool = False) -> bool:
    """Tell whether the model gives the same results for trees after a kept prefix as for plain rows.

    Recurrent models do not, nor do those that reckon positions from the mask.

    Args:
        model: A causal language model in evaluation mode.
        bf16: Run the matrix products in bfloat16 (autocast).

    Returns:
        Whether it does, on four short sequences.
    """
    size = int(model.config.get_text_config().vocab_size)
    start = tuple(n * n % size for n in range(3, 11))
    ends = [(17, 5, 11), (17, 5, 2), (3, 29, 8), (23, 2, 31)]
    requests = [Request(start, tuple(n % size for n in (*end, 7))) for end in ends]
    found, _ = sequences(requests, range(len(requests)), len(start) + 4)
    plan = make_plan(found, len(start))
    try:
        trees = tree_batches(model, found, plan, row=8, token_budget=8, bf16=bf16)
        plain = plain_batches(model, found, token_budget=64, bf16=bf16)
        sums = [_sums(requests, results) for results in (trees, plain)]
    except _REFUSALS as error:
        if is_out_of_memory(error):
            raise
        return False
    kind = "bfloat16" if bf16 else str(next(model.parameters()).dtype).removeprefix("torch.")
    return bool(np.abs(sums[0] - sums[1]).max() <= _TOLERANCE.get(kind, _COARSE))


def _chain(prefix: Prefix | None) -> list[Prefix]:
    """Return a prefix with all before it, the first one first."""
    chain: list[Prefix] = []
    while prefix is not None:
        chain.append(prefix)
        prefix = prefix.parent
    return chain[::-1]


def _top(stack: list[tuple[Prefix, Kept | None]]) -> Kept | None:
    return stack[-1][1] if stack else None


def _sums(requests: list[Request], results: Iterator[Result]) -> np.ndarray:
    totals = Totals(requests, None)
    for result in results:
        totals.add(*result)
    return np.array([each.loglikelihood for each in totals.results()])
