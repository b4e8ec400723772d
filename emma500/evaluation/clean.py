"""Scores on the items that a model's training text does not hold, by a table that says which it holds.

The table has a row an item: `benchmark`, `label`, `id` and `status`, which is "found", "clean" or "unknown". It is made
by `emma500.corpus.decontamination.items.find_items`, or by any other search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emma500.benchmarks.registry import base_name
from emma500.errors import SourceError
from emma500.evaluation.aggregation import METRICS, MODE, by_label, label_estimate
from emma500.evaluation.tasks.results import Answered
from emma500.manifest import fingerprint

COLUMNS = ("benchmark", "label", "id", "status")
STATUSES = ("found", "clean", "unknown")


@dataclass(frozen=True, slots=True)
class Contamination:
    """What was found in training text: the status of items by (benchmark, label, id)."""

    status: Mapping[tuple[str, str, str], str]

    @classmethod
    def read(cls, path: str | Path) -> "Contamination":
        """Read a table.

        Args:
            path: A Parquet file.

        Returns:
            What it says.

        Raises:
            SourceError: If there is none, or it lacks a column.
        """
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as error:
            raise SourceError(
                f"{path} is no Parquet file of found items ({error}); corpus.decontamination.items.find_items makes one"
            ) from error
        missing = [name for name in COLUMNS if name not in table.column_names]
        if missing:
            raise SourceError(
                f"{path} has no column {', '.join(missing)}: the table of found items has {', '.join(COLUMNS)}; "
                f"this one has {', '.join(table.column_names)}"
            )
        values = [table[name].cast(pa.string()).to_pylist() for name in COLUMNS]
        wrong = sorted(set(values[3]) - set(STATUSES))
        if wrong:
            raise SourceError(
                f"{path} has the status {wrong[0]!r}: it is one of {', '.join(STATUSES)}"
            )
        return cls({(name, label, id): each for name, label, id, each in zip(*values, strict=True)})

    @property
    def digest(self) -> str:
        """What identifies it."""
        return fingerprint(sorted([*key, each] for key, each in self.status.items()))

    def of(self, benchmark: str, label: str, ids: Sequence[str]) -> np.ndarray:
        """Return the status of items, "unknown" where the table does not say."""
        name = base_name(benchmark)
        return np.array([self.status.get((name, label, each), "unknown") for each in ids], object)

    def rows(self, details: pa.Table, answered: Sequence[Answered]) -> list[dict[str, Any]]:
        """Return each value on all items and on the clean ones.

        Args:
            details: The documents of texts, as `aggregation.details_schema`.
            answered: The answers to tasks.

        Returns:
            One row a benchmark, label, mode and metric: `value` and `n` of all items; `value_clean`, `stderr_clean` and
            `n_clean` of those that were looked for and not found; `n_found`, `n_unknown`. A value of no item is None.
        """
        rows = []
        for benchmark, label, part in by_label(details):
            status = self.of(benchmark, label, part["id"].to_pylist())
            own = part.filter(pa.array(status == "clean"))
            for metric in METRICS:
                found = label_estimate(own, metric) if len(own) else None
                key = (benchmark, label, MODE, metric.name)
                rows.append(_row(key, label_estimate(part, metric), found, status))
        for each in answered:
            ids = [example.id for example in each.part.examples]
            status = self.of(each.part.benchmark.name, each.part.label, ids)
            mode = each.part.practice.name
            for measured in each.measured:
                own = replace(measured, rows=measured.rows * (status == "clean")[:, None])
                key = (each.part.benchmark.name, each.part.label, mode, measured.name)
                rows.append(_row(key, measured, own, status))
        return rows


def _row(
    key: tuple[str, str, str, str], whole: Any, clean: Any, status: np.ndarray
) -> dict[str, Any]:
    names = ("benchmark", "label", "mode", "metric")
    return dict(zip(names, key, strict=True)) | {
        "value": whole.value,
        "n": whole.n,
        "value_clean": clean.value if clean is not None else None,
        "stderr_clean": clean.stderr if clean is not None else None,
        "n_clean": clean.n if clean is not None else 0,
        "n_found": int((status == "found").sum()),
        "n_unknown": int((status == "unknown").sum()),
    }
