"""One report of the whole way: the corpus, the training, the scores before and after.

Every number comes from a manifest; `report.md` and `report.html` are two renderings of the same sections.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500.evaluation.scores import Scores
from emma500.folder import Corpus
from emma500.publishing.cards import config_table
from emma500.publishing.comparison import Change, Comparison, compare
from emma500.publishing.corpus_card import corpus_tables
from emma500.publishing.layout import draw_comparisons
from emma500.publishing.model_card import settings
from emma500.publishing.model_files import training_record
from emma500.publishing.reporting.corpus_section import corpus_section
from emma500.publishing.reporting.finding import Results
from emma500.publishing.reporting.languages_section import languages_section
from emma500.publishing.reporting.made_section import made_facts, made_section, made_sentence
from emma500.publishing.reporting.outcomes import Outcome, outcomes_of_tasks, outcomes_of_text
from emma500.publishing.reporting.pages import Page, write_pages
from emma500.publishing.reporting.scores_section import (
    comparison_section,
    scores_section,
    tasks_section,
)
from emma500.publishing.reporting.sections import Fact, Part, Section
from emma500.publishing.reporting.training_section import (
    forgetting_facts,
    training_facts,
    training_section,
    training_sentence,
)
from emma500.publishing.reporting.wins_section import win_line, wins_section
from emma500.publishing.summary import components, language_codes, sizes
from emma500.publishing.tables import (
    Table,
    code,
    count,
    counted,
    literal,
    percent,
    size,
    table,
    with_error,
)
from emma500.training.made import INSTRUCTED
from emma500.training.result import KIND as TRAINED

if TYPE_CHECKING:
    from emma500.training.made import MadeModel
    from emma500.training.run import TrainingRun

Manifest = Mapping[str, Any]

_MISSING = {
    "corpus": "The corpus was not found beside the model: `--corpus` names its folder.",
    "run": "There is no model: `emma500 report MODEL` takes the folder of one that was trained or made.",
    "before": "There are no scores of the base model: `--before` names their folder.",
    "after": "There are no scores of the model itself: `--after` names their folder.",
}


def report(  # noqa: PLR0917  the order of the data's way
    corpus: Corpus | None,
    run: "TrainingRun | MadeModel | None",
    before: Scores | None,
    after: Scores | None,
    output: str | Path,
    *,
    title: str = "From text to a language model",
    excerpts: bool = True,
) -> Path:
    """Write `report.md`, `report.html` and their figures.

    Args:
        corpus: What was built. Each of these four may be None: the report tells of the others, and what is missing.
        run: What was trained on it; or a model that was extended, merged or instructed.
        before: The scores of the base model.
        after: The scores of the trained model.
        output: The folder to write into; other files there are left alone.
        title: The title of the report.
        excerpts: Whether the table of languages shows how a document of each begins.

    Returns:
        The Markdown file; the HTML file beside it holds its figures in itself.
    """
    folder = Path(output)
    results = Results(corpus=corpus, run=run, before=before, after=after)
    comparisons = _comparisons(results, folder)
    text = [outcomes_of_text(each) for each in comparisons]
    tasks = outcomes_of_tasks(before, after) if before and after else []
    outcomes = [*(row for rows in text for row in rows), *tasks]
    scored = after or before
    sections = [
        corpus_section(corpus.manifest, folder) if corpus else None,
        _model_section(run, folder) if run else None,
        *(comparison_section(*both, folder) for both in zip(comparisons, text, strict=True)),
        tasks_section(tasks) if tasks else None,
        scores_section(scored) if scored and not outcomes else None,
        wins_section(outcomes, after, folder),
        languages_section(corpus, run.manifest if run else None, excerpts=excerpts),
        _making_section(results),
    ]  # fmt: skip
    page = Page(
        title=title,
        summary=_summary(results, comparisons, outcomes),
        facts=_facts(results, comparisons),
        sections=[each for each in sections if each is not None],
        maker=_maker(results),
    )
    return write_pages(page, folder)


def _model_section(model: "TrainingRun | MadeModel", folder: Path) -> Section:
    describe = training_section if model.manifest["kind"] == TRAINED else made_section
    return describe(model.manifest, folder, training_record(model.path))


def _comparisons(results: Results, folder: Path) -> list[Comparison]:
    """Compare and draw what both scored as text; none where they share none."""
    before, after = results.before, results.after
    if before is None or after is None or not len(before.details) or not len(after.details):
        return []
    run = results.run.manifest if results.run else None
    if run and run["kind"] not in (TRAINED, INSTRUCTED):
        run = None  # nothing was trained: no language is a trained or a replayed one
    return draw_comparisons(before, after, folder, run=run)


def _maker(results: Results) -> str:
    return f"emma500 {_versions(results).get('emma500', '')}".strip()


def _versions(results: Results) -> dict[str, str]:
    found = (results.corpus, results.run, results.before, results.after)
    return {
        name: value for each in found if each for name, value in each.manifest["versions"].items()
    }


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


def _making_section(results: Results) -> Section:
    corpus, run, scores = results.corpus, results.run, results.after or results.before
    fingerprints = []
    if corpus:
        fingerprints += [
            ("corpus", f"`{corpus.manifest['fingerprint']}`"),
            ("content of the corpus", f"`{corpus.manifest['digest']}`"),
        ]
    fingerprints += [
        (name, f"`{found.manifest['fingerprint']}`")
        for name, found in ((_name(run), run), ("scores", scores))
        if found
    ]
    versions = sorted(_versions(results).items())
    configurations = (
        ("corpus", corpus.manifest["config"] if corpus else {}),
        (_name(run), settings(run.manifest) if run else {}),
        ("evaluation", scores.manifest["config"] if scores else {}),
    )
    return Section(
        title="How it was made",
        parts=(
            Part(text="Fingerprints", table=table(("what", "fingerprint"), "ll", fingerprints)),
            Part(text="Versions", table=table(("package", "version"), "ll", versions)),
            *(
                Part(text=f"Configuration of the {name}", table=config_table(config))
                for name, config in configurations
                if config
            ),
        ),
    )


def _name(model: "TrainingRun | MadeModel | None") -> str:
    return str(model.manifest["kind"]).replace("-", " ") if model else ""


def _facts(results: Results, comparisons: Sequence[Comparison]) -> list[Fact]:
    facts = _corpus_facts(results.corpus.manifest) if results.corpus else []
    run = results.run.manifest if results.run else None
    trained = run if run and run["kind"] == TRAINED else None
    if run:
        facts += training_facts(run) if trained else made_facts(run)
    facts += [
        Fact(
            value=percent(row.relative, sign=True),
            name=f"bits per byte, {row.label}",
            note=f"on {each.benchmark}: {row.before:.3f} to {row.after:.3f}",
        )
        for each in comparisons
        for row in _headline(each)
    ]
    return [*facts, *(forgetting_facts(trained) if trained else [])]


def _corpus_facts(corpus: Manifest) -> list[Fact]:
    total = sizes(corpus["splits"])
    monolingual = {row["label"] for row in corpus["splits"] if row["component"] == "monolingual"}
    return [
        Fact(value=count(total.n_documents), name="documents", note=size(total.n_bytes)),
        Fact(
            value=count(len(monolingual)),
            name="labels with monolingual text",
            note=counted(len(language_codes(monolingual)), "language"),
        ),
    ]


def _summary(
    results: Results, comparisons: Sequence[Comparison], outcomes: Sequence[Outcome]
) -> list[str]:
    told = []
    if results.corpus:
        manifest = results.corpus.manifest
        total = sizes(manifest["splits"])
        told.append(
            f"The corpus {code(manifest['name'])} holds {counted(total.n_documents, 'document')} and "
            f"{counted(total.n_words, 'word')}."
        )
    if results.run:
        run = results.run.manifest
        is_trained = run["kind"] == TRAINED
        told.append(
            training_sentence(run, results.corpus is not None) if is_trained else made_sentence(run)
        )
    lines = [" ".join(told)] if told else []
    for each in comparisons:
        clauses = [_clause(row) for row in _headline(each)]
        if clauses:
            lines.append(
                f"On {literal(each.benchmark)}, bits per byte (lower is better) changed so: {'; '.join(clauses)}."
            )
    lines.append(win_line(outcomes))
    lines.append(
        " ".join(_MISSING[name] for name in results.missing if results.run or name == "run")
    )
    return [line for line in lines if line]


def _headline(comparison: Comparison) -> list[Change]:
    """Return what is told first: the mean, where it is one of several labels, and the replayed languages."""
    replayed = [row for row in comparison.rows if comparison.notes.get(row.label) == "replay"]
    return [*(row for row in comparison.means[:1] if row.n_labels > 1 or not replayed), *replayed]


def _clause(row: Change) -> str:
    verb = "fell" if row.difference < 0 else "rose"
    error = "" if row.relative_stderr is None else f" ± {row.relative_stderr:.1%}"
    return (
        f"{row.label} {verb} from {with_error(row.before, row.before_stderr)} to "
        f"{with_error(row.after, row.after_stderr)} ({percent(row.relative, sign=True)}{error})"
    )
