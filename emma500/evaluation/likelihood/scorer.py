"""The engine under all benchmarks that score continuations: requests -> log-likelihoods."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emma500.errors import ConfigError, FailureError
from emma500.evaluation.likelihood.cache import ResponseCache
from emma500.evaluation.likelihood.forward import max_positions, takes_masks
from emma500.evaluation.likelihood.plan import WORTH, make_plan
from emma500.evaluation.likelihood.requests import Request, Scored, fitted
from emma500.evaluation.likelihood.running import (
    Result,
    keeps_branches_apart,
    plain_batches,
    tree_batches,
)
from emma500.evaluation.likelihood.totals import Totals
from emma500.evaluation.likelihood.trie import Sequences, sequences
from emma500.evaluation.memory import is_out_of_memory
from emma500.processes import process_state
from emma500.progress import Progress

_BUDGETS = {"cpu": 256}
_ACCELERATOR_BUDGET = 8192
_ROW = 512
"""Tokens a row: attention costs its square."""

_LEAST_BUDGET = 16


@dataclass(kw_only=True, slots=True)
class Work:
    """What scoring did. Tokens: `naive` if each request were fed alone, `fed` in fact, and `padding` beside these."""

    n_requests: int = 0
    n_cached: int = 0
    n_truncated: int = 0
    naive_tokens: int = 0
    fed_tokens: int = 0
    padding_tokens: int = 0
    target_rows: int = 0
    n_batches: int = 0


class LikelihoodScorer:
    """Scores continuations with a model, computing what requests share once.

    The choices of an item share its trunk, and the items of a language their few-shot examples: what is shared by all
    that follows is kept as keys and values, the rest is packed into rows as trees under a mask of four dimensions. The
    output layer runs only where something is predicted. Where the model takes no such mask, or where sharing saves less
    than 15 % of the tokens, the rows are plain, right-padded sequences; the results are the same.

    `work` counts what was done, over all calls.
    """

    def __init__(
        self,
        model: Any,
        *,
        token_budget: int | None = None,
        max_length: int | None = None,
        bf16: bool = False,
        cache: ResponseCache | None = None,
        share: bool = True,
        split: bool = True,
    ) -> None:
        """Take a model.

        Args:
            model: A causal language model, on its device.
            token_budget: Tokens a forward pass; 256 on a CPU and 8192 on an accelerator by default.
            max_length: Tokens of the longest context; longer ones are truncated from the left and counted. As the
                model's configuration says by default.
            bf16: Run the matrix products in bfloat16 (autocast); the log-softmax is always in float32.
            cache: Where responses are kept and looked up.
            share: Compute what requests share once, where it is worth it.
            split: Under `accelerate launch`, give each process its part of the requests; every process gets all
                results.

        Raises:
            ConfigError: If the budget or the length is too small, or longer than what the model takes.
        """
        limit = max_positions(model)
        self.max_length = limit if max_length is None else max_length
        if not 2 <= self.max_length <= limit:
            raise ConfigError(
                f"max_length is {max_length}: it must be 2 at least, and the model takes at most {limit} tokens"
            )
        device = next(model.parameters()).device.type
        self.token_budget = token_budget or _BUDGETS.get(device, _ACCELERATOR_BUDGET)
        if self.token_budget < _LEAST_BUDGET:
            raise ConfigError(
                f"token_budget is {token_budget}: it must be at least {_LEAST_BUDGET}"
            )
        self.work = Work()
        self._model, self._bf16, self._cache = model, bf16, cache
        self._share, self._split = share, split
        self._is_tree_model: bool | None = None

    def score(
        self,
        requests: Sequence[Request],
        *,
        names: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> list[Scored]:
        """Score requests.

        Args:
            requests: What to score.
            names: What to call each request in an error, as "xcopa sw 12, choice 2".
            progress: Called as requests are done.

        Returns:
            The result of each request, in their order.

        Raises:
            ConfigError: If a continuation alone is longer than what the model takes.
            FailureError: If a log-likelihood is no number, or memory runs out with the smallest batches.
        """
        from accelerate.utils import gather_object

        state = process_state()
        if not self._split or state.num_processes == 1:
            return self._score(requests, names, progress)
        part = _share_of(requests, state.process_index, state.num_processes)
        own = self._score(
            requests[part],
            names[part] if names else None,
            progress if state.is_main_process else None,
        )
        gathered: list[Scored] = gather_object(own)
        return gathered

    def _score(
        self,
        requests: Sequence[Request],
        names: Sequence[str] | None,
        progress: Progress | None,
    ) -> list[Scored]:
        totals = Totals(requests, names)
        if self._cache is not None:
            totals.take(self._cache.find([fitted(each, self.max_length) for each in requests]))
        self.work.n_requests += len(requests)
        self.work.n_cached += totals.n_done
        was_training = self._model.training
        self._model.eval()
        try:
            found = self._sequences(requests, totals.missing())
            while len(found.tokens):
                try:
                    self._run(requests, found, totals, progress)
                except (RuntimeError, MemoryError) as error:
                    self._halve_budget(error)
                    totals.restart()
                found, _ = sequences(requests, totals.missing(), self.max_length)
        finally:
            self._model.train(was_training)
            if self._cache is not None:
                self._cache.flush()
        return totals.results()

    def _sequences(self, requests: Sequence[Request], missing: Sequence[int]) -> Sequences:
        found, n_truncated = sequences(requests, missing, self.max_length)
        self.work.n_truncated += n_truncated
        sizes = zip(found.lengths.tolist(), found.targets, strict=True)
        self.work.naive_tokens += sum(size * len(targets) for size, targets in sizes)
        return found

    def _run(
        self,
        requests: Sequence[Request],
        found: Sequences,
        totals: Totals,
        progress: Progress | None,
    ) -> None:
        """Score what the sequences serve, as far as memory lasts."""
        for batch, likelihoods, is_greedy in self._results(found):
            done = totals.add(batch, likelihoods, is_greedy)
            self.work.fed_tokens += batch.n_tokens
            self.work.padding_tokens += batch.ids.size - batch.n_tokens
            self.work.target_rows += len(np.unique(batch.place))
            self.work.n_batches += 1
            if self._cache is not None:
                self._cache.add(
                    (fitted(requests[n], self.max_length), totals.result(n)) for n in done
                )
            if progress is not None:
                progress("scoring", totals.n_done, len(requests))

    def _results(self, found: Sequences) -> Iterator[Result]:
        """Run the model on trees where that is possible and worth it, else on plain rows."""
        row = min(self.token_budget, _ROW)
        plan = make_plan(found, row)
        saved = 1 - plan.n_tokens / int(found.lengths.sum())
        options: dict[str, Any] = {"token_budget": self.token_budget, "bf16": self._bf16}
        if saved >= WORTH and self._takes_trees(int(found.lengths.max())):
            yield from tree_batches(self._model, found, plan, row=row, **options)
        else:
            yield from plain_batches(self._model, found, **options)

    def _takes_trees(self, longest: int) -> bool:
        if not self._share or not takes_masks(self._model, longest):
            return False
        if self._is_tree_model is None:
            self._is_tree_model = keeps_branches_apart(self._model, bf16=self._bf16)
        return self._is_tree_model

    def _halve_budget(self, error: RuntimeError | MemoryError) -> None:
        """Halve the budget where memory ran out; give up where it is as small as it can be."""
        if not is_out_of_memory(error):
            raise error
        if self.token_budget < 2 * _LEAST_BUDGET:
            raise FailureError(
                f"memory ran out with batches of {self.token_budget} tokens: take a smaller dtype, a shorter "
                "max_length, or another device"
            ) from error
        self.token_budget //= 2
        warnings.warn(
            f"memory ran out: going on with batches of {self.token_budget} tokens", stacklevel=4
        )
        _free_memory()


def _share_of(requests: Sequence[Request], number: int, n_processes: int) -> slice:
    """Return the requests of one process: neighbours, for these share most, and equally many tokens."""
    sizes = np.array([len(each.context) + len(each.continuation) for each in requests])
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    bounds = np.searchsorted(ends, [total * n / n_processes for n in (number, number + 1)])
    if number == n_processes - 1:
        bounds[1] = len(requests)
    return slice(int(bounds[0]), int(bounds[1]))


def _free_memory() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
