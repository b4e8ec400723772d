"""The measures as metrics of the `evaluate` library, for use in one's own code.

    metric = BitsPerByte(keep_in_memory=True)
    metric.compute(predictions=nats, references=texts)
    # {'bits_per_byte': …, 'bits_per_byte_stderr': …, 'n': …}

They combine (`evaluate.combine`) and load by path (`evaluate.load`), and need no network.
"""

from typing import Any

import datasets
import evaluate
import numpy as np

from emma500.evaluation.statistics import Estimate, ratio

_INPUTS = """
Args:
    predictions: negative log-likelihood of each document, in nats.
    references: the text of each document.
"""
_CITATION = "@article{ji2024emma500, title={EMMA-500}, journal={arXiv:2409.17892}, year={2024}}"


class BitsPerByte(evaluate.Metric):
    """Bits per UTF-8 byte, with the ratio estimator's standard error over documents."""

    def _info(self) -> evaluate.MetricInfo:
        return _info("Bits a model needs for each UTF-8 byte of the text; lower is better.")

    def _compute(self, predictions: list[float], references: list[str]) -> dict[str, Any]:
        sizes = np.array([len(text.encode()) for text in references], dtype=np.float64)
        bits = np.asarray(predictions, dtype=np.float64) / np.log(2)
        return _named("bits_per_byte", ratio(bits, sizes))


class NegativeLogLikelihood(evaluate.Metric):
    """Mean negative log-likelihood of a document in nats, with its standard error."""

    def _info(self) -> evaluate.MetricInfo:
        return _info("Mean negative log-likelihood of a document, in nats; lower is better.")

    def _compute(self, predictions: list[float], references: list[str]) -> dict[str, Any]:
        nats = np.asarray(predictions, dtype=np.float64)
        return _named("nll", ratio(nats, np.ones(len(references))))


def _info(description: str) -> evaluate.MetricInfo:
    return evaluate.MetricInfo(
        description=description,
        citation=_CITATION,
        inputs_description=_INPUTS,
        features=datasets.Features(
            {"predictions": datasets.Value("float64"), "references": datasets.Value("string")}
        ),
    )


def _named(name: str, estimate: Estimate) -> dict[str, Any]:
    return {name: estimate.value, f"{name}_stderr": estimate.stderr, "n": estimate.n}
