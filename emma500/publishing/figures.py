"""Figures, drawn from manifests: the training curves, before and after; `corpus_figures` draws those of a corpus.

Every figure is written as SVG (for the report) and PNG (for cards, which the Hub shows 800 pixels wide), with the same
bytes on every run. Labels are ASCII codes, so that matplotlib's own font renders all of them; other names may be
anything (`figure_text`).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emma500.publishing.comparison import Change
from emma500.publishing.figure_text import FONT, plain_texts
from emma500.publishing.summary import replayed_languages, trained_languages
from emma500.storage import atomic_file

BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, YELLOW, GREY, INK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#B8A900", "#7F7F7F", "#222222",
)  # fmt: skip
"""The palette of Okabe and Ito, which colour-blind readers tell apart; a darker yellow, and a grey."""

MOST_LABELS = 40
"""A figure names every label up to this many."""

_CURVES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, YELLOW, GREY)
_MARKERS = "osD^vP*X"
_MOST_CURVES = 14
_STYLE: dict[str, Any] = {
    "font.family": FONT,
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "text.color": INK,
    "axes.labelcolor": INK,
    "legend.frameon": False,
    "svg.hashsalt": "emma500",
    "svg.fonttype": "path",
    "savefig.dpi": 200,
}


def draw(folder: Path, name: str, figure: Callable[[Any], None], size: tuple[float, float]) -> Path:
    """Draw a figure and write it as `<name>.svg` and `<name>.png`.

    Args:
        folder: Where to write.
        name: The files' name without its ending.
        figure: Draws on the matplotlib figure it is given.
        size: Width and height in inches.

    Returns:
        The SVG file.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({**mpl.rcParamsDefault, "backend": "agg", **_STYLE}):
        canvas = Figure(figsize=size, layout="constrained")
        figure(canvas)
        plain_texts(canvas)
        for ending, metadata in (
            ("png", {"Software": None}),
            ("svg", {"Date": None, "Creator": None}),
        ):
            with atomic_file(folder / f"{name}.{ending}") as temporary:
                canvas.savefig(temporary, format=ending, metadata=metadata)
    return folder / f"{name}.svg"


def training_figure(manifest: Mapping[str, Any], folder: Path) -> Path:
    """Draw the training loss and, if there are any, validation bits per byte by label, over the steps of a run.

    Steps where replay was raised, and the kept one where it is not the last, are marked.

    Returns:
        The SVG file.
    """
    trained = set(trained_languages(manifest))
    curves: dict[str, list[tuple[int, float]]] = {}
    for row in sorted(manifest.get("validation", ()), key=lambda row: (row["label"], row["step"])):
        curves.setdefault(row["label"], []).append((row["step"], row["bits_per_byte"]))

    def figure(canvas: Any) -> None:
        panels = list(
            canvas.subplots(1, 2, width_ratios=(1, 1.55)) if curves else [canvas.subplots()]
        )
        left, right = panels[0], panels[-1]
        log = [(row["step"], row["loss"]) for row in manifest["log"] if row.get("loss") is not None]
        left.plot([step for step, _ in log], [loss for _, loss in log], color=INK, linewidth=1.2)
        left.set_title("Training loss")
        left.set_ylabel("nats a token")
        if len(curves) > _MOST_CURVES:
            _many_curves(right, curves, trained)
        elif curves:
            _named_curves(right, curves, trained, replayed_languages(manifest))
        if curves:
            right.set_title("Held-out text")
            right.set_ylabel("bits per byte (lower is better)")
        for axes in panels:
            axes.set_xlabel("step")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid()
            _mark_steps(axes, manifest)

    return draw(folder, "training", figure, (8.6 if curves else 5.6, 3.9))


def _mark_steps(axes: Any, manifest: Mapping[str, Any]) -> None:
    marks = [
        (row["step"], f"replay {row['replay_share']:.0%}")
        for row in manifest.get("replay_raised", ())
    ]
    kept = manifest.get("kept_step", manifest["n_steps"])
    if kept != manifest["n_steps"]:
        marks.append((kept, "kept"))
    for step, name in marks:
        axes.axvline(step, color=GREY, linewidth=1, linestyle=":")
        axes.text(
            step, 1.0, f" {name}", fontsize=8, color=GREY, va="top", rotation=90, ha="right",
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip


def _named_curves(
    axes: Any,
    curves: Mapping[str, list[tuple[int, float]]],
    trained: set[str],
    replayed: set[str],
) -> None:
    order = sorted(curves, key=lambda label: -curves[label][-1][1])
    colours = iter(_CURVES * 2)
    last = max(step for points in curves.values() for step, _ in points)
    for index, label in enumerate(order):
        steps, values = zip(*curves[label], strict=True)
        colour, line = (next(colours), "-") if label in trained else (INK, "--")
        axes.plot(
            steps, values, line, color=colour, marker=_MARKERS[index % len(_MARKERS)], markersize=4, linewidth=1.5
        )  # fmt: skip
    heights = spread_labels([curves[label][-1][1] for label in order], axes.get_ylim())
    for label, height in zip(order, heights, strict=True):
        line = axes.lines[order.index(label)]
        note = "replay" if label in replayed else "watched"
        text = label if label in trained else f"{label} ({note})"
        axes.annotate(
            text, (line.get_xdata()[-1], line.get_ydata()[-1]), (last * 1.06 + 0.5, height),
            textcoords="data", va="center", fontsize=9, color=line.get_color(), annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": line.get_color(), "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3,
                        "relpos": (0, 0.5)},
        )  # fmt: skip


