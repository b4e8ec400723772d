"""Several models on one table: the mean over the languages that all of them were scored in, and their ranks."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emma500.evaluation.metrics import LOWER_IS_BETTER
from emma500.publishing.tables import Table, count, table, with_error
from emma500.storage import atomic_file

LEADERBOARD = "leaderboard.parquet"
_SHOWN_RATES = {"nll", "nll_per_token", "empty_rate"}

Manifest = Mapping[str, Any]
Key = tuple[str, str, str]
"""Benchmark, mode and metric."""


def leaderboard_schema() -> pa.Schema:
    """Return the schema: one row a model and measure; `stderr` is null where languages had to be left out."""
    name = pa.string()
    return pa.schema(
        [
            ("benchmark", name), ("mode", name), ("metric", name), ("lower_is_better", pa.bool_()),
            ("rank", pa.int32()), ("model", name), ("model_revision", name), ("value", pa.float64()),
            ("stderr", pa.float64()), ("n_labels", pa.int32()),
        ]
    )  # fmt: skip


def leaderboard_rows(manifests: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Rank models.

    Args:
        manifests: Their scores; of two of one model and revision the first counts.

    Returns:
        One row a measure and model, the best first. A mean is over the labels that all models with the measure have, so
        that none is ahead for an easier choice of languages; models of equal value share a rank.
    """
    models: dict[tuple[str, str], Manifest] = {}
    for each in manifests:
        models.setdefault((each["model"]["name"], str(each["model"].get("revision") or "")), each)
    values = {name: _values(each) for name, each in models.items()}
    keys = dict.fromkeys(key for found in values.values() for key in found)
    return [row for key in keys for row in _ranked(key, models, values)]


def _ranked(
    key: Key,
    models: Mapping[tuple[str, str], Manifest],
    values: Mapping[tuple[str, str], Mapping[Key, Mapping[str, float]]],
) -> list[dict[str, Any]]:
    having = {name: found[key] for name, found in values.items() if key in found}
    common = set.intersection(*(set(found) for found in having.values()))
    if not common:
        return []
    lower = key[2] in LOWER_IS_BETTER
    rows: list[dict[str, Any]] = []
    for (model, revision), found in having.items():
        value, stderr = _mean(key, models[model, revision], found, common)
        rows.append(
            dict(zip(("benchmark", "mode", "metric"), key, strict=True))
            | {"lower_is_better": lower, "model": model, "model_revision": revision or None}
            | {"value": value, "stderr": stderr, "n_labels": len(common)}
        )
    rows.sort(key=lambda row: (row["value"] if lower else -row["value"], row["model"]))
    return [row | {"rank": 1 + _n_better(row, rows, lower)} for row in rows]


def _n_better(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], lower: bool) -> int:
    return sum(
        each["value"] < row["value"] if lower else each["value"] > row["value"] for each in rows
    )


def _values(manifest: Manifest) -> dict[Key, dict[str, float]]:
    """Return the values of scores by measure and label; what has no value is not there."""
    found: dict[Key, dict[str, float]] = {}
    for row in manifest["results"]:
        if row["value"] is not None and math.isfinite(row["value"]):
            key = (row["benchmark"], row["mode"], row["metric"])
            found.setdefault(key, {})[row["label"]] = row["value"]
    return found


def _mean(
    key: Key, manifest: Manifest, found: Mapping[str, float], common: set[str]
) -> tuple[float, float | None]:
    """Return the mean over labels, with its standard error where the scores themselves hold it."""
    if set(found) == common:
        for row in manifest["aggregates"]:
            same = (row["benchmark"], row.get("mode"), row["metric"]) == key
            if same and row["group"] == "all" and row["value"] is not None:
                return row["value"], row["stderr"]
    return sum(found[label] for label in sorted(common)) / len(common), None


def write_leaderboard(rows: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write the table as Parquet."""
    with atomic_file(folder / LEADERBOARD) as temporary:
        found = pa.Table.from_pylist(list(rows), schema=leaderboard_schema())
        pq.write_table(found, temporary, compression="zstd")


def leaderboard_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table for a card, without the measures that only say the same in another unit."""
    return table(
        ("benchmark", "mode", "metric", "rank", "model", "mean", "labels"),
        "lllrlrr",
        [
            (row["benchmark"], row["mode"], f"`{row['metric']}` {'↓' if row['lower_is_better'] else '↑'}",
             str(row["rank"]), f"`{row['model']}`", with_error(row["value"], row["stderr"]), count(row["n_labels"]))
            for row in rows
            if row["metric"] not in _SHOWN_RATES
        ],
    )  # fmt: skip
