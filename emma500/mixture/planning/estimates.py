"""How many tokens a label has, before anything is tokenized: from its bytes and a sample, or its words."""

from collections.abc import Mapping
from typing import Any

from emma500.errors import ConfigError
from emma500.folder import Corpus
from emma500.mixture.planning.available import Available
from emma500.mixture.tokenizing.documents import (
    PAIRS_A_DOCUMENT,
    Chosen,
    Wanted,
    row_groups,
    text_batches,
)
from emma500.mixture.tokenizing.samples import first_rows
from emma500.mixture.tokenizing.tokens import tokenize

SAMPLE_BYTES = 20_000
"""Bytes of a label's text that are tokenized for an estimate."""

_PAIR_DOCUMENTS = 20


def estimated(corpus: Corpus, chosen: Chosen, wanted: Wanted, tokenizer: Any = None) -> Available:
    """Estimate what there is of a label to train on, from the manifest's counts.

    Args:
        corpus: The corpus.
        chosen: The label.
        wanted: Which of its rows.
        tokenizer: The model's tokenizer, which is tried on the label's first documents; None to count words.

    Returns:
        Its sources, documents and tokens, or white-space words without a tokenizer. No sources where the manifest
        does not count them.

    Raises:
        ConfigError: If the manifest does not count sources, and only some of them are wanted.
    """
    shares = _source_shares(corpus, chosen, wanted)
    sizes = _sizes(corpus, chosen, 1.0 if shares is None else sum(shares.values()))
    a_document = PAIRS_A_DOCUMENT if chosen.component == "bilingual" else 1
    n_documents = -(-round(sizes["n_documents"]) // a_document)
    n_tokens = sizes["n_words"]
    if tokenizer is not None and n_documents:
        per = _per_document if chosen.component == "bilingual" else _per_byte
        amount = n_documents if chosen.component == "bilingual" else sizes["n_bytes"]
        n_tokens = amount * per(corpus, chosen, wanted, tokenizer) + n_documents
    return Available(
        chosen=chosen,
        sources=sorted(shares or ()),
        n_documents=n_documents,
        n_tokens=round(n_tokens),
    )


def _per_byte(corpus: Corpus, chosen: Chosen, wanted: Wanted, tokenizer: Any) -> float:
    """Return the tokens of a byte of a label's first documents."""
    sample = first_rows(
        corpus, chosen.component, chosen.label, max_bytes=SAMPLE_BYTES, wanted=wanted
    )
    n_bytes = sum(sample["n_bytes"].to_pylist())
    return tokenize(sample["text"].to_pylist(), tokenizer).n_tokens / max(n_bytes, 1)


def _per_document(corpus: Corpus, chosen: Chosen, wanted: Wanted, tokenizer: Any) -> float:
    """Return the tokens of a document of a label's first pairs."""
    groups = row_groups(corpus, chosen, "train")[:1]
    texts = next((each.texts for each in text_batches(corpus, chosen, groups, wanted)), [])
    texts = texts[:_PAIR_DOCUMENTS]
    return tokenize(texts, tokenizer).n_tokens / max(len(texts), 1)


def _sizes(corpus: Corpus, chosen: Chosen, share: float) -> dict[str, float]:
    """Return a share of the documents, words and bytes of a label's training split."""
    rows = [
        row
        for row in corpus.manifest["splits"]
        if (row["component"], row["label"], row["split"])
        == (chosen.component, chosen.label, "train")
    ]
    return {
        name: share * sum(row.get(name) or 0 for row in rows)
        for name in ("n_documents", "n_words", "n_bytes")
    }


def _source_shares(corpus: Corpus, chosen: Chosen, wanted: Wanted) -> Mapping[str, float] | None:
    """Return the share of a label's bytes that each wanted source has; None without counts in the manifest."""
    stages, counts = (corpus.manifest.get(name) for name in ("stages", "counts"))
    if not stages or not counts:
        if wanted.sources or wanted.exclude_sources:
            raise ConfigError(
                f"the manifest of {corpus.name} has no {'counts' if stages else 'stages'}, so that nobody can tell "
                "what sources and exclude_sources leave of it before it is read: plan without them, or build it again"
            )
        return None
    found = {
        row["source"]: row["n_bytes"]
        for row in counts
        if (row["component"], row["label"], row["stage"])
        == (chosen.component, chosen.label, stages[-1])
        and row["n_bytes"]
    }
    total = sum(found.values())
    return {
        name: n_bytes / total
        for name, n_bytes in found.items()
        if (not wanted.sources or name in wanted.sources) and name not in wanted.exclude_sources
    }
