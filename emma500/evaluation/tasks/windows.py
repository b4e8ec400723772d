"""The negative log-likelihood of the paper: mean losses of overlapping windows of one long text, added up."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from emma500.evaluation.aggregation import matches
from emma500.evaluation.tasks.choices import Scorer
from emma500.languages.labels import RESOURCE_GROUPS, resource_group

if TYPE_CHECKING:
    from emma500.evaluation.likelihood import Request

WINDOW_SUM = "nll_window_sum"
"""The metric of text in the faithful mode: the sum of the windows' mean losses."""

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


def window_means(found: Mapping[tuple[str, str, str], tuple[float, int]]) -> list[dict[str, Any]]:
    """Return the means over labels, as the paper's tables have them, and by resource group.

    Args:
        found: (benchmark, label, mode) -> the sum of its windows' losses, and how many there are.

    Returns:
        One row a benchmark, mode and group: "all" first, then from high to unseen. The languages are the sample.
    """
    rows = []
    for benchmark, mode in dict.fromkeys((benchmark, mode) for benchmark, _, mode in found):
        own = {
            key[1]: value for key, value in found.items() if (key[0], key[2]) == (benchmark, mode)
        }
        for group in ("all", *RESOURCE_GROUPS):
            labels = [label for label in own if group in ("all", resource_group(label))]
            if labels:
                about = {"benchmark": benchmark, "mode": mode, "metric": WINDOW_SUM, "group": group}
                rows.append(about | _mean({label: own[label] for label in labels}))
    return rows


def _mean(found: Mapping[str, tuple[float, int]]) -> dict[str, Any]:
    values = np.array([value for value, _ in found.values()])
    spread = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return {
        "value": float(values.mean()),
        "stderr": spread,
        "n_labels": len(values),
        "matches": matches(pa.table({"label": list(found)})),
        "n": sum(n for _, n in found.values()),
        "clustered_by": "label",
    }
