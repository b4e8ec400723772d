"""What a corpus manifest says, added up the ways that cards, figures and the report show it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emma500.folder import FOLDERS
from emma500.languages.labels import RESOURCE_GROUPS
from emma500.publishing.tables import counted

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
    return {side.split("_")[0] for label in labels for side in sides(label)} - {"und"}


def sides(label: str) -> tuple[str, ...]:
    """Return the labels of languages in a label or in a pair of labels; none in that of a programming language."""
    return tuple(side for side in label.split("-") if "_" in side)


def replayed_languages(run: Manifest) -> set[str]:
    """Return the labels that a run only replayed, so as not to forget them."""
    plan = run.get("plan", ())
    new = {row["label"] for row in plan if not row["replay"]}
    return {row["label"] for row in plan if row["replay"]} - new


def trained_languages(run: Manifest) -> list[str]:
    """Return the labels that a run was to teach, replayed ones apart, sorted; none of a model merged of others."""
    return sorted(set(run.get("languages", ())) - replayed_languages(run))


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Losses:
    """What was left out of one component, by label.

    Attributes:
        n_read: Documents that were read and asked for.
        read: The same by label.
        by_label: (reason -> documents) by label; labels that lost none are missing.
        reasons: Documents by reason.
    """

    n_read: int
    read: Mapping[str, int]
    by_label: Mapping[str, Counter[str]]
    reasons: Counter[str]

    def share(self, label: str, reason: str | None = None) -> float:
        """Return the share of a label's documents that were left out, or left out for a reason."""
        lost = self.by_label.get(label, Counter())
        n_lost = lost.total() if reason is None else lost[reason]
        return n_lost / max(1, self.read.get(label, 0))


def losses(manifest: Manifest, component: str) -> Losses:
    """Add up what was left out of a component by label and reason; what was not asked for is left aside."""
    by_label: dict[str, Counter[str]] = defaultdict(Counter)
    read: Counter[str] = Counter()
    for row in manifest["excluded"]:
        if row["component"] == component and row["reason"] != "not_requested":
            by_label[row["label"] or "no label"][row["reason"]] += row["n_documents"]
    for row in component_rows(manifest, component):
        read[row["label"]] += row["n_documents"]
    for label, counts in by_label.items():
        read[label] += counts.total()
    reasons: Counter[str] = sum(by_label.values(), Counter())
    return Losses(n_read=read.total(), read=read, by_label=by_label, reasons=reasons)


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockTable:
    """Characters by Unicode block.

    Attributes:
        blocks: Names, the largest first; the last may stand for all others.
        totals: Characters of each.
        labels: Labels in the order of their main block.
        shares: (blocks, labels) share of the label's characters.
    """

    blocks: list[str]
    totals: list[int]
    labels: list[str]
    shares: list[list[float]]


def block_table(manifest: Manifest, most: int) -> BlockTable | None:
    """Return characters by Unicode block and label, of the first component the corpus has.

    Args:
        manifest: A corpus manifest.
        most: The most blocks to name; the rest are one row.

    Returns:
        The table, or None where the manifest has no counts by block.
    """
    first = components(manifest)[0]
    counts = {
        row["label"]: row["n_chars"]
        for row in manifest.get("blocks") or ()
        if row["component"] == first and row["n_chars"]
    }
    if not counts:
        return None
    totals: Counter[str] = Counter()
    for each in counts.values():
        totals.update(each)
    names = [name for name, _ in totals.most_common(most)]
    rest = [name for name in totals if name not in names]
    rows = [[name] for name in names] + ([rest] if rest else [])
    sums = {label: sum(each.values()) for label, each in counts.items()}
    shares = {
        label: [sum(each.get(name, 0) for name in row) / sums[label] for row in rows]
        for label, each in counts.items()
    }
    labels = sorted(shares, key=lambda label: (shares[label].index(max(shares[label])), label))
    return BlockTable(
        blocks=names + ([counted(len(rest), "other block")] if rest else []),
        totals=[sum(totals[name] for name in row) for row in rows],
        labels=labels,
        shares=[[shares[label][place] for label in labels] for place in range(len(rows))],
    )
