"""The card of a PolyWrite, from its manifest."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500.evaluation.polywrite.result import EXCLUDED
from emma500.manifest import file_digest, fingerprint
from emma500.publishing.cards import (
    CITATION,
    MOST_ROWS,
    Card,
    config_table,
    title_of,
    version_table,
)
from emma500.publishing.metadata import hub_languages, size_category
from emma500.publishing.polywrite_figure import tasks_figure
from emma500.publishing.shown import shown
from emma500.publishing.summary import language_codes
from emma500.publishing.tables import Table, count, decimal, table

if TYPE_CHECKING:
    from emma500.publishing.layout import Request


def describe_polywrite(request: "Request", target: Path) -> str:
    """Draw the figure of tasks, and return the card.

    Args:
        request: What is published.
        target: The repository, with its records.

    Returns:
        The text of the card.
    """
    manifest = shown(request.manifest)
    tasks_figure(manifest, target / "figures")
    kept = [row["label"] for row in manifest["languages"] if row["n_kept"]]
    has_excluded = (target / EXCLUDED).is_file()
    return Card(
        template="polywrite.md.j2",
        fields={
            "pretty_name": title_of(request.repo_id, request.config),
            "language": hub_languages(language_codes(kept)),
            "license": request.config.license,
            "size_categories": [size_category(sum(row["n_kept"] for row in manifest["languages"]))],
            "task_categories": ["text-generation"],
            "tags": ["emma500", "polywrite", "multilingual", "machine-translated", *request.config.tags],
            "configs": _configs(kept, target, has_excluded=has_excluded),
        },
        context={
            "repo_id": request.repo_id,
            "title": title_of(request.repo_id, request.config),
            "manifest": manifest,
            "n_kept": sum(row["n_kept"] for row in manifest["languages"]),
            "languages": language_codes(kept),
            "example": kept[0] if kept else "default",
            "has_excluded": has_excluded,
            "label_table": label_table(manifest),
            "translator": config_table(manifest["translator"]),
            "settings": config_table(manifest["config"]),
            "citation": CITATION,
            "versions": version_table(manifest),
        },
    ).render()  # fmt: skip


def label_table(manifest: Any) -> Table:
    """Return one row a language, or of those that kept least where they are too many for a card."""
    rows = sorted(
        manifest["languages"], key=lambda row: (row["n_kept"] / row["n_prompts"], row["label"])
    )
    return table(
        ("label", "language", "resource group", "kept", "of", "BLEU", "chrF++"),
        "lllrrrr",
        [
            (f"`{row['label']}`", row["name"], row["resource_group"], count(row["n_kept"]), count(row["n_prompts"]),
             decimal(row["bleu"], 1), decimal(row["chrf++"], 1))
            for row in rows[:MOST_ROWS]
        ],
    )  # fmt: skip


def _configs(kept: list[str], target: Path, *, has_excluded: bool) -> list[dict[str, Any]]:
    """Return a configuration a language, one of all, and one of what was left out.

    The digest makes datasets notice new content in a local folder, which it caches by the README alone.
    """
    digest = fingerprint([file_digest(file) for file in sorted(target.glob("*.jsonl"))])
    found: list[dict[str, Any]] = [
        {"config_name": label, "data_files": f"{label}.jsonl"} for label in kept
    ]
    every = {"config_name": "default", "default": True, "data_files": "*_*.jsonl"}
    if has_excluded:
        found.append({"config_name": "excluded", "data_files": EXCLUDED})
    return [every | {"description": f"build {digest}"}, *found]
