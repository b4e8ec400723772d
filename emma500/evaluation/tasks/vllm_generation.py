"""Generation through vLLM (`emma500[vllm]`), behind the interface of `generation.Generator`."""

from collections.abc import Sequence
from typing import Any

from emma500.configuration import need
from emma500.errors import ConfigError
from emma500.evaluation.tasks.generation import Generated, Sampling, Wanted, cut
from emma500.models import prefix_token
from emma500.progress import Progress


class VllmGenerator:
    """Generates with vLLM, which batches and shares prefixes by itself.

    Args:
        path: What the model is loaded from.
        revision: Its commit on the Hub; None for a folder.
        tokenizer: Its tokenizer.
        max_length: Tokens of prompt and output at most.

    Raises:
        MissingExtraError: If vLLM is not installed.
    """

    def __init__(self, path: str, *, revision: str | None, tokenizer: Any, max_length: int) -> None:
        self._vllm: Any = need("vllm", "vllm")
        self._tokenizer, self._max_length = tokenizer, max_length
        self._model = self._vllm.LLM(model=path, revision=revision, max_model_len=max_length)

    def generate(
        self,
        wanted: Sequence[Wanted],
        sampling: Sampling | None = None,
        *,
        progress: Progress | None = None,
    ) -> list[Generated]:
        """Generate (`generation.TransformersGenerator.generate`)."""
        prompts, parameters, is_cut = [], [], []
        for place, each in enumerate(wanted):
            room = self._max_length - each.max_tokens
            if room < 1:
                raise ConfigError(
                    f"an output of {each.max_tokens} tokens leaves no room for a prompt in {self._max_length} tokens"
                )
            ids = list(self._tokenizer(each.prompt, verbose=False)["input_ids"])
            ids = ids or [prefix_token(self._tokenizer)]
            prompts.append({"prompt_token_ids": ids[-room:]})
            is_cut.append(len(ids) > room)
            parameters.append(
                self._vllm.SamplingParams(
                    temperature=0.0 if sampling is None else sampling.temperature,
                    top_p=1.0 if sampling is None else sampling.top_p,
                    seed=None if sampling is None else sampling.seed + place,
                    max_tokens=each.max_tokens,
                    stop=list(each.stops) or None,
                )
            )
        found = self._model.generate(prompts, parameters, use_tqdm=False)
        if progress is not None:
            progress("generating", len(wanted), len(wanted))
        return [
            Generated(cut(output.outputs[0].text, each.stops), was_cut)
            for output, each, was_cut in zip(found, wanted, is_cut, strict=True)
        ]