def spread_labels(
    values: Sequence[float], limits: tuple[float, float], *, lines: int = 17
) -> list[float]:
    """Return heights for labels at falling values: a line of text apart or more, on the axis, else as near as can be.

    Args:
        values: The values, from the largest to the smallest.
        limits: Those of the axis.
        lines: How many lines of text the axis holds.

    Returns:
        A height a label.
    """
    gap = (limits[1] - limits[0]) / lines
    blocks: list[list[float]] = []  # labels that touch; each block is centred on its values
    for place, value in enumerate(values):
        blocks.append([value + place * gap])
        while len(blocks) > 1 and _mean(blocks[-1]) > _mean(blocks[-2]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    tops = [_mean(block) for block in blocks for _ in block]
    heights = [top - place * gap for place, top in enumerate(tops)]
    if len(heights) > lines:
        return heights
    lowest, highest = limits[0] + gap / 2, limits[1] - gap / 2
    last = len(heights) - 1
    risen = [max(each, lowest + (last - place) * gap) for place, each in enumerate(heights)]
    return [min(each, highest - place * gap) for place, each in enumerate(risen)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _many_curves(
    axes: Any, curves: Mapping[str, list[tuple[int, float]]], trained: set[str]
) -> None:
    for points in curves.values():
        axes.plot(*zip(*points, strict=True), color="#bbbbbb", linewidth=0.7, alpha=0.7)
    for name, chosen, colour in (
        ("mean of the trained languages", set(curves) & trained, BLUE),
        ("mean of the others", set(curves) - trained, VERMILION),
    ):
        steps = sorted({step for label in chosen for step, _ in curves[label]})
        means = []
        for step in steps:
            values = [value for label in chosen for at, value in curves[label] if at == step]
            means.append(sum(values) / len(values))
        if steps:
            axes.plot(steps, means, color=colour, marker="o", markersize=4, label=name)
    axes.legend(loc="upper right")


def comparison_figure(
    changes: Sequence[Change],
    folder: Path,
    *,
    title: str,
    name: str = "before-after",
    notes: Mapping[str, str] | None = None,
) -> Path:
    """Draw bits per byte before and after with their standard errors, one line a label, the largest gain on top.

    Args:
        changes: What to show, a line each.
        folder: Where to write.
        title: What text was scored.
        name: The files' name without its ending.
        notes: What to say behind a label, as "replay".

    Returns:
        The SVG file.
    """
    rows = sorted(changes, key=lambda change: -change.relative)

    def figure(canvas: Any) -> None:
        axes = canvas.subplots()
        for place, row in enumerate(rows):
            _change_line(axes, place, row)
        names = [
            f"{row.label} ({notes[row.label]})" if notes and row.label in notes else row.label
            for row in rows
        ]
        axes.set_yticks(range(len(rows)), names)
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.set_xlabel("bits per byte (lower is better; bars: ± 1 standard error)")
        axes.grid(axis="x")
        axes.set_title(title)
        _legend(axes)

    return draw(folder, name, figure, (8.0, 1.35 + 0.34 * max(len(rows), 2)))


def _change_line(axes: Any, place: int, row: Change) -> None:
    colour = BLUE if row.difference <= 0 else VERMILION
    heights = (place + 0.14, place - 0.14)
    axes.plot([row.before, row.after], heights, color=colour, linewidth=2, alpha=0.4, zorder=1)
    for value, error, height, face in (
        (row.before, row.before_stderr, heights[0], "white"),
        (row.after, row.after_stderr, heights[1], colour),
    ):
        axes.errorbar(value, height, xerr=error, fmt="none", ecolor=colour, elinewidth=1, capsize=2)
        axes.plot(value, height, "o", color=colour, markerfacecolor=face, markersize=6)
    spread = "" if row.relative_stderr is None else f" ± {row.relative_stderr:.1%}"
    axes.text(
        1.01, place, f"{row.relative:+.1%}{spread}", transform=axes.get_yaxis_transform(), va="center", color=colour
    )  # fmt: skip


def _legend(axes: Any) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], marker="o", linestyle="", color=INK, markerfacecolor=face, label=name)
        for name, face in (("before", "white"), ("after", INK))
    ]
    axes.legend(
        handles=marks, loc="lower right", ncols=2, bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1, handletextpad=0.2
    )  # fmt: skip
