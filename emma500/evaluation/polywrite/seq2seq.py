"""Translation with encoder-decoder models of transformers."""

from collections.abc import Mapping, Sequence
from typing import Any

from emma500.errors import LanguageError, SourceError
from emma500.evaluation.memory import halved_budget
from emma500.evaluation.polywrite.language_tokens import (
    is_written_first,
    language_token,
    source_code,
)
from emma500.models import load_tokenizer, model_identity
from emma500.processes import process_state

_BUDGETS = {"cpu": 4096}
_ACCELERATOR_BUDGET = 65_536
"""Tokens of a batch, what is read and what is written with their padding."""

_ADVICE = "take num_beams=1, fewer max_tokens, or a larger device"


class Seq2SeqTranslator:
    """Translates with an encoder-decoder model of transformers: NLLB, M2M-100, MADLAD-400, OPUS-MT and their like.

    The language is named by the token that the tokenizer has for it. Texts are sorted by length; a batch holds what
    fits the budget of tokens, and half of it where memory runs out.

    Args:
        model: A Hub id, or a folder.
        revision: Branch, tag or commit on the Hub.
        num_beams: Beams of the search; 1 is greedy.
        max_tokens: Tokens of a translation at most.
        dtype: "auto" (as stored), "float32", "bfloat16" or "float16".
        device: As "cuda"; the accelerator if there is one by default.
        token_budget: Tokens a batch; 4,096 on a CPU and 65,536 on an accelerator by default.

    Raises:
        SourceError: If the model cannot be loaded.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        num_beams: int = 4,
        max_tokens: int = 256,
        dtype: str = "auto",
        device: str | None = None,
        token_budget: int | None = None,
    ) -> None:
        from transformers import AutoModelForSeq2SeqLM

        self._name, self._revision = model_identity(model, revision)
        self._tokenizer = load_tokenizer(model, revision)
        try:
            loaded = AutoModelForSeq2SeqLM.from_pretrained(
                model, revision=revision, dtype=dtype, use_safetensors=True
            )
        except (OSError, ValueError) as error:
            raise SourceError(
                f"{model!r} cannot be loaded as an encoder-decoder (a causal model is a CausalTranslator): {error}"
            ) from error
        self._model = loaded.to(device or process_state().device).eval()
        self._num_beams, self._max_tokens = num_beams, max_tokens
        self.token_budget = token_budget or _BUDGETS.get(
            self._model.device.type, _ACCELERATOR_BUDGET
        )

    @property
    def description(self) -> Mapping[str, Any]:
        """Name, revision, and what else decides a translation."""
        return {
            "name": self._name,
            "revision": self._revision,
            "kind": "seq2seq",
            "num_beams": self._num_beams,
            "max_tokens": self._max_tokens,
        }

    def supports(self, label: str) -> bool:
        """Tell whether the tokenizer has a token for a language."""
        return bool(self._token(label))

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[str]:
        """Translate.

        Args:
            texts: The texts.
            source: Their language, as "eng_Latn".
            target: The language wanted.

        Returns:
            The translations, in their order.

        Raises:
            FailureError: If memory runs out with one text a batch.
        """
        own, wanted = (self._required(label) for label in (source, target))
        written = f"{wanted} " if is_written_first(wanted) else ""
        if not written and hasattr(self._tokenizer, "src_lang"):
            self._tokenizer.src_lang = source_code(own)
        encoded = [self._tokenizer(written + each)["input_ids"] for each in texts]
        order = sorted(range(len(texts)), key=lambda n: len(encoded[n]), reverse=True)
        found: dict[int, str] = {}
        while len(found) < len(order):
            rest = order[len(found) :]
            width = len(encoded[rest[0]]) + self._max_tokens
            batch = rest[: max(1, self.token_budget // width)]
            try:
                out = self._run([encoded[n] for n in batch], "" if written else wanted)
            except (RuntimeError, MemoryError) as error:
                budget = min(self.token_budget, len(batch) * width)
                self.token_budget = halved_budget(
                    budget, error, len(batch), thing="text", advice=_ADVICE
                )
                continue
            found |= dict(zip(batch, out, strict=True))
        return [found[n].strip() for n in range(len(texts))]

    def _run(self, ids: Sequence[Sequence[int]], first: str) -> list[str]:
        import torch

        width, device = max(map(len, ids)), self._model.device
        pad = self._tokenizer.pad_token_id or 0
        rows = torch.tensor([[*each, *[pad] * (width - len(each))] for each in ids])
        mask = torch.tensor([[1] * len(each) + [0] * (width - len(each)) for each in ids])
        options: dict[str, Any] = {}
        if first:
            options["forced_bos_token_id"] = self._tokenizer.convert_tokens_to_ids(first)
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=rows.to(device),
                attention_mask=mask.to(device),
                num_beams=self._num_beams,
                do_sample=False,
                max_new_tokens=self._max_tokens,
                max_length=None,
                **options,
            )
        return list(self._tokenizer.batch_decode(out.tolist(), skip_special_tokens=True))

    def _token(self, label: str) -> str:
        return language_token(label, self._tokenizer.get_vocab())

    def _required(self, label: str) -> str:
        if not (token := self._token(label)):
            raise LanguageError(
                f"the tokenizer of {self._name} has no token for {label}, as NLLB, M2M-100, MADLAD-400 and OPUS-MT "
                "have: leave the language out, or take another translator"
            )
        return token
