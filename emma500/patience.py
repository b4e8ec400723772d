"""Requests made again where that can help, and explained where it cannot.

A status 408, 429 or 5xx, and a connection that breaks or goes silent, are waited out: 1, 2, 4, … seconds, or what
`Retry-After` asks for. Any other refusal is final. A place that has never answered is not waited for: if the first
request cannot even connect, there is one quick second attempt, and then an error that says what to do instead.
"""

import json
import logging
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from emma500.errors import EmmaError, HubError

Result = TypeVar("Result")

_LONGEST_WAIT = 60.0  # seconds between two attempts
_LONGEST_ASKED = 300.0  # seconds; a server that asks for more is given up
_QUICK = 0.5  # seconds before the second attempt to reach what never answered
_LONGEST_SAID = 300  # characters of what a server says

_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{8,}")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """What requests are made for: how their errors are told.

    Attributes:
        fails: How a message begins, with {} for what was asked, as "cannot read {}".
        advice: What to do by status.
        otherwise: What to do about any other failure that may pass.
        unreachable: What to do where the first request cannot connect.
        offline: What to do where HF_HUB_OFFLINE is set.
        missing: What to do where there is no such repository; "" goes by its status.
        wrong: The error where the call itself is wrong: nothing of that name, HF_HUB_OFFLINE, an answer that is
            no answer of a server.
        passing: Errors without an answer that may pass, besides those of connections.
    """

    fails: str
    advice: Mapping[int, str]
    otherwise: str
    unreachable: str
    offline: str
    missing: str = ""
    wrong: type[EmmaError] = HubError
    passing: tuple[type[Exception], ...] = ()


@dataclass(eq=False, slots=True)
class Patience:
    """How often a request is made, and the seconds before the second attempt; they double.

    Attributes:
        attempts: How often, at least once.
        delay: Seconds before the second attempt.
        errand: What the requests are for.
        has_answered: Whether anything was reached yet; it travels with a pickled copy.
    """

    attempts: int
    delay: float
    errand: Errand
    has_answered: bool = field(default=False)

    def __call__(self, what: str, call: Callable[[], Result]) -> Result:
        """Return what a call returns, made again where that can help.

        Args:
            what: What is asked for, completing `Errand.fails`.
            call: The call.

        Returns:
            Its result.

        Raises:
            EmmaError: A HubError if it is refused, cannot be reached, or still fails at the last attempt;
                `Errand.wrong` if the call is wrong.
        """
        expected, attempt = _expected_errors(), 0
        while True:
            attempt += 1
            began = time.monotonic()
            try:
                result = call()
            except expected as error:
                wait = self._wait(error, attempt, time.monotonic() - began)
                if wait is None or attempt >= self.attempts:
                    raise self._explained(what, error, attempt) from error
                said = without_tokens(str(error))
                logger.info("%s: %s; attempt %d after %g s", what, said, attempt + 1, wait)
                time.sleep(wait)
            else:
                self.has_answered = True
                return result

    def _wait(self, error: Exception, attempt: int, seconds: float) -> float | None:
        """Return the seconds to wait before another attempt, or None if it cannot help.

        Args:
            error: What was raised.
            attempt: By which attempt, counted from 1.
            seconds: How long the attempt took.
        """
        if not self.has_answered and _is_unreachable(error):
            return min(self.delay, _QUICK) if attempt == 1 and seconds < _QUICK else None
        self.has_answered = self.has_answered or status_of(error) > 0 or _is_of_connection(error)
        if not self._may_pass(error):
            return None
        asked = _retry_after(error)
        if asked is None:
            return min(self.delay * 2 ** (attempt - 1), _LONGEST_WAIT)
        return asked if asked <= _LONGEST_ASKED else None

    def _may_pass(self, error: Exception) -> bool:
        from huggingface_hub.errors import OfflineModeIsEnabled

        if isinstance(error, OfflineModeIsEnabled | EmmaError):
            return False
        status = status_of(error)
        if status:
            return status in {408, 429} or status >= 500
        if isinstance(error, json.JSONDecodeError):  # half an answer
            return True
        if isinstance(error, ValueError | FileNotFoundError):
            return False
        return _is_of_connection(error) or isinstance(error, self.errand.passing)

    def _explained(self, what: str, error: Exception, attempt: int) -> EmmaError:
        from huggingface_hub.errors import (
            GatedRepoError,
            OfflineModeIsEnabled,
            RepositoryNotFoundError,
        )

        errand, status = self.errand, status_of(error)
        fails = errand.fails.format(what)
        if isinstance(error, OfflineModeIsEnabled):
            return errand.wrong(f"{fails}: HF_HUB_OFFLINE is set; {errand.offline}")
        said = " ".join(str(getattr(error, "server_message", None) or error).split())
        said = without_tokens(said)[:_LONGEST_SAID]
        if not self.has_answered and _is_unreachable(error):
            return HubError(
                f"{fails}: {_endpoint(error)} cannot be reached ({said}); {errand.unreachable}"
            )
        is_missing = isinstance(error, RepositoryNotFoundError) or status == 404
        if errand.missing and is_missing and not isinstance(error, GatedRepoError):
            return errand.wrong(f"{fails} ({status}): {errand.missing}")
        if not status and not self._may_pass(error):
            return errand.wrong(f"{fails}: {said}")
        tries = "" if attempt == 1 else f" after {attempt} attempts"
        code = f" ({status})" if status else ""
        return HubError(
            f"{fails}{tries}: {said}{code}; {errand.advice.get(status, errand.otherwise)}"
        )


def without_tokens(text: str) -> str:
    """Return text without access tokens of the Hub, which a server may repeat in what it says."""
    return _TOKEN.sub("hf_…", text)


def status_of(error: BaseException) -> int:
    """Return the HTTP status an error, or what it came from, was raised for; 0 if there was no answer."""
    codes = (getattr(getattr(each, "response", None), "status_code", 0) for each in _chain(error))
    return next((int(code) for code in codes if code), 0)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from, the latest first."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _http_error() -> type[Exception]:
    """Return the base of the errors of the HTTP client (httpx or httpx2, as huggingface_hub uses)."""
    from huggingface_hub import errors

    return next(
        each for each in errors.HfHubHTTPError.__mro__ if each.__module__.startswith("httpx")
    )


def _expected_errors() -> tuple[type[Exception], ...]:
    """Return what the HTTP client, the clients of the Hub and the check of cards raise."""
    return (_http_error(), OSError, ValueError, RuntimeError)


def _is_of_connection(error: Exception) -> bool:
    """Tell whether an error is one of connections, or of reading from them."""
    return isinstance(error, (_http_error(), OSError)) and not isinstance(error, FileNotFoundError)


def _is_unreachable(error: Exception) -> bool:
    """Tell whether not even a connection was made: no such host, nobody listening, no way there."""
    client = sys.modules[_http_error().__module__.partition(".")[0]]
    refused = (client.ConnectError, client.ConnectTimeout, client.ProxyError)
    kinds = (*refused, ConnectionRefusedError, socket.gaierror)
    return any(isinstance(each, kinds) for each in _chain(error))


def _endpoint(error: Exception) -> str:
    """Return where a request went, as "https://host"; the Hub's address where the error does not say."""
    from huggingface_hub import constants

    requests: Iterator[Any] = (getattr(each, "_request", None) for each in _chain(error))
    url = next((str(each.url) for each in requests if each is not None), constants.ENDPOINT)
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _retry_after(error: BaseException) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):  # a date is not believed: clocks differ
        return None
