"""The card of a corpus, from its manifest."""

import re
from collections.abc import Mapping
from typing import Any

from emma500 import records
from emma500.folder import config_name
from emma500.languages.labels import RESOURCE_GROUPS
from emma500.publishing.cards import (
    CITATION,
    MOST_ROWS,
    Card,
    render,
    title_of,
    version_table,
)
from emma500.publishing.care import statements
from emma500.publishing.config import PublishConfig
from emma500.publishing.metadata import hub_languages, hub_license, size_category
from emma500.publishing.summary import (
    component_rows,
    components,
    exclusions,
    group_sizes,
    label_rows,
    language_codes,
    sizes,
    stage_sizes,
)
from emma500.publishing.tables import Table, count, literal, percent, size, table

Manifest = Mapping[str, Any]


def corpus_card(
    manifest: Manifest,
    fields: Mapping[str, Any],
    *,
    repo_id: str,
    config: PublishConfig,
    figures: Mapping[str, str] | None = None,
) -> Card:
    """Describe a corpus.

    Args:
        manifest: The corpus's manifest.
        fields: The YAML of the corpus folder's own README; its `configs` are kept as they are.
        repo_id: Where it will be, `user/name`.
        config: What the user wants on the card.
        figures: What each figure beside it shows, by its name in `figures/`.

    Returns:
        The card.
    """
    return Card(
        template="corpus.md.j2",
        fields=corpus_fields(manifest, fields, repo_id=repo_id, config=config),
        context={**_context(manifest, repo_id, config), "figures": figures or {}},
    )


def corpus_fields(
    manifest: Manifest, fields: Mapping[str, Any], *, repo_id: str, config: PublishConfig
) -> dict[str, Any]:
    """Return the YAML fields of the card; those of the folder's README that are not ours stay."""
    present = components(manifest)
    codes = language_codes(row["label"] for row in manifest["splits"] if row["component"] != "code")
    languages = hub_languages(codes) + (["code"] if "code" in present else [])
    tasks = ["text-generation"] + (["translation"] if "bilingual" in present else [])
    licenses = [config.license] if config.license else _licenses(manifest)
    ours = {
        "pretty_name": title_of(repo_id, config),
        "language": languages,
        **hub_license(licenses),
        "multilinguality": ["multilingual" if len(codes) > 1 else "monolingual"],
        "size_categories": [size_category(sizes(manifest["splits"]).n_documents)],
        "task_categories": tasks,
        "annotations_creators": ["no-annotation"],
        "language_creators": ["found"],
        "tags": ["emma500", "mala", "multilingual", *config.tags],
    }
    replaced = ours.keys() | {"license", "license_name", "license_link"}
    return {**ours, **{name: value for name, value in fields.items() if name not in replaced}}


def license_file(manifest: Manifest) -> str:
    """Return the text of LICENSE.md: the licence of every source."""
    return render(
        "LICENSE.md.j2",
        {"manifest": manifest, "sources": _sources(manifest), **_licensed(manifest)},
    )


def corpus_tables(manifest: Manifest) -> dict[str, Table]:
    """Return the tables of a corpus by name: parts, groups, sources, excluded, and "stages of <component>"."""
    return {
        "parts": _parts(manifest),
        "groups": _groups(manifest),
        "sources": _sources(manifest),
        "excluded": _excluded(manifest),
        **{f"stages of {name}": _stages(manifest, name) for name in components(manifest)},
    }


def _context(manifest: Manifest, repo_id: str, config: PublishConfig) -> dict[str, Any]:
    monolingual = [row for row in label_rows(manifest) if row["component"] == "monolingual"]
    found = corpus_tables(manifest)
    unknown = [row for row in component_rows(manifest, "monolingual") if row["label"][:4] == "und_"]
    return {
        "repo_id": repo_id,
        "title": title_of(repo_id, config),
        "manifest": manifest,
        "config": manifest["config"],
        "total": sizes(manifest["splits"]),
        "languages": {row["iso639_3"] for row in monolingual} - {"", "und"},
        "scripts": {row["script"] for row in monolingual} - {"", "Zyyy"},
        **_licensed(manifest),
        "example": _example(manifest),
        "columns": _columns(manifest),
        "text_column": "text" if monolingual else _text_column(manifest),
        "labels": _labels(monolingual),
        "named": _named(monolingual),
        "stages": {name: found[f"stages of {name}"] for name in components(manifest)},
        **{name: found[name] for name in ("parts", "groups", "sources", "excluded")},
        "macrolanguages": _macrolanguages(manifest, {row["label"] for row in monolingual}),
        "undetermined": sizes(unknown),
        "unsplit": sum(row["n_validation"] == 0 for row in monolingual),
        "n_monolingual": len(monolingual),
        "contact": config.contact,
        **statements(manifest),
        "citation": CITATION,
        "versions": version_table(manifest, [("content", f"`{manifest['digest']}`")]),
    }


def _licenses(manifest: Manifest) -> list[str]:
    return sorted({each["license"] for each in manifest["sources"] if each["license"]})


