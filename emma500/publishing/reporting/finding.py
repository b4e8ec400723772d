"""What belongs to a run: its corpus and the scores before and after it, found by the links of their manifests."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from emma500.errors import SourceError, UsageError
from emma500.evaluation.scores import KIND as SCORES
from emma500.evaluation.scores import Scores
from emma500.folder import Corpus
from emma500.manifest import MANIFEST
from emma500.models import model_identity
from emma500.training.made import KINDS, MadeModel
from emma500.training.result import KIND as TRAINED
from emma500.training.result import TrainingRun

CORPUS = "corpus"
_DEPTH = 3  # folders within folders that are looked into
_MOST_FOLDERS = 2000  # that are looked into in all


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """What a report is about; None for what there is not."""

    corpus: Corpus | None = None
    run: TrainingRun | MadeModel | None = None
    before: Scores | None = None
    after: Scores | None = None

    @property
    def missing(self) -> list[str]:
        """What a whole report needs and these results lack; a model that was merged has no corpus to lack."""
        needed = ["corpus", "run", "before", "after"]
        if self.run is not None and "corpus" not in self.run.manifest:
            needed.remove("corpus")
        return [name for name in needed if getattr(self, name) is None]


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path
    manifest: Mapping[str, Any]


def find_results(
    folder: str | Path | None = None,
    *,
    corpus: str | Path | None = None,
    before: str | Path | None = None,
    after: str | Path | None = None,
) -> Results:
    """Find what belongs together.

    A run names its corpus by fingerprint and its base model by revision, and scores name their model by revision: these
    links are followed among the folders within `folder` and beside it. What is given is taken as it is.

    Args:
        folder: That of a run, of a model that was extended, merged or instructed, of a corpus or of scores; or one that
            holds them. A run goes before the models it may have been made of.
        corpus: The corpus, its address or Hub id.
        before: The folder of the scores of the base model.
        after: The folder of the scores of the trained model.

    Returns:
        The results; what could not be found is None.

    Raises:
        SourceError: If none is there.
        UsageError: If several runs or scores fit; the message names them.
    """
    inside = list(_folders(Path(folder), _DEPTH)) if folder is not None else []
    if folder is not None and not inside:
        raise SourceError(
            f"{folder} holds no {MANIFEST}, nor do the folders in it: give the folder of a model, a corpus or scores"
        )
    run = _model(inside, f"in {folder}")
    around = inside
    if run is not None:
        beside = _folders(run.path.absolute().parent, _DEPTH - 1)
        around = [*inside, *beside, *_folders(run.path / "evaluation", 1)]
    scores = _of_kind(around, SCORES)
    found = Results(
        corpus=Corpus(corpus) if corpus else _corpus(around, run),
        run=_opened(run) if run else None,
        before=_scores(before, scores, _is_before(run), "before"),
        after=_scores(after, scores, _is_after(run), "after"),
    )
    if len(found.missing) == len(Results.__dataclass_fields__):
        raise SourceError(
            "there is nothing to report: give the folder of a model, a corpus or scores"
        )
    return found


def _folders(folder: Path, depth: int) -> Iterator[_Folder]:
    """Yield the folders with a manifest, a level after another, by name; what lies within them is theirs."""
    level = [folder]
    for _ in range(depth + 1):
        below: list[Path] = []
        for path in level[:_MOST_FOLDERS]:
            manifest = _manifest(path)
            if manifest is not None:
                yield _Folder(path, manifest)
            else:
                below += _within(path)
        level = below


def _within(path: Path) -> list[Path]:
    """Return the folders in a folder, hidden ones apart; none where it is no folder or may not be read."""
    try:
        found = [each for each in path.iterdir() if each.is_dir() and each.name[0] != "."]
    except OSError:
        return []
    return sorted(found)


def _manifest(folder: Path) -> Mapping[str, Any] | None:
    """Return the manifest of a folder, or None: what cannot be read is not ours."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "kind" in found else None


def _of_kind(folders: list[_Folder], kind: str) -> list[_Folder]:
    """Return the folders of a kind; of several copies of a result, the first."""
    found: dict[str, _Folder] = {}
    for each in folders:
        if each.manifest["kind"] == kind:
            found.setdefault(str(each.manifest.get("fingerprint")), each)
    return list(found.values())


def _only(found: list[_Folder], what: str, way_out: str) -> _Folder | None:
    if len(found) > 1:
        names = ", ".join(str(each.path) for each in found)
        raise UsageError(f"there are {len(found)} {what} ({names}): {way_out}")
    return found[0] if found else None


def _model(folders: list[_Folder], where: str) -> _Folder | None:
    """Return the training run there, or else the model that was made without one."""
    way_out = "give the folder of one of them"
    run = _only(_of_kind(folders, TRAINED), f"runs {where}", way_out)
    made = [each for kind in KINDS for each in _of_kind(folders, kind)]
    return run or _only(made, f"models {where}", way_out)


def _opened(model: _Folder) -> TrainingRun | MadeModel:
    return TrainingRun(model.path) if model.manifest["kind"] == TRAINED else MadeModel(model.path)


def _corpus(folders: list[_Folder], run: _Folder | None) -> Corpus | None:
    found = _of_kind(folders, CORPUS)
    if run is not None:
        wanted = run.manifest.get("corpus", {}).get("fingerprint")
        found = [each for each in found if each.manifest["fingerprint"] == wanted]
    one = _only(found, "corpora", "say which with --corpus")
    return Corpus(one.path) if one else None


def _scores(
    given: str | Path | None,
    folders: list[_Folder],
    fits: Callable[[Mapping[str, Any]], bool],
    name: str,
) -> Scores | None:
    if given:
        return Scores.load(given)
    fitting = [each for each in folders if fits(each.manifest.get("model", {}))]
    one = _only(fitting, f"scores {name} training", f"say which with --{name}")
    return Scores.load(one.path) if one else None


def _is_before(run: _Folder | None) -> Callable[[Mapping[str, Any]], bool]:
    if run is None:
        return lambda model: False
    bases = run.manifest.get("models") or [run.manifest["base_model"]]
    wanted = {(base["name"], base["revision"]) for base in bases}
    return lambda model: (model.get("name"), model.get("revision")) in wanted


def _is_after(run: _Folder | None) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether scores are those of the run's weights; of any model where there is no run."""
    if run is None:
        return lambda model: True
    has_weights = (run.path / "config.json").is_file()
    revision = cache(lambda: model_identity(run.path)[1])  # reads all the weights
    if run.manifest["kind"] != TRAINED:
        return lambda model: has_weights and revision() == model.get("revision")
    base = run.manifest["base_model"]["name"]
    labels = sorted({row["label"] for row in run.manifest["plan"]})

    def fits(model: Mapping[str, Any]) -> bool:
        if (model.get("base_model"), sorted(model.get("trained_labels") or ())) != (base, labels):
            return False
        return not has_weights or revision() == model.get("revision")

    return fits
