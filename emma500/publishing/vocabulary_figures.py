"""The figure of an extended vocabulary: tokens and bits per byte of each language, before and after."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emma500.publishing import figures
from emma500.publishing.figures import BLUE, INK, MOST_LABELS, VERMILION

Row = Mapping[str, Any]

_PANELS = (
    ("tokens_per_word", "Tokens a word", "tokens a word or, in scripts without spaces, a letter"),
    ("bits_per_byte", "Bits per byte, before any training", "bits per byte (lower is better)"),
)

_NOTHING = 5e-4
"""A change that is written as 0.0%."""


def vocabulary_figure(pairs: Sequence[tuple[Row, Row]], folder: Path) -> Path:
    """Draw what new pieces did to held-out text: an open point before, a full one after, a line a language.

    Args:
        pairs: The rows of each label before and after, of an extended model's report.
        folder: Where to write.

    Returns:
        The SVG file; beyond `MOST_LABELS` labels it shows those whose tokens changed most.
    """
    by_change = sorted(pairs, key=lambda pair: (_change(pair), pair[1]["label"]))
    shown = by_change[:MOST_LABELS]

    def figure(canvas: Any) -> None:
        left, right = canvas.subplots(1, 2)
        for axes, (field, title, unit) in zip((left, right), _PANELS, strict=True):
            _panel(axes, shown, field)
            axes.set_title(title)
            axes.set_xlabel(unit, fontsize=8.5)
        left.set_yticks(range(len(shown)), [new["label"] for _, new in shown])
        right.set_yticks([])
        _legend(canvas)

    return figures.draw(folder, "vocabulary", figure, (9.2, 1.9 + 0.27 * max(len(shown), 3)))


def _change(pair: tuple[Row, Row]) -> float:
    old, new = pair
    return float(new["tokens_per_word"] / old["tokens_per_word"] - 1)


def _panel(axes: Any, pairs: Sequence[tuple[Row, Row]], field: str) -> None:
    for place, (old, new) in enumerate(pairs):
        if old[field] is None or new[field] is None:
            continue
        change = new[field] / old[field] - 1
        colour = INK if abs(change) < _NOTHING else BLUE if change < 0 else VERMILION
        axes.plot([old[field], new[field]], [place, place], color=colour, linewidth=2, alpha=0.4)
        axes.plot(old[field], place, "o", color=colour, markerfacecolor="white", markersize=6)
        axes.plot(new[field], place, "o", color=colour, markersize=6)
        told = f"{change:+.1%}"
        axes.text(
            1.01, place, told, va="center", fontsize=8.5, color=colour, transform=axes.get_yaxis_transform()
        )  # fmt: skip
    axes.set_ylim(len(pairs) - 0.3, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(left=0)
    axes.grid(axis="x")


def _legend(canvas: Any) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], marker="o", linestyle="", color=INK, markerfacecolor=face, label=name)
        for name, face in (("before", "white"), ("after", INK))
    ]
    canvas.legend(handles=marks, loc="outside lower left", ncols=2, fontsize=8.5)
