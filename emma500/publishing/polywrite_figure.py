"""Figure 5 of the paper: the tasks of a PolyWrite, and how many prompts of each were kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emma500.publishing.figures import BLUE, INK, draw


def tasks_figure(manifest: Mapping[str, Any], folder: Path, *, name: str = "tasks") -> Path:
    """Draw how many prompts of each task of writing there are over all languages.

    Args:
        manifest: That of a PolyWrite.
        folder: Where to write.
        name: The files' name without its ending.

    Returns:
        The SVG file.
    """
    tasks = sorted(manifest["tasks"], key=lambda row: (row["n_kept"], row["category"]))
    n_languages = len(manifest["languages"])
    most = max(row["n"] for row in tasks)

    def figure(canvas: Any) -> None:
        axes = canvas.subplots()
        places = range(len(tasks))
        axes.barh(places, [row["n"] for row in tasks], 0.74, color="#e9e9e9", label="translated")
        axes.barh(places, [row["n_kept"] for row in tasks], 0.74, color=BLUE, label="kept")
        for place, row in enumerate(tasks):
            axes.text(
                most * 1.01, place, f"{row['n_kept']:,} of {row['n']:,}", va="center", fontsize=8, color=INK
            )  # fmt: skip
        axes.set_yticks(places, [row["category"] for row in tasks])
        axes.set_ylim(-0.6, len(tasks) - 0.4)
        axes.set_xlim(0, most * 1.16)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel("prompts over all languages")
        axes.set_title(f"{len(tasks)} tasks of writing in {n_languages:,} languages")
        axes.spines["bottom"].set_bounds(0, most)
        axes.legend(
            loc="lower right", ncols=2, bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1, reverse=True
        )

    return draw(folder, name, figure, (7.6, 1.2 + 0.215 * len(tasks)))
