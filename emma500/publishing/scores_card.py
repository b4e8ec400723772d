"""The card of scores, from their manifest."""

from collections.abc import Mapping, Sequence
from typing import Any

from emma500.publishing.cards import (
    CITATION,
    MOST_ROWS,
    Card,
    config_table,
    title_of,
    version_table,
)
from emma500.publishing.comparison import METRIC, Comparison, contaminated
from emma500.publishing.config import PublishConfig
from emma500.publishing.metadata import hub_languages, size_category
from emma500.publishing.model_card import mean_table
from emma500.publishing.summary import language_codes
from emma500.publishing.tables import Table, count, table, with_error

Manifest = Mapping[str, Any]


def scores_card(
    manifest: Manifest,
    *,
    repo_id: str,
    config: PublishConfig,
    configs: Sequence[Mapping[str, Any]],
    comparisons: Sequence[Comparison] = (),
    baseline: str = "",
    leaderboard: Table | None = None,
) -> Card:
    """Describe scores.

    Args:
        manifest: The scores' manifest.
        repo_id: Where they will be, `user/name`.
        config: What the user wants on the card.
        configs: The Hub's configurations: which Parquet file holds what.
        comparisons: Them beside other scores.
        baseline: The model of those other scores.
        leaderboard: Them among all other scores, ranked.

    Returns:
        The card.
    """
    rows = manifest["results"]
    labels = sorted({row["label"] for row in rows})
    return Card(
        template="scores.md.j2",
        fields={
            "pretty_name": title_of(repo_id, config),
            "language": hub_languages(language_codes(labels)),
            "license": config.license,
            "size_categories": [size_category(len(rows))],
            "tags": ["emma500", "evaluation-results", "multilingual", *config.tags],
            "configs": list(configs),
        },
        context={
            "repo_id": repo_id,
            "title": title_of(repo_id, config),
            "manifest": manifest,
            "languages": language_codes(labels),
            "benchmarks": sorted({row["benchmark"] for row in rows}),
            "details": any(each["config_name"] == "details" for each in configs),
            "groups": mean_table(manifest),
            "tasks": task_table(manifest),
            "labels": label_table(manifest),
            "comparisons": comparisons,
            "baseline": baseline,
            "leaderboard": leaderboard,
            "contaminated": contaminated(manifest),
            "missing": _missing(manifest),
            "settings": config_table(manifest["config"]),
            "citation": CITATION,
            "versions": version_table(manifest, _revisions(manifest)),
        },
    )


def task_table(manifest: Manifest) -> Table:
    """Return the means of tasks, one row a benchmark, mode, metric and resource group."""
    rows = [row for row in manifest["aggregates"] if row.get("mode") and _is_of_task(row, manifest)]
    return table(
        ("benchmark", "mode", "metric", "resource group", "labels", "items", "value"),
        "llllrrr",
        [
            (row["benchmark"], row["mode"], f"`{row['metric']}`", row["group"], count(row["n_labels"]),
             count(row["n"]), with_error(row["value"], row["stderr"]))
            for row in (rows if len(rows) <= MOST_ROWS else [each for each in rows if each["group"] == "all"])
        ],
    )  # fmt: skip


def _is_of_task(row: Mapping[str, Any], manifest: Manifest) -> bool:
    shapes = {
        each["name"]: each.get("shape", "intrinsic")
        for each in manifest["benchmarks"]
        if isinstance(each, dict)
    }
    return shapes.get(row["benchmark"], "intrinsic") != "intrinsic"


def label_table(manifest: Manifest) -> Table:
    """Return bits per byte, one row a benchmark and label; none if they are too many for a card."""
    rows = [row for row in manifest["results"] if row["metric"] == METRIC]
    return table(
        ("benchmark", "label", "resource group", "bits per byte", "n", "bytes"),
        "lllrrr",
        [
            (row["benchmark"], f"`{row['label']}`", row["resource_group"], with_error(row["value"], row["stderr"]),
             count(row["n"]), count(row["n_bytes"]))
            for row in (rows if len(rows) <= MOST_ROWS else [])
        ],
    )  # fmt: skip


def _revisions(manifest: Manifest) -> list[tuple[str, str]]:
    found = {(row["benchmark"], row["data_revision"]) for row in manifest["results"]}
    return [(f"data of {name}", str(revision)) for name, revision in sorted(found) if revision]


def _missing(manifest: Manifest) -> Table:
    return table(
        ("benchmark", "label", "nearest label"),
        "lll",
        [
            (each.get("benchmark", ""), f"`{each['label']}`", each.get("nearest") or "none")
            for each in manifest["missing"]
        ],
    )
