"""Two models by resource group, as dots with error bars: what training did for languages with much text or little."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emma500.errors import UsageError
from emma500.languages.labels import RESOURCE_GROUPS
from emma500.publishing.figures import BLUE, GREY, INK, VERMILION, draw

ORDER = (*RESOURCE_GROUPS, "all")
"""From the groups with the most text to those with the least, and the mean of all languages."""

_ERRORS = 1.96  # standard errors in a half of an interval of 95 %

Mean = Mapping[str, Any]


def groups_figure(
    before: Mapping[str, Mean],
    after: Mapping[str, Mean],
    folder: Path,
    *,
    names: tuple[str, str],
    title: str,
    unit: str,
    lower_is_better: bool = False,
    name: str = "groups",
) -> Path:
    """Draw the means of two models by resource group, with intervals of 95 %.

    Args:
        before: The means of the one by group, as `Scores.manifest["aggregates"]` has them.
        after: Those of the other; groups that only one has are left out.
        folder: Where to write.
        names: What the two models are called.
        title: What was measured.
        unit: What the values are, as "accuracy".
        lower_is_better: Whether a smaller value is a gain.
        name: The files' name without its ending.

    Returns:
        The SVG file.

    Raises:
        UsageError: If they share no group with a value.
    """
    known = [
        group for group in ORDER if all(_has_value(each.get(group)) for each in (before, after))
    ]
    if not known:
        raise UsageError(
            "the two models share no resource group: evaluate both on the same languages"
        )
    sign = -1 if lower_is_better else 1

    def figure(canvas: Any) -> None:
        axes = canvas.subplots()
        for place, group in enumerate(known):
            _line(axes, place, (before[group], after[group]), sign)
        labels = [f"{group}\n{after[group]['n_labels']:,} languages" for group in known]
        axes.set_yticks(range(len(known)), labels)
        axes.set_ylim(len(known) - 0.4, -0.6)
        axes.set_xlabel(f"{unit} (bars: 95 %)")
        axes.grid(axis="x")
        axes.set_title(title)
        _legend(axes, names)

    return draw(folder, name, figure, (7.0, 1.5 + 0.55 * max(len(known), 2)))


def _has_value(mean: Mean | None) -> bool:
    return mean is not None and mean["value"] is not None


def _line(axes: Any, place: int, means: tuple[Mean, Mean], sign: int) -> None:
    gain = sign * (means[1]["value"] - means[0]["value"])
    colour = GREY if not gain else BLUE if gain > 0 else VERMILION
    heights = (place - 0.13, place + 0.13)
    values = [mean["value"] for mean in means]
    axes.plot(values, heights, color=colour, linewidth=2, alpha=0.4, zorder=1)
    for mean, height, face in zip(means, heights, ("white", colour), strict=True):
        error = None if mean["stderr"] is None else _ERRORS * mean["stderr"]
        axes.errorbar(
            mean["value"], height, xerr=error, fmt="o", color=colour, markerfacecolor=face, markersize=6, capsize=2,
            elinewidth=1,
        )  # fmt: skip


def _legend(axes: Any, names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], marker="o", linestyle="", color=INK, markerfacecolor=face, label=name)
        for name, face in zip(names, ("white", INK), strict=True)
    ]
    axes.legend(
        handles=marks, loc="upper left", bbox_to_anchor=(0.0, -0.18), ncols=1, borderaxespad=0.1
    )
