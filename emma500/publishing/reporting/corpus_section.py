"""The report's section on the corpus: the funnel, resource groups, scripts, sources."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emma500.publishing.corpus_card import corpus_tables
from emma500.publishing.corpus_figures import corpus_figures
from emma500.publishing.reporting.sections import Aside, Part, Section, heading
from emma500.publishing.reporting.words import script_name
from emma500.publishing.summary import Sizes, component_rows, components, sizes
from emma500.publishing.tables import Table, code, count, counted, percent, size, table

Manifest = Mapping[str, Any]


def corpus_section(manifest: Manifest, folder: Path) -> Section:
    """Describe a corpus.

    Args:
        manifest: Its manifest.
        folder: The folder of the report, for the figures.

    Returns:
        The section.
    """
    tables = corpus_tables(manifest)
    drawn = corpus_figures(manifest, folder / "figures")

    def figures(*names: str) -> list[Part]:
        return [
            Part(text=drawn[name], figure=folder / "figures" / f"{name}.svg")
            for name in names
            if name in drawn
        ]

    stages = [
        Part(text=f"What is left of the {name} text after each stage", table=tables[f"stages of {name}"])
        for name in components(manifest)
    ]  # fmt: skip
    parts = [
        Part(text="What the corpus holds", table=tables["parts"]),
        heading("From what was read to what was kept"),
        *figures("stages"),
        *stages,
        *figures("reasons"),
        Part(text="Excluded, by stage and reason", table=tables["excluded"]),
        *_quarantined(manifest),
        heading("Resource groups"),
        *figures("corpus"),
        Part(text="Monolingual text by resource group", table=tables["groups"]),
        heading("Scripts"),
        *figures("blocks"),
        _scripts(manifest),
        heading("Sources"),
        Part(text="Where the text comes from", table=tables["sources"]),
    ]
    return Section(title="Corpus", parts=tuple(each for each in parts if _says_something(each)))


def _scripts(manifest: Manifest) -> Part:
    found = script_table(manifest)
    asides = tuple(Aside(words=" ".join(row[:2])) for row in found.rows)
    return Part(text="Monolingual text by script", table=found, asides=asides)


def script_table(manifest: Manifest) -> Table:
    """Return the monolingual text by script, the one with the most bytes first."""
    rows = defaultdict(list)
    for row in component_rows(manifest, "monolingual"):
        rows[manifest["labels"][row["label"]]["script"]].append(row)
    found = {script: sizes(each) for script, each in rows.items()}
    order = sorted(found, key=lambda script: (-found[script].n_bytes, script))
    whole = max(1, sum(each.n_bytes for each in found.values()))
    return table(
        ("script", "name", "labels", "documents", "words", "size", "share of the bytes"),
        "llrrrrr",
        [(code(script), script_name(script), *_cells(found[script], whole)) for script in order],
    )


def _cells(found: Sizes, whole: int) -> tuple[str, ...]:
    return (
        count(found.n_labels),
        count(found.n_documents),
        count(found.n_words),
        size(found.n_bytes),
        percent(found.n_bytes / whole),
    )


def _quarantined(manifest: Manifest) -> list[Part]:
    unreadable = manifest["quarantine"]["n_records"]
    told = (
        f"{counted(unreadable, 'record')} could not be read and stand in the quarantine file."
        if unreadable
        else ""
    )
    return [Part(text=told)] if told else []


def _says_something(part: Part) -> bool:
    return part.table is None or bool(part.table.rows)
