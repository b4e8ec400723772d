"""What became of each label: before and after, with the interval of the difference and what it says."""

from dataclasses import dataclass
from typing import Any

from emma500.evaluation.metrics import LOWER_IS_BETTER
from emma500.evaluation.scores import Scores
from emma500.evaluation.significance import OVERALL
from emma500.languages.labels import resource_group
from emma500.publishing.comparison import METRIC, Comparison
from emma500.publishing.summary import sides
from emma500.publishing.tables import counted

_NORMAL = 1.959964  # the quantile of a normal distribution that 95% lie within, on both sides
VERDICTS = ("better", "worse", "no clear difference", "no interval")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One label, or a mean over several, before and after.

    `low` and `high` bound the 95% interval of the difference, after minus before; None where there is none.
    """

    benchmark: str
    metric: str
    label: str
    n: int
    before: float
    after: float
    low: float | None
    high: float | None
    mode: str = ""
    is_mean: bool = False
    group: str = ""
    note: str = ""
    before_stderr: float | None = None
    after_stderr: float | None = None

    @property
    def verdict(self) -> str:
        """Which of `VERDICTS`: better or worse only where the interval leaves zero out."""
        if self.low is None or self.high is None:
            return VERDICTS[3]
        if self.low <= 0 <= self.high:
            return VERDICTS[2]
        return VERDICTS[(self.high < 0) != (self.metric in LOWER_IS_BETTER)]


def outcomes_of_text(comparison: Comparison) -> list[Outcome]:
    """Return the outcomes in bits per byte on one benchmark, the means last."""
    found = []
    for row in (*comparison.rows, *(each for each in comparison.means if each.n_labels > 1)):
        reach = None if row.stderr is None else _NORMAL * row.stderr
        found.append(
            Outcome(
                benchmark=comparison.benchmark,
                metric=METRIC,
                label=row.label,
                n=row.n,
                before=row.before,
                after=row.after,
                low=None if reach is None else row.difference - reach,
                high=None if reach is None else row.difference + reach,
                is_mean=row.is_mean,
                group=row.resource_group,
                note=comparison.notes.get(row.label, ""),
                before_stderr=row.before_stderr,
                after_stderr=row.after_stderr,
            )
        )
    return found


def outcomes_of_tasks(before: Scores, after: Scores) -> list[Outcome]:
    """Return the outcomes on the tasks that both answered, each benchmark's mean last; none without any."""
    shared = {row["benchmark"] for row in before.rows} & {row["benchmark"] for row in after.rows}
    if not len(before.measures) or not len(after.measures) or not shared:
        return []
    found = []
    for row in after.compare_tasks(before).to_dict("records"):
        known: dict[str, Any] = {
            name: None if value != value else value for name, value in row.items()
        }
        if known["before"] is None or known["after"] is None:
            continue
        is_mean = row["label"] == OVERALL
        found.append(
            Outcome(
                benchmark=row["benchmark"],
                metric=row["metric"],
                mode=row["mode"],
                label=f"mean of {counted(int(row['n_labels']), 'label')}"
                if is_mean
                else row["label"],
                is_mean=is_mean,
                group="all" if is_mean else _group(row["label"]),
                n=int(row["n"]),
                before=known["before"],
                after=known["after"],
                low=known["low"],
                high=known["high"],
            )
        )
    return found


def _group(label: str) -> str:
    """Return the resource group of a language; "" of a programming language."""
    return resource_group(label) if sides(label) else ""
