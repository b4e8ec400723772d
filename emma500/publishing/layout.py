"""Lay out a repository: exactly the files the Hub will hold, as hard links beside what was made, and their card."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from emma500.errors import SourceError
from emma500.evaluation.scores import Scores
from emma500.folder import EXCLUDED, FOLDERS
from emma500.manifest import MANIFEST, file_digest, fingerprint, read_manifest, write_manifest
from emma500.publishing.checks import check_dataset, check_payload, check_secrets
from emma500.publishing.comparison import Comparison, compare
from emma500.publishing.config import PublishConfig
from emma500.publishing.corpus_card import corpus_card, license_file
from emma500.publishing.corpus_figures import corpus_figures
from emma500.publishing.difference import CARD
from emma500.publishing.figures import comparison_figure
from emma500.publishing.generations import DATA
from emma500.publishing.generations import KIND as GENERATIONS
from emma500.publishing.generations_card import generations_card
from emma500.publishing.hub_results import write_eval_results
from emma500.publishing.leaderboard import (
    LEADERBOARD,
    leaderboard_rows,
    leaderboard_table,
    write_leaderboard,
)
from emma500.publishing.metadata import split_card
from emma500.publishing.model_card import model_card
from emma500.publishing.model_files import OWNED, training_record, write_model_files
from emma500.publishing.polywrite_card import describe_polywrite
from emma500.publishing.scores_card import scores_card
from emma500.publishing.shown import shown
from emma500.publishing.summary import label_rows
from emma500.publishing.tables import csv_text
from emma500.storage import link_or_copy, write_text
from emma500.training.made import INSTRUCTED, KINDS
from emma500.training.result import KIND as TRAINED

_LEFT_OUT = (CARD, ".*", "*/.*", "*.tmp", "*.tmp/*", "checkpoints/*", "excluded/*")
_DECISIONS = "decisions"
"""Signals and addresses of every document, those left out among them: uploaded only where that is asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is to be published, and how."""

    folder: Path
    manifest: Mapping[str, Any]
    repo_id: str
    config: PublishConfig
    scores: tuple[Scores, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How one kind of result becomes a repository.

    `owned` are patterns of the files that a new version may delete where it no longer has them.
    """

    kind: str
    repo_type: str
    owned: tuple[str, ...]
    describe: Callable[[Request, Path], str]


def layout_of(manifest: Mapping[str, Any]) -> Layout:
    """Return the layout of a manifest's kind.

    Raises:
        SourceError: If the kind is none that can be published.
    """
    kind = manifest.get("kind")
    for layout in LAYOUTS:
        if layout.kind == kind:
            return layout
    known = ", ".join(layout.kind for layout in LAYOUTS)
    raise SourceError(f"a folder of kind {kind!r} cannot be published; one of {known} can")


def stage(request: Request, target: Path) -> None:
    """Lay out a repository in an empty folder.

    Args:
        request: What to publish. Text that the corpus left out (`excluded/`) and checkpoints stay at home.
        target: The folder; created.

    Raises:
        SourceError: If the folder lacks what a repository of its kind needs, or holds what is never published: weights
            that are no safetensors, links to other places, an access token.
    """
    target.mkdir(parents=True, exist_ok=True)
    layout = layout_of(request.manifest)
    names = _payload(request)
    check_payload(request.folder, names, is_model=layout.repo_type == "model")
    for path in names:
        link_or_copy(request.folder / path, target / path)
    write_text(target / CARD, layout.describe(request, target))
    check_secrets(target)
    if layout.repo_type == "dataset":
        check_dataset(target, request.repo_id)


def _payload(request: Request) -> list[str]:
    left_out = _LEFT_OUT if request.config.decisions else (*_LEFT_OUT, f"{_DECISIONS}/*")
    folder = request.folder
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    return [name for name in names if not any(fnmatchcase(name, each) for each in left_out)]


def _describe_corpus(request: Request, target: Path) -> str:
    readme = request.folder / CARD
    fields = split_card(readme.read_text(encoding="utf-8"))[0] if readme.is_file() else {}
    if not fields.get("configs"):
        raise SourceError(f"{readme} holds no configs in its YAML: build the corpus again")
    # What was left out stays at home, and so does whatever names it.
    fields["configs"] = [
        each for each in fields["configs"] if EXCLUDED not in str(each["data_files"])
    ]
    hidden = {"excluded_files"} | (set() if request.config.decisions else {_DECISIONS})
    if any(request.manifest.get(name) for name in hidden):
        public = {name: each for name, each in request.manifest.items() if name not in hidden}
        write_manifest(target, public)
    manifest = shown(request.manifest)
    write_text(target / "languages.csv", csv_text(label_rows(manifest)))
    write_text(target / "LICENSE.md", license_file(manifest))
    figures = corpus_figures(manifest, target / "figures")
    card = corpus_card(
        manifest, fields, repo_id=request.repo_id, config=request.config, figures=figures
    )
    return card.render()


