"""How sure our own identifier may be: the probability that an answer is right, in a world with unknown languages.

A softmax over known labels is sure of one of them for any text. So a first round of training leaves out a tenth of the
labels and some texts of the others; a logistic regression over how an answer stands out, and over how much of the text
is what its label usually has, then learns to tell right answers from wrong ones, whether the language was known or not.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.languages.identification.linear.corpus import Corpus, TrainingConfig, family
from emma500.languages.identification.linear.model import LinearModel
from emma500.languages.identification.linear.scoring import (
    BEST,
    LOG_ODDS,
    MARGIN,
    N_FEATURES,
    N_FOUND,
    N_SEEN,
    N_TESTED,
    SCORE,
    Scorer,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PIECES = 12  # of a label
_LENGTHS = (15, 400)  # of a piece, in characters
_RIDGE = 1e-3
_ROUNDS = 30
_FEW = 5  # texts of a label: none is held out
_HELD_OUT = 0.1  # of the texts of known languages
_OTHER_DOMAIN = (
    0.5  # of the labels with several sources are tested on other ones than they are trained on
)
_UNKNOWN = 0.2
"""Share of texts in unknown languages that scores are calibrated for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """What calibration learns.

    Attributes:
        coefficients: Of the logistic regressions: the last two for a closed world, the others for an open one; none
            where nothing could be left out.
        threshold: The probability below which it is better to answer und.
    """

    coefficients: "NDArray[np.float64]"
    threshold: float


def probability(
    model: LinearModel, measures: "NDArray[np.float64]", *, is_closed: bool = False
) -> "NDArray[np.float32]":
    """Return the probability that each answer is right.

    Args:
        model: What answered.
        measures: How the answers stand out, as `Scorer` has it.
        is_closed: Whether every text is known to be in one of the labels.

    Returns:
        Probabilities; 0 where there is no answer.
    """
    odds = measures[:, LOG_ODDS]
    if len(model.calibration):
        x = _closed(measures) if is_closed else _evidence(model, measures)
        used = model.calibration[-2:] if is_closed else model.calibration[:-2]
        # Not a matrix product: its rounding would depend on the rows beside.
        odds = (x * used).sum(axis=1)
    return np.where(measures[:, BEST] >= 0, _sigmoid(odds), 0).astype(np.float32)


def expectations(model: LinearModel, corpus: Corpus, seed: int) -> "NDArray[np.float32]":
    """Return what is usual of a label's own texts, float32 (n_labels, 3).

    Args:
        model: A model of the corpus.
        corpus: The texts.
        seed: Which pieces of them are looked at.

    Returns:
        The mean share of features found, the mean score a feature adds, the logarithm of the bytes.
    """
    pieces, owner = _pieces(corpus, seed)
    measures = Scorer(model)(pieces).measures
    right = measures[:, BEST] == owner
    usual = np.stack([_found(measures), _score(measures)], axis=1)
    overall = usual[right].mean(axis=0) if right.any() else np.ones(2)
    bytes_of = np.bincount(corpus.owner, pc.binary_length(corpus.texts).to_numpy())
    means = np.empty((len(corpus.labels), 3))
    for label in range(len(means)):
        own = right & (owner == label)
        means[label, :2] = usual[own].mean(axis=0) if own.sum() >= 3 else overall
        means[label, 2] = np.log(bytes_of[label] + 1)
    return np.maximum(means, 1e-3).astype(np.float32)


def calibrated(
    corpus: Corpus, config: TrainingConfig, fit: Callable[[Corpus], LinearModel]
) -> Calibration:
    """Learn how sure an answer may be, and below what it is better not given.

    Args:
        corpus: Labelled texts.
        config: What share of the labels is left out, and what share of right answers must be kept.
        fit: Trains a model on a part of the corpus.

    Returns:
        What was learned; nothing where there are too few labels or texts to leave some out.
    """
    unknown, heldout = _divided(corpus, config)
    if not unknown.any() or not heldout.any():
        return Calibration(coefficients=np.zeros(0), threshold=0.0)
    part = corpus.without(unknown | heldout)
    model = fit(part)
    model = replace(model, expected=expectations(model, part, config.seed))
    known, is_right = _answers(model, corpus.without(~heldout), config.seed + 1)
    others, _ = _answers(model, corpus.without(~unknown), config.seed + 1)
    x = np.concatenate([_evidence(model, known), _evidence(model, others)])
    y = np.concatenate([is_right, np.zeros(len(others), bool)])
    share = np.repeat(
        [(1 - _UNKNOWN) / len(known), _UNKNOWN / max(1, len(others))], [len(known), len(others)]
    )
    coefficients = _logistic(x, y, share * len(x))
    closed = _logistic(_closed(known), is_right, np.ones(len(known)))
    sure = _sigmoid(x[y] @ coefficients)
    return Calibration(
        coefficients=np.concatenate([coefficients, closed]),
        threshold=float(np.quantile(sure, 1 - config.known_kept)) if len(sure) else 0.0,
    )


