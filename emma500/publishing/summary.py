"""What a corpus manifest says, added up the ways that cards, figures and the report show it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emma500.folder import FOLDERS
from emma500.languages.labels import RESOURCE_GROUPS

Manifest = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """How much there is of something."""

    n_labels: int
    n_documents: int
    n_words: int
    n_bytes: int


def sizes(rows: Iterable[Mapping[str, Any]]) -> Sizes:
    """Add up rows of `counts` or `splits`."""
    rows = [row for row in rows if row["n_documents"]]
    return Sizes(
        n_labels=len({(row["component"], row["label"]) for row in rows}),
        n_documents=sum(row["n_documents"] for row in rows),
        n_words=sum(row["n_words"] for row in rows),
        n_bytes=sum(row["n_bytes"] for row in rows),
    )


def components(manifest: Manifest) -> list[str]:
    """Return the components the corpus holds, in their usual order."""
    present = {row["component"] for row in manifest["splits"]}
    return [name for name in FOLDERS if name in present]


def language_codes(labels: Iterable[str]) -> set[str]:
    """Return the ISO 639-3 codes of labels and of pairs of labels, `und` left out."""
    sides = {side.split("_")[0] for label in labels for side in label.split("-") if "_" in side}
    return sides - {"und"}


def replayed_languages(run: Manifest) -> set[str]:
    """Return the labels that a run only replayed, so as not to forget them."""
    new = {row["label"] for row in run["plan"] if not row["replay"]}
    return {row["label"] for row in run["plan"] if row["replay"]} - new


def trained_languages(run: Manifest) -> list[str]:
    """Return the labels that a run was to teach, replayed ones apart, sorted."""
    return sorted(set(run["languages"]) - replayed_languages(run))


def component_rows(manifest: Manifest, component: str) -> list[Mapping[str, Any]]:
    """Return the split sizes of one component."""
    return [row for row in manifest["splits"] if row["component"] == component]


def group_sizes(manifest: Manifest, split: str | None = None) -> dict[str, Sizes]:
    """Return the sizes of the monolingual text by resource group, in the order of the groups.

    Args:
        manifest: A corpus manifest.
        split: Only this split.

    Returns:
        One entry a group, zeros included.
    """
    rows = defaultdict(list)
    for row in component_rows(manifest, "monolingual"):
        if split in (None, row["split"]):
            rows[manifest["labels"][row["label"]]["resource_group"]].append(row)
    return {group: sizes(rows[group]) for group in RESOURCE_GROUPS}


def stage_sizes(manifest: Manifest, component: str) -> dict[str, Sizes]:
    """Return the sizes of one component after each stage, in the order of the stages."""
    rows = [row for row in manifest["counts"] if row["component"] == component]
    return {
        stage: sizes(row for row in rows if row["stage"] == stage) for stage in manifest["stages"]
    }


def exclusions(manifest: Manifest) -> list[tuple[str, str, Counter[str]]]:
    """Return what was excluded: stage, reason and the number of documents by component.

    In the order of the stages, the commonest reason first.
    """
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in manifest["excluded"]:
        found[row["stage"], row["reason"]][row["component"]] += row["n_documents"]
    order = {stage: index for index, stage in enumerate(manifest["stages"])}
    entries = [(stage, reason, counts) for (stage, reason), counts in found.items()]
    return sorted(entries, key=lambda entry: (order.get(entry[0], -1), -entry[2].total(), entry[1]))


def label_rows(manifest: Manifest) -> list[dict[str, Any]]:
    """Return one row a component and label with its names and its sizes, as `languages.csv` holds them."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for each in manifest["splits"]:
        key = (each["component"], each["label"])
        row = rows.setdefault(key, _label_row(manifest, *key))
        for name in ("n_documents", "n_words", "n_bytes"):
            row[name] += each[name]
        if each["split"] == "validation":
            row["n_validation"] += each["n_documents"]
    order = {name: index for index, name in enumerate(FOLDERS)}
    return [rows[key] for key in sorted(rows, key=lambda key: (order[key[0]], key[1]))]


def _label_row(manifest: Manifest, component: str, label: str) -> dict[str, Any]:
    known = manifest["labels"].get(label, {})
    row: dict[str, Any] = {"component": component, "label": label}
    for name in ("name", "iso639_3", "script", "macrolanguage", "resource_group"):
        row[name] = known.get(name, "")
    row |= {"n_documents": 0, "n_validation": 0, "n_words": 0, "n_bytes": 0}
    for name in ("licenses", "sources"):
        row[name] = ", ".join(sorted(known.get(name, [])))
    return row
