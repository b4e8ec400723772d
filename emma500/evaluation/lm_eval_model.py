"""The scoring engine as a model of lm-evaluation-harness: its whole catalogue of tasks, several times faster.

python -m emma500.evaluation.lm_eval_model --model emma500 --model_args pretrained=gpt2 --tasks xcopa

lm-evaluation-harness 0.4.13 finds no models of other packages by itself, so this module starts its command line after
it has registered the model; a program calls `register_lm_eval_model()` and then lm-eval's own `simple_evaluate`.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from emma500.errors import MissingExtraError
from emma500.evaluation.likelihood import LikelihoodScorer, Request, rolling_requests

if TYPE_CHECKING:
    from lm_eval.models.huggingface import HFLM as _Base
else:
    _Base = object

NAME = "emma500"
"""What lm-eval calls the model: `--model emma500`."""


class _SharedScoring(_Base):
    """What stands before lm-eval's HFLM among the bases of the model: the scores of tokens are ours."""

    def __init__(
        self, pretrained: Any, *, token_budget: int | None = None, **arguments: Any
    ) -> None:
        super().__init__(pretrained, **arguments)
        self._scorer = LikelihoodScorer(
            self.model,
            token_budget=token_budget,
            max_length=self.max_length,
            bf16="bfloat16" in str(self.mixed_precision_dtype),
            split=False,  # lm-eval has given each process its requests
        )

    def _loglikelihood_tokens(
        self, requests: Any, disable_tqdm: bool = False, override_bs: int | None = None
    ) -> list[tuple[float, bool]]:
        del disable_tqdm, override_bs
        found = self._scorer.score(
            [Request(tuple(context), tuple(tokens)) for _, context, tokens in requests],
            names=[repr(texts) for texts, _, _ in requests],
        )
        results = [(each.loglikelihood, each.is_greedy) for each in found]
        for (texts, _, _), result in zip(requests, results, strict=True):
            self.cache_hook.add_partial("loglikelihood", texts, result)
        return results

    def loglikelihood_rolling(self, requests: Any, disable_tqdm: bool = False) -> list[float]:
        del disable_tqdm
        windows, counts = [], []
        for request in requests:
            own = rolling_requests(
                self.tok_encode(request.args[0]),
                prefix=self.prefix_token_id,
                max_length=self.max_length,
            )
            windows += own
            counts.append(len(own))
        values = iter(self._scorer.score(windows))
        totals = [sum(next(values).loglikelihood for _ in range(count)) for count in counts]
        for request, total in zip(requests, totals, strict=True):
            self.cache_hook.add_partial("loglikelihood_rolling", request.args, total)
        return totals


@cache
def register_lm_eval_model() -> type:
    """Make `emma500` a model of lm-evaluation-harness.

    It takes the arguments of lm-eval's own `hf` model, and `token_budget`, the tokens of a forward pass (`batch_size`
    counts for generation only). Log-likelihoods are those of `hf` in float32; with weights in bfloat16 they are finer,
    for the log-softmax is always taken in float32.

    Returns:
        The class, a subclass of lm-eval's HFLM.

    Raises:
        MissingExtraError: If lm-eval is not installed.
    """
    try:
        from lm_eval.api.registry import register_model
        from lm_eval.models.huggingface import HFLM
    except ImportError as error:
        raise MissingExtraError(
            "lm-eval is not installed; install it with: pip install 'emma500[lm-eval]'"
        ) from error

    class Emma500LM(_SharedScoring, HFLM):
        """A causal language model whose requests share what they have in common."""

    register_model(NAME)(Emma500LM)
    return Emma500LM


def main() -> None:
    """Run lm-eval's command line with the model `emma500` in it."""
    register_lm_eval_model()
    from lm_eval.__main__ import cli_evaluate

    cli_evaluate()


if __name__ == "__main__":
    main()
