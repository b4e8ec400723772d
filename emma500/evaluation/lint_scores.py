"""The faults of `lint` in the scores of one or several models: their values, their predictions and their outputs."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from emma500.benchmarks.base import likely_label
from emma500.evaluation.lint import Finding, lint_outputs, lint_predictions, lint_tables
from emma500.evaluation.published import NO_SHARES
from emma500.evaluation.published_tables import ResultTable
from emma500.tables import read_table

if TYPE_CHECKING:
    from emma500.evaluation.scores import Scores

_SPOKEN = {"translation", "summary", "generation"}
"""Shapes whose outputs are in the language that was asked for."""


def lint_scores(*scores: "Scores", identifier: str = "emma500") -> list[Finding]:
    """Look for faults in scores.

    Args:
        *scores: Those of one or several models.
        identifier: What names the language of outputs, as `emma500.identify` takes it; "" to ask none.

    Returns:
        What was found: in the values of all models together, then in the samples of each.
    """
    findings = lint_tables(_tables(scores))
    for each in scores:
        name = str(each.manifest["model"]["name"])
        for (benchmark, mode), rows in _by(each.samples.to_pylist(), "benchmark", "mode").items():
            where = f"{name}, {benchmark} ({mode})"
            findings += _lint_choices(rows, where)
            findings += _lint_outputs(rows, benchmark, where, identifier=identifier)
    return findings


def _tables(scores: "Iterable[Scores]") -> Iterator[ResultTable]:
    """Yield a table a benchmark, mode and metric, shares as percent."""
    rows, stated = [], {}
    for each in scores:
        name = str(each.manifest["model"]["name"])
        rows += [{**row, "model": name} for row in each.rows]
        for row in each.aggregates:
            if row["group"] == "all" and row["value"] is not None:
                stated[row["benchmark"], row.get("mode"), row["metric"], name] = row["value"]
    for (benchmark, mode, metric), members in _by(rows, "benchmark", "mode", "metric").items():
        scale = 1.0 if metric in NO_SHARES or "per_" in metric else 100.0
        labels = sorted({row["label"] for row in members})
        sizes = {row["n"] for row in members}
        values: dict[str, tuple[float | None, ...]] = {}
        averages = {}
        for (model,), own in _by(members, "model").items():
            found = {row["label"]: row["value"] for row in own}
            values[model] = tuple(_scaled(found.get(label), scale) for label in labels)
            average = stated.get((benchmark, mode, metric, model))
            if average is not None:
                averages[model] = average * scale
        yield ResultTable(
            name=f"{benchmark}/{metric} ({mode})",
            metric=metric,
            labels=tuple(labels),
            values=values,
            averages=averages,
            tolerance=1e-6,
            n_items=sizes.pop() if len(sizes) == 1 else None,
        )


def _lint_choices(rows: list[dict[str, Any]], where: str) -> list[Finding]:
    chosen: dict[str, list[str]] = {}
    gold: dict[str, list[str]] = {}
    same = len({tuple(row["options"] or ()) for row in rows}) == 1
    for row in rows:
        if not row["logliks"] or row["gold"] is None:
            continue
        names = row["options"] if same else [f"option {n}" for n in range(len(row["logliks"]))]
        chosen.setdefault(row["label"], []).append(names[int(np.argmax(row["logliks"]))])
        gold.setdefault(row["label"], []).append(names[row["gold"]])
    return lint_predictions(chosen, gold, where=where)


def _lint_outputs(
    rows: list[dict[str, Any]], benchmark: str, where: str, *, identifier: str
) -> list[Finding]:
    outputs: dict[str, list[str]] = {}
    for row in rows:
        outputs.setdefault(row["label"], []).extend((row["outputs"] or ())[:1])
    outputs = {label: texts for label, texts in outputs.items() if texts}
    is_spoken = _shape(benchmark) in _SPOKEN
    target = benchmark.rpartition("-")[2]
    languages = (
        dict.fromkeys(outputs, likely_label(target))
        if _shape(benchmark) == "translation" and target != "x"
        else None
    )
    return lint_outputs(
        outputs, languages=languages, identifier=identifier if is_spoken else "", where=where
    )


def _shape(benchmark: str) -> str:
    """Return the shape of a benchmark; one with a direction is a translation."""
    shapes = {row["name"]: row["shape"] for row in read_table("benchmarks")}
    name, *direction = benchmark.rsplit("-", 2)
    if benchmark not in shapes and len(direction) == 2 and name in shapes:
        return "translation"
    return shapes.get(benchmark, "")


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else value * scale


def _by(rows: Iterable[dict[str, Any]], *keys: str) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return found
