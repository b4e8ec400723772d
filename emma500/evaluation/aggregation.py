"""Documents -> values by label, by resource group and over all. A measure is a row of `METRICS`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.evaluation.statistics import Estimate, MacroEstimate, Numbers, macro_mean, ratio
from emma500.languages.labels import RESOURCE_GROUPS, mala_match, resource_group

MODE = "fixed"
"""How texts are scored: whole, each from the prefix token on, every token with its own weight."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One measure: the sum of the nats, scaled, over the sum of a column (of ones where it is "").

    Lower is better for all of them.
    """

    name: str
    unit: str
    scale: float
    per: str


METRICS = (
    Metric("bits_per_byte", "bits per UTF-8 byte", 1 / float(np.log(2)), "n_bytes"),
    Metric("nll", "nats per document", 1.0, ""),
    Metric("nll_per_token", "nats per token", 1.0, "n_tokens"),
)


def details_schema() -> pa.Schema:
    """Return the schema of the documents behind the scores; `nll` is in nats."""
    name, count = pa.string(), pa.int64()
    return pa.schema(
        [
            ("benchmark", name), ("label", name), ("id", name), ("parallel_id", name),
            ("nll", pa.float64()), ("n_bytes", count), ("n_chars", count), ("n_tokens", count), ("n_unknown", count),
        ]
    )  # fmt: skip


def label_rows(details: pa.Table, provenance: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row a benchmark, label and metric.

    Args:
        details: The documents, as `details_schema`.
        provenance: What every row repeats: model, model_revision, seed; `data_revisions` by
            (benchmark, label).

    Returns:
        The rows, in the order of the documents.
    """
    rows = []
    for benchmark, label, part in by_label(details):
        sizes = {name: int(pc.sum(part[name]).as_py()) for name in ("n_bytes", "n_tokens")}
        for metric in METRICS:
            found = label_estimate(part, metric)
            rows.append(
                {
                    "benchmark": benchmark,
                    "label": label,
                    "resource_group": resource_group(label),
                    "resource_match": _match(label),
                    "metric": metric.name,
                    "value": found.value,
                    "stderr": found.stderr,
                    "n": found.n,
                    **sizes,
                    "mode": MODE,
                    "model": provenance["model"],
                    "model_revision": provenance["model_revision"],
                    "data_revision": provenance["data_revisions"][benchmark, label],
                    "seed": provenance["seed"],
                }
            )
    return rows


def aggregate_rows(details: pa.Table) -> list[dict[str, Any]]:
    """Return the means over labels, one row a benchmark, metric and group.

    Args:
        details: The documents, as `details_schema`.

    Returns:
        The rows: the group "all" first, then the resource groups that have text, from high to
        unseen.
    """
    rows = []
    for benchmark in pc.unique(details["benchmark"]).to_pylist():
        part = details.filter(pc.equal(details["benchmark"], benchmark))
        for metric in METRICS:
            for group, members in by_group(part):
                found = macro_estimate(members, metric)
                rows.append(
                    {
                        "benchmark": benchmark,
                        "mode": MODE,
                        "metric": metric.name,
                        "group": group,
                        "value": found.value,
                        "stderr": found.stderr,
                        "n_labels": found.n_labels,
                        "matches": matches(members),
                        "n": found.n,
                        "clustered_by": found.clustered_by,
                    }
                )
    return rows


def label_estimate(part: pa.Table, metric: Metric, column: str = "nll") -> Estimate:
    """Estimate a metric on the documents of one label."""
    return ratio(*_sums(part, metric, column))


def macro_estimate(part: pa.Table, metric: Metric, column: str = "nll") -> MacroEstimate:
    """Estimate the mean of a metric over the labels of the documents."""
    numerator, denominator = _sums(part, metric, column)
    return macro_mean(
        numerator,
        denominator,
        labels=part["label"].to_pylist(),
        parallel_ids=part["parallel_id"].to_pylist(),
    )


def by_label(details: pa.Table) -> Iterator[tuple[str, str, pa.Table]]:
    """Yield (benchmark, label, documents); documents of a label stand together."""
    keys = details.select(["benchmark", "label"]).to_pylist()
    start = 0
    for index in range(1, len(keys) + 1):
        if index == len(keys) or keys[index] != keys[start]:
            yield (
                keys[start]["benchmark"],
                keys[start]["label"],
                details.slice(start, index - start),
            )
            start = index


def by_group(details: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield ("all", documents), then each resource group that has any."""
    groups = np.array(
        [resource_group(label) for label in details["label"].to_pylist()], dtype=object
    )
    yield "all", details
    for group in RESOURCE_GROUPS:
        if (groups == group).any():
            yield group, details.filter(pa.array(groups == group))


def matches(details: pa.Table) -> dict[str, int]:
    """Count the labels of documents by how MaLA's inventory was joined to tell their resource group.

    Args:
        details: The documents.

    Returns:
        How many labels there are by kind of match (joins.Match), sorted; "none" for those MaLA does not have.
    """
    labels = pc.unique(details["label"]).to_pylist()
    return dict(sorted(Counter(_match(label) for label in labels).items()))


def _match(label: str) -> str:
    found = mala_match(label)
    return found.kind if found is not None else "none"


def _sums(part: pa.Table, metric: Metric, column: str) -> tuple[Numbers, Numbers]:
    numerator = part[column].to_numpy() * metric.scale
    if not metric.per:
        return numerator, np.ones(len(numerator))
    return numerator, part[metric.per].to_numpy().astype(np.float64)
