"""The files that lie beside a model's card: figures, the mixture as a table, and what a run's own record says."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emma500.publishing.figures import training_figure
from emma500.publishing.hub_results import OURS
from emma500.publishing.made_tables import vocabulary_pairs
from emma500.publishing.mixture_figures import mixture_figure
from emma500.publishing.tables import csv_text
from emma500.publishing.training_tables import mix_rows
from emma500.publishing.vocabulary_figures import vocabulary_figure
from emma500.storage import write_text
from emma500.training.record import RECORD

OWNED = (
    "*.safetensors",
    "*.safetensors.index.json",
    "figures/*",
    "evaluation/*",
    OURS,
    "mixture.csv",
    RECORD,
)
"""What a repository of a model may lose with a new version."""  # fmt: skip


def write_model_files(manifest: Mapping[str, Any], target: Path) -> None:
    """Write what the card of a model shows or points to.

    Args:
        manifest: Its manifest.
        target: The repository's folder.
    """
    if manifest.get("plan"):
        mixture_figure(manifest["plan"], target / "figures")
        write_text(target / "mixture.csv", csv_text(mix_rows(manifest)))
    if manifest.get("log") or manifest.get("validation"):
        training_figure(manifest, target / "figures")
    pairs = vocabulary_pairs(manifest)
    if pairs:
        vocabulary_figure(pairs, target / "figures")


def training_record(folder: Path) -> dict[str, Any] | None:
    """Return what `training.json` says of a run's hardware and duration, or None where there is none."""
    path = folder / RECORD
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
