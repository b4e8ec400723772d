"""Packed rows of made-up documents whose tokens tell where they come from."""

import numpy as np

from emma500.mixture.packing.rows import PackedRows
from emma500.mixture.planning.available import Available
from emma500.mixture.planning.plan import plan
from emma500.mixture.planning.presets import Stage
from emma500.mixture.tokenizing.documents import Chosen
from emma500.mixture.tokenizing.tokens import TokenDocuments

LENGTH = 32
LABELS = ("kat_Geor", "swa_Latn", "yor_Latn")
PACKINGS = ("isolated", "concat")


def of_sizes(sizes, first=10):
    """Documents of some sizes, each token with an id of its own."""
    ends = np.concatenate([[0], np.cumsum(sizes)])
    return TokenDocuments(np.arange(first, first + ends[-1]).astype(np.uint32), ends)


def documents(index, n=60, seed=0):
    """Documents whose tokens tell their label and document: 10000 * label + document."""
    sizes = np.random.default_rng(seed + index).integers(5, 60, n)
    ids = np.repeat(10_000 * (index + 1) + np.arange(n), sizes).astype(np.uint32)
    return TokenDocuments(ids, np.concatenate([[0], np.cumsum(sizes)]))


def available(tokens, label, component="monolingual"):
    n_documents, n_tokens = tokens.epoch()
    return Available(
        chosen=Chosen(component=component, label=label, language=label),
        sources=["made-up"],
        n_documents=n_documents,
        n_tokens=n_tokens,
    )


def rows(n_steps=20, seed=1, **options):
    tokens = [documents(index) for index in range(len(LABELS))]
    parts = [available(each, label) for label, each in zip(LABELS, tokens, strict=True)]
    mixture = plan(
        parts, tokens_per_step=4 * LENGTH, n_steps=n_steps, stages=[Stage(mixture="uniform")]
    )
    return PackedRows(mixture, tokens, length=LENGTH, seed=seed, prefix=1, eos=2, pad=0, **options)


def rows_of(tokens, n_rows, *, length=LENGTH, **options):
    """Rows of one label, a row a step."""
    mixture = plan(
        [available(tokens, "yor_Latn")], tokens_per_step=length, n_steps=n_rows, max_epochs=1e6
    )
    return PackedRows(mixture, [tokens], length=length, seed=1, prefix=1, eos=2, pad=0, **options)


def all_of(packed):
    return {
        name: np.stack([packed[index][name] for index in range(len(packed))])
        for name in ("input_ids", "labels", "position_ids")
    }
