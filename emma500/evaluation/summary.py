"""Scores as lines to read: the means of each benchmark, its languages where they are few, and what to know of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from emma500.evaluation.headline import first_metrics
from emma500.evaluation.lines import table_lines
from emma500.evaluation.prompt_spread import shown_spread
from emma500.evaluation.tasks.windows import WINDOW_SUM

HEADLINE = "bits_per_byte"
"""The metric of text that is shown."""

_MOST_LABELS = 12


def summary(manifest: Mapping[str, Any]) -> str:
    """Return the first metric of each benchmark: means over languages, languages, and what is missing or was cut.

    Args:
        manifest: That of scores.
    """
    model, aggregates = manifest["model"], manifest["aggregates"]
    shown_ones = first_metrics(manifest)
    means = [row for row in aggregates if (row["benchmark"], row["metric"]) in shown_ones]
    text = [row for row in means if row["metric"] == HEADLINE]
    windows = [row for row in means if row["metric"] == WINDOW_SUM]
    tasks = [row for row in means if row["metric"] not in (HEADLINE, WINDOW_SUM)]
    lines = [
        f"Scores of {model['name']} ({model['revision']})"
        + (", bits per byte, lower is better:" if text else "")
    ]
    blocks = (
        ("", text, ()),
        ("tasks:", tasks, ("metric", "mode")),
        ("texts, mean losses of windows added up (no likelihood):", windows, ("metric", "mode")),
    )
    for title, means, extra in blocks:
        if not means:
            continue
        shown_metrics = {(row["benchmark"], row["metric"]) for row in means}
        rows = [
            row for row in manifest["results"] if (row["benchmark"], row["metric"]) in shown_metrics
        ]
        lines += [title] if title else []
        lines += _means_table(means, extra)
        lines += _labels_table(rows, extra) if len(rows) <= _MOST_LABELS else []
    return "\n".join([*lines, *shown_spread(manifest), *_notes(manifest)])


def _notes(manifest: Mapping[str, Any]) -> list[str]:
    missing, benchmarks = manifest["missing"], manifest["benchmarks"]
    notes = [
        f"  no data: {row['label']} in {row['benchmark']}; nearest: {row['nearest'] or 'none'}"
        for row in missing[:_MOST_LABELS]
    ]
    if len(missing) > _MOST_LABELS:
        notes.append(f"  no data: {len(missing) - _MOST_LABELS:,} more")
    notes += [
        f"  contaminated: the model was trained on a source of {row['name']}"
        for row in benchmarks
        if row["contaminated"]
    ]
    notes += _clean(manifest.get("clean", ()))
    return notes + [
        f"  {row['name']}: {note}"
        for row in benchmarks
        for note in [*row.get("notes", ()), *_truncated(row)]
    ]


def _clean(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say of each benchmark how many items training text holds, and its first metric on the others."""
    lines = []
    for name, mode in dict.fromkeys((row["benchmark"], row["mode"]) for row in rows):
        own = [row for row in rows if (row["benchmark"], row["mode"]) == (name, mode)]
        own = [row for row in own if row["metric"] == own[0]["metric"]]
        n_found, n_clean = (sum(row[key] for row in own) for key in ("n_found", "n_clean"))
        values = [row["value_clean"] for row in own if row["value_clean"] is not None]
        mean = f"{sum(values) / len(values):.3f}" if values else "no data"
        lines.append(
            f"  {name} ({mode}): training text holds {n_found:,} items; {own[0]['metric']} on {n_clean:,} that it does "
            f"not hold: {mean}"
        )
    return lines


def _truncated(row: Mapping[str, Any]) -> list[str]:
    n = row.get("n_truncated", 0)
    return [f"{n:,} prompts were longer than the window, and were cut"] if n else []


def _means_table(rows: Sequence[Mapping[str, Any]], extra: tuple[str, ...]) -> list[str]:
    return table_lines(
        ("benchmark", "group", "labels", "documents", "value", *extra),
        (
            (
                row["benchmark"],
                row["group"],
                f"{row['n_labels']:,}",
                f"{row['n']:,}",
                shown(row),
                *(row[name] for name in extra),
            )
            for row in rows
        ),
    )


def _labels_table(rows: Sequence[Mapping[str, Any]], extra: tuple[str, ...]) -> list[str]:
    return table_lines(
        ("benchmark", "label", "group", "documents", "value", *extra),
        (
            (
                row["benchmark"],
                row["label"],
                row["resource_group"],
                f"{row['n']:,}",
                shown(row),
                *(row[name] for name in extra),
            )
            for row in rows
        ),
    )


def shown(row: Mapping[str, Any]) -> str:
    """Return a value with its standard error, as "3.141 ± 0.012"; "no data" where there is none."""
    if row["value"] is None:
        return "no data"
    return f"{row['value']:.3f}" + (f" ± {row['stderr']:.3f}" if row["stderr"] is not None else "")
