"""Bits per byte by language on the corpus's validation split, while training."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emma500.benchmarks.splits import leaked_sentences
from emma500.folder import Corpus
from emma500.mixture.documents import Chosen, read_texts, tokenize
from emma500.mixture.packing import pack
from emma500.models import document_nll, prefix_token
from emma500.progress import Progress
from emma500.storage import write_text


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOut:
    """Validation documents of all languages, packed: rows, and for each document its label, bytes and tokens."""

    rows: dict[str, np.ndarray]
    labels: np.ndarray
    n_bytes: np.ndarray
    n_tokens: np.ndarray

    def summary(self, step: int, nll: np.ndarray) -> list[dict[str, Any]]:
        """Return one row a label, as the manifest holds it.

        Args:
            step: The optimizer step that was scored.
            nll: Nats by document.

        Returns:
            The rows, by label.
        """
        nll = np.pad(
            nll, (0, len(self.labels) - len(nll))
        )  # documents without tokens have no place in the rows
        rows = []
        for label in np.unique(self.labels):
            own = self.labels == label
            value, error = bits_per_byte(nll[own], self.n_bytes[own])
            rows.append(
                {
                    "step": step,
                    "label": str(label),
                    "n_documents": int(own.sum()),
                    "n_bytes": int(self.n_bytes[own].sum()),
                    "n_tokens": int(self.n_tokens[own].sum()),
                    "nll": float(nll[own].sum()),
                    "bits_per_byte": value,
                    "stderr": error,
                }
            )
        return rows


def held_out(
    corpus: Corpus,
    chosen: Sequence[Chosen],
    tokenizer: Any,
    *,
    max_length: int,
    max_bytes: int,
) -> HeldOut | None:
    """Read and pack the validation documents of the languages that are trained on or replayed.

    A language's documents are its monolingual ones, and then its side of the pairs, ten lines a document. They are
    taken in the order of their ids until `max_bytes` is reached; the first is always taken. Documents have no end
    token, so that the bits are those of the bytes. A sentence that also stands in a training pair of its language is
    left out.

    Args:
        corpus: The corpus.
        chosen: What is trained on; code is not validated.
        tokenizer: The model's tokenizer.
        max_length: Tokens a row.
        max_bytes: Bytes of text a language.

    Returns:
        The packed documents, or None if there are none.
    """
    texts: dict[str, list[str]] = {}
    leaked: dict[str, set[str]] = {}
    for each in sorted(chosen, key=lambda one: (one.component == "bilingual", one.label)):
        if each.component != "code" and max_bytes:
            pair = each.component == "bilingual"
            if pair and each.language not in leaked:
                leaked[each.language] = leaked_sentences(corpus, each.language)
            found = read_texts(
                corpus,
                each,
                "validation",
                pair_format="target",
                without=leaked[each.language] if pair else (),
            ).texts
            texts.setdefault(each.language, []).extend(found)
    kept = {label: _first_bytes(each, max_bytes) for label, each in sorted(texts.items())}
    documents = [text for each in kept.values() for text in each]
    if not documents:
        return None
    tokens = tokenize(documents, tokenizer)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else prefix_token(tokenizer)
    return HeldOut(
        rows=pack(tokens, length=max_length, prefix=prefix_token(tokenizer), pad=pad),
        labels=np.repeat(list(kept), [len(each) for each in kept.values()]),
        n_bytes=np.array([len(text.encode()) for text in documents]),
        n_tokens=tokens.sizes,
    )


def _first_bytes(texts: Sequence[str], max_bytes: int) -> list[str]:
    ends = np.cumsum([len(text.encode()) for text in texts])
    return list(texts[: max(1, int(np.searchsorted(ends, max_bytes, side="right")))])


class Validator:
    """Score the validation documents and keep the results of each step in a file.

    Args:
        documents: The packed documents, or None for no validation.
        folder: Where the results are kept, a file a step.
        batch_size: Rows a forward pass.
        bf16: Run the matrix products in bfloat16.
        progress: Called as rows are scored.
    """

    def __init__(
        self,
        documents: HeldOut | None,
        folder: Path,
        *,
        batch_size: int = 1,
        bf16: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self.documents = documents
        self.folder = folder
        self.batch_size = batch_size
        self.bf16 = bf16
        self.progress = progress

    def __call__(self, model: Any, step: int, *, write: bool = True) -> None:
        """Score the documents with the weights of a step, unless an earlier, interrupted run of it did.

        Args:
            model: The model.
            step: The optimizer step its weights are of.
            write: Keep the results; False for all processes but one.
        """
        file = self.folder / f"step-{step}.json"
        if self.documents is None or file.exists():
            return
        nll = document_nll(
            model,
            self.documents.rows,
            batch_size=self.batch_size,
            bf16=self.bf16,
            progress=self.progress,
        )
        if write:
            write_text(file, json.dumps(self.documents.summary(step, nll)))

    def results(self) -> list[dict[str, Any]]:
        """Return the results of all steps, by step and label."""
        files = sorted(
            self.folder.glob("step-*.json"), key=lambda file: int(file.stem.split("-")[1])
        )
        return [row for file in files for row in json.loads(file.read_text(encoding="utf-8"))]


def bits_per_byte(nll: np.ndarray, n_bytes: np.ndarray) -> tuple[float, float | None]:
    """Return the bits per byte of some documents and its standard error.

    The value is a ratio of sums over documents; its error is that of a ratio estimator (delta method).

    Args:
        nll: Nats by document.
        n_bytes: UTF-8 bytes by document.

    Returns:
        Bits per byte, and the standard error, None for one document.
    """
    n = len(nll)
    ratio = nll.sum() / n_bytes.sum()
    error = None
    if n > 1:
        spread = ((nll - ratio * n_bytes) ** 2).sum()
        error = float(math.sqrt(spread * n / (n - 1)) / n_bytes.sum() / math.log(2))
    return float(ratio / math.log(2)), error
