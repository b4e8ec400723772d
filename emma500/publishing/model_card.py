"""The card of a trained model, from its manifest and, if there are any, from its scores."""

from collections.abc import Mapping, Sequence
from typing import Any

from emma500.publishing.cards import (
    CITATION,
    Card,
    config_table,
    title_of,
    version_table,
)
from emma500.publishing.comparison import METRIC, Comparison
from emma500.publishing.config import PublishConfig
from emma500.publishing.metadata import hub_languages, hub_license, is_hub_id
from emma500.publishing.summary import language_codes, replayed_languages, trained_languages
from emma500.publishing.tables import NO_DATA, Table, count, decimal, percent, table, with_error

Manifest = Mapping[str, Any]


def model_card(
    manifest: Manifest,
    *,
    repo_id: str,
    config: PublishConfig,
    comparisons: Sequence[Comparison] = (),
    scores: Manifest | None = None,
) -> Card:
    """Describe a model.

    Args:
        manifest: The training run's manifest.
        repo_id: Where it will be, `user/name`.
        config: What the user wants on the card.
        comparisons: Its scores beside those of the base model.
        scores: The manifest of its scores.

    Returns:
        The card.
    """
    return Card(
        template="model.md.j2",
        fields=_fields(manifest, repo_id, config, scores=scores),
        context={
            "repo_id": repo_id,
            "title": title_of(repo_id, config),
            "manifest": manifest,
            "base": manifest["base_model"],
            "trained": trained_languages(manifest),
            "replayed": sorted(replayed_languages(manifest)),
            "comparisons": comparisons,
            "scores": mean_table(scores) if scores else None,
            "record": _record(manifest, config),
            "mix": mix_table(manifest),
            "validation": validation_table(manifest),
            "forgotten": _forgotten(manifest, comparisons),
            "citation": CITATION,
            "versions": version_table(
                manifest,
                [
                    ("base model", _revision(manifest["base_model"])),
                    ("corpus content", f"`{manifest['corpus']['digest']}`"),
                ],
            ),
        },
    )


def mix_table(manifest: Manifest) -> Table:
    """Return what a run trained on: one row a component and label of its plan."""
    return table(
        ("component", "label", "sources", "tokens available", "share", "epochs", "tokens trained"),
        "lllrrrr",
        [
            (row["component"], f"`{row['label']}`", ", ".join(row["sources"]), count(row["n_tokens_available"]),
             percent(row["share"]), decimal(row["epochs"], 2), count(row["n_tokens_trained"]))
            for row in manifest["plan"]
        ],
    )  # fmt: skip


def validation_table(manifest: Manifest) -> Table:
    """Return bits per byte on the validation split at the first and the last step, by label."""
    steps = sorted({row["step"] for row in manifest["validation"]})
    if not steps:
        return table((), "", ())
    rows: dict[str, dict[int, Mapping[str, Any]]] = {}
    for row in manifest["validation"]:
        rows.setdefault(row["label"], {})[row["step"]] = row
    ends = (steps[0], steps[-1])
    return table(
        ("label", "n", "bytes", *(f"step {step:,}" for step in ends), "change"),
        "lrrrrr",
        [
            _validation_cells(label, [rows[label].get(step) for step in ends])
            for label in sorted(rows)
        ],
    )


def _validation_cells(label: str, ends: Sequence[Mapping[str, Any] | None]) -> tuple[str, ...]:
    known = [each for each in ends if each is not None]
    values = [each["bits_per_byte"] for each in known]
    return (
        f"`{label}`",
        count(known[-1]["n_documents"] if known else None),
        count(known[-1]["n_bytes"] if known else None),
        *(with_error(each["bits_per_byte"], each["stderr"]) if each else NO_DATA for each in ends),
        percent(values[1] / values[0] - 1, sign=True) if len(values) == len(ends) else NO_DATA,
    )


def mean_table(scores: Manifest) -> Table:
    """Return mean bits per byte: one row a benchmark and resource group."""
    return table(
        ("benchmark", "resource group", "labels", "documents", "bits per byte"),
        "llrrr",
        [
            (row["benchmark"], row["group"], count(row["n_labels"]), count(row["n"]),
             with_error(row["value"], row["stderr"]))
            for row in scores["aggregates"]
            if row["metric"] == METRIC
        ],
    )  # fmt: skip


def _fields(
    manifest: Manifest, repo_id: str, config: PublishConfig, *, scores: Manifest | None
) -> dict[str, Any]:
    name = config.base_model or str(manifest["base_model"]["name"])
    trained = language_codes(row["label"] for row in manifest["plan"])
    return {
        "language": hub_languages(trained | language_codes(manifest["languages"])),
        **hub_license([config.license or ""]),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "base_model": name if is_hub_id(name) else None,
        "base_model_relation": "finetune" if is_hub_id(name) else None,
        "datasets": config.datasets,
        "tags": ["emma500", "continual-pretraining", "multilingual", *config.tags],
        "model-index": _index(repo_id, scores) if scores else None,
    }


def _index(repo_id: str, scores: Manifest) -> list[dict[str, Any]]:
    """Return the means over all labels in the form the Hub shows beside a model."""
    results = [
        {
            "task": {"type": "text-generation"},
            "dataset": {"type": row["benchmark"], "name": f"{row['benchmark']}, {row['n_labels']} labels"},
            "metrics": [{"type": METRIC, "name": "bits per byte, mean over labels", "value": round(row["value"], 4)}],
        }
        for row in scores["aggregates"]
        if row["metric"] == METRIC and row["group"] == "all" and row["value"] is not None
    ]  # fmt: skip
    return [{"name": repo_id.split("/")[-1], "results": results}] if results else []


def _record(manifest: Manifest, config: PublishConfig) -> Table:
    corpus = manifest["corpus"]
    rows = [
        ("base model", config.base_model or manifest["base_model"]["name"]),
        ("corpus", ", ".join(config.datasets) or corpus["name"]),
        ("tokens", count(manifest["n_tokens"])),
        ("optimizer steps", count(manifest["n_steps"])),
    ]
    return table(("what", "value"), "ll", [*rows, *config_table(settings(manifest)).rows])


def settings(manifest: Manifest) -> Mapping[str, Any]:
    """Return the configuration of a run without what has no effect on its result, as where it logs to."""
    found: Mapping[str, Any] = manifest.get("identity", {}).get("config") or manifest["config"]
    return found


def _revision(base: Mapping[str, Any]) -> str:
    return f"{base['name']} `{base['revision']}`" if base.get("revision") else str(base["name"])


def _forgotten(manifest: Manifest, comparisons: Sequence[Comparison]) -> str:
    """Return the labels outside the trained ones and their change, as a clause."""
    trained = trained_languages(manifest)
    return "; ".join(
        f"`{row.label}` {percent(row.relative, sign=True)} bits per byte on {each.benchmark}"
        for each in comparisons
        for row in each.rows
        if row.label not in trained and row.difference > 0
    )
