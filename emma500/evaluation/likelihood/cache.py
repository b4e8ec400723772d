"""Responses on disk, by content: the model and its revision, the dtype, the tokenizer, the exact tokens."""

import sqlite3
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from emma500.errors import StorageError
from emma500.evaluation.likelihood.requests import Request, Scored
from emma500.manifest import fingerprint
from emma500.storage import space_checked

_FORM = 1
"""Part of every key: responses of another form are not found."""

_AT_ONCE = 500  # keys a query; SQLite takes 999 on old systems
_EVERY = 5.0  # seconds between two writes
_PATIENCE = 60.0  # seconds to wait for another process that writes


def response_model(revision: str, dtype: str, tokenizer: Any, *, bf16: bool = False) -> str:
    """Return what tells the responses of one model from those of all others.

    Args:
        revision: Commit or digest of the weights (`identify(model).revision`), with the model's name.
        dtype: Type of the weights, as "float32".
        tokenizer: Its tokenizer.
        bf16: Whether matrix products are run in bfloat16.

    Returns:
        32 hexadecimal digits.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    pieces = backend.to_str() if backend is not None else sorted(tokenizer.get_vocab().items())
    return fingerprint(_FORM, revision, dtype, bf16, pieces)


class Kept:
    """What models answered, in one SQLite file that several runs can share: a table a kind of answer.

    What is added is written every five seconds, whole or not at all; a killed run loses no more than that.

    Args:
        path: The file.
        model: What `response_model` returns.

    Raises:
        StorageError: If the file cannot be written, or holds something else.
    """

    table = ""
    columns = ""

    def __init__(self, path: Path, model: str) -> None:
        self._path = path
        self._model = bytes.fromhex(model)
        self._waiting: list[tuple[Any, ...]] = []
        self._written = time.monotonic()
        with space_checked(path), self._checked():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=_PATIENCE)
            self._file.execute(
                f"CREATE TABLE IF NOT EXISTS {self.table} "
                f"(key BLOB PRIMARY KEY, {self.columns}) WITHOUT ROWID"
            )
            self._file.commit()
        weakref.finalize(self, self._file.close)

    def flush(self) -> None:
        """Write to disk what was added, in one short transaction: other processes write there too."""
        if self._waiting:
            marks = ", ".join("?" * len(self._waiting[0]))
            with self._checked(), self._file:
                self._file.executemany(
                    f"INSERT OR IGNORE INTO {self.table} VALUES ({marks})", self._waiting
                )
        self._waiting.clear()
        self._written = time.monotonic()

    def close(self) -> None:
        """Write to disk what was added, and close the file."""
        self.flush()
        self._file.close()

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, tuple[Any, ...]]:
        """Return the rows that there are, without their keys, by key."""
        self.flush()
        known: dict[bytes, tuple[Any, ...]] = {}
        with self._checked():
            for start in range(0, len(keys), _AT_ONCE):
                asked = keys[start : start + _AT_ONCE]
                marks = ",".join("?" * len(asked))
                rows = self._file.execute(
                    f"SELECT * FROM {self.table} WHERE key IN ({marks})", asked
                )
                known |= {key: tuple(rest) for key, *rest in rows}
        return known

    def _keep(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._waiting += rows
        if time.monotonic() - self._written > _EVERY:
            self.flush()

    def _digest(self, *parts: bytes) -> bytes:
        import xxhash

        return xxhash.xxh3_128_digest(b"".join([self._model, *parts]))

    @contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(
                f"the response cache {self._path} cannot be used ({error}): name another file, or remove this one"
            ) from error


class ResponseCache(Kept):
    """The log-likelihoods of continuations.

    A response depends on the tokens that the model was given and on nothing else but rounding: the same request in
    other company may differ in the sixth digit, and here keeps its first value.
    """

    table, columns = "responses", "loglikelihood REAL, is_greedy INTEGER"

    def find(self, requests: Sequence[Request]) -> dict[int, Scored]:
        """Return the responses that are known, by the index of their request."""
        keys = [self._key(request) for request in requests]
        known = self._known(keys)
        return {
            n: Scored(known[key][0], len(requests[n].continuation), bool(known[key][1]))
            for n, key in enumerate(keys)
            if key in known
        }

    def add(self, responses: Iterable[tuple[Request, Scored]]) -> None:
        """Keep responses."""
        self._keep((self._key(each), of.loglikelihood, of.is_greedy) for each, of in responses)

    def _key(self, request: Request) -> bytes:
        sizes = np.array([len(request.context), *request.context, *request.continuation], "<i8")
        return self._digest(sizes.tobytes())


class TextCache(Kept):
    """The nats of whole texts."""

    table, columns = "texts", "nll REAL"

    def find(self, texts: Sequence[tuple[int, np.ndarray]]) -> dict[int, float]:
        """Return what is known, by the index of the text.

        Args:
            texts: The length of each one's windows, 0 where it fits into one, and its tokens from the prefix on.
        """
        keys = [self._key(*each) for each in texts]
        known = self._known(keys)
        return {n: known[key][0] for n, key in enumerate(keys) if key in known}

    def add(self, scored: Iterable[tuple[tuple[int, np.ndarray], float]]) -> None:
        """Keep what texts have in nats."""
        self._keep((self._key(*text), nll) for text, nll in scored)

    def _key(self, window: int, tokens: np.ndarray) -> bytes:
        return self._digest(np.array([window, *tokens], "<i8").tobytes())


class OutputCache(Kept):
    """Outputs, by the tokens of their prompt and all that decides where they go and end."""

    table, columns = "outputs", "text TEXT"

    def key(self, tokens: Sequence[int], *how: Any) -> bytes:
        """Return what an output is known by.

        Args:
            tokens: The prompt, as the model is given it.
            how: What else decides the output: the most tokens, stops, and how tokens are drawn.
        """
        return self._digest(np.array(tokens, "<i8").tobytes(), repr(how).encode())

    def find(self, keys: Sequence[bytes]) -> dict[int, str]:
        """Return the outputs that are known, by the index of their key."""
        known = self._known(keys)
        return {n: str(known[key][0]) for n, key in enumerate(keys) if key in known}

    def add(self, outputs: Iterable[tuple[bytes, str]]) -> None:
        """Keep outputs."""
        self._keep(outputs)
