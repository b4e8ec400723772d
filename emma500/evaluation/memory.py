"""Memory that runs out: half as much at a time from then on, and where that is no longer possible, what to do."""

import warnings

from emma500.errors import EmmaError, FailureError

_TOLD = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out; never one of ours, which may quote a text that says so."""
    if isinstance(error, EmmaError):
        return False
    return isinstance(error, MemoryError) or any(told in str(error) for told in _TOLD)


def halved_budget(budget: int, error: BaseException, n: int, *, thing: str, advice: str) -> int:
    """Return half of a budget of tokens, with a warning, after a batch that memory did not hold.

    Args:
        budget: The tokens a batch may have, or those that it had if they were fewer.
        error: What was raised.
        n: How many things the batch held.
        thing: What they are, as "prompt".
        advice: What to do where the batch held one alone.

    Returns:
        The new budget.

    Raises:
        BaseException: The error as it came, if it is another one.
        FailureError: If the batch held one alone.
    """
    if not is_out_of_memory(error):
        raise error
    if n == 1:
        raise FailureError(f"memory runs out with one {thing} a batch: {advice}") from error
    warnings.warn(
        f"memory ran out with {n} {thing}s a batch; going on with {budget // 2:,} tokens a batch",
        stacklevel=3,
    )
    return budget // 2
