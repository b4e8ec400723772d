"""Prompts -> outputs: static batches of prompts of similar length, greedy or sampled with a seed."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from emma500.errors import ConfigError, FailureError
from emma500.evaluation.memory import halved_budget
from emma500.evaluation.tasks.stopping import Stopping, cut
from emma500.progress import Progress

if TYPE_CHECKING:
    from emma500.evaluation.likelihood import OutputCache

_BUDGETS = {"cpu": 4096}
_ACCELERATOR_BUDGET = 131_072
"""Tokens of a batch, prompts and outputs with their padding."""

_ADVICE = "take bf16=True, a smaller window (max_prompt), or a larger device"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What to generate.

    Attributes:
        prompt: What the model reads.
        stops: Strings that end the output; they and what follows are cut off.
        max_tokens: Tokens of the output at most.
        draw: Which of several draws after the same prompt this is, from 0 (`numbered`).
    """

    prompt: str
    stops: tuple[str, ...] = ()
    max_tokens: int
    draw: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """How tokens are drawn; without it, the likeliest one is taken."""

    temperature: float = 0.6
    top_p: float = 0.9
    seed: int = 42


@dataclass(frozen=True, slots=True)
class Generated:
    """One output, and whether its prompt was cut to fit the window."""

    text: str
    is_truncated: bool


class Generator(Protocol):
    """What generates: transformers here, or vLLM."""

    def generate(
        self,
        wanted: Sequence[Wanted],
        sampling: Sampling | None = None,
        *,
        progress: Progress | None = None,
    ) -> list[Generated]:
        """Return an output for each prompt, in their order."""


