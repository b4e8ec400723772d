"""Files of the Hub and of the web, read in ranges; a request is made again where that can help.

A status 408, 429 or 5xx, and a connection that breaks or goes silent, are waited out: 1, 2, 4, … seconds, or what
`Retry-After` asks for. Any other refusal is final. A range that was lost is asked for again, so a task that fails
midway goes on where it was, at the same row.
"""

import io
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO, TypeVar, cast

from emma500.errors import EmmaError, HubError, SourceError

Result = TypeVar("Result")

_BLOCK_BYTES = 8 * 2**20
_LONGEST_WAIT = 300.0  # seconds; a server that asks for more is given up
_TIMEOUT = 60.0  # seconds without a byte
_PARTIAL = 206
_ADVICE = {
    401: "it is private or gated: accept its conditions, and log in with `hf auth login` or set HF_TOKEN",
    403: "the token may not read it: accept its conditions on its page, or use another token",
    404: "there is no such data set, revision or file, or it is private: check the name, or log in",
    416: "the file is shorter than it was: open the source again",
    429: "the Hub limits requests: wait some minutes, or log in for a higher limit, and run the same call again",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is made, and the seconds before the second attempt; they double."""

    attempts: int
    delay: float

    def __call__(self, what: str, call: Callable[[], Result]) -> Result:
        """Return what a call returns, made again where that can help.

        Args:
            what: What is asked for, completing "cannot read".
            call: The call.

        Returns:
            Its result.

        Raises:
            HubError: If it is refused, or still fails at the last attempt.
            SourceError: If there is no such thing, or HF_HUB_OFFLINE is set.
        """
        expected = _expected_errors()
        for attempt in range(1, max(1, self.attempts) + 1):
            try:
                return call()
            except expected as error:
                wait = _wait(error, self.delay * 2 ** (attempt - 1))
                if wait is None or attempt >= self.attempts:
                    explained = _explained(what, error, attempt)
                    raise explained from error
                logger.info("%s: %s; attempt %d after %g s", what, error, attempt + 1, wait)
                time.sleep(wait)
        raise HubError(f"cannot read {what}: no attempt was allowed")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of the Hub or of the web."""

    url: str
    path: str
    digest: str
    size: int
    patience: Patience

    @property
    def name(self) -> str:
        """Its name without its folder."""
        return PurePosixPath(self.path).name

    def open(self) -> BinaryIO:
        """Open it; nothing is fetched before it is read."""
        return cast("BinaryIO", io.BufferedReader(_Ranges(self), _BLOCK_BYTES))

    def __str__(self) -> str:
        return self.url


class _Ranges(io.RawIOBase):
    """The bytes of a remote file; each read is one request."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        end = min(self._at + len(view), self._file.size)
        if end <= self._at:
            return 0
        data = self._file.patience(str(self._file), lambda: _fetch(self._file, self._at, end))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Lost(Exception):
    """The answer ended before its time."""


def _fetch(file: RemoteFile, start: int, end: int) -> bytes:
    from huggingface_hub import get_session

    headers = {
        **headers_for(file.url),
        "Range": f"bytes={start}-{end - 1}",
        "Accept-Encoding": "identity",
    }
    response = get_session().get(file.url, headers=headers, timeout=_TIMEOUT, follow_redirects=True)
    response.raise_for_status()
    data: bytes = response.content
    if response.status_code != _PARTIAL:
        data = data[start:end]
    if len(data) != end - start:
        raise _Lost(f"{len(data):,} of {end - start:,} bytes came")
    return data


def headers_for(url: str) -> dict[str, str]:
    """Return the headers of a request; the token of the Hub goes to the Hub alone."""
    from huggingface_hub import HfApi, constants

    is_hub = url.startswith(constants.ENDPOINT + "/")
    return dict(HfApi(token=None if is_hub else False)._build_hf_headers())


def web_file(url: str, patience: Patience) -> RemoteFile:
    """Find a file of the web.

    Args:
        url: Its address.
        patience: How often to ask.

    Returns:
        The file, with its size and what identifies its bytes (ETag, else date and size).

    Raises:
        HubError: If it is refused, or the server does not say its size.
    """
    from huggingface_hub import get_session

    def ask() -> Any:
        response = get_session().head(
            url, headers=headers_for(url), timeout=_TIMEOUT, follow_redirects=True
        )
        response.raise_for_status()
        return response.headers

    said = patience(url, ask)
    size = said.get("Content-Length")
    if size is None:
        raise HubError(f"cannot read {url}: the server does not say its size; fetch it by hand")
    digest = said.get("ETag") or f"{said.get('Last-Modified', '')} {size}"
    return RemoteFile(url, PurePosixPath(url).name, digest, int(size), patience)


def _expected_errors() -> tuple[type[Exception], ...]:
    """Return what the HTTP client (httpx or httpx2, as huggingface_hub uses) and the clients of the Hub raise."""
    from huggingface_hub import errors

    http = next(
        each for each in errors.HfHubHTTPError.__mro__ if each.__module__.startswith("httpx")
    )
    return (http, _Lost, OSError, ValueError, RuntimeError)


def status_of(error: BaseException) -> int:
    """Return the HTTP status an error, or what it came from, was raised for; 0 if there was no answer."""
    while True:
        found = int(getattr(getattr(error, "response", None), "status_code", 0) or 0)
        before = error.__cause__ or error.__context__
        if found or before is None:
            return found
        error = before


def _wait(error: Exception, usual: float) -> float | None:
    """Return the seconds to wait before another attempt, or None if it cannot help."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled | ValueError | FileNotFoundError | EmmaError):
        return None
    status = status_of(error)
    if status and status not in {408, 429} and status < 500:
        return None
    if not status and type(error) is RuntimeError:
        return None
    asked = _retry_after(error)
    if asked is None:
        return min(usual, _LONGEST_WAIT)
    return asked if asked <= _LONGEST_WAIT else None


def _retry_after(error: BaseException) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):  # a date is not believed: clocks differ
        return None


def _explained(what: str, error: Exception, attempt: int) -> EmmaError:
    from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError

    status = status_of(error)
    if isinstance(error, OfflineModeIsEnabled):
        return SourceError(f"cannot read {what}: HF_HUB_OFFLINE is set; unset it, or use files")
    is_missing = isinstance(error, RepositoryNotFoundError) and not isinstance(
        error, GatedRepoError
    )
    if is_missing or status == 404:
        return SourceError(f"cannot read {what} ({status}): {_ADVICE[404]}")
    said = " ".join(str(getattr(error, "server_message", None) or error).split())[:300]
    tries = "" if attempt == 1 else f" after {attempt} attempts"
    if not status and isinstance(error, ValueError | RuntimeError | FileNotFoundError):
        return SourceError(f"cannot read {what}: {said}")
    code = f" ({status})" if status else ""
    advice = _ADVICE.get(status, "run the same call again later")
    return HubError(f"cannot read {what}{tries}: {said}{code}; {advice}")
