"""What ends an output beside its length: strings."""

from collections.abc import Sequence
from typing import Any


class Stopping:
    """Ends each output of a batch at the first of its strings; transformers calls it after each token.

    Args:
        tokenizer: The model's tokenizer.
        width: Tokens of the prompts, padded.
        stops: The strings of each row; a row without any ends by itself.
    """

    def __init__(self, tokenizer: Any, width: int, stops: Sequence[tuple[str, ...]]) -> None:
        self._tokenizer, self._width, self._stops = tokenizer, width, stops
        self._done = [False] * len(stops)

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        """Return which rows are done."""
        import torch

        open_rows = [n for n, done in enumerate(self._done) if not done and self._stops[n]]
        for n in open_rows:
            text = self._tokenizer.decode(input_ids[n, self._width :].tolist())
            self._done[n] = any(each in text for each in self._stops[n])
        return torch.tensor(self._done, device=input_ids.device)


def cut(text: str, stops: Sequence[str]) -> str:
    """Return a text up to the first of some strings.

    >>> cut("4 apples. Question: ...", ["Question:", ". "])
    '4 apples'
    """
    ends = [place for each in stops if (place := text.find(each)) >= 0]
    return text[: min(ends)] if ends else text
