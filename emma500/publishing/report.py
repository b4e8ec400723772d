"""One report of the whole way: the corpus, the training, the scores before and after.

Every number comes from a manifest; `report.md` and `report.html` are two renderings of the same sections.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500.evaluation.scores import Scores
from emma500.folder import Corpus
from emma500.publishing.cards import config_table, render
from emma500.publishing.comparison import Change, Comparison, compare
from emma500.publishing.corpus_card import corpus_tables
from emma500.publishing.corpus_figures import corpus_figures
from emma500.publishing.layout import draw_comparisons
from emma500.publishing.model_card import settings
from emma500.publishing.model_files import training_record
from emma500.publishing.sections import Fact, Part, Section
from emma500.publishing.summary import components, language_codes, sizes, trained_languages
from emma500.publishing.tables import Table, count, counted, percent, size, table, with_error
from emma500.publishing.training_section import forgetting_facts, training_section
from emma500.storage import write_text

if TYPE_CHECKING:
    from emma500.training.run import TrainingRun

Manifest = Mapping[str, Any]


def report(  # noqa: PLR0917  the order of the data's way
    corpus: Corpus,
    run: "TrainingRun",
    before: Scores,
    after: Scores,
    output: str | Path,
    *,
    title: str = "From text to a language model",
) -> Path:
    """Write `report.md`, `report.html` and their figures.

    Args:
        corpus: What was built.
        run: What was trained on it.
        before: The scores of the base model.
        after: The scores of the trained model.
        output: The folder to write into; other files there are left alone.
        title: The title of the report.

    Returns:
        The Markdown file; the HTML file beside it holds its figures in itself.
    """
    folder = Path(output)
    comparisons = draw_comparisons(before, after, folder, run=run.manifest)
    sections = (
        _corpus_section(corpus.manifest, folder),
        training_section(run.manifest, folder, training_record(run.path)),
        *(_comparison_section(each, folder) for each in comparisons),
        _making_section(corpus.manifest, run.manifest, after.manifest),
    )
    context = {
        "title": title,
        "summary": _summary(corpus.manifest, run.manifest, comparisons),
        "facts": _facts(corpus.manifest, run.manifest, comparisons),
        "sections": sections,
        "inline": inline_html,
    }
    write_text(folder / "report.html", render("report.html.j2", context))
    write_text(folder / "report.md", render("report.md.j2", context))
    return folder / "report.md"


def inline_html(text: str) -> str:
    """Return one line of Markdown (code, strong, links) as HTML."""
    from markupsafe import Markup, escape

    html = str(escape(text))
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    html = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", html)
    html = re.sub(r"\[([^\]]+)\]\((https?://[^)\s]+)\)", r'<a href="\2">\1</a>', html)
    return Markup(html)


def summary_tables(
    corpus: Manifest, before: Scores, after: Scores, run: Manifest | None = None
) -> list[Table]:
    """Return what to print at the end of the way, each table with its caption.

    Args:
        corpus: The corpus's manifest.
        before: The scores of the base model.
        after: The scores of the trained model.
        run: The manifest of the training run, which tells trained languages from replayed ones.

    Returns:
        The corpus by stage, its monolingual text by resource group, and the scores of each benchmark.
    """
    tables = corpus_tables(corpus)
    stages = [
        replace(tables[f"stages of {name}"], caption=f"{name} text after each stage")
        for name in components(corpus)
    ]
    groups = replace(tables["groups"], caption="monolingual text by resource group")
    compared = [
        replace(each.table, caption=f"bits per byte on {each.benchmark}, lower is better")
        for each in compare(before, after, run)
    ]
    return [*stages, groups, *compared]


def _corpus_section(manifest: Manifest, folder: Path) -> Section:
    tables = corpus_tables(manifest)
    figures = corpus_figures(manifest, folder / "figures")
    parts = [
        *(
            Part(text=about, figure=folder / "figures" / f"{name}.svg")
            for name, about in figures.items()
        ),
        Part(text="Monolingual text by resource group", table=tables["groups"]),
        Part(text="What the corpus holds", table=tables["parts"]),
        *(
            Part(
                text=f"What is left of the {name} text after each stage",
                table=tables[f"stages of {name}"],
            )
            for name in components(manifest)
        ),
        Part(text="Excluded, by stage and reason", table=tables["excluded"]),
        Part(text="Where the text comes from", table=tables["sources"]),
    ]
    unreadable = manifest["quarantine"]["n_records"]
    if unreadable:
        parts.append(
            Part(
                text=f"{counted(unreadable, 'record')} could not be read and stand in the quarantine file."
            )
        )
    return Section(title="Corpus", parts=tuple(parts))


def _comparison_section(comparison: Comparison, folder: Path) -> Section:
    note = (
        "Part of this text was trained on: read the figures as fit, not as generalisation."
        if comparison.contaminated
        else "Bits per UTF-8 byte; lower is better. The difference is that of documents scored by both models, "
        "with its standard error over documents."
    )
    return Section(
        title=f"Before and after: {comparison.benchmark}",
        parts=(
            Part(text=note),
            Part(
                text=f"Bits per byte before and after training on {comparison.benchmark}",
                figure=folder / "figures" / f"{comparison.figure}.svg",
            ),
            Part(text="By language", table=comparison.table),
        ),
    )


def _making_section(corpus: Manifest, run: Manifest, scores: Manifest) -> Section:
    fingerprints = [
        ("corpus", f"`{corpus['fingerprint']}`"),
        ("content of the corpus", f"`{corpus['digest']}`"),
        ("training run", f"`{run['fingerprint']}`"),
        ("scores", f"`{scores['fingerprint']}`"),
    ]
    versions = {**corpus["versions"], **run["versions"], **scores["versions"]}
    return Section(
        title="How it was made",
        parts=(
            Part(text="Fingerprints", table=table(("what", "fingerprint"), "ll", fingerprints)),
            Part(
                text="Versions", table=table(("package", "version"), "ll", sorted(versions.items()))
            ),
            Part(text="Configuration of the corpus", table=config_table(corpus["config"])),
            Part(text="Configuration of the training", table=config_table(settings(run))),
            Part(text="Configuration of the evaluation", table=config_table(scores["config"])),
        ),
    )


def _facts(corpus: Manifest, run: Manifest, comparisons: list[Comparison]) -> list[Fact]:
    total = sizes(corpus["splits"])
    monolingual = {row["label"] for row in corpus["splits"] if row["component"] == "monolingual"}
    facts = [
        Fact(value=count(total.n_documents), name="documents", note=size(total.n_bytes)),
        Fact(
            value=count(len(monolingual)),
            name="labels with monolingual text",
            note=counted(len(language_codes(monolingual)), "language"),
        ),
        Fact(
            value=count(run["n_tokens"]),
            name="tokens trained",
            note=counted(run["n_steps"], "step"),
        ),
    ]
    facts += [
        Fact(
            value=percent(row.relative, sign=True),
            name=f"bits per byte, {row.label}",
            note=f"on {each.benchmark}: {row.before:.3f} to {row.after:.3f}",
        )
        for each in comparisons
        for row in (*each.means[:1], *_replay(each))
    ]
    return [*facts, *forgetting_facts(run)]


def _summary(corpus: Manifest, run: Manifest, comparisons: list[Comparison]) -> list[str]:
    total = sizes(corpus["splits"])
    lines = [
        f"The corpus `{corpus['name']}` holds {counted(total.n_documents, 'document')} and "
        f"{counted(total.n_words, 'word')}. {run['base_model']['name']} was trained further on "
        f"{count(run['n_tokens'])} tokens of it, in {counted(len(trained_languages(run)), 'language')}."
    ]
    for each in comparisons:
        clauses = [_clause(row) for row in (*each.means[:1], *_replay(each))]
        if clauses:
            lines.append(
                f"On {each.benchmark}, bits per byte (lower is better) changed so: {'; '.join(clauses)}."
            )
    return lines


def _replay(comparison: Comparison) -> list[Change]:
    return [row for row in comparison.rows if comparison.notes.get(row.label) == "replay"]


def _clause(row: Change) -> str:
    verb = "fell" if row.difference < 0 else "rose"
    error = "" if row.relative_stderr is None else f" ± {row.relative_stderr:.1%}"
    return (
        f"{row.label} {verb} from {with_error(row.before, row.before_stderr)} to "
        f"{with_error(row.after, row.after_stderr)} ({percent(row.relative, sign=True)}{error})"
    )
