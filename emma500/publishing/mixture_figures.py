"""Figures of what a run reads and what its tokenizer makes of it: the mixture, and fertility by language.

Both are readable for one language and for thousands: beyond `MOST_LABELS` labels they show groups, and a point a label.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from emma500.languages.labels import RESOURCE_GROUPS
from emma500.mixture.planning.presets import GROUPS
from emma500.publishing.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MOST_LABELS,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    YELLOW,
    draw,
)
from emma500.publishing.tables import counted, percent, short
from emma500.records import COMPONENTS

Row = Mapping[str, Any]

_NAMED = 30
_COLOURS = {
    "monolingual": BLUE, "bilingual": ORANGE, "code": GREEN, "papers": PURPLE, "books": YELLOW,
    "instruction": SKY, "replay": VERMILION,
}  # fmt: skip


def mixture_figure(rows: Sequence[Row], folder: Path, *, name: str = "mixture") -> Path:
    """Draw what a run reads: the share of each group of text, and how often the text of each label is read.

    Args:
        rows: A row a label: `MixPlan.rows()`, or `plan` of a training run's manifest.
        folder: Where to write.
        name: The files' name without its ending.

    Returns:
        The SVG file.
    """
    kinds = _by_kind(rows)

    def figure(canvas: Any) -> None:
        left, right = canvas.subplots(1, 2, width_ratios=(1, 1.15))
        _kind_shares(left, kinds)
        if len(rows) > MOST_LABELS:
            _epochs_by_size(right, rows)
        else:
            _named_epochs(right, rows)

    n_rows = max(len(kinds), min(len(rows), MOST_LABELS) if len(rows) <= MOST_LABELS else 12)
    return draw(folder, name, figure, (9.2, 1.6 + 0.26 * max(n_rows, 6)))


def _by_kind(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows by component, monolingual ones by group, in the order of the groups."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(_kind(row), []).append(row)
    order = {name: place for place, name in enumerate(("replay", *GROUPS, *COMPONENTS))}
    return dict(sorted(found.items(), key=lambda item: order[item[0]]))


def _kind(row: Row) -> str:
    return "replay" if row["replay"] else str(row.get("group") or row["component"])


def _colour(row: Row) -> str:
    return _COLOURS["replay" if row["replay"] else row["component"]]


def _kind_shares(axes: Any, kinds: Mapping[str, Sequence[Row]]) -> None:
    """A bar a group of text and stage; a tick where the bar would end if all text were read equally often."""
    available = sum(row["n_tokens_available"] for rows in kinds.values() for row in rows)
    stages = max(len(row.get("stage_shares") or (0,)) for rows in kinds.values() for row in rows)
    height = 0.8 / stages
    longest = 0.0
    for place, rows in enumerate(kinds.values()):
        whole = sum(row["share"] for row in rows)
        for stage in range(stages):
            share = sum(row["stage_shares"][stage] for row in rows) if stages > 1 else whole
            longest = max(longest, share)
            y = place + (stage - (stages - 1) / 2) * height
            axes.barh(
                y, share, height * 0.92, color=_colour(rows[0]), alpha=1 - 0.55 * stage / stages
            )
        there = sum(row["n_tokens_available"] for row in rows) / available
        longest = max(longest, there)
        axes.plot([there, there], [place - 0.42, place + 0.42], color=INK, linewidth=1.6)
        told = f"{percent(whole)}  {_epochs(rows)}"
        axes.text(
            1.02, place, told, va="center", fontsize=8.5, transform=axes.get_yaxis_transform()
        )
    names = [f"{name} ({len(rows):,})" for name, rows in kinds.items()]
    axes.set_yticks(range(len(kinds)), names)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, longest * 1.05)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.grid(axis="x")
    staged = "" if stages == 1 else f"; bars: stage 1 to {stages}"
    axes.set_xlabel(f"share of the tokens read{staged} (line: of those there are)", fontsize=8.5)
    axes.set_title("What is read: share, epochs")


def _epochs(rows: Sequence[Row]) -> str:
    """Return how often texts are read, as "4x" or "0.5-4x"."""
    low, high = (f"{of(row['epochs'] for row in rows):.2g}" for of in (min, max))
    return f"{low}x" if low == high else f"{low}-{high}x"


def _named_epochs(axes: Any, rows: Sequence[Row]) -> None:
    """A bar a label: how often its text is read."""
    ordered = sorted(rows, key=lambda row: (-row["epochs"], row["label"]))
    axes.barh(
        range(len(ordered)), [row["epochs"] for row in ordered], 0.74, color=[_colour(row) for row in ordered]
    )  # fmt: skip
    for place, row in enumerate(ordered):
        text = f" {row['epochs']:.2g}x of {short(row['n_tokens_available'])}"
        axes.text(row["epochs"], place, text, va="center", fontsize=8)
    axes.set_yticks(range(len(ordered)), [row["label"] for row in ordered], fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.45 * max(row["epochs"] for row in ordered))
    axes.grid(axis="x")
    axes.set_xlabel("epochs")
    axes.set_title("How often each text is read")


def _epochs_by_size(axes: Any, rows: Sequence[Row]) -> None:
    """A point a label: how much there is of it, and how often it is read."""
    for component in _COLOURS:
        own = [
            row for row in rows if ("replay" if row["replay"] else row["component"]) == component
        ]
        if own:
            axes.plot(
                [row["n_tokens_available"] for row in own], [row["epochs"] for row in own], "o", markersize=3.2,
                alpha=0.55, markeredgewidth=0, color=_COLOURS[component], label=component,
            )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: short(round(value)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.minorticks_off()
    axes.grid()
    axes.set_xlabel("tokens there are")
    axes.set_ylabel("epochs")
    axes.set_title(f"How often each of {counted(len(rows), 'text')} is read")
    axes.legend(fontsize=8, loc="lower left")


def fertility_figure(rows: Sequence[Row], folder: Path, *, name: str = "fertility") -> Path:
    """Draw how many tokens a tokenizer needs for a character and for a word of each language.

    Args:
        rows: A row a language, as `Fertility.to_pandas().to_dict("records")`.
        folder: Where to write.
        name: The files' name without its ending.

    Returns:
        The SVG file.
    """
    ordered = sorted(rows, key=lambda row: (-row["tokens_per_char"], row["label"]))
    named = ordered if len(ordered) <= MOST_LABELS else ordered[:_NAMED]

    def figure(canvas: Any) -> None:
        left, right = canvas.subplots(1, 2, width_ratios=(1.1, 1))
        _named_fertility(left, named, is_part=len(named) < len(ordered))
        if len(named) < len(ordered):
            _fertility_by_group(right, rows)
        else:
            _named_words(right, named)
        canvas.legend(
            *left.get_legend_handles_labels(), loc="outside lower left", ncols=3, fontsize=8.5
        )

    return draw(folder, name, figure, (9.2, 1.7 + 0.2 * max(len(named), 12)))


def _named_fertility(axes: Any, rows: Sequence[Row], *, is_part: bool) -> None:
    places = range(len(rows))
    pieces = [row["tokens_per_char"] * row["byte_fallback_share"] for row in rows]
    unknown = [row["tokens_per_char"] * (row["unknown_share"] or 0.0) for row in rows]
    whole = [
        row["tokens_per_char"] - piece - lost
        for row, piece, lost in zip(rows, pieces, unknown, strict=True)
    ]
    starts = [0.0] * len(rows)
    for values, colour, label in (
        (whole, BLUE, "whole characters"),
        (pieces, ORANGE, "pieces of characters"),
        (unknown, VERMILION, "unknown"),
    ):
        if any(values) or label == "whole characters":
            axes.barh(places, values, 0.76, left=starts, color=colour, label=label)
        starts = [start + value for start, value in zip(starts, values, strict=True)]
    for place, row in enumerate(rows):
        axes.text(starts[place], place, f" {row['tokens_per_char']:.2f}", va="center", fontsize=8)
    axes.set_yticks(places, [row["label"] for row in rows], fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.14 * max(starts))
    axes.grid(axis="x")
    axes.set_xlabel("tokens a character")
    axes.set_title(
        f"The {len(rows)} with most tokens a character" if is_part else "Tokens a character"
    )


def _named_words(axes: Any, rows: Sequence[Row]) -> None:
    """A bar a language; grey where letters are counted for words."""
    values = [row["tokens_per_word"] for row in rows]
    colours = [GREY if row["counts_letters"] else BLUE for row in rows]
    axes.barh(range(len(rows)), values, 0.76, color=colours)
    for place, value in enumerate(values):
        axes.text(value, place, f" {value:.1f}", va="center", fontsize=8)
    axes.set_yticks([])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.14 * max(values))
    axes.grid(axis="x")
    axes.set_xlabel(_words_axis(rows, "grey"), fontsize=8.5)
    axes.set_title("Tokens a word")


def _words_axis(rows: Sequence[Row], mark: str) -> str:
    hollow = any(row["counts_letters"] for row in rows)
    return "tokens a word" + (f" ({mark}: a letter, in scripts without spaces)" if hollow else "")


def _fertility_by_group(axes: Any, rows: Sequence[Row]) -> None:
    """A point a language with the median of its group; hollow where letters are counted for words."""
    groups = [
        each for each in RESOURCE_GROUPS if any(row["resource_group"] == each for row in rows)
    ]
    for place, group in enumerate(groups):
        own = sorted(
            (row for row in rows if row["resource_group"] == group), key=lambda row: row["label"]
        )
        for is_hollow in (False, True):
            some = [(n, row) for n, row in enumerate(own) if row["counts_letters"] == is_hollow]
            heights = [place + 0.34 * (2 * ((n * 0.618034) % 1) - 1) for n, _ in some]
            axes.plot(
                [row["tokens_per_word"] for _, row in some], heights, "o", markersize=4, alpha=0.7,
                color=GREY if is_hollow else BLUE, markerfacecolor="white" if is_hollow else BLUE, markeredgewidth=0.8,
            )  # fmt: skip
        spaced = [row["tokens_per_word"] for row in own if not row["counts_letters"]]
        if spaced:
            middle = median(spaced)
            axes.plot([middle, middle], [place - 0.42, place + 0.42], color=INK, linewidth=2)
    axes.set_yticks(range(len(groups)), [
        f"{group} ({sum(row['resource_group'] == group for row in rows):,})" for group in groups
    ])  # fmt: skip
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(groups) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ticks = [each for each in (0.5, 1, 2, 3, 5, 10, 20, 40) if _in_view(each, rows)]
    axes.set_xticks(ticks)
    axes.minorticks_off()
    axes.grid(axis="x")
    axes.set_xlabel(_words_axis(rows, "hollow"), fontsize=8.5)
    axes.set_title("By resource group; line: median")


def _in_view(tick: float, rows: Sequence[Row]) -> bool:
    values = [row["tokens_per_word"] for row in rows]
    return min(values) / 2 <= tick <= max(values) * 2