class TransformersGenerator:
    """Generates with a model of transformers.

    Prompts are sorted by length and padded on the left; a batch holds what fits the budget of tokens, and half of it
    where memory runs out. A prompt that leaves no room for its output loses its start.

    Args:
        model: A causal language model, on its device.
        tokenizer: Its tokenizer.
        max_length: Tokens of prompt and output at most.
        token_budget: Tokens a batch; 4,096 on a CPU and 131,072 on an accelerator by default.
        bf16: Run the matrix products in bfloat16 (autocast).
        cache: Where outputs are kept and looked up. Draws are kept too; those that are missing depend on the batch.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        max_length: int,
        token_budget: int | None = None,
        bf16: bool = False,
        cache: "OutputCache | None" = None,
    ) -> None:
        self._model, self._tokenizer, self._bf16 = model, tokenizer, bf16
        self._max_length, self._cache = max_length, cache
        device = next(model.parameters()).device.type
        self.token_budget = token_budget or _BUDGETS.get(device, _ACCELERATOR_BUDGET)

    def generate(
        self,
        wanted: Sequence[Wanted],
        sampling: Sampling | None = None,
        *,
        progress: Progress | None = None,
    ) -> list[Generated]:
        """Generate.

        Args:
            wanted: What to generate.
            sampling: How tokens are drawn; None for the likeliest.
            progress: Called as outputs are done.

        Returns:
            The outputs, in the order of the prompts.

        Raises:
            ConfigError: If an output alone is as long as the window.
            FailureError: If memory runs out with one prompt a batch, or a logit is no number.
        """
        encoded = [encode(self._tokenizer, each, self._max_length) for each in wanted]
        keys = output_keys(self._cache, [ids for ids, _ in encoded], wanted, sampling)
        texts: dict[int, str] = {} if self._cache is None else self._cache.find(keys)
        order = sorted(
            (n for n in range(len(wanted)) if n not in texts),
            key=lambda n: (wanted[n].max_tokens, len(encoded[n][0])),
            reverse=True,
        )
        n_kept = len(texts)
        while len(texts) < len(wanted):
            batch = self._batch(order[len(texts) - n_kept :], wanted, encoded)
            try:
                found = self._run(
                    [encoded[n][0] for n in batch], [wanted[n] for n in batch], sampling
                )
            except (RuntimeError, MemoryError) as error:
                held = len(batch) * (len(encoded[batch[0]][0]) + wanted[batch[0]].max_tokens)
                budget = min(self.token_budget, held)
                self.token_budget = halved_budget(
                    budget, error, len(batch), thing="prompt", advice=_ADVICE
                )
                continue
            texts |= dict(zip(batch, found, strict=True))
            if self._cache is not None:
                self._cache.add(zip([keys[n] for n in batch], found, strict=True))
            if progress is not None:
                progress("generating", len(texts), len(wanted))
        if self._cache is not None:
            self._cache.flush()
        return [Generated(texts[n], encoded[n][1]) for n in range(len(wanted))]

    def _batch(
        self, order: Sequence[int], wanted: Sequence[Wanted], encoded: Sequence[tuple[list[int], bool]]
    ) -> list[int]:  # fmt: skip
        """Return the next prompts that fit: as many tokens to generate, and about as long."""
        first = wanted[order[0]].max_tokens
        width = len(encoded[order[0]][0]) + first
        size = max(1, self.token_budget // width)
        batch = []
        for n in order[:size]:
            if wanted[n].max_tokens != first:
                break
            batch.append(n)
        return batch

    def _run(
        self,
        prompts: Sequence[Sequence[int]],
        wanted: Sequence[Wanted],
        sampling: Sampling | None,
    ) -> list[str]:
        import torch

        device = next(self._model.parameters()).device
        width, pad = max(map(len, prompts)), self._pad()
        ids = torch.tensor([[pad] * (width - len(each)) + list(each) for each in prompts])
        mask = torch.tensor([[0] * (width - len(each)) + [1] * len(each) for each in prompts])
        options: dict[str, Any] = {"do_sample": False, "temperature": None, "top_p": None}
        if sampling is not None:
            torch.manual_seed(draw_seed(sampling, prompts, wanted))
            options = {
                "do_sample": True,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
            }
        stopping = Stopping(self._tokenizer, width, [each.stops for each in wanted])
        self._model.eval()
        with (
            torch.inference_mode(),
            torch.autocast(device.type, torch.bfloat16, enabled=self._bf16),
        ):
            found = self._model.generate(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                max_new_tokens=wanted[0].max_tokens,
                pad_token_id=pad,
                top_k=None,
                num_beams=1,
                repetition_penalty=1.0,  # whatever the model's generation_config.json says
                no_repeat_ngram_size=0,
                stopping_criteria=[stopping],
                logits_processor=[partial(_numbers, [each.prompt for each in wanted])],
                **options,
            )
        texts = self._tokenizer.batch_decode(found[:, width:].tolist(), skip_special_tokens=True)
        return [cut(text, each.stops) for text, each in zip(texts, wanted, strict=True)]

    def _pad(self) -> int:
        for token in (self._tokenizer.pad_token_id, self._tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        return 0


def encode(tokenizer: Any, wanted: Wanted, max_length: int) -> tuple[list[int], bool]:
    """Return the tokens of a prompt, the last that leave room for the output, and whether it was cut.

    Raises:
        ConfigError: If the output alone is as long as the window.
    """
    from emma500.models import prefix_token

    room = max_length - wanted.max_tokens
    if room < 1:
        raise ConfigError(
            f"an output of {wanted.max_tokens} tokens leaves no room for a prompt in {max_length} tokens: "
            "give fewer (max_new_tokens), or a longer window (max_prompt)"
        )
    ids = list(tokenizer(wanted.prompt, verbose=False)["input_ids"])
    ids = ids or [prefix_token(tokenizer)]
    return ids[-room:], len(ids) > room


def numbered(wanted: Sequence[Wanted]) -> list[Wanted]:
    """Return what is wanted with draws after the same prompt numbered, before processes share them out."""
    times, found = Counter[Wanted](), []
    for each in wanted:
        found.append(replace(each, draw=times[each]))
        times[each] += 1
    return found


def draw_seed(
    sampling: Sampling, prompts: Sequence[Sequence[int]], wanted: Sequence[Wanted]
) -> int:
    """Return the seed of some draws: another one for other prompts and numbers, wherever they stand in a run."""
    draws = [(list(ids), each.draw) for ids, each in zip(prompts, wanted, strict=True)]
    digest = hashlib.sha256(f"{sampling.seed} {draws}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


def output_keys(
    cache: "OutputCache | None",
    prompts: Sequence[Sequence[int]],
    wanted: Sequence[Wanted],
    sampling: Sampling | None,
) -> list[bytes]:
    """Return what outputs are known by in a cache; no keys without one.

    Args:
        cache: The cache.
        prompts: The tokens of each prompt, as the model is given them.
        wanted: What is to be generated.
        sampling: How tokens are drawn; each draw after the same prompt has a key of its own.
    """
    if cache is None:
        return []
    keys = []
    for ids, each in zip(prompts, wanted, strict=True):
        number = (each.draw + 1,) if sampling is not None and each.draw else ()
        keys.append(cache.key(ids, each.max_tokens, each.stops, sampling, *number))
    return keys


def _numbers(prompts: Sequence[str], input_ids: Any, scores: Any) -> Any:
    """Refuse logits that are no numbers: the likeliest of them is whatever comes first."""
    bad = scores.isnan().any(dim=-1)
    if bool(bad.any()):
        prompt = prompts[int(bad.nonzero()[0])]
        raise FailureError(
            f"the model's logits are not numbers after the prompt {prompt[:60]!r}…: its weights are broken, or "
            "float16 overflows (dtype='float32')"
        )
    return scores
