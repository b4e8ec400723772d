"""Figures of scores: every language by model, two models as slopes, values against n, wins over published models."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500.benchmarks.prompt_variants import OWN
from emma500.errors import UsageError
from emma500.evaluation.lm_eval_form import LOWER_IS_BETTER
from emma500.evaluation.published import NO_SHARES, compare_with_published
from emma500.evaluation.tasks.practice import split_prompt
from emma500.publishing.language_figures import (
    Point,
    heatmap_figure,
    reliability_figure,
    slope_figure,
)
from emma500.publishing.wins_figure import wins_figure

if TYPE_CHECKING:
    from emma500.evaluation.scores import Scores

Key = tuple[str, str, str]
Rows = Mapping[str, Mapping[str, Any]]

_FEWEST = 3  # languages, below which a table says more than a figure


def scores_figures(scores: "Sequence[Scores]", folder: Path) -> dict[Path, str]:
    """Draw the first metric of each benchmark, under its own prompt, and the wins of each model.

    Args:
        scores: Those of one model or of several; of two, the first is the one in question.
        folder: Where to write, as SVG and PNG.

    Returns:
        Each SVG file, and what it shows. Benchmarks with fewer than three languages have no figure.

    Raises:
        UsageError: If there is nothing to draw.
    """
    names = _names(scores)
    by_model = {name: _values(each) for name, each in zip(names, scores, strict=True)}
    found: dict[Path, str] = {}
    for key in dict.fromkeys(key for values in by_model.values() for key in values):
        found |= _benchmark(
            key, {name: values.get(key, {}) for name, values in by_model.items()}, folder
        )
    for name, each in zip(names, scores, strict=True):
        found |= _wins(name, each, folder, several=len(names) > 1)
    if not found:
        raise UsageError(
            f"nothing to draw: no benchmark has {_FEWEST} languages or more, and none was published"
        )
    return found


def _benchmark(key: Key, models: Mapping[str, Rows], folder: Path) -> dict[Path, str]:
    benchmark, mode, metric = key
    labels = {label for rows in models.values() for label in rows}
    if len(labels) < _FEWEST:
        return {}
    name = "-".join(key).replace("=", "-").replace("+", "-").replace("/", "-")
    title, unit = f"{benchmark} ({mode})", _unit(metric)
    values = {
        model: {label: row["value"] for label, row in rows.items()}
        for model, rows in models.items()
        if rows
    }
    found = {
        heatmap_figure(values, folder, title=title, unit=unit, name=f"languages-{name}"):
            f"{metric} of {title} in every language"
    }  # fmt: skip
    if len(values) == 2:
        (after, after_values), (before, before_values) = values.items()
        path = slope_figure(
            before_values, after_values, folder, names=(before, after), unit=f"{unit}, {title}",
            lower_is_better=metric in LOWER_IS_BETTER, name=f"slopes-{name}",
        )  # fmt: skip
        found[path] = f"{metric} of {title}, {before} to {after}"
    for model, rows in models.items():
        points = [
            Point(label=label, value=row["value"], stderr=row["stderr"], n=row["n"])
            for label, row in rows.items()
        ]
        if len({point.n for point in points}) > 1:  # else there is nothing to see beside the values
            suffix = f"-{_file(model)}" if len(values) > 1 else ""
            path = reliability_figure(
                points, folder, title=title, unit=unit, name=f"reliability-{name}{suffix}"
            )
            found[path] = f"{metric} of {title} against the number of items, {model}"
    return found


def _wins(name: str, scores: "Scores", folder: Path, *, several: bool) -> dict[Path, str]:
    try:
        frame = compare_with_published(scores)
    except UsageError:
        return {}  # nothing that was published
    averages = {(row["benchmark"], row["metric"]): row["value"] for row in frame.to_dict("records")}
    whole = bool(frame["all_labels"].all())
    title = f"{name}: wins over published models" + ("" if whole else " (not all languages)")
    path = wins_figure(
        averages, folder, title=title, name=f"wins-{_file(name)}" if several else "wins"
    )
    return {path: f"the published models whose averages {name} beats, as Figure 1"}


def _names(scores: "Sequence[Scores]") -> list[str]:
    """Return what the models are called; those of one name also by their revision, or their place."""
    plain = [str(each.manifest["model"]["name"]) for each in scores]
    full = [
        f"{name} ({str(each.manifest['model']['revision'])[:8]})" if plain.count(name) > 1 else name
        for name, each in zip(plain, scores, strict=True)
    ]
    return [f"{name} {n}" if full.count(name) > 1 else name for n, name in enumerate(full, start=1)]


def _values(scores: "Scores") -> dict[Key, dict[str, dict[str, Any]]]:
    """Return the rows with a value by benchmark, mode and first metric, and language."""
    found: dict[Key, dict[str, dict[str, Any]]] = {}
    for key, row in _rows(scores):
        found.setdefault(key, {})[row["label"]] = row
    return found


def _rows(scores: "Scores") -> Iterator[tuple[Key, dict[str, Any]]]:
    first = {
        each["name"]: (each.get("metrics") or ["bits_per_byte"])[0]
        for each in scores.manifest["benchmarks"]
    }
    for row in scores.rows:
        is_first = (
            row["metric"] == first.get(row["benchmark"]) and split_prompt(row["mode"])[1] == OWN
        )
        if row["value"] is not None and is_first:
            yield (row["benchmark"], row["mode"], row["metric"]), row


def _unit(metric: str) -> str:
    scale = " (0 to 100)" if metric in NO_SHARES and metric != "nll" else ""
    return metric.replace("_", " ") + scale


def _file(name: str) -> str:
    return "".join(each if each.isalnum() or each in "-_." else "-" for each in name)
