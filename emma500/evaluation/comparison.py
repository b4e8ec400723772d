"""The difference of two models on the same documents, document by document."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from emma500.errors import UsageError
from emma500.evaluation.aggregation import (
    METRICS,
    Metric,
    by_group,
    by_label,
    label_estimate,
    macro_estimate,
)
from emma500.evaluation.statistics import Estimate, MacroEstimate
from emma500.languages.labels import resource_group

if TYPE_CHECKING:
    import pandas as pd

MEAN = "mean"
"""The label of a row that is a mean over labels."""


def compare(
    after: pa.Table,
    before: pa.Table,
    *,
    labels: Collection[str] | None = None,
    metric: str = "bits_per_byte",
) -> "pd.DataFrame":
    """Compare two models on the documents that both scored.

    Args:
        after: The documents of the model in question, as `aggregation.details_schema`.
        before: Those of the baseline.
        labels: Only these labels; None for all.
        metric: The name of one of `aggregation.METRICS`.

    Returns:
        One row a benchmark and label, then the means over labels: of all ("mean", "all") and of
        each resource group. `difference` is after minus before; `stderr` is its standard error over
        paired documents, NaN where there is one document alone.

    Raises:
        UsageError: If they share no document, or one id has another text, or there is no such
            metric.
    """
    import pandas as pd

    measure = _metric(metric)
    paired = _pair(after, before, labels)
    rows: list[dict[str, Any]] = []
    benchmarks = dict.fromkeys(paired["benchmark"].to_pylist())
    for benchmark in benchmarks:
        part = paired.filter(
            pa.array([each == benchmark for each in paired["benchmark"].to_pylist()])
        )
        rows += [
            _row(benchmark, label, resource_group(label), _estimates(documents, measure))
            for _, label, documents in by_label(part)
        ]
        rows += [
            _row(benchmark, MEAN, group, _macro_estimates(documents, measure))
            for group, documents in by_group(part)
        ]
    return pd.DataFrame(rows)


def _metric(name: str) -> Metric:
    for metric in METRICS:
        if metric.name == name:
            return metric
    raise UsageError(
        f"unknown metric {name!r}; it is one of {', '.join(each.name for each in METRICS)}"
    )


def _pair(after: pa.Table, before: pa.Table, labels: Collection[str] | None) -> pa.Table:
    keys = ["benchmark", "label", "id"]
    old = {
        tuple(row[key] for key in keys): (row["nll"], row["n_bytes"])
        for row in before.select([*keys, "nll", "n_bytes"]).to_pylist()
    }
    chosen, earlier = [], []
    for index, row in enumerate(after.select([*keys, "n_bytes"]).to_pylist()):
        key = tuple(row[each] for each in keys)
        if key not in old or (labels is not None and row["label"] not in labels):
            continue
        if old[key][1] != row["n_bytes"]:
            raise UsageError(
                f"{key[2]} of {key[1]} ({key[0]}) has {row['n_bytes']:,} bytes in one and "
                f"{old[key][1]:,} in the other: the scores are of different data; "
                "evaluate both models on the same revision"
            )
        chosen.append(index)
        earlier.append(old[key][0])
    if not chosen:
        raise UsageError(
            "the two scores share no document: "
            "evaluate both models on the same benchmarks and languages"
        )
    part = after.take(pa.array(chosen))
    difference = part["nll"].to_numpy() - pa.array(earlier, pa.float64()).to_numpy()
    return part.append_column("before", pa.array(earlier, pa.float64())).append_column(
        "difference", pa.array(difference)
    )


def _estimates(part: pa.Table, metric: Metric) -> Sequence[Estimate]:
    return [label_estimate(part, metric, column) for column in ("before", "nll", "difference")]


def _macro_estimates(part: pa.Table, metric: Metric) -> Sequence[MacroEstimate]:
    return [macro_estimate(part, metric, column) for column in ("before", "nll", "difference")]


def _row(
    benchmark: str, label: str, group: str, estimates: Sequence[Estimate | MacroEstimate]
) -> dict[str, Any]:
    before, after, difference = estimates
    known = before.value and difference.value is not None
    return {
        "benchmark": benchmark,
        "label": label,
        "resource_group": group,
        "before": _number(before.value),
        "before_stderr": _number(before.stderr),
        "after": _number(after.value),
        "after_stderr": _number(after.stderr),
        "difference": _number(difference.value),
        "stderr": _number(difference.stderr),
        "relative": _number(difference.value) / _number(before.value) if known else _number(None),
        "n": difference.n,
        "n_labels": getattr(difference, "n_labels", 1),
    }


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
