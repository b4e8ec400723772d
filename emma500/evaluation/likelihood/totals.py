"""Sums of targets by request, and which requests are done."""

from collections.abc import Mapping, Sequence

import numpy as np

from emma500.errors import FailureError
from emma500.evaluation.likelihood.batches import Batch
from emma500.evaluation.likelihood.requests import Request, Scored


class Totals:
    """The results of requests as they grow."""

    def __init__(self, requests: Sequence[Request], names: Sequence[str] | None) -> None:
        """Start with nothing known; `names` is what to call each request in an error."""
        self._names = names
        self._sizes = np.array([len(each.continuation) for each in requests], np.int64)
        self._left = self._sizes.copy()
        self._sums = np.zeros(len(requests), np.float64)
        self._is_greedy = np.ones(len(requests), bool)

    @property
    def n_done(self) -> int:
        """How many requests are done."""
        return len(self._left) - int(np.count_nonzero(self._left))

    def take(self, known: Mapping[int, Scored]) -> None:
        """Take over results that are known, by the index of their request."""
        for n, scored in known.items():
            self._sums[n], self._is_greedy[n] = scored.loglikelihood, scored.is_greedy
            self._left[n] = 0

    def missing(self) -> list[int]:
        """Return the indices of the requests that are not done."""
        return np.flatnonzero(self._left).tolist()

    def add(self, batch: Batch, likelihoods: np.ndarray, is_greedy: np.ndarray) -> list[int]:
        """Add the targets of a batch.

        Args:
            batch: The batch.
            likelihoods: The log-likelihood of each of its targets, nats.
            is_greedy: Whether each is the likeliest token.

        Returns:
            The indices of the requests that are done with it.

        Raises:
            FailureError: If a log-likelihood is no number.
        """
        bad = np.flatnonzero(~np.isfinite(likelihoods))
        if len(bad):
            request = int(batch.request[bad[0]])
            name = self._names[request] if self._names else f"request {request}"
            raise FailureError(
                f"the model's log-likelihood of {name} is {likelihoods[bad[0]]}: "
                "its weights are broken, or float16 overflows (dtype='float32')"
            )
        np.add.at(self._sums, batch.request, likelihoods)
        np.logical_and.at(self._is_greedy, batch.request, is_greedy)
        np.subtract.at(self._left, batch.request, 1)
        touched = np.unique(batch.request)
        return touched[self._left[touched] == 0].tolist()

    def restart(self) -> None:
        """Forget what was added to requests that are not done."""
        begun = self._left > 0
        self._sums[begun], self._is_greedy[begun] = 0.0, True
        self._left[begun] = self._sizes[begun]

    def result(self, n: int) -> Scored:
        """Return the result of one request."""
        return Scored(float(self._sums[n]), int(self._sizes[n]), bool(self._is_greedy[n]))

    def results(self) -> list[Scored]:
        """Return all results."""
        return [self.result(n) for n in range(len(self._sums))]
