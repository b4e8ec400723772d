"""Lay out a repository: exactly the files the Hub will hold, as hard links beside what was made, and their card."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from emma500.errors import SourceError
from emma500.evaluation.scores import Scores
from emma500.folder import EXCLUDED, FOLDERS
from emma500.manifest import MANIFEST, file_digest, read_manifest, write_manifest
from emma500.publishing.comparison import Comparison, compare
from emma500.publishing.config import PublishConfig
from emma500.publishing.corpus_card import corpus_card, license_file
from emma500.publishing.corpus_figures import corpus_figures
from emma500.publishing.figures import comparison_figure
from emma500.publishing.hub import CARD
from emma500.publishing.metadata import split_card
from emma500.publishing.model_card import model_card
from emma500.publishing.model_files import OWNED, training_record, write_model_files
from emma500.publishing.scores_card import scores_card
from emma500.publishing.summary import label_rows
from emma500.publishing.tables import csv_text
from emma500.storage import link_or_copy, write_text
from emma500.training.made import INSTRUCTED, KINDS
from emma500.training.result import KIND as TRAINED

_LARGEST_YAML = 419_000  # bytes: the largest card known to be accepted; the Hub refuses huge ones
_LEFT_OUT = (CARD, ".*", "*/.*", "*.tmp", "*.tmp/*", "checkpoints/*", "excluded/*")


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
        SourceError: If the folder lacks what a repository of its kind needs.
    """
    target.mkdir(parents=True, exist_ok=True)
    for path in _payload(request.folder):
        link_or_copy(request.folder / path, target / path)
    card = layout_of(request.manifest).describe(request, target)
    write_text(target / CARD, card)
    if layout_of(request.manifest).repo_type == "dataset":
        check_dataset(target, request.repo_id)


def check_dataset(folder: Path, repo_id: str) -> None:
    """Check what would make the datasets library or the Hub refuse a dataset repository.

    Args:
        folder: The repository's files.
        repo_id: Its name, `user/name`.

    Raises:
        SourceError: If a configuration finds no file, none or several are the default, the YAML is too large, or a
            loading script is there.
    """
    text = (folder / CARD).read_text(encoding="utf-8")
    fields, body = split_card(text)
    yaml_size = len(text.encode()) - len(body.encode())
    if yaml_size > _LARGEST_YAML:
        raise SourceError(
            f"the YAML of {CARD} has {yaml_size:,} bytes and the Hub takes no more than {_LARGEST_YAML:,}: "
            "build with fewer languages, or a repository for each part of them"
        )
    script = f"{repo_id.split('/')[-1]}.py"
    if (folder / script).exists():
        raise SourceError(
            f"{folder}/{script} looks like a loading script, which datasets refuses: rename it"
        )
    configs = fields.get("configs") or []
    defaults = [each["config_name"] for each in configs if each.get("default")]
    if len(defaults) != 1:
        raise SourceError(
            f"exactly one configuration must be the default, not {defaults or 'none'}"
        )
    for each in configs:
        for pattern in _patterns(each["data_files"]):
            if next(folder.glob(pattern), None) is None:
                raise SourceError(
                    f"the configuration {each['config_name']!r} finds no file {pattern!r}"
                )


def _patterns(data_files: Any) -> Iterator[str]:
    if isinstance(data_files, str):
        yield data_files
    elif isinstance(data_files, Mapping):
        yield from _patterns(data_files["path"])
    else:
        for each in data_files:
            yield from _patterns(each)


def _payload(folder: Path) -> list[str]:
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    return [name for name in names if not any(fnmatchcase(name, each) for each in _LEFT_OUT)]


def _describe_corpus(request: Request, target: Path) -> str:
    readme = request.folder / CARD
    fields = split_card(readme.read_text(encoding="utf-8"))[0] if readme.is_file() else {}
    if not fields.get("configs"):
        raise SourceError(f"{readme} holds no configs in its YAML: build the corpus again")
    # What was left out stays at home, and so does whatever names it.
    fields["configs"] = [
        each for each in fields["configs"] if EXCLUDED not in str(each["data_files"])
    ]
    if request.manifest.get("excluded_files"):
        public = {name: each for name, each in request.manifest.items() if name != "excluded_files"}
        write_manifest(target, public)
    write_text(target / "languages.csv", csv_text(label_rows(request.manifest)))
    write_text(target / "LICENSE.md", license_file(request.manifest))
    figures = corpus_figures(request.manifest, target / "figures")
    card = corpus_card(
        request.manifest, fields, repo_id=request.repo_id, config=request.config, figures=figures
    )
    return card.render()


def _describe_model(request: Request, target: Path) -> str:
    write_model_files(request.manifest, target)
    for name, scores in zip(_score_names(request.scores), request.scores, strict=True):
        scores.save(target / "evaluation" / name)
    has_learned = request.manifest["kind"] in (TRAINED, INSTRUCTED)
    comparisons = _compared(request, target, run=request.manifest if has_learned else None)
    return model_card(
        request.manifest,
        repo_id=request.repo_id,
        config=request.config,
        comparisons=comparisons,
        scores=request.scores[-1].manifest if request.scores else None,
        record=training_record(request.folder),
    ).render()


def _describe_scores(request: Request, target: Path) -> str:
    baseline = request.scores[0].manifest["model"]["name"] if request.scores else ""
    after = Scores.load(request.folder)
    return scores_card(
        request.manifest,
        repo_id=request.repo_id,
        config=request.config,
        configs=_score_configs(request.folder),
        comparisons=draw_comparisons(request.scores[0], after, target) if request.scores else [],
        baseline=baseline,
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
    names = ("results", "details", "samples", "measures")
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
            "figures/*",
        ),
        describe=_describe_scores,
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
