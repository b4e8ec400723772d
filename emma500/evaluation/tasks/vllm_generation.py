"""Generation through vLLM (`emma500[vllm]`), behind the interface of `generation.Generator`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from emma500.configuration import need
from emma500.errors import ConfigError
from emma500.evaluation.tasks.generation import Generated, Sampling, Wanted, cut, output_keys
from emma500.models import prefix_token
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
        cache: "OutputCache | None" = None,
    ) -> None:
        self._vllm: Any = need("vllm", "vllm")
        self._tokenizer, self._max_length, self._cache = tokenizer, max_length, cache
        self._model = self._vllm.LLM(model=path, revision=revision, max_model_len=max_length)

    def generate(
        self,
        wanted: Sequence[Wanted],
        sampling: Sampling | None = None,
        *,
        progress: Progress | None = None,
    ) -> list[Generated]:
        """Generate (`generation.TransformersGenerator.generate`)."""
        encoded = [self._encode(each) for each in wanted]
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

    def _encode(self, wanted: Wanted) -> tuple[list[int], bool]:
        room = self._max_length - wanted.max_tokens
        if room < 1:
            raise ConfigError(
                f"an output of {wanted.max_tokens} tokens leaves no room for a prompt in {self._max_length} tokens"
            )
        ids = list(self._tokenizer(wanted.prompt, verbose=False)["input_ids"])
        ids = ids or [prefix_token(self._tokenizer)]
        return ids[-room:], len(ids) > room

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
                seed=None if sampling is None else sampling.seed + place,
                max_tokens=each.max_tokens,
                stop=list(each.stops) or None,
            )
            for place, each in enumerate(wanted)
        ]
        given = [{"prompt_token_ids": list(ids)} for ids in prompts]
        found = self._model.generate(given, parameters, use_tqdm=False)
        return [
            cut(output.outputs[0].text, each.stops)
            for output, each in zip(found, wanted, strict=True)
        ]
