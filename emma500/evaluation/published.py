"""The results that were published for EMMA-500 and 58 other models, and one's own beside them.

The averages of 24 tables come with the package (tables/published.tsv); `published_tables` reads the tables themselves,
by language. All numbers are percent, points of 0 to 100, or nats.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from emma500.errors import UsageError
from emma500.evaluation.lines import table_lines
from emma500.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

EMMA = "EMMA-500 Llama 2 7B"
"""The model of the first generation, whose wins Figure 1 counts."""

KINDS = ("llama2", "recent")
"""Groups of models: the ten of Figure 1's first column, and the eight of its last."""

_COMPARABLE = "faithful"
"""The mode that the published numbers can be compared with; taken first where there are several."""

NO_SHARES = ("bleu", "spbleu", "chrf++", "self_bleu", "nll", "nll_window_sum")
"""Metrics that are no shares of 0 to 1, which are shown as percent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedMetric:
    """One published table.

    Attributes:
        benchmark: As "flores200-eng-x".
        metric: As "spbleu".
        file: Its path in `evaluation_results`.
        scale: What the file's numbers are multiplied by.
        lower_is_better: Whether a smaller number is a better one.
        n_labels: How many languages it has.
        n_items: Items a language; None where they differ or are not known.
    """

    benchmark: str
    metric: str
    file: str
    scale: float
    lower_is_better: bool
    n_labels: int
    n_items: int | None

    @property
    def column(self) -> str:
        """Its name in tables, as "sib200/accuracy"."""
        return f"{self.benchmark}/{self.metric}"


@cache
def published_metrics() -> tuple[PublishedMetric, ...]:
    """Return the 24 published tables' descriptions, in the order of the package's table."""
    return tuple(
        PublishedMetric(
            benchmark=row["benchmark"],
            metric=row["metric"],
            file=row["file"],
            scale=float(row["scale"]),
            lower_is_better=row["better"] == "lower",
            n_labels=int(row["n_labels"]),
            n_items=int(row["n_items"]) if row["n_items"] else None,
        )
        for row in read_table("published_metrics")
    )


def published_averages(benchmark: str, metric: str, kind: str | None = None) -> dict[str, float]:
    """Return the published averages of one table by model.

    Args:
        benchmark: As "sib200".
        metric: As "accuracy".
        kind: Only the models of one of `KINDS`, or "emma500"; None for all.

    Returns:
        Model to average; models that the table does not have are left out.

    Raises:
        UsageError: If there is no such table or kind.
    """
    column = _known(benchmark, metric).column
    if kind is not None and kind not in {*KINDS, "emma500"}:
        raise UsageError(
            f"unknown kind of models {kind!r}; it is one of emma500, {', '.join(KINDS)}"
        )
    return {
        row["model"]: float(row[column])
        for row in read_table("published")
        if row[column] and kind in {None, row["kind"]}
    }


def wins(value: float, benchmark: str, metric: str, kind: str | None = None) -> tuple[int, int]:
    """Count the published models that an average beats: Figure 1's rule, Σ [average > theirs], or < for nats.

    Args:
        value: An average over the languages of the benchmark, in the published table's scale.
        benchmark: As "sib200".
        metric: As "accuracy".
        kind: Only models of this kind (`published_averages`).

    Returns:
        How many are beaten, and how many there are.

    Raises:
        UsageError: If there is no such table or kind.
    """
    others = published_averages(benchmark, metric, kind)
    lower = _known(benchmark, metric).lower_is_better
    beaten = sum((value < each) if lower else (value > each) for each in others.values())
    return beaten, len(others)


def compare_with_published(
    scores: Any,
    *,
    n_labels: Mapping[tuple[str, str], int] | None = None,
    mode: str | None = None,
) -> "pd.DataFrame":
    """Lay one's own averages beside the published ones.

    Numbers are comparable where mode, data and languages are: faithful mode, and as many languages as the table has.

    Args:
        scores: Averages by (benchmark, metric), in the published scale; or `Scores`, whose means over all labels are
            taken (shares as percent).
        n_labels: Over how many languages each average is, where `scores` are averages.
        mode: The mode whose means are taken of `Scores`; None for "faithful" where there is one, else the first.

    Returns:
        One row a published table that the scores have: benchmark, metric, mode, value, n_labels and published_labels,
        all_labels (whether they are as many), emma500 (of the first model), best, best_model, rank among n_models, and
        wins over each kind of models as "7 of 10".

    Raises:
        UsageError: If none of the scores has a published table; the message names those there are.
    """
    import pandas as pd

    averages, counts, modes = (
        _averages(scores, mode) if hasattr(scores, "aggregates") else (scores, n_labels or {}, {})
    )
    rows = [
        _row(metric, float(averages[key]), n_labels=counts.get(key), mode=modes.get(key, ""))
        for metric in published_metrics()
        if averages.get(key := (metric.benchmark, metric.metric)) is not None
    ]
    if not rows:
        raise UsageError(
            "none of the scores has a published table; there are "
            + ", ".join(metric.column for metric in published_metrics())
        )
    return pd.DataFrame(rows)


def shown_beside(frame: "pd.DataFrame") -> str:
    """Return the rows of `compare_with_published` as lines to read, and what keeps them from being comparable."""
    rows = frame.to_dict("records")
    lines = table_lines(
        ("benchmark", "metric", "mode", "value", "EMMA-500", "best", "", "rank", "beats Llama 2", "beats recent",
         "languages"),
        [
            (row["benchmark"], row["metric"], row["mode"], f"{row['value']:.2f}", f"{row['emma500']:.2f}",
             f"{row['best']:.2f}", row["best_model"], f"{row['rank']} of {row['n_models'] + 1}", row["wins_llama2"],
             row["wins_recent"], f"{row['n_labels']} of {row['published_labels']}")
            for row in rows
        ],
    )  # fmt: skip
    if not all(row["all_labels"] for row in rows):
        lines.append(
            "  not all languages of the published tables: averages of other languages are not comparable"
        )
    modes = dict.fromkeys(row["mode"] for row in rows if row["metric"] != "nll")
    if any(_closeness(mode) == 0 for mode in modes):
        lines.append(
            "  the published numbers are those of the paper's scripts: compare in faithful mode"
        )
    changed = [mode for mode in modes if _closeness(mode) == 1]
    if changed:
        lines.append(f"  the paper's scripts without these changes: {', '.join(changed)}")
    return "\n".join(lines)


def _closeness(mode: str) -> int:
    """Rank a mode: the paper's, the paper's with other switches, any other."""
    return 2 if mode == _COMPARABLE else int(mode.startswith(f"{_COMPARABLE}+"))


def _known(benchmark: str, metric: str) -> PublishedMetric:
    for each in published_metrics():
        if (each.benchmark, each.metric) == (benchmark, metric):
            return each
    known = ", ".join(each.column for each in published_metrics())
    raise UsageError(f"no published table of {benchmark}/{metric}; there are {known}")


def _averages(
    scores: Any, mode: str | None
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], int], dict[tuple[str, str], str]]:
    """Return the means over all labels, over how many labels they are, and in which mode, by benchmark and metric."""
    values: dict[tuple[str, str], float] = {}
    counts: dict[tuple[str, str], int] = {}
    modes: dict[tuple[str, str], str] = {}
    for row in scores.aggregates:
        key, found = (row["benchmark"], row["metric"]), row.get("mode", "")
        if row["group"] != "all" or row["value"] is None or mode not in (None, found):
            continue
        if key in values and _closeness(found) <= _closeness(modes[key]):
            continue
        scale = 1 if row["metric"] in NO_SHARES else 100
        values[key], counts[key], modes[key] = row["value"] * scale, row["n_labels"], found
    return values, counts, modes


def _row(
    metric: PublishedMetric, value: float, *, n_labels: int | None, mode: str
) -> dict[str, Any]:
    others = published_averages(metric.benchmark, metric.metric)
    better = min if metric.lower_is_better else max
    best = better(others, key=others.__getitem__)
    beaten, n_models = wins(value, metric.benchmark, metric.metric)
    ties = sum(value == each for each in others.values())
    found = {
        "benchmark": metric.benchmark,
        "metric": metric.metric,
        "mode": mode,
        "value": value,
        "n_labels": n_labels,
        "published_labels": metric.n_labels,
        "all_labels": n_labels == metric.n_labels,
        "emma500": others[EMMA],
        "best": others[best],
        "best_model": best,
        "rank": n_models - beaten - ties + 1,
        "n_models": n_models,
    }
    for kind in KINDS:
        found[f"wins_{kind}"] = "{} of {}".format(
            *wins(value, metric.benchmark, metric.metric, kind)
        )
    return found
