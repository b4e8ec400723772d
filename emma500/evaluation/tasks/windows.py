"""The negative log-likelihood of the paper: mean losses of overlapping windows of one long text, added up."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from emma500.evaluation.tasks.choices import Scorer

if TYPE_CHECKING:
    from emma500.evaluation.likelihood import Request

WINDOW, STRIDE = 2048, 1024
_BETWEEN = "\n\n"


def window_nll(texts: Sequence[str], tokenizer: Any, scorer: Scorer) -> tuple[float, int]:
    """Score texts as the paper's evaluation did.

    The texts are joined into one, and each window of 2,048 tokens, 1,024 after the last one, has the mean loss of the
    tokens that no window before it had. The sum depends on the length of the windows: it is no likelihood.

    Args:
        texts: The documents of one label.
        tokenizer: The model's tokenizer.
        scorer: What scores.

    Returns:
        The sum, in nats a token, and how many windows there are.
    """
    ids = tuple(tokenizer(_BETWEEN.join(texts), verbose=False)["input_ids"])
    requests = windows(ids, min(WINDOW, scorer.max_length), STRIDE)
    found = scorer.score(requests)
    return -sum(each.loglikelihood / each.n_tokens for each in found), len(requests)


def windows(ids: Sequence[int], window: int, stride: int) -> "list[Request]":
    """Cut a text into windows: what each adds, given what it shares with those before.

    Args:
        ids: The tokens of the text.
        window: Tokens of a window.
        stride: Tokens from the start of one to that of the next; half a window at most.

    Returns:
        The requests; the first token of the text is never scored.
    """
    from emma500.evaluation.likelihood import Request

    requests, done = [], 1
    for begin in range(0, len(ids), min(stride, window // 2)):
        end = min(begin + window, len(ids))
        if end > done:
            requests.append(Request(tuple(ids[begin:done]), tuple(ids[done:end])))
        done = max(done, end)
        if end == len(ids):
            break
    return requests