def _licensed(manifest: Manifest) -> dict[str, Any]:
    """Return the licences that sources state, and how many sources state none."""
    n_unlicensed = sum(not each["license"] for each in manifest["sources"])
    return {"licenses": _licenses(manifest), "n_unlicensed": n_unlicensed}


def _example(manifest: Manifest) -> str:
    """Return a configuration's name to show: the label with the most documents that isn't English."""
    rows = label_rows(manifest)
    best = max(
        rows,
        key=lambda row: (
            row["component"] == "monolingual",
            not row["label"].startswith(("eng_", "und_")),
            row["n_documents"],
        ),
    )
    return config_name(best["component"], best["label"])


def _columns(manifest: Manifest) -> dict[str, str]:
    schemas = {"monolingual": records.document_schema, "bilingual": records.pair_schema}
    return {
        name: ", ".join(f"`{column}`" for column in schema().names)
        for name, schema in schemas.items()
        if name in components(manifest)
    }


def _parts(manifest: Manifest) -> Table:
    rows = []
    for name in components(manifest):
        for split in records.SPLITS:
            part = sizes(row for row in component_rows(manifest, name) if row["split"] == split)
            if part.n_documents:
                rows.append(
                    (name, split, count(part.n_labels), count(part.n_documents), count(part.n_words),
                     size(part.n_bytes))
                )  # fmt: skip
    return table(
        ("component", "split", "labels", "documents", "words", "size of the text"), "llrrrr", rows
    )


def _groups(manifest: Manifest) -> Table:
    validation = group_sizes(manifest, "validation")
    rows = [
        (group, count(each.n_labels), count(each.n_documents), count(validation[group].n_documents),
         count(each.n_words), size(each.n_bytes))
        for group, each in group_sizes(manifest).items()
    ]  # fmt: skip
    return table(
        ("resource group", "labels", "documents", "of them validation", "words", "size"), "lrrrrr", rows
    )  # fmt: skip


def _labels(rows: list[dict[str, Any]]) -> Table:
    shown = rows if len(rows) <= MOST_ROWS else []
    return table(
        ("label", "language", "resource group", "documents", "of them validation", "words", "size"),
        "lllrrrr",
        [
            (f"`{row['label']}`", row["name"] or "not known", row["resource_group"], count(row["n_documents"]),
             count(row["n_validation"]), count(row["n_words"]), size(row["n_bytes"]))
            for row in shown
        ],
    )  # fmt: skip


def _named(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the labels and names of a group in the order of the groups, where there are too many for a table."""
    if len(rows) <= MOST_ROWS:
        return {}
    found: dict[str, list[str]] = {group: [] for group in RESOURCE_GROUPS}
    for row in rows:
        found[row["resource_group"]].append(f"`{row['label']}` {row['name'] or 'not known'}")
    return {group: names for group, names in found.items() if names}


def _text_column(manifest: Manifest) -> str:
    return "source_text" if components(manifest)[0] == "bilingual" else "text"


def _sources(manifest: Manifest) -> Table:
    last = manifest["stages"][-1]
    kept: dict[str, int] = {}
    for row in manifest["counts"]:
        if row["stage"] == last:
            kept[row["source"]] = kept.get(row["source"], 0) + row["n_documents"]
    rows = [
        (_linked(each["name"], each["url"]), each["component"], literal(each["revision"]) or "not stated",
         literal(each["license"]) or "not stated", count(each["n_documents"]), count(each["n_quarantined"]),
         count(kept.get(each["name"], 0)))
        for each in manifest["sources"]
    ]  # fmt: skip
    return table(
        ("source", "component", "revision", "licence", "rows read", "not readable", "rows kept"), "llllrrr", rows
    )  # fmt: skip


def _linked(name: str, url: str) -> str:
    is_linked = re.fullmatch(r"https?://[^\s()<>\[\]\"'`\\]+", url)
    return f"[{literal(name)}]({url})" if is_linked else literal(name)


def _stages(manifest: Manifest, component: str) -> Table:
    rows = []
    before = 0
    for stage, each in stage_sizes(manifest, component).items():
        share = percent(each.n_documents / before) if before else ""
        rows.append(
            (stage, count(each.n_labels), count(each.n_documents), share, count(each.n_words), size(each.n_bytes))
        )  # fmt: skip
        before = each.n_documents
    return table(
        ("stage", "labels", "documents", "of the stage before", "words", "size"), "lrrrrr", rows
    )


def _excluded(manifest: Manifest) -> Table:
    names = components(manifest)
    rows = [
        (stage, f"`{reason}`", *(count(counts[name]) for name in names))
        for stage, reason, counts in exclusions(manifest)
    ]
    return table(("stage", "reason", *names), "ll" + "r" * len(names), rows)


def _macrolanguages(manifest: Manifest, present: set[str]) -> list[str]:
    pairs = []
    for label in sorted(present):
        each = manifest["labels"][label]
        macro = f"{each['macrolanguage']}_{each['script']}"
        if macro in present:
            pairs.append(f"`{macro}` beside `{label}`")
    return pairs
