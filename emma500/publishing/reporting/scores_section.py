"""The report's sections on scores: before and after with intervals."""

from collections.abc import Sequence
from pathlib import Path

from emma500.evaluation.scores import Scores
from emma500.publishing.comparison import METRIC, Comparison
from emma500.publishing.model_card import mean_table
from emma500.publishing.reporting.outcomes import Outcome
from emma500.publishing.reporting.sections import Aside, Part, Section
from emma500.publishing.reporting.words import search_words
from emma500.publishing.scores_card import task_table
from emma500.publishing.tables import (
    NO_DATA,
    Table,
    code,
    count,
    literal,
    percent,
    table,
    with_error,
)


def comparison_section(
    comparison: Comparison, outcomes: Sequence[Outcome], folder: Path
) -> Section:
    """Describe what changed in bits per byte on one benchmark, label by label."""
    note = (
        "Part of this text was trained on: read the figures as fit, not as generalisation."
        if comparison.contaminated
        else "Bits per UTF-8 byte; lower is better. The difference is that of documents scored by both models; its 95% "
        "interval is that of the normal distribution with the standard error over documents."
    )
    parts = [
        Part(text=note),
        Part(
            text=f"Bits per byte before and after training on {literal(comparison.benchmark)}",
            figure=folder / "figures" / f"{comparison.figure}.svg",
        ),
        *_tables(outcomes),
    ]
    return Section(title=f"Before and after: {comparison.benchmark}", parts=tuple(parts))


def tasks_section(outcomes: Sequence[Outcome]) -> Section:
    """Describe what changed on tasks; intervals are bootstrapped over items that both models answered."""
    note = "Items that both models answered; 95% intervals of the difference are bootstrapped over them."
    return Section(title="Before and after: tasks", parts=(Part(text=note), *_tables(outcomes)))


def scores_section(scores: Scores) -> Section:
    """Describe the scores of one model, where there are none to compare them with."""
    means = mean_table(scores.manifest)
    results = [row for row in scores.rows if row["value"] is not None]
    named = [
        Part(text="Mean bits per byte", table=means),
        Part(text="Means on tasks", table=task_table(scores.manifest)),
        Part(
            text="By label",
            table=table(
                ("label", "benchmark", "metric", "n", "value"),
                "lllrr",
                [
                    (code(row["label"]), literal(row["benchmark"]), code(row["metric"]), count(row["n"]),
                     with_error(row["value"], row["stderr"]))
                    for row in results
                ],
            ),
            asides=tuple(Aside(words=search_words(row["label"], row["benchmark"], row["metric"])) for row in results),
        ),
    ]  # fmt: skip
    title = f"Scores of {scores.manifest['model']['name']}"
    return Section(
        title=title, parts=tuple(each for each in named if each.table and each.table.rows)
    )


def _tables(outcomes: Sequence[Outcome]) -> list[Part]:
    means = [row for row in outcomes if row.is_mean]
    labels = [row for row in outcomes if not row.is_mean]
    parts = [Part(text="Means", table=_table(means))] if means else []
    asides = tuple(
        Aside(words=search_words(row.label, row.group, row.benchmark, row.metric, row.verdict))
        for row in labels
    )
    return [*parts, Part(text="By language", table=_table(labels), asides=asides)]


def _table(rows: Sequence[Outcome]) -> Table:
    tasks = [row for row in rows if row.metric != METRIC]
    first = ("benchmark", "metric", "mode") if tasks else ()
    return table(
        ("label", *first, "resource group", "n", "before", "after", "difference", "95% interval", "change", "verdict"),
        "l" + "l" * len(first) + "lrrrrrrl",
        [_cells(row, bool(tasks)) for row in rows],
    )  # fmt: skip


def _cells(row: Outcome, is_task: bool) -> tuple[str, ...]:
    note = f" ({row.note})" if row.note else ""
    difference = row.after - row.before
    bounds = (
        NO_DATA if row.low is None or row.high is None else f"{row.low:+.3f} to {row.high:+.3f}"
    )
    return (
        f"**{row.label}**" if row.is_mean else f"{code(row.label)}{note}",
        *((literal(row.benchmark), code(row.metric), row.mode) if is_task else ()),
        "" if row.group == "all" else row.group,
        count(row.n),
        with_error(row.before, row.before_stderr),
        with_error(row.after, row.after_stderr),
        f"{difference:+.3f}",
        bounds,
        percent(difference / row.before if row.before else None, sign=True),
        row.verdict,
    )
