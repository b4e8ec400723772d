"""Responses on disk, by content: the model and its revision, the dtype, the tokenizer, the exact tokens."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from emma500.errors import StorageError
from emma500.evaluation.likelihood.requests import Request, Scored
from emma500.manifest import fingerprint

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


class ResponseCache:
    """The responses of models, in one SQLite file that several runs can share.

    What is added is written every five seconds, whole or not at all; a killed run loses no more than that.
    A response depends on the tokens that the model was given and on nothing else but rounding: the same request in
    other company may differ in the sixth digit, and here keeps its first value.
    """

    def __init__(self, path: Path, model: str) -> None:
        """Open the file, or make it.

        Args:
            path: The file.
            model: What `response_model` returns.

        Raises:
            StorageError: If the file cannot be written, or holds something else.
        """
        self._path = path
        self._model = bytes.fromhex(model)
        self._waiting: list[tuple[bytes, float, bool]] = []
        self._written = time.monotonic()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._checked():
            self._file = sqlite3.connect(path, timeout=_PATIENCE)
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS responses "
                "(key BLOB PRIMARY KEY, loglikelihood REAL, is_greedy INTEGER) WITHOUT ROWID"
            )
            self._file.commit()

    def find(self, requests: Sequence[Request]) -> dict[int, Scored]:
        """Return the responses that are known, by the index of their request."""
        self.flush()
        keys = [self._key(request) for request in requests]
        known: dict[bytes, tuple[float, int]] = {}
        with self._checked():
            for start in range(0, len(keys), _AT_ONCE):
                asked = keys[start : start + _AT_ONCE]
                marks = ",".join("?" * len(asked))
                rows = self._file.execute(f"SELECT * FROM responses WHERE key IN ({marks})", asked)
                known |= {key: (value, greedy) for key, value, greedy in rows}
        return {
            n: Scored(known[key][0], len(requests[n].continuation), bool(known[key][1]))
            for n, key in enumerate(keys)
            if key in known
        }

    def add(self, responses: Iterable[tuple[Request, Scored]]) -> None:
        """Keep responses."""
        self._waiting += [
            (self._key(each), of.loglikelihood, of.is_greedy) for each, of in responses
        ]
        if time.monotonic() - self._written > _EVERY:
            self.flush()

    def flush(self) -> None:
        """Write to disk what was added, in one short transaction: other processes write there too."""
        with self._checked(), self._file:
            self._file.executemany(
                "INSERT OR IGNORE INTO responses VALUES (?, ?, ?)", self._waiting
            )
        self._waiting.clear()
        self._written = time.monotonic()

    def close(self) -> None:
        """Write to disk what was added, and close the file."""
        self.flush()
        self._file.close()

    def _key(self, request: Request) -> bytes:
        import xxhash

        sizes = np.array([len(request.context), *request.context, *request.continuation], "<i8")
        return xxhash.xxh3_128_digest(self._model + sizes.tobytes())

    @contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(
                f"the response cache {self._path} cannot be used ({error}): name another file, or remove this one"
            ) from error
