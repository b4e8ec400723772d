"""BERTScore: greedy matching of contextual vectors (Zhang et al. 2020), with any encoder of transformers.

The paper took bert-base-multilingual-cased, layer 9, without rescaling. bert-score 0.3.13 fails on empty outputs; here
they score 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from emma500.errors import SourceError, UsageError
from emma500.evaluation.metrics.measured import Measured, mean_of

PAPER_MODEL = "google-bert/bert-base-multilingual-cased"
PAPER_LAYER = 9


def encoder_of(text: str) -> tuple[str, int]:
    """Return the encoder and the layer that `NAME` or `NAME:LAYER` asks for.

    >>> encoder_of("google-bert/bert-base-multilingual-cased"), encoder_of("encoders/small:3")
    (('google-bert/bert-base-multilingual-cased', 9), ('encoders/small', 3))
    """
    name, _, layer = text.rpartition(":")
    return (name, int(layer)) if name and layer.isdecimal() else (text, PAPER_LAYER)


@dataclass(frozen=True, slots=True)
class _Encoded:
    """Unit vectors (tokens, width) of a text, and which of them count: special tokens match but have no weight."""

    vectors: Any
    counts: Any


def bertscore(
    predictions: Sequence[str],
    references: Sequence[str],
    *,
    model: str = PAPER_MODEL,
    layer: int = PAPER_LAYER,
    batch_size: int = 64,
    device: str = "cpu",
) -> Measured:
    """Measure the F1 of greedily matched token vectors, without idf weights and without rescaling.

    Args:
        predictions: The outputs; empty ones score 0.
        references: One an item.
        model: A Hub id or folder of an encoder.
        layer: The hidden layer whose vectors are compared, from 0, the embeddings.
        batch_size: Texts a forward pass.
        device: Where to compute.

    Returns:
        One value an item, -1 to 1.

    Raises:
        UsageError: If there are not as many references as predictions, or the encoder has no such layer.
    """
    if len(predictions) != len(references):
        raise UsageError(
            f"{len(predictions):,} predictions and {len(references):,} references: give one an item"
        )
    texts = sorted({text for text in (*predictions, *references) if text.strip()}, key=len)
    encoded = dict(_encode(texts, model, layer, batch_size=batch_size, device=device))
    values = [
        _f1(encoded[output], encoded[wanted]) if output.strip() and wanted.strip() else 0.0
        for output, wanted in zip(predictions, references, strict=True)
    ]
    return mean_of("bertscore", values, unit="-1 to 1", model=model, layer=layer)


def _encode(
    texts: Sequence[str], model: str, layer: int, *, batch_size: int, device: str
) -> Iterator[tuple[str, _Encoded]]:
    import torch

    if not texts:
        return
    tokenizer, encoder = _load(model, device)
    deepest = encoder.config.num_hidden_layers
    if not 0 <= layer <= deepest:
        raise UsageError(f"{model} has layers 0 to {deepest}, not {layer}")
    longest = min(tokenizer.model_max_length, encoder.config.max_position_embeddings)
    for start in range(0, len(texts), batch_size):
        batch = list(texts[start : start + batch_size])
        inputs = tokenizer(
            batch, return_tensors="pt", padding=True, truncation=True, max_length=longest,
            return_special_tokens_mask=True,
        )  # fmt: skip
        special = inputs.pop("special_tokens_mask")
        with torch.inference_mode():
            hidden = encoder(**inputs.to(device), output_hidden_states=True).hidden_states[layer]
        units = torch.nn.functional.normalize(hidden.float(), dim=-1).cpu().numpy()
        for text, vectors, mask, extra in zip(
            batch, units, inputs["attention_mask"].cpu().numpy() > 0, special.numpy() > 0, strict=True
        ):  # fmt: skip
            yield text, _Encoded(vectors[mask], ~extra[mask])


@lru_cache(maxsize=1)
def _load(model: str, device: str) -> tuple[Any, Any]:
    """Load an encoder once for all languages; SourceError if there is none."""
    from transformers import AutoModel, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
        encoder = AutoModel.from_pretrained(model, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{model!r} is no encoder for BERTScore ({error}): give a folder or Hub id, as {PAPER_MODEL}"
        ) from error
    return tokenizer, encoder.to(device).eval()


def _f1(output: _Encoded, reference: _Encoded) -> float:
    if not output.counts.any() or not reference.counts.any():
        return 0.0
    alike = output.vectors @ reference.vectors.T
    precision = float(np.mean(alike.max(axis=1)[output.counts]))
    recall = float(np.mean(alike.max(axis=0)[reference.counts]))
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0
