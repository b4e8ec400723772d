"""Generation through vLLM (`emma500[vllm]`), behind the interface of `generation.Generator`."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from emma500.configuration import need
from emma500.evaluation.tasks.generation import (
    Generated,
    Sampling,
    Wanted,
    draw_seed,
    encode,
    output_keys,
)
from emma500.evaluation.tasks.stopping import cut
from emma500.progress import Progress

if TYPE_CHECKING:
    from emma500.evaluation.likelihood import OutputCache

_KEPT_AT_ONCE = 1024  # prompts, where outputs are kept: what a killed run loses


class VllmGenerator:
    """Generates with vLLM, which batches and shares prefixes by itself.

    Args:
        path: What the model is loaded from.
        revision: Its commit on the Hub; None for a folder.
        tokenizer: Its tokenizer.
        max_length: Tokens of prompt and output at most.
        dtype: Type of the weights, as "bfloat16"; "auto" for that they are stored in.
        cache: Where outputs are kept and looked up.

    Raises:
        MissingExtraError: If vLLM is not installed.
    """

    def __init__(
        self,
        path: str,
        *,
        revision: str | None,
        tokenizer: Any,
        max_length: int,
        dtype: str = "auto",
        cache: "OutputCache | None" = None,
    ) -> None:
        self._vllm: Any = need("vllm", "vllm")
        self._path, self._revision, self._dtype = path, revision, dtype
        self._tokenizer, self._max_length, self._cache = tokenizer, max_length, cache

    @cached_property
    def _model(self) -> Any:
        """The engine, which takes most of a GPU: made when something is to be generated."""
        return self._vllm.LLM(
            model=self._path,
            revision=self._revision,
            tokenizer_revision=self._revision,
            dtype=self._dtype,
            max_model_len=self._max_length,
        )

    def generate(
        self,
        wanted: Sequence[Wanted],
        sampling: Sampling | None = None,
        *,
        progress: Progress | None = None,
    ) -> list[Generated]:
        """Generate (`generation.TransformersGenerator.generate`)."""
        encoded = [encode(self._tokenizer, each, self._max_length) for each in wanted]
        keys = output_keys(self._cache, [ids for ids, _ in encoded], wanted, sampling)
        texts: dict[int, str] = {} if self._cache is None else self._cache.find(keys)
        missing = [n for n in range(len(wanted)) if n not in texts]
        at_once = len(missing) if self._cache is None else _KEPT_AT_ONCE
        for start in range(0, len(missing), max(1, at_once)):
            batch = missing[start : start + at_once]
            found = self._run([encoded[n][0] for n in batch], [wanted[n] for n in batch], sampling)
            texts |= dict(zip(batch, found, strict=True))
            if self._cache is not None:
                self._cache.add(zip([keys[n] for n in batch], found, strict=True))
                self._cache.flush()
            if progress is not None:
                progress("generating", len(texts), len(wanted))
        return [Generated(texts[n], is_cut) for n, (_, is_cut) in enumerate(encoded)]

    def _run(
        self,
        prompts: Sequence[Sequence[int]],
        wanted: Sequence[Wanted],
        sampling: Sampling | None,
    ) -> list[str]:
        parameters = [
            self._vllm.SamplingParams(
                temperature=0.0 if sampling is None else sampling.temperature,
                top_p=1.0 if sampling is None else sampling.top_p,
                seed=None if sampling is None else draw_seed(sampling, [ids], [each]),
                max_tokens=each.max_tokens,
                stop=list(each.stops) or None,
            )
            for ids, each in zip(prompts, wanted, strict=True)
        ]
        given = [{"prompt_token_ids": list(ids)} for ids in prompts]
        found = self._model.generate(given, parameters, use_tqdm=False)
        return [
            cut(output.outputs[0].text, each.stops)
            for output, each in zip(found, wanted, strict=True)
        ]
