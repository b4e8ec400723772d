"""Figures of values by language: every language by model, two models, and values against n."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emma500.errors import UsageError
from emma500.publishing.figures import (
    BLUE,
    GREY,
    INK,
    MOST_LABELS,
    VERMILION,
    draw,
    spread_labels,
)

_ROWS_A_BLOCK = 52
_LINES = 46  # of small print, that a slope chart holds
_SHORT_LINES = 30  # those that a figure of less height holds
_BESIDE = 1.04  # of n: how far from its point a name stands
_MOST_NUMBERS = 120  # a heat map of so many cells writes their values
_NAMED = 6  # languages named at each end of a figure of many
_NORMAL = 1.96


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """The value of one language, its standard error and the number of items it rests on."""

    label: str
    value: float
    stderr: float | None
    n: int


def heatmap_figure(
    values: Mapping[str, Mapping[str, float | None]],
    folder: Path,
    *,
    title: str,
    unit: str,
    name: str = "languages",
) -> Path:
    """Draw every language by every model as a colour, in as many columns as keep the names readable.

    Args:
        values: Model to label to value; None where there is none.
        folder: Where to write.
        title: What was measured.
        unit: What the colours mean, as "accuracy".
        name: The files' name without its ending.

    Returns:
        The SVG file.

    Raises:
        UsageError: If there is no value.
    """
    models = list(values)
    labels = sorted({label for row in values.values() for label in row})
    table = np.array(
        [[_number(values[model].get(label)) for model in models] for label in labels],
        dtype=np.float64,
    ).reshape(len(labels), len(models))
    known = ~np.isnan(table)
    if not known.any():
        raise UsageError("a heat map needs a value of at least one language and model")
    means = np.where(known, table, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    order = sorted(range(len(labels)), key=lambda place: (-means[place], labels[place]))
    n_blocks = -(-len(labels) // _ROWS_A_BLOCK)
    n_rows = -(-len(labels) // n_blocks)
    limits = (float(np.nanmin(table)), float(np.nanmax(table)))

    def figure(canvas: Any) -> None:
        blocks = canvas.subplots(1, n_blocks, squeeze=False)[0]
        image = None
        for at, axes in enumerate(blocks):
            part = order[at * n_rows : (at + 1) * n_rows]
            image = _block(axes, table[part], limits)
            axes.set_yticks(range(len(part)), [labels[place] for place in part], fontsize=7)
            axes.set_xticks(range(len(models)), models, fontsize=7.5, rotation=60, ha="left")
            axes.set_ylim(n_rows - 0.5, -0.5)
        canvas.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
        canvas.colorbar(
            image, ax=list(blocks), orientation="horizontal", label=f"{unit} (grey: no data)",
            fraction=0.02, pad=0.012, aspect=50,
        )  # fmt: skip

    width = max(4.0, n_blocks * (0.95 + 0.3 * len(models)))
    return draw(folder, name, figure, (width, 2.1 + 0.155 * n_rows))


def slope_figure(
    before: Mapping[str, float],
    after: Mapping[str, float],
    folder: Path,
    *,
    names: tuple[str, str],
    unit: str,
    lower_is_better: bool = False,
    name: str = "slopes",
) -> Path:
    """Draw a line for each language from its value with one model to that with another.

    Args:
        before: The values of the one, by label.
        after: Those of the other; labels that only one has are left out.
        folder: Where to write.
        names: What the two models are called.
        unit: What the values are, as "accuracy (%)".
        lower_is_better: Whether a falling line is a gain.
        name: The files' name without its ending.

    Returns:
        The SVG file.

    Raises:
        UsageError: If they share no label.
    """
    shared = sorted(set(before) & set(after))
    if not shared:
        raise UsageError("the two models share no language: evaluate both on the same benchmark")
    sign = -1 if lower_is_better else 1
    gains = {label: sign * (after[label] - before[label]) for label in shared}
    ranked = sorted(shared, key=lambda label: gains[label])
    named = shared if len(shared) <= MOST_LABELS else [*ranked[:_NAMED], *ranked[-_NAMED:]]

    def figure(canvas: Any) -> None:
        axes = canvas.subplots()
        for label in ranked:
            colour = GREY if not gains[label] else BLUE if gains[label] > 0 else VERMILION
            faint = label not in named
            axes.plot(
                [0, 1], [before[label], after[label]], color=colour, marker="o", markersize=2 if faint else 3.5,
                linewidth=0.6 if faint else 1.3, alpha=0.35 if faint else 0.95, zorder=1 if faint else 2,
            )  # fmt: skip
        _side_labels(axes, named, before, side=0)
        _side_labels(axes, named, after, side=1)
        axes.set_xlim(-0.35, 1.35)
        axes.set_xticks([0, 1], names)
        axes.set_ylabel(unit)
        axes.grid(axis="y")
        n_gains = sum(gain > 0 for gain in gains.values())
        mean = sum(gains.values()) / len(gains) * sign
        axes.set_title(f"{n_gains} of {len(shared)} languages gain; mean change {mean:+.2f}")

    return draw(folder, name, figure, (6.4, 6.8))


def reliability_figure(
    points: Sequence[Point], folder: Path, *, title: str, unit: str, name: str = "reliability"
) -> Path:
    """Draw the value of each language against the number of items it rests on.

    The funnel is where 95% of languages would lie if all had the mean of all and differed by chance alone; what is
    outside differs by more, and is named where that is a few.

    Args:
        points: The languages.
        folder: Where to write.
        title: What was measured.
        unit: What the values are, as "bits per byte".
        name: The files' name without its ending.

    Returns:
        The SVG file.

    Raises:
        UsageError: If there is no point.
    """
    points = [point for point in points if point.n > 0]
    if not points:
        raise UsageError("no language has an item: there is nothing to draw against n")
    mean = sum(point.value * point.n for point in points) / sum(point.n for point in points)
    spreads = [point.stderr * point.n**0.5 for point in points if point.stderr]
    spread = float(np.median(spreads)) if spreads else 0.0

    def is_outside(point: Point) -> bool:
        return spread > 0 and abs(point.value - mean) > _NORMAL * spread / point.n**0.5

    def figure(canvas: Any) -> None:
        axes = canvas.subplots()
        sizes = np.geomspace(*_around([point.n for point in points]), 200)
        reach = _NORMAL * spread / np.sqrt(sizes)
        axes.fill_between(sizes, mean - reach, mean + reach, color=BLUE, alpha=0.08, linewidth=0)
        axes.axhline(mean, color=GREY, linewidth=0.8)
        for point in points:
            colour = VERMILION if is_outside(point) else BLUE
            error = None if point.stderr is None else _NORMAL * point.stderr
            axes.errorbar(
                point.n, point.value, yerr=error, fmt="o", color=colour, markersize=3.5, elinewidth=0.7, alpha=0.75
            )  # fmt: skip
        outside = sorted(filter(is_outside, points), key=lambda point: -abs(point.value - mean))
        axes.set_xscale("log")
        axes.set_xlim(sizes[0], sizes[-1])
        _plain_ticks(axes.xaxis)
        _name(axes, outside[: 2 * _NAMED])
        axes.set_xlabel("items (n)")
        axes.set_ylabel(f"{unit} (bars: 95%)")
        axes.grid()
        axes.set_title(f"{title}: {len(outside)} of {len(points)} languages outside the funnel")

    return draw(folder, name, figure, (7.6, 4.6))


def _block(axes: Any, table: Any, limits: tuple[float, float]) -> Any:
    import matplotlib as mpl

    colours = mpl.colormaps["viridis"].with_extremes(bad="#dddddd")
    image = axes.imshow(
        np.ma.masked_invalid(table), aspect="auto", cmap=colours, vmin=limits[0], vmax=limits[1],
        interpolation="nearest",
    )  # fmt: skip
    if table.size <= _MOST_NUMBERS:
        for (row, column), value in np.ndenumerate(table):
            if not np.isnan(value):
                is_dark = value - limits[0] < 0.55 * (limits[1] - limits[0])
                shown = f"{value:.3f}" if limits[1] <= 1 else f"{value:.1f}"
                colour = "white" if is_dark else INK
                axes.text(column, row, shown, ha="center", va="center", fontsize=7, color=colour)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=2)
    for side in axes.spines.values():
        side.set_visible(False)
    return image


def _side_labels(
    axes: Any, labels: Sequence[str], values: Mapping[str, float], *, side: int
) -> None:
    """Write labels beside their values on one side (0 left, 1 right), moved apart, with a line to their value."""
    order = sorted(labels, key=lambda label: -values[label])
    heights = spread_labels([values[label] for label in order], axes.get_ylim(), lines=_LINES)
    for label, height in zip(order, heights, strict=True):
        axes.annotate(
            label, (side, values[label]), (side + (0.12 if side else -0.12), height), textcoords="data",
            ha="left" if side else "right", va="center", fontsize=7.5, color=INK, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 3,
                        "relpos": (0, 0.5) if side else (1, 0.5)},
        )  # fmt: skip


def _plain_ticks(axis: Any) -> None:
    """Write numbers of a logarithmic axis as they are, at 1, 2 and 5 of each power of ten."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else "")


def _name(axes: Any, points: Sequence[Point]) -> None:
    """Write the names of points beside them, moved apart, with a line to each."""
    order = sorted(points, key=lambda point: -point.value)
    heights = spread_labels([point.value for point in order], axes.get_ylim(), lines=_SHORT_LINES)
    for point, height in zip(order, heights, strict=True):
        axes.annotate(
            point.label, (point.n, point.value), (point.n * _BESIDE, height), va="center", fontsize=7.5,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 3,
                        "relpos": (0, 0.5)},
        )  # fmt: skip


def _around(sizes: Sequence[int]) -> tuple[float, float]:
    return min(sizes) * 0.8, max(sizes) * 1.25


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
