"""A model that is ready to answer: what scores and generates with it, and where its answers are kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from emma500.evaluation.identity import ModelIdentity
from emma500.evaluation.tasks.generation import Generator, TransformersGenerator

if TYPE_CHECKING:
    from emma500.evaluation.likelihood import LikelihoodScorer, TextCache
    from emma500.evaluation.likelihood.cache import Kept

    Cache = TypeVar("Cache", bound=Kept)


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A model on its device, with its tokenizer, which one it is, and an `EvalConfig`."""

    model: Any
    tokenizer: Any
    identity: ModelIdentity
    config: Any

    @property
    def window(self) -> int:
        """Tokens that a prompt with its answer may have."""
        from emma500.evaluation.likelihood.forward import max_positions

        return min(int(self.config.max_prompt), int(max_positions(self.model)))

    @property
    def device(self) -> str:
        """Where it computes, as "cuda:0"."""
        return str(next(self.model.parameters()).device)

    def scorer(self) -> "LikelihoodScorer":
        """Return what scores continuations."""
        from emma500.evaluation.likelihood import LikelihoodScorer, ResponseCache

        return LikelihoodScorer(
            self.model,
            max_length=self.window,
            bf16=self.config.bf16,
            cache=self._kept(ResponseCache),
        )

    def texts(self) -> "TextCache | None":
        """Return where the scores of texts are kept."""
        from emma500.evaluation.likelihood import TextCache

        return self._kept(TextCache)

    def generator(self) -> Generator:
        """Return what generates."""
        from emma500.evaluation.likelihood import OutputCache

        if self.config.backend == "vllm":
            from emma500.evaluation.tasks.vllm_generation import VllmGenerator

            return VllmGenerator(
                self.identity.path,
                revision=self.identity.commit,
                tokenizer=self.tokenizer,
                max_length=self.window,
                dtype=self.config.dtype,
                cache=self._kept(OutputCache),
            )
        return TransformersGenerator(
            self.model,
            self.tokenizer,
            max_length=self.window,
            bf16=self.config.bf16,
            cache=self._kept(OutputCache),
        )

    def _kept(self, kind: "type[Cache]") -> "Cache | None":
        """Return a cache of this model's answers: of its revision, dtype, tokenizer and backend."""
        if self.config.cache is None:
            return None
        from emma500.evaluation.likelihood import response_model

        dtype = str(next(self.model.parameters()).dtype).removeprefix("torch.")
        name = f"{self.identity.name}@{self.identity.revision}"
        if self.config.backend != "transformers":
            name += f" {self.config.backend}"
        key = response_model(name, dtype, self.tokenizer, bf16=self.config.bf16)
        return kind(Path(self.config.cache), key)
