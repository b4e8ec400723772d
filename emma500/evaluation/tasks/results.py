"""Samples and metrics of tasks -> tables, and rows by language and by resource group."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from emma500.evaluation.metrics.measured import Measured, quotient
from emma500.evaluation.metrics.translation import bleu_score, chrf_score
from emma500.evaluation.statistics import MacroEstimate, macro_mean
from emma500.evaluation.tasks.parts import Part
from emma500.languages.labels import RESOURCE_GROUPS, mala_match, resource_group

NO_GROUP = ""
"""The resource group of a programming language."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A part with what the model made of it.

    Attributes:
        part: The items.
        measured: The metrics, each with a row an item.
        samples: What was asked and answered, a dictionary an item, as `samples_schema` without what the part says.
        note: Why it was not evaluated, or "".
    """

    part: Part
    measured: tuple[Measured, ...]
    samples: tuple[Mapping[str, Any], ...]
    note: str = ""


def samples_schema() -> pa.Schema:
    """Return the schema of what was asked and answered, one row an item."""
    name, several = pa.string(), pa.list_(pa.string())
    return pa.schema(
        [
            ("benchmark", name), ("mode", name), ("label", name), ("id", name), ("parallel_id", name),
            ("prompt", name), ("n_shots", pa.int32()), ("is_truncated", pa.bool_()),
            ("options", several), ("logliks", pa.list_(pa.float64())), ("gold", pa.int32()),
            ("targets", several), ("outputs", several),
        ]
    )  # fmt: skip


def measures_schema() -> pa.Schema:
    """Return the schema of the statistics of metrics, one row a metric and item (`metrics.measured`)."""
    name = pa.string()
    return pa.schema(
        [
            ("benchmark", name), ("mode", name), ("label", name), ("metric", name), ("id", name), ("parallel_id", name),
            ("statistics", pa.list_(pa.float64())),
        ]
    )  # fmt: skip


def samples_table(answered: Iterable[Answered]) -> pa.Table:
    """Return what was asked and answered."""
    rows = [
        _keys(each.part, example) | dict(sample)
        for each in answered
        for example, sample in zip(each.part.examples, each.samples, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=samples_schema())


def measures_table(answered: Iterable[Answered]) -> pa.Table:
    """Return the statistics of each metric and item."""
    rows = [
        _keys(each.part, example) | {"metric": measured.name, "statistics": statistics.tolist()}
        for each in answered
        for measured in each.measured
        for example, statistics in zip(each.part.examples, measured.rows, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=measures_schema())


def measured_again(metric: str, statistics: Sequence[Sequence[float]]) -> Measured:
    """Return a metric from the statistics that were kept of it.

    Args:
        metric: Its name.
        statistics: A row an item.

    Returns:
        The metric, with the function that its name stands for.
    """
    score = {"bleu": bleu_score, "spbleu": bleu_score, "chrf++": chrf_score, "chrf": chrf_score}
    return Measured(
        name=metric,
        rows=np.array(statistics, dtype=np.float64),
        score=score.get(metric, quotient),
        unit="share" if metric not in score and metric != "self_bleu" else "0 to 100",
    )


def _keys(part: Part, example: Any) -> dict[str, str]:
    return {
        "benchmark": part.benchmark.name,
        "mode": part.practice.name,
        "label": part.label,
        "id": example.id,
        "parallel_id": example.parallel_id,
    }


def result_rows(
    answered: Iterable[Answered], provenance: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return one row a benchmark, mode, label and metric.

    Args:
        answered: What was answered.
        provenance: What every row repeats: model, model_revision, seed.

    Returns:
        The rows; value None where no item was evaluated.
    """
    return [
        _result_row(each, measured, provenance) for each in answered for measured in each.measured
    ]


def _result_row(
    each: Answered, measured: Measured, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    part = each.part
    found = None if part.benchmark.shape == "code" else mala_match(part.label)
    return {
        "benchmark": part.benchmark.name,
        "label": part.label,
        "resource_group": _group(part),
        "resource_match": found.kind if found is not None else "none",
        "metric": measured.name,
        "value": _value(each, measured),
        "stderr": measured.stderr,
        "n": measured.n,
        "n_bytes": None,
        "n_tokens": None,
        "mode": part.practice.name,
        "model": provenance["model"],
        "model_revision": provenance["model_revision"],
        "data_revision": part.benchmark.data.revision or part.digest[:16],
        "seed": provenance["seed"],
    }


def mean_rows(answered: Sequence[Answered]) -> list[dict[str, Any]]:
    """Return the means over labels, one row a benchmark, mode, metric and group: all, then from high to unseen."""
    by_metric: dict[tuple[str, str, str], list[tuple[Answered, Measured]]] = {}
    for each in answered:
        for measured in each.measured:
            key = (each.part.benchmark.name, each.part.practice.name, measured.name)
            by_metric.setdefault(key, []).append((each, measured))
    rows = []
    for (benchmark, mode, metric), members in by_metric.items():
        for group in ("all", *RESOURCE_GROUPS):
            chosen = [each for each in members if group in ("all", _group(each[0].part))]
            if not chosen:
                continue
            found = _mean(chosen)
            rows.append(
                {
                    "benchmark": benchmark,
                    "mode": mode,
                    "metric": metric,
                    "group": group,
                    "value": found.value,
                    "stderr": found.stderr,
                    "n_labels": found.n_labels,
                    "matches": _matches(chosen),
                    "n": found.n,
                    "clustered_by": found.clustered_by,
                }
            )
    return rows


def _mean(members: Sequence[tuple[Answered, Measured]]) -> MacroEstimate:
    """Return the mean over labels; where the metric is a ratio of sums, with the error that parallel items give."""
    n = sum(measured.n for _, measured in members)
    known = [
        (value, measured)
        for each, measured in members
        if (value := _value(each, measured)) is not None
    ]
    is_ratio = all(measured.score is quotient for _, measured in members)
    if is_ratio and n and not any(_digits(each) is not None for each, _ in members):
        found = macro_mean(
            np.concatenate([measured.rows[:, 0] for _, measured in members]),
            np.concatenate([measured.rows[:, 1] for _, measured in members]),
            labels=[each.part.label for each, measured in members for _ in measured.rows],
            parallel_ids=[
                example.parallel_id
                for each, measured in members
                for example, _ in zip(each.part.examples, measured.rows, strict=True)
            ],
        )
        return replace(found, n=n)  # of the items that were evaluated
    if not known:
        return MacroEstimate(None, None, n, 0, "document")
    values = [value for value, _ in known]
    mean = float(np.mean(values))
    if len(known) == 1:
        return MacroEstimate(mean, known[0][1].stderr, n, 1, "document")
    spread = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    return MacroEstimate(mean, spread, n, len(values), "label")


def _value(each: Answered, measured: Measured) -> float | None:
    digits = _digits(each)
    value = measured.value
    return value if digits is None or value is None else round(value, digits)


def _digits(each: Answered) -> int | None:
    """Return the digits that the paper's script rounds to: of Taxi-1500 alone."""
    rounding = each.part.practice["rounding"]
    return int(rounding) if rounding and each.part.prompt.name == "taxi1500" else None


def _group(part: Part) -> str:
    return NO_GROUP if part.benchmark.shape == "code" else resource_group(part.label)


def _matches(members: Sequence[tuple[Answered, Measured]]) -> dict[str, int]:
    labels = {each.part.label for each, _ in members if each.part.benchmark.shape != "code"}
    found = [mala_match(label) for label in labels]
    return dict(sorted(Counter("none" if each is None else each.kind for each in found).items()))
