"""Publish a corpus, a model or scores: to the Hub, or to a folder laid out as the Hub's repository would be."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emma500.corpus.output.stage_view import write_stage
from emma500.errors import ConfigError, SourceError
from emma500.evaluation.scores import Scores
from emma500.folder import Corpus
from emma500.manifest import fingerprint, read_manifest
from emma500.progress import Progress
from emma500.publishing.config import PublishConfig
from emma500.publishing.difference import PublishPlan, local_ids, plan_of_folder
from emma500.publishing.generations import KIND as GENERATIONS
from emma500.publishing.generations import write_generations
from emma500.publishing.hub import upload
from emma500.publishing.layout import Layout, Request, layout_of, load_scores, stage
from emma500.publishing.repository import REPO_ID, Repository
from emma500.storage import locked, recover_folder, refuse_foreign, replace_folder

if TYPE_CHECKING:
    from emma500.training.made import MadeModel
    from emma500.training.result import TrainingRun

__all__ = ["PublishConfig", "PublishPlan", "PublishedRepo", "publish"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedRepo:
    """A repository that was published.

    `n_uploaded` counts the files that were new or changed: 0 says that all was there already. `commit` is None, and
    `path` the folder, where it went to a folder; after a dry run, or where it was not confirmed, both are None. `plan`
    says what that folder gets and loses; it is None for the Hub, where `confirm` is told.
    """

    repo_id: str
    repo_type: str
    url: str
    files: tuple[str, ...]
    n_uploaded: int
    commit: str | None = None
    path: Path | None = None
    plan: PublishPlan | None = None

    def __repr__(self) -> str:
        is_done = bool(self.commit or self.path)
        at = f" at {self.commit[:8]}" if self.commit else ""
        at += "" if is_done else ", dry run: nothing was written"
        new = f", {self.n_uploaded:,} new or changed" if is_done or self.plan else ""
        told = f"\n{self.plan}" if self.plan else ""
        return (
            f"PublishedRepo({self.repo_id!r}: {self.repo_type}, {len(self.files):,} files{new}; {self.url}{at})"
            f"{told}"
        )


def publish(
    what: "Corpus | TrainingRun | MadeModel | Scores | str | Path",
    repo_id: str,
    config: PublishConfig | None = None,
    *,
    scores: Sequence[Scores | str | Path] = (),
    directory: str | Path | None = None,
    progress: Progress | None = None,
    confirm: Callable[[PublishPlan], bool] | None = None,
) -> PublishedRepo:
    """Publish a corpus, a model or scores with a card rendered from their manifest.

    The same call again uploads only what changed; a call that was cut off is finished by the same call.

    Args:
        what: A result, or the folder that holds it.
        repo_id: Where to: `user/name`.
        config: What to put on the card, and how to upload.
        scores: Scores to show on the card: for a model those before and after training, or only those after; for scores
            those they are compared with first, then others for the leaderboard.
        directory: Lay the repository out as `<directory>/<repo_id>` instead of uploading it.
        progress: Called as files are hashed.
        confirm: Called with what an upload would change, before it changes anything; returns whether to go on.

    Returns:
        Where it is and what was uploaded.

    Raises:
        ConfigError: If `repo_id` is no `user/name`, or there are too many scores.
        HubError: If the Hub refuses or cannot be reached.
        OutputError: If the place holds something else, and `config.overwrite` is not set, or the tag of a release names
            another commit.
        SourceError: If there is nothing that can be published.
    """
    config = config or PublishConfig()
    if not REPO_ID.fullmatch(repo_id):
        raise ConfigError(
            f"repo_id must be user/name in ASCII letters, digits, '-', '_' and '.', not {repo_id!r}"
        )
    with _folder_of(what) as whole, _part_of(whole, config) as folder:
        manifest = read_manifest(folder)
        layout = layout_of(manifest)
        if len(scores) > 2 and layout.repo_type == "model":
            raise ConfigError(
                f"at most two scores (before, after) fit on a model's card, not {len(scores)}"
            )
        request = Request(
            folder=folder,
            manifest=manifest,
            repo_id=repo_id,
            config=config,
            scores=tuple(load_scores(each) for each in scores),
        )
        if directory is not None:
            return _to_directory(request, layout, Path(directory) / repo_id, progress)
        return _to_hub(request, layout, progress, confirm)


def _to_directory(
    request: Request, layout: Layout, final: Path, progress: Progress | None
) -> PublishedRepo:
    recover_folder(final)
    refuse_foreign(final, kind=layout.kind, overwrite=request.config.overwrite)
    with _staged(request, final.with_name(f"{final.name}.staged.tmp")) as staged:
        new = local_ids(staged, progress)
        old = local_ids(final) if final.is_dir() else {}
        plan = plan_of_folder(final, old, new)
        if old != new and not request.config.dry_run:
            replace_folder(staged, final)
    return PublishedRepo(
        repo_id=request.repo_id,
        repo_type=layout.repo_type,
        url=str(final),
        files=tuple(sorted(new)),
        n_uploaded=len(plan.new) + len(plan.changed),
        path=None if request.config.dry_run else final,
        plan=plan,
    )


def _to_hub(
    request: Request,
    layout: Layout,
    progress: Progress | None,
    confirm: Callable[[PublishPlan], bool] | None,
) -> PublishedRepo:
    config = request.config
    name = f".{request.folder.name}.{fingerprint(request.repo_id)[:8]}.publish.tmp"
    with _staged(request, request.folder.with_name(name)) as staged:
        files = tuple(
            sorted(
                path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file()
            )
        )
        if config.dry_run:
            return PublishedRepo(
                repo_id=request.repo_id,
                repo_type=layout.repo_type,
                url=f"{layout.repo_type} {request.repo_id} on the Hub",
                files=files,
                n_uploaded=0,
            )
        done = upload(
            Repository(
                repo_id=request.repo_id,
                repo_type=layout.repo_type,
                revision=config.revision,
                private=config.private,
                gated=config.gated,
                create_pr=config.create_pr,
                tag=config.tag,
                attempts=config.attempts,
                delay=config.delay,
            ),
            staged,
            owned=layout.owned,
            message=config.commit_message or f"{layout.kind} {request.manifest['fingerprint'][:8]}",
            overwrite=config.overwrite,
            progress=progress,
            confirm=confirm,
        )
    return PublishedRepo(
        repo_id=request.repo_id,
        repo_type=layout.repo_type,
        url=done.url,
        files=files,
        n_uploaded=done.n_uploaded,
        commit=done.commit,
    )


@contextmanager
def _staged(request: Request, target: Path) -> Iterator[Path]:
    """Lay the repository out in a folder that vanishes."""
    with _vanishing(target):
        stage(request, target)
        yield target


@contextmanager
def _vanishing(target: Path) -> Iterator[None]:
    """Keep other processes from a folder that vanishes; what a killed call left there is removed first."""
    with locked(target):
        shutil.rmtree(target, ignore_errors=True)
        try:
            yield
        finally:
            shutil.rmtree(target, ignore_errors=True)


@contextmanager
def _folder_of(what: "Corpus | TrainingRun | MadeModel | Scores | str | Path") -> Iterator[Path]:
    """Return the local folder of a result; scores that were not saved are saved for the time being."""
    if isinstance(what, Scores):
        import tempfile

        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "scores"
            what.save(folder)
            yield folder
        return
    address = what.root if isinstance(what, Corpus) else str(getattr(what, "path", what))
    if "://" in address:
        raise SourceError(f"{address} is not on this machine: only a local folder can be published")
    folder = Path(address).absolute()
    if not folder.is_dir():
        raise SourceError(
            f"{folder} is no folder; publish takes a corpus, a model made by emma500, scores, or their folder"
        )
    yield folder


@contextmanager
def _part_of(folder: Path, config: PublishConfig) -> Iterator[Path]:
    """Return the folder, or one that vanishes: the corpus as it was after a stage, or the outputs behind scores."""
    part = config.stage or (GENERATIONS if config.generations else None)
    if part is None:
        yield folder
        return
    target = folder.with_name(f".{folder.name}.{part}.tmp")
    with _vanishing(target):
        if config.stage is not None:
            write_stage(Corpus(folder), config.stage, target)
        else:
            write_generations(Scores.load(folder), target)
        yield target
