"""Figures of scores: languages by model, two models as slopes and by resource group, values against n, wins."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500.benchmarks.prompt_variants import OWN
from emma500.errors import UsageError
from emma500.evaluation.headline import first_metrics
from emma500.evaluation.metrics import LOWER_IS_BETTER
from emma500.evaluation.published import NO_SHARES, compare_with_published
from emma500.evaluation.tasks.practice import split_prompt
from emma500.publishing.comparison import contaminated
from emma500.publishing.groups_figure import groups_figure
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

_LONGEST = 80  # characters of a name in that of a file: its end, in which those of folders differ
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
    models = dict(zip(_names(scores), scores, strict=True))
    by_model = {name: _values(each) for name, each in models.items()}
    found: dict[Path, str] = {}
    for key in dict.fromkeys(key for values in by_model.values() for key in values):
        rows = {name: values.get(key, {}) for name, values in by_model.items()}
        if len({label for each in rows.values() for label in each}) < _FEWEST:
            continue
        found |= _languages(key, rows, models, folder)
        if sum(map(bool, rows.values())) == 2:
            found |= _two_models(key, rows, models, folder)
        found |= _reliability(key, rows, folder)
    for name, each in models.items():
        found |= _wins(name, each, folder, several=len(models) > 1)
    if not found:
        raise UsageError(
            f"nothing to draw: no benchmark has {_FEWEST} languages or more, and none was published"
        )
    return found


def _languages(
    key: Key, rows: Mapping[str, Rows], models: Mapping[str, "Scores"], folder: Path
) -> dict[Path, str]:
    """Draw every language by model; of items that were looked for in what it was trained on, the clean ones besides."""
    benchmark, mode, metric = key
    values: dict[str, dict[str, float | None]] = {}
    trained = []
    for model, own in rows.items():
        if not own:
            continue
        is_trained = benchmark in contaminated(models[model].manifest)
        trained += [model] * is_trained
        values[f"{model} †" if is_trained else model] = {
            label: row["value"] for label, row in own.items()
        }
        if clean := _clean(models[model], key):
            values[f"{model}, clean items"] = clean
    title = f"{benchmark} ({mode})" + ("; † trained on its source" if trained else "")
    path = heatmap_figure(
        values, folder, title=title, unit=_unit(metric), name=f"languages-{_file('-'.join(key))}"
    )
    return {path: f"{metric} of {benchmark} ({mode}) in every language"}


def _clean(scores: "Scores", key: Key) -> dict[str, float | None]:
    return {
        row["label"]: row["value_clean"]
        for row in scores.manifest.get("clean", ())
        if (row["benchmark"], row["mode"], row["metric"]) == key and row["n_clean"] < row["n"]
    }


def _two_models(
    key: Key, rows: Mapping[str, Rows], models: Mapping[str, "Scores"], folder: Path
) -> dict[Path, str]:
    benchmark, mode, metric = key
    name, title = _file("-".join(key)), f"{benchmark} ({mode})"
    after, before = (model for model, own in rows.items() if own)
    values = {
        model: {label: row["value"] for label, row in own.items()} for model, own in rows.items()
    }
    is_less_better = metric in LOWER_IS_BETTER
    slopes = slope_figure(
        values[before], values[after], folder, names=(before, after), unit=f"{_unit(metric)}, {title}",
        lower_is_better=is_less_better, name=f"slopes-{name}",
    )  # fmt: skip
    means = {
        model: {
            row["group"]: row
            for row in models[model].manifest["aggregates"]
            if (row["benchmark"], row["mode"], row["metric"]) == key
        }
        for model in (before, after)
    }
    found = {slopes: f"{metric} of {title}, {before} to {after}"}
    with suppress(UsageError):  # no group in common
        groups = groups_figure(
            means[before], means[after], folder, names=(before, after), title=title, unit=_unit(metric),
            lower_is_better=is_less_better, name=f"groups-{name}",
        )  # fmt: skip
        found[groups] = f"{metric} of {title} by resource group, {before} to {after}"
    return found


def _reliability(key: Key, rows: Mapping[str, Rows], folder: Path) -> dict[Path, str]:
    benchmark, mode, metric = key
    name, title, found = _file("-".join(key)), f"{benchmark} ({mode})", {}
    for model, own in rows.items():
        points = [
            Point(label=label, value=row["value"], stderr=row["stderr"], n=row["n"])
            for label, row in own.items()
        ]
        if len({point.n for point in points}) > 1:  # else there is nothing to see beside the values
            suffix = f"-{_file(model)}" if sum(map(bool, rows.values())) > 1 else ""
            path = reliability_figure(
                points, folder, title=title, unit=_unit(metric), name=f"reliability-{name}{suffix}"
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
    first = first_metrics(scores.manifest)
    for row in scores.rows:
        is_first = (row["benchmark"], row["metric"]) in first
        is_own = split_prompt(row["mode"])[1] == OWN
        if row["value"] is not None and is_first and is_own:
            yield (row["benchmark"], row["mode"], row["metric"]), row


def _unit(metric: str) -> str:
    scale = " (0 to 100)" if metric in NO_SHARES and not metric.startswith("nll") else ""
    return metric.replace("_", " ") + scale


def _file(name: str) -> str:
    return "".join(each if each.isalnum() or each in "-_." else "-" for each in name[-_LONGEST:])
