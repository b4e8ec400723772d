"""What a vocabulary does to held-out text: its fertility and the model's bits per byte."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emma500.configuration import as_dict
from emma500.folder import Corpus
from emma500.mixture.packing.fitting import pack
from emma500.mixture.tokenizing.fertility import fertility
from emma500.mixture.tokenizing.tokens import tokenize
from emma500.models import check_isolation, document_nll, prefix_token
from emma500.progress import Progress
from emma500.training.validation.scoring import bits_per_byte
from emma500.training.vocabulary.config import VocabularyConfig
from emma500.training.vocabulary.text import read_language


class Report:
    """Measure a tokenizer and its model on held-out text by label.

    Args:
        corpus: Whose validation split is read.
        labels: The labels; those without held-out text are left out.
        config: How much of it, and of which components.
        progress: Called as rows are scored.
    """

    def __init__(
        self,
        corpus: Corpus,
        labels: Sequence[str],
        config: VocabularyConfig,
        progress: Progress | None = None,
    ) -> None:
        self.corpus = corpus
        self.config = config
        self.progress = progress
        self.texts: dict[str, list[str]] = {}
        for label in labels if config.max_validation_bytes else ():
            texts = read_language(
                corpus,
                label,
                "validation",
                components=config.components,
                max_bytes=config.max_validation_bytes,
            )
            if texts:
                self.texts[label] = texts

    def rows(self, when: str, model: Any, tokenizer: Any) -> list[dict[str, Any]]:
        """Return a row a label.

        Args:
            when: "before" or "after".
            model: The model.
            tokenizer: Its tokenizer.

        Returns:
            What `FertilityRow` has, and bits per byte with its standard error, by label.

        Raises:
            ConfigError: If the model does not keep packed documents apart.
        """
        if not self.texts:
            return []
        check_isolation(model)
        measured = fertility(
            tokenizer,
            self.corpus,
            languages=list(self.texts),
            components=self.config.components,
            split="validation",
            max_bytes=self.config.max_validation_bytes,
        )
        bits = self._bits(model, tokenizer)
        return [{"when": when, **as_dict(row), **bits[row.label]} for row in measured.rows]

    def _bits(self, model: Any, tokenizer: Any) -> Mapping[str, dict[str, float | None]]:
        documents = [text for each in self.texts.values() for text in each]
        labels = np.repeat(list(self.texts), [len(each) for each in self.texts.values()])
        n_bytes = np.array([len(text.encode()) for text in documents])
        prefix = prefix_token(tokenizer)
        rows = pack(
            tokenize(documents, tokenizer), length=self.config.max_length, prefix=prefix, pad=prefix
        )
        nll = document_nll(_on_accelerator(model), rows, progress=self.progress)
        nll = np.pad(nll, (0, len(documents) - len(nll)))  # a document without tokens has no place
        found = {}
        for label in self.texts:
            own = labels == label
            value, error = bits_per_byte(nll[own], n_bytes[own])
            found[label] = {"bits_per_byte": value, "stderr": error}
        return found


def _on_accelerator(model: Any) -> Any:
    """Move a model to the GPU, if there is one."""
    import torch

    if not torch.accelerator.is_available():
        return model
    return model.to(torch.accelerator.current_accelerator())
