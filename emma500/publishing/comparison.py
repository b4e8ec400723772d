"""Before and after: what changed in bits per byte, by label and on average, with standard errors."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from emma500.evaluation.comparison import MEAN
from emma500.evaluation.scores import Scores
from emma500.languages.labels import RESOURCE_GROUPS
from emma500.publishing.summary import replayed_languages, trained_languages
from emma500.publishing.tables import Table, count, counted, percent, table, with_error

if TYPE_CHECKING:
    import pandas as pd

METRIC = "bits_per_byte"
MOST_LABELS = 40
"""A table or figure shows single labels up to this many; beyond, means by resource group."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Bits per byte of one label (or the mean of several) before and after training.

    `difference` is after minus before, so a gain is negative; `stderr` is its standard error over documents scored
    twice (paired), which is smaller than that of two independent samples.
    """

    benchmark: str
    label: str
    resource_group: str
    n: int
    before: float
    before_stderr: float | None
    after: float
    after_stderr: float | None
    difference: float
    stderr: float | None
    n_labels: int = 1

    @property
    def is_mean(self) -> bool:
        """Whether it is a mean over labels."""
        return self.label.startswith(MEAN)

    @property
    def relative(self) -> float:
        """The difference as a share of the value before."""
        return self.difference / self.before

    @property
    def relative_stderr(self) -> float | None:
        """The standard error of the difference, as a share of the value before."""
        return None if self.stderr is None else self.stderr / self.before


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The changes on one benchmark, ready to be shown."""

    benchmark: str
    rows: tuple[Change, ...]
    means: tuple[Change, ...]
    notes: Mapping[str, str]
    """What to say behind a label: "replay", "not trained"."""

    contaminated: bool = False

    @property
    def figure(self) -> str:
        """The name of its figure's files, without the ending."""
        return "before-after-" + re.sub(r"[^\w.+-]+", "-", self.benchmark[:60])

    @property
    def table(self) -> Table:
        """Its table: the labels first, then the means."""
        rows = self.rows if len(self.rows) <= MOST_LABELS else ()
        return table(
            ("label", "resource group", "n", "before", "after", "difference", "change"),
            "llrrrrr",
            [self._cells(row) for row in rows] + [self._cells(row) for row in self.means],
        )

    @property
    def drawn(self) -> tuple[Change, ...]:
        """What its figure shows: the labels, or the means where the labels are too many."""
        return self.rows if len(self.rows) <= MOST_LABELS else self.means

    def _cells(self, row: Change) -> tuple[str, ...]:
        note = f" ({self.notes[row.label]})" if row.label in self.notes else ""
        error = "" if row.relative_stderr is None else f" ± {row.relative_stderr:.1%}"
        return (
            f"**{row.label}**" if row.is_mean else f"`{row.label}`{note}",
            "" if row.resource_group == "all" else row.resource_group,
            count(row.n),
            with_error(row.before, row.before_stderr),
            with_error(row.after, row.after_stderr),
            with_error(row.difference, row.stderr, sign=True),
            f"{percent(row.relative, sign=True)}{error}",
        )


def compare(
    before: Scores, after: Scores, run: Mapping[str, Any] | None = None
) -> list[Comparison]:
    """Compare two sets of scores benchmark by benchmark.

    Args:
        before: The scores of the base model.
        after: The scores of the trained model.
        run: The manifest of the training run, which tells trained languages from others.

    Returns:
        One comparison a benchmark, sorted by name.
    """
    trained = set(trained_languages(run)) if run else set()
    replay = replayed_languages(run) if run else set()
    flagged = contaminated(after.manifest)
    changes = _changes(after.compare(before))
    benchmarks = sorted({row.benchmark for row in changes})
    rows = {
        name: tuple(row for row in changes if row.benchmark == name and not row.is_mean)
        for name in benchmarks
    }
    chosen = trained & {row.label for row in changes}
    trained_means = _changes(after.compare(before, labels=chosen)) if chosen else []
    return [
        Comparison(
            benchmark=name,
            rows=rows[name],
            means=tuple(_means(name, changes, trained_means)),
            notes={
                row.label: "replay" if row.label in replay else "not trained"
                for row in rows[name]
                if trained and row.label not in trained
            },
            contaminated=name in flagged,
        )
        for name in benchmarks
    ]


def contaminated(manifest: Mapping[str, Any]) -> list[str]:
    """Return the benchmarks a model was trained on, as far as the scores' manifest tells."""
    flagged = [each for each in manifest["benchmarks"] if isinstance(each, dict)]
    return sorted(each["name"] for each in flagged if each.get("contaminated"))


def _means(name: str, changes: Sequence[Change], trained: Sequence[Change]) -> list[Change]:
    """Return the means: of the trained languages, of all, and by resource group where labels are many."""
    means = [row for row in changes if row.benchmark == name and row.is_mean]
    over_all = [row for row in means if row.resource_group == "all"]
    over_trained = [
        row
        for row in trained
        if row.benchmark == name and row.is_mean and row.resource_group == "all"
    ]
    found = [
        replace(row, label=f"mean of {counted(row.n_labels, 'trained language')}")
        for row in over_trained
    ]
    found += [
        replace(row, label=f"mean of all {counted(row.n_labels, 'label')}")
        for row in over_all
        if not over_trained or row.n_labels > over_trained[0].n_labels + 1
    ]
    if sum(row.n_labels for row in over_all) > MOST_LABELS:
        order = {group: place for place, group in enumerate(RESOURCE_GROUPS)}
        groups = sorted(
            (row for row in means if row not in over_all), key=lambda row: order[row.resource_group]
        )
        found += [
            replace(row, label=f"mean of {counted(row.n_labels, 'label')}: {row.resource_group}")
            for row in groups
        ]
    return found


def _changes(frame: "pd.DataFrame") -> list[Change]:
    """Return the rows of `Scores.compare`, sorted, without those that lack a value."""
    names = [each.name for each in fields(Change)]
    rows: list[dict[str, Any]] = [
        {name: None if row[name] != row[name] else row[name] for name in names}
        for row in frame.to_dict("records")
    ]
    known = [
        Change(**row) for row in rows if row["before"] is not None and row["after"] is not None
    ]
    return sorted(known, key=lambda row: (row.benchmark, row.is_mean, row.label))
