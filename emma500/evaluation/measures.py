"""The statistics of tasks that scores keep: metrics by language again, and two models beside each other."""

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from emma500.errors import UsageError
from emma500.evaluation.metrics.measured import Measured
from emma500.evaluation.significance import compare_models
from emma500.evaluation.tasks.results import measured_again

if TYPE_CHECKING:
    import pandas as pd

_KEYS = ("benchmark", "metric", "mode")
Key = tuple[str, str, str]


def keys_of(measures: pa.Table) -> list[Key]:
    """Return the (benchmark, metric, mode) that a table of statistics has, in its order."""
    columns = [measures[name].to_pylist() for name in _KEYS]
    return list(dict.fromkeys(zip(*columns, strict=True)))


def measured_in(measures: pa.Table, key: Key) -> dict[str, Measured]:
    """Return a metric by language.

    Args:
        measures: As `tasks.results.measures_schema`.
        key: Benchmark, metric and mode.

    Returns:
        The statistics of the items by label.

    Raises:
        UsageError: If the table has none of them.
    """
    part = _part(measures, key)
    if not len(part):
        known = ", ".join("/".join(each) for each in keys_of(measures))
        raise UsageError(f"there is no {'/'.join(key)}; there are {known or 'no tasks'}")
    return {
        label: measured_again(
            key[1], part.filter(pc.equal(part["label"], label))["statistics"].to_pylist()
        )
        for label in pc.unique(part["label"]).to_pylist()
    }


def compare_measures(after: pa.Table, before: pa.Table) -> "pd.DataFrame":
    """Compare two models on the items of tasks that both answered.

    Args:
        after: The statistics of the model in question.
        before: Those of the other one.

    Returns:
        The rows of `significance.compare_models`, of each benchmark, metric and mode.

    Raises:
        UsageError: If they share no item.
    """
    import pandas as pd

    frames = []
    for key in keys_of(after):
        one, other = (_part(table, key).to_pylist() for table in (after, before))
        earlier = {(row["label"], row["id"]): row["statistics"] for row in other}
        shared = [row for row in one if (row["label"], row["id"]) in earlier]
        if not shared:
            continue
        by_label: dict[str, list[Any]] = {}
        for row in shared:
            by_label.setdefault(row["label"], []).append(row)
        frame = compare_models(
            {
                label: measured_again(key[1], [row["statistics"] for row in rows])
                for label, rows in by_label.items()
            },
            {
                label: measured_again(key[1], [earlier[label, row["id"]] for row in rows])
                for label, rows in by_label.items()
            },
            ids={label: [row["parallel_id"] for row in rows] for label, rows in by_label.items()},
        )
        for place, (name, value) in enumerate(zip(_KEYS, key, strict=True)):
            frame.insert(place, name, value)
        frames.append(frame)
    if not frames:
        raise UsageError(
            "the two scores share no item of a task: evaluate both models on the same benchmarks, languages and mode"
        )
    return pd.concat(frames, ignore_index=True)


def _part(measures: pa.Table, key: Key) -> pa.Table:
    for name, value in zip(_KEYS, key, strict=True):
        measures = measures.filter(pc.equal(measures[name], value))
    return measures
