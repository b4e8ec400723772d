"""Figure 1 of the paper: how many published models an average beats, by benchmark."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emma500.errors import UsageError
from emma500.evaluation.published import KINDS, wins
from emma500.publishing.figures import BLUE, INK, ORANGE, draw

_KINDS = {"llama2": "models based on Llama 2", "recent": "recent models"}
_COLOURS = (BLUE, ORANGE)


def wins_figure(
    averages: Mapping[tuple[str, str], float], folder: Path, *, title: str, name: str = "wins"
) -> Path:
    """Draw how many published models one's averages beat, by benchmark, as Figure 1 of the paper.

    Args:
        averages: Averages by (benchmark, metric), in the published tables' scale.
        folder: Where to write.
        title: Which model it is.
        name: The files' name without its ending.

    Returns:
        The SVG file.

    Raises:
        UsageError: If there is none, or one that was not published.
    """
    if not averages:
        raise UsageError("no averages to count wins with: give (benchmark, metric) and a value")
    counts = {key: [wins(value, *key, kind) for kind in KINDS] for key, value in averages.items()}
    order = sorted(counts, key=lambda key: [beaten / max(of, 1) for beaten, of in counts[key]])

    def figure(canvas: Any) -> None:
        axes = canvas.subplots()
        for place, key in enumerate(order):
            for at, (colour, (beaten, of)) in enumerate(zip(_COLOURS, counts[key], strict=True)):
                height = place + 0.19 - 0.38 * at
                axes.barh(height, 1.0 if of else 0.0, 0.34, color="#eeeeee")
                axes.barh(height, beaten / max(of, 1), 0.34, color=colour, label=_KINDS[KINDS[at]])
                axes.text(
                    1.01, height, f"{beaten} of {of}", va="center", fontsize=8, color=INK
                )  # fmt: skip
        axes.set_yticks(range(len(order)), [f"{bench}  {metric}" for bench, metric in order])
        axes.set_xlim(0, 1.09)
        axes.set_ylim(-0.6, len(order) - 0.4)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
        axes.set_xlabel("share of the published models with a worse average")
        axes.set_title(title)
        handles, labels = axes.get_legend_handles_labels()
        canvas.legend(
            handles[: len(KINDS)], labels[: len(KINDS)], loc="outside lower right", ncols=len(KINDS)
        )

    return draw(folder, name, figure, (8.0, 1.4 + 0.36 * len(order)))
