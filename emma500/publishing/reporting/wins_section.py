"""The report's section on what was won: labels that became better, and published models that are beaten."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emma500.evaluation.published import compare_with_published, published_metrics
from emma500.evaluation.scores import Scores
from emma500.languages.labels import RESOURCE_GROUPS
from emma500.publishing.reporting.outcomes import VERDICTS, Outcome
from emma500.publishing.reporting.sections import Part, Section, heading
from emma500.publishing.tables import code, count, counted, decimal, literal, table
from emma500.publishing.wins_figure import wins_figure

_COLUMNS = (
    "benchmark", "metric", "mode", "labels", "value", "EMMA-500 Llama 2", "best published", "which is",
    "beats of those on Llama 2", "beats of recent ones",
)  # fmt: skip


def wins_section(outcomes: Sequence[Outcome], after: Scores | None, folder: Path) -> Section | None:
    """Count the labels that became better or worse, and the published models that the averages beat; None without."""
    parts = []
    counted_rows = _wins(outcomes)
    if counted_rows:
        note = (
            "A label is better or worse where the 95% interval of its difference leaves zero out: of a hundred labels "
            "without any difference, about five look so by chance."
        )
        rows = table(
            ("benchmark", "metric", "resource group", "labels", *VERDICTS),
            "lllrrrrr",
            counted_rows,
        )
        parts += [Part(text=note), Part(text="Labels won and lost", table=rows)]
    parts += _published(after, folder) if after is not None else []
    return Section(title="Wins", parts=tuple(parts)) if parts else None


def win_line(outcomes: Sequence[Outcome]) -> str:
    """Return in one sentence how many labels of all benchmarks became better and worse; "" without intervals."""
    labels = [row for row in outcomes if not row.is_mean]
    known = [row.verdict for row in labels if row.verdict != VERDICTS[3]]
    if not known:
        return ""
    return (
        f"Of {counted(len(known), 'comparison')} of a label with an interval, {known.count('better'):,} became better, "
        f"{known.count('worse'):,} worse, and {known.count(VERDICTS[2]):,} show no clear difference."
    )


def _wins(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    found: dict[tuple[str, str, str], list[Outcome]] = {}
    for row in outcomes:
        if not row.is_mean:
            found.setdefault((row.benchmark, row.metric, row.mode), []).append(row)
    lines = []
    for (benchmark, metric, mode), rows in found.items():
        name = f"{literal(benchmark)} ({mode})" if mode else literal(benchmark)
        groups = [group for group in RESOURCE_GROUPS if any(row.group == group for row in rows)]
        lines.append((name, code(metric), "**all**", *_verdicts(rows)))
        lines += [
            (name, code(metric), group, *_verdicts(row for row in rows if row.group == group))
            for group in (groups if len(groups) > 1 else ())
        ]
    return lines


def _verdicts(rows: Iterable[Outcome]) -> tuple[str, ...]:
    verdicts = [row.verdict for row in rows]
    return (count(len(verdicts)), *(count(verdicts.count(each)) for each in VERDICTS))


def _published(after: Scores, folder: Path) -> list[Part]:
    tables = {(each.benchmark, each.metric) for each in published_metrics()}
    rows: list[Mapping[str, Any]] = []
    if any((row["benchmark"], row["metric"]) in tables for row in after.aggregates):
        rows = compare_with_published(after).to_dict("records")
    if not rows:
        return []
    note = (
        "Numbers can be compared where mode, data and languages are the same: mode faithful, and as many labels as "
        "the published table has."
    )
    cells = [
        (row["benchmark"], code(row["metric"]), row["mode"],
         f"{count(row['n_labels'])} of {count(row['published_labels'])}",
         decimal(row["value"], 2), decimal(row["emma500"], 2), decimal(row["best"], 2), row["best_model"],
         row["wins_llama2"], row["wins_recent"])
        for row in rows
    ]  # fmt: skip
    return [
        heading("Beside the published models"),
        Part(text=note),
        *_beaten(rows, after, folder),
        Part(text="Averages beside the published ones", table=table(_COLUMNS, "lllrrrrlll", cells)),
    ]


def _beaten(rows: Iterable[Mapping[str, Any]], after: Scores, folder: Path) -> list[Part]:
    """Return the figure of the wins by averages that can be compared; nothing where there is none."""
    averages = {
        (row["benchmark"], row["metric"]): row["value"]
        for row in rows
        if row["all_labels"] and row["mode"] == "faithful"
    }
    if not averages:
        return []
    name = str(after.manifest["model"]["name"]).replace("$", r"\$")  # no formula to matplotlib
    title = f"Published models that {name} beats"
    figure = wins_figure(averages, folder / "figures", title=title)
    text = "Share of the published models that comparable averages beat, by benchmark"
    return [Part(text=text, figure=figure)]
