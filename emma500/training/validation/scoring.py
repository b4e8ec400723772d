"""Bits per byte by language on the corpus's validation split, while training."""

import json
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emma500.benchmarks.splits import leaked_sentences
from emma500.folder import Corpus
from emma500.mixture.packing.fitting import pack
from emma500.mixture.tokenizing.documents import Chosen, Wanted, row_groups, text_batches
from emma500.mixture.tokenizing.tokens import tokenize
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
            own = texts.setdefault(each.language, [])
            left = max_bytes - sum(len(text.encode()) for text in own)
            own += _first_texts(
                corpus, each, max_bytes=left, without=leaked[each.language] if pair else ()
            )
    kept = {label: _first_bytes(each, max_bytes) for label, each in sorted(texts.items()) if each}
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


def with_base_languages(
    documents: HeldOut | None, corpus: Corpus, labels: Sequence[str], **options: Any
) -> HeldOut | None:
    """Add the validation documents of languages that the base knows and that are not among the others already.

    Args:
        documents: What is validated anyway, or None.
        corpus: The corpus.
        labels: Labels of its monolingual documents.
        **options: As for `held_out`.

    Returns:
        All of them, or None if there are none.
    """
    there = set() if documents is None else set(documents.labels.tolist())
    added = [
        Chosen(component="monolingual", label=label, language=label)
        for label in labels
        if label not in there
    ]
    more = held_out(corpus, added, **options) if added else None
    if documents is None or more is None:
        return documents or more
    owner = more.rows["document"]
    shifted = {**more.rows, "document": np.where(owner >= 0, owner + len(documents.labels), owner)}
    return HeldOut(
        rows={name: np.concatenate([each, shifted[name]]) for name, each in documents.rows.items()},
        labels=np.concatenate([documents.labels, more.labels]),
        n_bytes=np.concatenate([documents.n_bytes, more.n_bytes]),
        n_tokens=np.concatenate([documents.n_tokens, more.n_tokens]),
    )


def _first_texts(
    corpus: Corpus, chosen: Chosen, *, max_bytes: int, without: Collection[str]
) -> list[str]:
    """Return validation documents that have text, at least the first `max_bytes` of them; the rest is not read."""
    found: list[str] = []
    groups = row_groups(corpus, chosen, "validation") if max_bytes > 0 else []
    wanted = Wanted(pair_format="target")
    for batch in text_batches(corpus, chosen, groups, wanted, without=without):
        found += [text for text in batch.texts if text]
        max_bytes -= sum(len(text.encode()) for text in batch.texts)
        if max_bytes <= 0:
            break
    return found


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

    def __call__(self, model: Any, step: int) -> list[dict[str, Any]]:
        """Score the documents with the weights of a step, unless an earlier, interrupted run of it did.

        Where several processes train, each scores its share of the rows.

        Args:
            model: The model.
            step: The optimizer step its weights are of.

        Returns:
            The rows of the step, the same in all processes; empty without documents.
        """
        if self.documents is None:
            return []
        file = self.folder / f"step-{step}.json"
        if not _first_says(file.exists()):
            rows = self.documents.summary(step, self._nll(model, self.documents))
            if _rank_and_size()[0] == 0:
                write_text(file, json.dumps(rows))
            return rows
        return json.loads(file.read_text(encoding="utf-8"))

    def _nll(self, model: Any, documents: HeldOut) -> np.ndarray:
        """Return the nats by document, (documents,); all processes call the model equally often, as FSDP asks."""
        rank, size = _rank_and_size()
        n_documents = len(documents.labels)
        nll = document_nll(
            model,
            _share(documents.rows, n_documents, rank=rank, size=size),
            batch_size=self.batch_size,
            bf16=self.bf16,
            progress=self.progress,
        )
        nll = np.pad(nll, (0, max(0, n_documents - len(nll))))[:n_documents]
        if size == 1:
            return nll
        import torch
        from accelerate.utils import reduce

        device = next(model.parameters()).device
        return reduce(torch.as_tensor(nll, device=device), "sum").cpu().numpy()

    def results(self) -> list[dict[str, Any]]:
        """Return the results of all steps, by step and label."""
        files = sorted(
            self.folder.glob("step-*.json"), key=lambda file: int(file.stem.split("-")[1])
        )
        return [row for file in files for row in json.loads(file.read_text(encoding="utf-8"))]


def _share(
    rows: dict[str, np.ndarray], n_documents: int, *, rank: int, size: int
) -> dict[str, np.ndarray]:
    """Return every `size`-th row; a process that would have one less gets one that counts for no document."""
    own = {name: each[rank::size] for name, each in rows.items()}
    if len(own["document"]) * size >= len(rows["document"]):
        return own
    first = {name: each[:1] for name, each in rows.items()}
    first["document"] = np.where(first["document"] >= 0, n_documents, -1)
    return {name: np.concatenate([each, first[name]]) for name, each in own.items()}


def _rank_and_size() -> tuple[int, int]:
    """Return which process this is, and of how many."""
    from accelerate import PartialState

    if not PartialState._shared_state:
        return 0, 1
    state = PartialState()
    return state.process_index, state.num_processes


def _first_says(value: bool) -> bool:
    """Return what the first process says, so that all go the same way."""
    if _rank_and_size()[1] == 1:
        return value
    from accelerate.utils import broadcast_object_list

    return bool(broadcast_object_list([value])[0])


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
