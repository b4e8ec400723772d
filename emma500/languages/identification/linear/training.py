"""Training of our own identifier: labelled texts in, a compact model out, in minutes on one core.

Features are chosen by what they tell of a label, learned by stochastic gradient descent together with the labels'
weights, cut to the most useful, learned again, and rounded to 4 bits. Languages left out of a first, smaller round
show what an unknown language looks like (`calibration`). Everything is a function of the texts, their order and
the configuration.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from emma500.configuration import as_dict
from emma500.languages.identification.linear.calibration import calibrated, expectations
from emma500.languages.identification.linear.corpus import Corpus, TrainingConfig, family
from emma500.languages.identification.linear.features import folding_of_this_python, lookup_table
from emma500.languages.identification.linear.model import LinearModel, quantised
from emma500.languages.identification.linear.selection import (
    Relatives,
    Streams,
    informative,
    relatives,
    remembered,
)
from emma500.languages.identification.linear.twins import told_apart
from emma500.languages.writing.strings import buffers

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LAST_RATE = 0.03
"""The last step's rate, as a share of the first's."""
_REFINED = 0.3
"""Steps after the cut, as a share of all."""
_CALIBRATION = 0.3
"""Steps of the round that leaves languages out, as a share of all."""
_FEATURES_PER_CHARACTER = 4
_ENOUGH = 10_000
"""Bytes: a label with less text is taken to be rarer, or it would be the answer for its neighbours' unusual texts."""
_KEPT_ALONE = 50
"""Features of a label that is alone in its script group."""
_ONE_SOURCE = 0.1
"""How much surer an answer must be for a label with text from one source only."""


def trained(corpus: Corpus, config: TrainingConfig) -> LinearModel:
    """Train a model.

    Args:
        corpus: Labelled texts.
        config: How.

    Returns:
        The model, with calibrated scores.
    """
    calibration = calibrated(
        corpus, config, lambda part: fitted(part, config, round(config.steps * _CALIBRATION))
    )
    model = fitted(corpus, config, config.steps)
    one_source = {label for label in corpus.labels if corpus.is_one_source(label)}
    raised = np.array([_ONE_SOURCE if label in one_source else 0 for label in corpus.labels])
    return replace(
        model,
        calibration=calibration.coefficients,
        expected=expectations(model, corpus, config.seed),
        threshold=(calibration.threshold + raised).astype(np.float32),
        card={**model.card, "one_source": sorted(one_source)},
    )


def fitted(corpus: Corpus, config: TrainingConfig, steps: int) -> LinearModel:
    """Train a model whose scores are not calibrated.

    Args:
        corpus: Labelled texts.
        config: How.
        steps: How many steps, in place of the configuration's.

    Returns:
        The model.
    """
    hashed = _streams(corpus)
    keys = informative(hashed, config.candidates)
    streams = _with_places(hashed, keys, corpus)
    related = relatives(streams, len(keys))
    learner = _Learner(streams, related, len(keys), config)
    learner.learn(round(steps * (1 - _REFINED)), config.learning_rate)
    kept = learner.most_useful(config.features)
    keys = keys[kept]
    refined = _Learner(_with_places(hashed, keys, corpus), related, len(keys), config)
    refined.rows, refined.weights, refined.bias = learner.rows[kept], learner.weights, learner.bias
    refined.learn(round(steps * _REFINED), config.learning_rate / 4)
    rows, scales = quantised(refined.rows)
    n_labels = len(corpus.labels)
    bias = refined.bias + _log_prior(corpus)
    seen, sampling = remembered(hashed)
    return LinearModel(
        labels=corpus.labels,
        folding=folding_of_this_python(),
        keys=keys,
        rows=rows,
        scales=scales,
        weights=refined.weights.astype(np.float16),
        bias=bias.astype(np.float16),
        seen=seen,
        sampling=sampling,
        expected=np.ones((n_labels, 3), np.float32),
        threshold=np.zeros(n_labels, np.float32),
        twins=told_apart(corpus, hashed, config.seed),
        calibration=np.zeros(0),
        card={"config": as_dict(config), "bytes_by_source": corpus.bytes_by_source},
    )


