"""The card of a model that was trained, extended, merged or instructed, from its manifest and its scores, if any.

There is one template. Each kind fills in the parts it has something to say on; the others stay empty and are left out.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from emma500.publishing import made_tables, training_tables
from emma500.publishing.cards import (
    CITATION,
    MOST_ROWS,
    Card,
    config_table,
    title_of,
    version_table,
)
from emma500.publishing.comparison import METRIC, Comparison
from emma500.publishing.config import PublishConfig
from emma500.publishing.hub_results import model_index
from emma500.publishing.metadata import hub_languages, hub_license, is_hub_id
from emma500.publishing.summary import language_codes, replayed_languages, trained_languages
from emma500.publishing.tables import Table, count, percent, table, with_error
from emma500.training.made import EXTENDED, INSTRUCTED, MERGED
from emma500.training.result import KIND as TRAINED

Manifest = Mapping[str, Any]

_MOST_NAMED = 30
"""A sentence names languages up to so many."""

_TAGS = {
    TRAINED: ["continual-pretraining"],
    EXTENDED: ["vocabulary-extension"],
    MERGED: ["merge", "mergekit"],
    INSTRUCTED: ["instruction-tuning"],
}


_TRAINING_TYPES = {TRAINED: "pre-training", INSTRUCTED: "fine-tuning"}
"""As the Hub names them."""


def model_card(
    manifest: Manifest,
    *,
    repo_id: str,
    config: PublishConfig,
    comparisons: Sequence[Comparison] = (),
    scores: Manifest | None = None,
    record: Manifest | None = None,
) -> Card:
    """Describe a model.

    Args:
        manifest: The manifest of a training run, or of a model that was extended, merged or instructed.
        repo_id: Where it will be, `user/name`.
        config: What the user wants on the card.
        comparisons: Its scores beside those of the base model.
        scores: The manifest of its scores.
        record: What `training.json` says: hardware, duration, carbon.

    Returns:
        The card.
    """
    trained = trained_languages(manifest)
    return Card(
        template="model.md.j2",
        fields=_fields(manifest, repo_id, config, scores=scores, record=record),
        context={
            "repo_id": repo_id,
            "title": title_of(repo_id, config),
            "manifest": manifest,
            "kind": manifest["kind"],
            "bases": _bases(manifest, config),
            "trained": trained,
            "named": _named(trained),
            "replayed": _named(replayed_languages(manifest)),
            "comparisons": comparisons,
            "scores": mean_table(scores) if scores else None,
            "settings": _settings_table(manifest, config),
            "forgotten": _forgotten(trained, comparisons),
            **_training_parts(manifest),
            **_made_parts(manifest),
            "hardware": training_tables.hardware_table(record),
            "footprint": training_tables.footprint_text(record),
            "citation": CITATION,
            "versions": version_table(manifest, origins(manifest)),
        },
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


def settings(manifest: Manifest) -> Mapping[str, Any]:
    """Return the configuration of a model without what has no effect on it, as where its run logs to."""
    found: Mapping[str, Any] = manifest.get("identity", {}).get("config") or manifest["config"]
    if found.get("use_peft", True):
        return found
    return {name: value for name, value in found.items() if not name.startswith("lora_")}


def _training_parts(manifest: Manifest) -> dict[str, Any]:
    """Return what a training run has to say; None of each for other models."""
    tables = training_tables
    if manifest["kind"] != TRAINED:
        names = (
            "groups", "mix", "by_language", "packing", "validation", "watched", "raised", "kept",
        )  # fmt: skip
        return dict.fromkeys(names)
    kept = tables.kept_step(manifest)
    return {
        "groups": tables.group_table(manifest),
        "mix": tables.mix_table(manifest),
        "by_language": tables.language_table(manifest),
        "packing": tables.packing_table(manifest),
        "validation": tables.validation_table(manifest),
        "watched": tables.watched_table(manifest),
        "raised": tables.raised_table(manifest),
        "kept": None if kept == manifest["n_steps"] else kept,
    }


def _made_parts(manifest: Manifest) -> dict[str, Any]:
    """Return what a model that was extended, merged or instructed has to say; None of each for others."""
    kind, tables = manifest["kind"], made_tables
    return {
        "pieces": tables.piece_table(manifest) if kind == EXTENDED else None,
        "vocabulary": tables.vocabulary_table(manifest) if kind == EXTENDED else None,
        "merge": tables.merge_table(manifest) if kind == MERGED else None,
        "conversations": tables.conversation_table(manifest) if kind == INSTRUCTED else None,
        "left_out": tables.left_out_table(manifest) if kind == INSTRUCTED else None,
        "held_out": tables.held_out_table(manifest) if kind == INSTRUCTED else None,
    }


def _bases(manifest: Manifest, config: PublishConfig) -> list[str]:
    """Return what the model was made of: Hub ids where they are known, else names of folders or files."""
    models = manifest.get("models") or [manifest["base_model"]]
    names = [str(each["name"]) for each in models]
    return [config.base_model or names[0], *names[1:]]


def _fields(
    manifest: Manifest,
    repo_id: str,
    config: PublishConfig,
    *,
    scores: Manifest | None,
    record: Manifest | None,
) -> dict[str, Any]:
    kind = manifest["kind"]
    hub = [each for each in _bases(manifest, config) if is_hub_id(each)]
    relation = "merge" if kind == MERGED else "finetune"
    planned = language_codes(row["label"] for row in manifest.get("plan", ()))
    return {
        "language": hub_languages(planned | language_codes(manifest.get("languages", ()))),
        **hub_license([config.license or ""]),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "base_model": hub if len(hub) > 1 else next(iter(hub), None),
        "base_model_relation": relation if hub else None,
        "datasets": config.datasets,
        "tags": ["emma500", *_TAGS[kind], "multilingual", *config.tags],
        "co2_eq_emissions": training_tables.emissions(record, _TRAINING_TYPES.get(kind)),
        "model-index": model_index(repo_id.split("/")[-1], scores) if scores else None,
    }


def _settings_table(manifest: Manifest, config: PublishConfig) -> Table:
    rows = [("made of", ", ".join(_bases(manifest, config)))]
    if "corpus" in manifest:
        rows.append(("corpus", ", ".join(config.datasets) or manifest["corpus"]["name"]))
    counted = (("n_tokens", "tokens"), ("n_steps", "optimizer steps"))
    rows += [(told, count(manifest[name])) for name, told in counted if name in manifest]
    before = manifest.get("base_model", {}).get("trained_sources", ())
    for told, names in (
        ("sources read before", before),
        ("sources read so far", manifest.get("trained_sources", ())),
    ):
        if 0 < len(names) <= MOST_ROWS:
            rows.append((told, ", ".join(names)))
    return table(("what", "value"), "ll", [*rows, *config_table(settings(manifest)).rows])


def origins(manifest: Manifest) -> list[tuple[str, str]]:
    """Return which models and which corpus a model was made of."""
    models = manifest.get("models") or [manifest["base_model"]]
    rows = [("base model", _revision(each)) for each in models]
    if "corpus" in manifest:
        rows.append(("corpus", f"`{manifest['corpus']['fingerprint']}`"))
        rows.append(("corpus content", f"`{manifest['corpus']['digest']}`"))
    return rows


def _revision(base: Mapping[str, Any]) -> str:
    return f"{base['name']} `{base['revision']}`" if base.get("revision") else str(base["name"])


def _named(labels: Collection[str]) -> str:
    """Return labels for a sentence; "" where they are none or too many."""
    return ", ".join(f"`{each}`" for each in sorted(labels)) if len(labels) <= _MOST_NAMED else ""


def _forgotten(trained: Sequence[str], comparisons: Sequence[Comparison]) -> str:
    """Return the labels outside the trained ones and their change, as a clause."""
    if not trained:
        return ""
    found = [
        (row, each.benchmark)
        for each in comparisons
        for row in each.rows
        if row.label not in trained and row.difference > 0
    ]
    worst = sorted(found, key=lambda pair: -pair[0].relative)[:_MOST_NAMED]
    shown = [pair for pair in found if pair in worst]
    return "; ".join(
        f"`{row.label}` {percent(row.relative, sign=True)} bits per byte on {benchmark}"
        for row, benchmark in shown
    )