def _answers(
    model: LinearModel, corpus: Corpus, seed: int
) -> "tuple[NDArray[np.float64], NDArray[np.bool_]]":
    """Return the measures of pieces of texts that got an answer, and whether it is right."""
    pieces, owner = _pieces(corpus, seed)
    measures = Scorer(model)(pieces).measures
    answers = np.array([*model.labels, ""])[measures[:, BEST].astype(int)]
    answered = measures[:, BEST] >= 0
    return measures[answered], (answers == np.array(corpus.labels)[owner])[answered]


def _divided(
    corpus: Corpus, config: TrainingConfig
) -> "tuple[NDArray[np.bool_], NDArray[np.bool_]]":
    """Choose the texts of unknown languages, and those held out of known ones."""
    rng = np.random.default_rng(config.seed)
    families = np.array([family(label[4:]) for label in corpus.labels])
    _, place, sizes = np.unique(families, return_inverse=True, return_counts=True)
    has_company = (sizes[place] >= 4) & np.array(
        [not each.startswith("zxx") for each in corpus.labels]
    )
    candidates = np.flatnonzero(has_company)
    n = round(config.left_out * len(candidates))
    left = np.zeros(len(corpus.labels), bool)
    left[rng.permutation(candidates)[:n]] = True
    is_left = left[corpus.owner]
    heldout = rng.random(len(corpus.owner)) < _HELD_OUT
    for label in np.flatnonzero(~left):
        texts = np.flatnonzero(corpus.owner == label)
        sources, counts = np.unique(corpus.source[texts], return_counts=True)
        if len(sources) > 1 and rng.random() < _OTHER_DOMAIN:
            # What is known of a language from one domain only, met in another.
            kept = sources[counts.argmax()] if rng.random() < 0.5 else rng.choice(sources)
            heldout[texts] = corpus.source[texts] != kept
        elif len(texts) < _FEW:
            heldout[texts] = False
    return is_left, heldout & ~is_left


def _pieces(corpus: Corpus, seed: int) -> "tuple[pa.Array, NDArray[np.int64]]":
    """Cut pieces of all lengths from each label's texts; return them and their labels' numbers."""
    rng = np.random.default_rng(seed)
    first = np.searchsorted(corpus.owner, np.arange(len(corpus.labels) + 1))
    pieces, owner = [], []
    for label in range(len(corpus.labels)):
        for each in rng.integers(first[label], first[label + 1], _PIECES).tolist():
            text = corpus.texts[each].as_py()
            length = int(np.exp(rng.uniform(*np.log(_LENGTHS))))
            start = int(rng.integers(0, max(1, len(text) - length + 1)))
            pieces.append(text[start : start + length])
            owner.append(label)
    return pa.array(pieces, pa.large_string()), np.array(owner)


def _evidence(model: LinearModel, measures: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return what speaks for each answer in an open world, (n, 8)."""
    expected = model.expected[measures[:, BEST].astype(int)]
    seen = (measures[:, N_SEEN] + 0.5) / (measures[:, N_TESTED] + 1)
    return np.stack(
        [
            np.ones(len(measures)),
            np.log(measures[:, N_FOUND] + 1),
            np.log(_found(measures) / expected[:, 0] + 1e-3),
            np.log(np.maximum(_score(measures) / expected[:, 1], 1e-3)),
            measures[:, MARGIN] / np.sqrt(measures[:, N_FOUND] + 1),
            np.minimum(measures[:, LOG_ODDS], 20) / 5,
            np.log(seen),
            expected[:, 2] / 5,
        ],
        axis=1,
    )


def _closed(measures: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return what speaks for each answer in a closed world, (n, 2)."""
    return np.stack([np.ones(len(measures)), np.minimum(measures[:, LOG_ODDS], 20)], axis=1)


def _found(measures: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the share of a text's features the model has."""
    return measures[:, N_FOUND] / np.maximum(measures[:, N_FEATURES], 1)


def _score(measures: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the mean a feature adds to the label's score."""
    return measures[:, SCORE] / np.sqrt(np.maximum(measures[:, N_FOUND], 1))


def _sigmoid(x: "NDArray[np.float64]") -> "NDArray[np.float64]":
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def _logistic(
    x: "NDArray[np.float64]", y: "NDArray[np.bool_]", weight: "NDArray[np.float64]"
) -> "NDArray[np.float64]":
    """Fit a logistic regression by Newton's method."""
    coefficients = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        p = _sigmoid(x @ coefficients)
        slope = x.T @ (weight * (y - p)) - _RIDGE * coefficients
        curve = (x * (weight * p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(x.shape[1])
        coefficients = coefficients + np.linalg.solve(curve, slope)
    return coefficients