def _log_prior(corpus: Corpus) -> "NDArray[np.float32]":
    """Return what holds labels with little text back: the logarithm of the root of their share of enough of it."""
    sizes = [sum(corpus.bytes_by_source[label].values()) for label in corpus.labels]
    share = np.minimum(np.array(sizes) / _ENOUGH, 1)
    return (0.5 * np.log(np.maximum(share, 1 / _ENOUGH))).astype(np.float32)


class _Learner:
    """Feature rows and label weights, and what they are learned from."""

    def __init__(
        self, streams: Streams, related: Relatives, n_features: int, config: TrainingConfig
    ) -> None:
        rng = np.random.default_rng(config.seed)
        self.streams, self.related, self.config = streams, related, config
        self.rows = (rng.random((n_features, config.dimensions), np.float32) - 0.5) * np.float32(
            2 / config.dimensions
        )
        n_labels = len(streams.ends) - 1
        self.weights = np.zeros((config.dimensions, n_labels), np.float32)
        self.bias = np.zeros(n_labels, np.float32)

    def learn(self, steps: int, rate: float) -> None:
        """Take steps with a falling rate."""
        from emma500.languages.identification.linear.training_kernel import descend

        config, streams = self.config, self.streams
        share = np.maximum(np.diff(streams.ends), 1).astype(float) ** config.balance
        related = self.related
        descend(
            streams.features, streams.ends, np.cumsum(share / share.sum()), streams.group,
            streams.group_first, np.minimum(config.borrowing * related.unseen, config.max_borrowing),
            related.labels, related.cumulative, self.rows, self.weights, self.bias, (rate, rate * _LAST_RATE),
            (_FEATURES_PER_CHARACTER * config.min_characters, _FEATURES_PER_CHARACTER * config.max_characters),
            config.dropout, steps, config.seed,
        )  # fmt: skip

    def most_useful(self, n: int) -> "NDArray[np.int64]":
        """Return the places of the `n` features that move the labels' scores most, the most frequent first.

        A label alone in its script group has no rival to learn from: its most frequent features are kept as well.
        """
        streams = self.streams
        sizes = np.maximum(np.diff(streams.ends), 1)
        is_alone = np.diff(streams.group_first)[streams.group] == 1
        share, needed = np.zeros(len(self.rows)), np.zeros(len(self.rows), bool)
        for label, size in enumerate(sizes):
            own = np.bincount(streams.of(label), minlength=len(share))
            share += own / size
            if is_alone[label]:
                often = np.argsort(-own, kind="stable")[:_KEPT_ALONE]
                needed[often] = own[often] > 0
        centred = self.weights - self.weights.mean(axis=1, keepdims=True)
        effect = np.linalg.norm(self.rows @ np.linalg.cholesky(
            centred @ centred.T / centred.shape[1] + 1e-6 * np.eye(len(centred), dtype=np.float32)
        ), axis=1)  # fmt: skip
        kept = np.lexsort([-effect * share, ~needed])[:n]
        return kept[np.argsort(-share[kept], kind="stable")]


def _streams(corpus: Corpus) -> Streams:
    from emma500.languages.identification.linear.training_kernel import feature_streams

    hashes, bounds = feature_streams(*buffers(corpus.texts), folding_of_this_python())
    families = [family(label[4:]) for label in corpus.labels]
    group = np.unique(families, return_inverse=True)[1].astype(np.int64)
    return Streams(
        features=hashes,
        ends=_label_ends(bounds, corpus),
        bounds=bounds,
        group=group,
        group_first=np.searchsorted(group, np.arange(group.max() + 2)),
    )


def _with_places(hashed: Streams, keys: "NDArray[np.uint32]", corpus: Corpus) -> Streams:
    from emma500.languages.identification.linear.training_kernel import known_streams

    places, bounds = known_streams(hashed.features, hashed.bounds, lookup_table(keys))
    return replace(hashed, features=places, bounds=bounds, ends=_label_ends(bounds, corpus))


def _label_ends(bounds: "NDArray[np.int64]", corpus: Corpus) -> "NDArray[np.int64]":
    first = np.searchsorted(corpus.owner, np.arange(len(corpus.labels) + 1))
    return bounds[first]
