"""Requests -> distinct sequences of tokens in order, so that neighbours share the most: a trie without nodes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emma500.errors import ConfigError
from emma500.evaluation.likelihood.requests import Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """The tokens that a request predicts: those after the `start`-th token of its sequence and on."""

    request: int
    start: int
    tokens: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Sequences:
    """The distinct inputs of requests, in lexicographic order.

    `tokens` are the ids of each, int32; `lengths` how many; `shared` how many of them it has in common with the one
    before it (0 for the first); `targets` which requests it serves; `new` is the running sum of the tokens that are not
    shared, one entry more than there are sequences.
    """

    tokens: list[np.ndarray]
    lengths: np.ndarray
    shared: np.ndarray
    new: np.ndarray
    targets: list[list[Target]]

    def n_tokens(self, first: int, last: int, start: int) -> int:
        """Count the tokens of a tree.

        Args:
            first: Its first sequence.
            last: The one after its last sequence.
            start: Tokens at the start of each that all of them share and that do not count.

        Returns:
            How many distinct prefixes longer than `start` these sequences have.
        """
        return int(self.lengths[first] - start + self.new[last] - self.new[first + 1])

    def split(self, first: int, last: int) -> tuple[int, list[int]]:
        """Return how many tokens these sequences share, and where those begin that go on differently."""
        inner = self.shared[first + 1 : last]
        depth = int(inner.min())
        return depth, [first, *(np.flatnonzero(inner == depth) + first + 1).tolist(), last]


def sequences(
    requests: Sequence[Request], wanted: Sequence[int], max_length: int
) -> tuple[Sequences, int]:
    """Order the inputs of requests.

    The input of a request is its context and its continuation but for the last token, truncated from the left to
    `max_length`.

    Args:
        requests: All requests.
        wanted: Indices of those to take.
        max_length: Tokens the model takes.

    Returns:
        The sequences, and how many requests were truncated.

    Raises:
        ConfigError: If a continuation alone is longer than what the model takes.
    """
    served: dict[bytes, list[Target]] = {}
    n_truncated = 0
    for index in wanted:
        tokens, start = model_input(requests[index], max_length)
        n_truncated += start < len(requests[index].context) - 1
        target = Target(
            request=index, start=start, tokens=np.array(requests[index].continuation, np.int64)
        )
        served.setdefault(tokens.tobytes(), []).append(target)
    keys = sorted(served)
    arrays = [np.frombuffer(key, ">i4").astype(np.int32) for key in keys]
    lengths = np.array([len(each) for each in arrays], np.int64)
    shared = np.zeros(len(arrays), np.int64)
    for n in range(1, len(arrays)):
        shared[n] = _common(arrays[n - 1], arrays[n])
    return (
        Sequences(
            tokens=arrays,
            lengths=lengths,
            shared=shared,
            new=np.concatenate([[0], np.cumsum(lengths - shared)]),
            targets=[served[key] for key in keys],
        ),
        n_truncated,
    )


def model_input(request: Request, max_length: int) -> tuple[np.ndarray, int]:
    """Return the tokens a request feeds, and the index of the one that predicts its first target.

    Args:
        request: The request.
        max_length: Tokens the model takes; more are cut on the left.

    Returns:
        The ids as big-endian integers, whose bytes sort as they do, and the index.

    Raises:
        ConfigError: If the continuation alone is longer.
    """
    n_targets = len(request.continuation)
    if n_targets > max_length:
        raise ConfigError(
            f"a continuation has {n_targets} tokens, but the model takes at most {max_length}: "
            "cut it, or score the text in windows (rolling_requests)"
        )
    whole = np.array(request.context + request.continuation[:-1], ">i4")[-max_length:]
    return whole, len(whole) - n_targets


def _common(one: np.ndarray, other: np.ndarray) -> int:
    """Return how many tokens two sequences have in common at their start."""
    size = min(len(one), len(other))
    different = one[:size] != other[:size]
    return int(different.argmax()) if different.any() else size
