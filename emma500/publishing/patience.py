"""Ask the Hub, again where asking again can help, and explain what it says where it cannot."""

import json
import time
from collections.abc import Callable
from typing import TypeVar

from emma500.errors import HubError

Result = TypeVar("Result")

_TRY_AGAIN = {408, 429, 500, 502, 503, 504}
_LONGEST_WAIT = 60.0  # seconds between two attempts
_ADVICE = {
    401: "log in with `hf auth login`, or set HF_TOKEN to a token with write access",
    403: "the token may not write there: use a token with write access to that user or organisation",
    404: "there is no such repository, or the token may not see it",
    409: "somebody else changed the repository meanwhile: run the same call again",
    412: "somebody else changed the repository meanwhile: run the same call again",
    413: "the card is too large for the Hub",
    429: "the Hub allows 128 commits an hour: wait, and run the same call again; what is uploaded is kept",
}


class Patient:
    """Calls about one repository, each tried up to `attempts` times.

    Args:
        repo_id: The repository, as messages name it.
        attempts: How often to try, at least once.
        delay: Seconds before the second attempt; doubled with each further one.
    """

    def __init__(self, repo_id: str, *, attempts: int, delay: float) -> None:
        self.repo_id = repo_id
        self.attempts = attempts
        self.delay = delay

    def __call__(self, purpose: str, function: Callable[[], Result]) -> Result:
        """Return what `function` returns.

        Args:
            purpose: What it does, completing "cannot ...".
            function: The call.

        Returns:
            The function's result.

        Raises:
            HubError: If the Hub refuses, or still fails at the last attempt.
        """
        from huggingface_hub.errors import OfflineModeIsEnabled

        expected = _expected_errors()
        for attempt in range(1, self.attempts + 1):
            try:
                return function()
            except OfflineModeIsEnabled as error:
                raise HubError(
                    f"cannot {purpose} of {self.repo_id}: HF_HUB_OFFLINE is set; "
                    "unset it, or publish to a directory"
                ) from error
            except expected as error:
                if attempt == self.attempts or not _worth_another(error):
                    raise HubError(self._message(purpose, error, attempt)) from error
                time.sleep(min(self.delay * 2 ** (attempt - 1), _LONGEST_WAIT))
        raise HubError(f"cannot {purpose} of {self.repo_id}: no attempt was allowed")

    def _message(self, purpose: str, error: Exception, attempt: int) -> str:
        status = _status(error)
        said = " ".join(str(getattr(error, "server_message", None) or error).split())
        tries = "" if attempt == 1 else f" after {attempt} attempts"
        advice = _ADVICE.get(status, "run the same call again later") if status else (
            "run the same call again; what is uploaded is kept"
        )  # fmt: skip
        code = f" ({status})" if status else ""
        return f"cannot {purpose} of {self.repo_id}{tries}: {said}{code}; {advice}"


def _expected_errors() -> tuple[type[Exception], ...]:
    """Return the errors of the HTTP client (httpx or httpx2, as huggingface_hub uses) and of the card's check."""
    from huggingface_hub import errors

    http = next(
        each for each in errors.HfHubHTTPError.__mro__ if each.__module__.startswith("httpx")
    )
    return (http, OSError, ValueError, RuntimeError)


def _status(error: Exception) -> int:
    return int(getattr(getattr(error, "response", None), "status_code", 0) or 0)


def _worth_another(error: Exception) -> bool:
    """Tell whether the same request may succeed: not after a refusal, nor after an invalid card."""
    status = _status(error)
    if status:
        return status in _TRY_AGAIN
    return not isinstance(error, ValueError) or isinstance(error, json.JSONDecodeError)