def _describe_model(request: Request, target: Path) -> str:
    write_model_files(request.manifest, target)
    for name, scores in zip(_score_names(request.scores), request.scores, strict=True):
        scores.save(target / "evaluation" / name)
    if request.config.eval_results:
        _write_eval_results(request, target)
    has_learned = request.manifest["kind"] in (TRAINED, INSTRUCTED)
    comparisons = _compared(request, target, run=request.manifest if has_learned else None)
    return model_card(
        shown(request.manifest),
        repo_id=request.repo_id,
        config=request.config,
        comparisons=comparisons,
        scores=shown(request.scores[-1].manifest) if request.scores else None,
        record=shown(training_record(request.folder)),
    ).render()


def _write_eval_results(request: Request, target: Path) -> None:
    if not request.scores:
        raise SourceError("eval_results needs scores of the model: give their folder as scores")
    scores, asked = shown(request.scores[-1].manifest), request.config.eval_results
    write_eval_results(asked, scores, target, repo_id=request.repo_id)


def _describe_scores(request: Request, target: Path) -> str:
    baseline = request.scores[0].manifest["model"]["name"] if request.scores else ""
    after = Scores.load(request.folder)
    rows = leaderboard_rows([after.manifest, *(each.manifest for each in request.scores)])
    write_leaderboard(rows, target)
    return scores_card(
        shown(request.manifest),
        repo_id=request.repo_id,
        config=request.config,
        configs=_score_configs(target),
        comparisons=draw_comparisons(request.scores[0], after, target) if request.scores else [],
        baseline=shown(baseline),
        leaderboard=leaderboard_table(shown(rows) if request.scores else []),
    ).render()


def _describe_generations(request: Request, target: Path) -> str:
    files = sorted((target / DATA).glob("*.parquet"))
    return generations_card(
        shown(request.manifest),
        repo_id=request.repo_id,
        config=request.config,
        digest=fingerprint([file_digest(file) for file in files]),
    ).render()


def _compared(request: Request, target: Path, run: Mapping[str, Any] | None) -> list[Comparison]:
    if len(request.scores) < 2:
        return []
    return draw_comparisons(request.scores[0], request.scores[1], target, run=run)


def draw_comparisons(
    before: Scores, after: Scores, target: Path, run: Mapping[str, Any] | None = None
) -> list[Comparison]:
    """Compare two sets of scores and draw each comparison into `<target>/figures`."""
    found = compare(before, after, run)
    for each in found:
        comparison_figure(
            each.drawn,
            target / "figures",
            title=f"Bits per byte on {each.benchmark}",
            name=each.figure,
            notes=each.notes,
        )
    return found


def _score_names(scores: Sequence[Scores]) -> tuple[str, ...]:
    return ("before", "after")[2 - len(scores) :]


def _score_configs(folder: Path) -> list[dict[str, Any]]:
    """Return the configurations of a scores repository.

    The digest makes datasets notice new content in a local folder, which it caches by the README alone.

    Raises:
        SourceError: If the results are not there.
    """
    names = ("results", "details", "samples", "measures", "leaderboard")
    files = [name for name in names if (folder / f"{name}.parquet").is_file()]
    if "results" not in files:
        raise SourceError(f"{folder} holds no results.parquet: save the scores again")
    digest = "-".join(file_digest(folder / f"{name}.parquet")[:16] for name in files)
    configs: list[dict[str, Any]] = [
        {"config_name": name, "data_files": f"{name}.parquet"} for name in files
    ]
    configs[0] |= {"default": True, "description": f"build {digest}"}
    return configs


LAYOUTS = (
    Layout(
        kind="corpus",
        repo_type="dataset",
        owned=(
            *(f"{folder}/*" for folder in (*FOLDERS.values(), EXCLUDED)),
            "clusters/*",
            "decisions/*",
            "figures/*",
            "quarantine.jsonl",
        ),
        describe=_describe_corpus,
    ),
    *(
        Layout(kind=kind, repo_type="model", owned=OWNED, describe=_describe_model)
        for kind in (TRAINED, *KINDS)
    ),
    Layout(
        kind="scores",
        repo_type="dataset",
        owned=(
            "results.parquet",
            "details.parquet",
            "samples.parquet",
            "measures.parquet",
            LEADERBOARD,
            "figures/*",
        ),
        describe=_describe_scores,
    ),
    Layout(
        kind=GENERATIONS,
        repo_type="dataset",
        owned=(f"{DATA}/*",),
        describe=_describe_generations,
    ),
    Layout(
        kind="polywrite",
        repo_type="dataset",
        owned=("*.jsonl", "figures/*"),
        describe=describe_polywrite,
    ),
)
"""One layout a kind of manifest."""


def load_scores(scores: Scores | str | Path) -> Scores:
    """Return scores, read from their folder where a folder is given.

    Raises:
        SourceError: If the folder holds something else.
    """
    if isinstance(scores, Scores):
        return scores
    kind = read_manifest(Path(scores)).get("kind")
    if kind != "scores":
        raise SourceError(f"{scores} holds a {kind}, not scores: see its {MANIFEST}")
    return Scores.load(Path(scores))
