"""The metrics as modules of the `evaluate` library, loaded by path and without a network.

    import evaluate
    metric = evaluate.load(metric_path("chrf"), keep_in_memory=True)
    metric.compute(predictions=["Habari ya leo"], references=["Habari za leo"])
    # {'chrf': …, 'chrf_stderr': …, 'n': 1, 'signature': …}

Options of the function go to `compute`. They combine (`evaluate.combine`) as other metrics do. Each file beside this
one asks `metric_class` for its row of `_ROWS`, since `evaluate` takes one metric from a file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import datasets
import evaluate

from emma500.evaluation.metrics import (
    answers,
    choices,
    code,
    likelihood,
    outputs,
    rouge,
    self_bleu,
    translation,
)
from emma500.evaluation.metrics.measured import Measured

_CITATION = "@article{ji2024emma500, title={EMMA-500}, journal={arXiv:2409.17892}, year={2024}}"
_TEXT, _NUMBER, _PLACE = (datasets.Value(each) for each in ("string", "float64", "int64"))
_TEXTS = (
    {"predictions": _TEXT, "references": datasets.Sequence(_TEXT)},
    {"predictions": _TEXT, "references": _TEXT},
)


@dataclass(frozen=True, slots=True)
class _Row:
    """One metric: what it computes with, what goes in, and what it is."""

    measure: Callable[..., Measured]
    features: tuple[dict[str, Any], ...]
    description: str


_ROWS = {
    "accuracy": _Row(choices.label_accuracy, ({"predictions": _PLACE, "references": _PLACE},),
                     "The share of right predictions, 0 to 1."),
    "bits_per_byte": _Row(likelihood.bits_per_byte, ({"predictions": _NUMBER, "references": _TEXT},),
                          "Bits for each UTF-8 byte, of negative log-likelihoods in nats and texts; lower is better."),
    "bleu": _Row(translation.bleu, _TEXTS, "sacreBLEU's BLEU, 0 to 100; tokenize='flores200' is spBLEU."),
    "chrf": _Row(translation.chrf, _TEXTS, "sacreBLEU's chrF++, 0 to 100; word_order=0 is chrF."),
    "empty_rate": _Row(outputs.empty_rate, ({"predictions": _TEXT},), "The share of empty outputs, 0 to 1."),
    "exact_match": _Row(answers.exact_match, _TEXTS, "The share of outputs equal to a reference, 0 to 1."),
    "nll": _Row(likelihood.nll, ({"predictions": _NUMBER},), "The mean of negative log-likelihoods; lower is better."),
    "number_match": _Row(answers.number_match, _TEXTS,
                         "The share of outputs whose last number is the reference's, in digits of any script."),
    "pass_at_k": _Row(code.pass_at_k, ({"predictions": datasets.Sequence(datasets.Value("bool"))},),
                      "The chance that one of k samples passes, of which samples passed; 0 to 1."),
    "repetition_rate": _Row(outputs.repetition_rate, ({"predictions": _TEXT},),
                            "The share of n-grams that stood earlier in the same output, 0 to 1."),
    "right_language_rate": _Row(outputs.right_language_rate, ({"predictions": _TEXT, "references": _TEXT},),
                                "The share of outputs in the language asked for (references: as yor_Latn), 0 to 1."),
    "rouge_l": _Row(rouge.rouge_l, _TEXTS, "ROUGE-L F1 in words, or in characters of scripts without spaces; 0 to 1."),
    "self_bleu": _Row(self_bleu.self_bleu, ({"predictions": _TEXT},),
                      "BLEU of each output against all others, 0 to 100; lower is more diverse."),
}  # fmt: skip


def metric_class(name: str, module: str) -> type[evaluate.Metric]:
    """Return the metric of a row as the class that `evaluate.load` finds in a module.

    Args:
        name: A key of the table.
        module: The `__name__` of the module the class is to belong to.

    Returns:
        The class.
    """
    row = _ROWS[name]

    class EmmaMetric(evaluate.Metric):
        __doc__ = row.description

        def _info(self) -> evaluate.MetricInfo:
            return evaluate.MetricInfo(
                description=row.description,
                citation=_CITATION,
                inputs_description=row.measure.__doc__ or "",
                features=[datasets.Features(each) for each in row.features],
            )

        def _compute(
            self, predictions: Any, references: Any = None, **options: Any
        ) -> dict[str, Any]:
            given = (predictions,) if references is None else (predictions, references)
            measured = row.measure(*given, **options)
            found = measured.estimate
            return {
                name: found.value,
                f"{name}_stderr": found.stderr,
                "n": found.n,
                **measured.details,
            }

    EmmaMetric.__name__ = "".join(part.title() for part in name.split("_"))
    EmmaMetric.__module__ = module
    return EmmaMetric
