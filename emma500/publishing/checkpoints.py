"""Checkpoints on the Hub while a model is trained, so that another machine can go on where this one was lost.

A repository of a run holds the newest state that was pushed: the manifest of the work folder, its checkpoint,
validation results and clock. The manifest is committed last and names the step, so that half of a newer checkpoint is
never taken for a whole one.
"""

import logging
import re
import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from emma500.errors import ConfigError, EmmaError, OutputError
from emma500.manifest import MANIFEST, read_manifest, write_manifest
from emma500.patience import Patience
from emma500.publishing.checks import check_secrets
from emma500.publishing.contents import create, fetch, look
from emma500.publishing.difference import CARD
from emma500.publishing.hub import upload
from emma500.publishing.repository import REPO_ID, Repository, errand
from emma500.storage import link_or_copy, write_text
from emma500.training.loop.checkpoints import PREFIX, latest_complete

_KIND = "training-run-work"
_CHECKPOINTS, _VALIDATION, _CLOCK = "checkpoints", "validation", "clock.json"
_SNAPSHOT = "push.tmp"
_BROUGHT = "brought.tmp"
_OWNED = (f"{_CHECKPOINTS}/*", f"{_VALIDATION}/*", _CLOCK)
_LEFT_OUT = re.compile(r"(training_args|pytorch_model(-\d+-of-\d+)?)\.bin")
"""Pickles that going on does not need. That of FSDP, `pytorch_model_fsdp.bin`, it does."""
_NAME = r"[\w-][\w.-]*"

logger = logging.getLogger(__name__)


class HubCheckpoints:
    """Keeps the checkpoints of `continue_pretrain` in a repository of the Hub.

    They are uploaded beside the training. What fails to arrive is a warning, and the next one is tried: training never
    stops for it.

    Args:
        repo_id: The repository, `user/name`: one for each run. It is made if it is not there.
        push_every: Steps between two checkpoints that are pushed. Of those between, and of `save_steps`, nothing is.
        private: Make the repository a private one.
        attempts: How often to try a request that the Hub fails to answer.
        delay: Seconds before the second attempt; doubled with each further one.

    Raises:
        ConfigError: If `repo_id` is no `user/name`, or `push_every` is below 1.
    """

    def __init__(
        self,
        repo_id: str,
        push_every: int = 500,
        *,
        private: bool = True,
        attempts: int = 5,
        delay: float = 1.0,
    ) -> None:
        if not REPO_ID.fullmatch(repo_id):
            raise ConfigError(f"the repository of checkpoints must be user/name, not {repo_id!r}")
        if push_every < 1:
            raise ConfigError(f"push_every must be 1 step or more, not {push_every!r}")
        self.repository = Repository(
            repo_id=repo_id, repo_type="model", private=private, attempts=attempts, delay=delay
        )
        self.push_every = push_every
        self._pushed = 0
        self._pool = ThreadPoolExecutor(1, "pushing-checkpoints")
        self._pushing: Future[None] | None = None

    def bring(self, folder: Path, fingerprint: str) -> None:
        """Bring what was pushed of a run into its work folder, where that has less.

        Args:
            folder: The work folder; it may not be there.
            fingerprint: That of the run.

        Raises:
            HubError: If the Hub refuses, cannot be reached, or sent other bytes than it holds.
            OutputError: If the repository holds another run.
        """
        from huggingface_hub import HfApi

        api, repository = HfApi(), self.repository
        call = Patience(repository.attempts, repository.delay, errand(repository.repo_id))
        create(api, call, repository)  # says now, not hours later, that the token may not write
        contents = look(api, call, repository)
        if MANIFEST not in contents.files:
            return
        there = folder / _BROUGHT
        ask = partial(fetch, api, call, repository, contents=contents, target=there)
        try:
            ask(wanted=lambda name: name == MANIFEST)
            manifest = read_manifest(there)
            if manifest.get("kind") != _KIND or manifest.get("fingerprint") != fingerprint:
                raise OutputError(
                    f"{repository.repo_id} holds something else than the checkpoints of this run, as those of another "
                    "model, corpus or configuration: choose another repository"
                )
            self._pushed = int(manifest["step"])
            if self._pushed > _newest(folder):
                ask(wanted=_wanted(manifest["steps"]))
                _move_in(there, folder)
                logger.info("step %d was brought from %s", self._pushed, repository.repo_id)
        finally:
            shutil.rmtree(there, ignore_errors=True)

    def keep(self, checkpoint: Path) -> None:
        """Push a checkpoint beside the training, where it is time to and the one before has arrived.

        Args:
            checkpoint: Its folder in the work folder.
        """
        step = _step(checkpoint)
        is_time = step // self.push_every > self._pushed // self.push_every
        if is_time and (self._pushing is None or self._pushing.done()):
            self._start(checkpoint)

    def close(self, folder: Path, *, is_finished: bool) -> None:
        """Wait for what is being pushed; of a run that was cut off, push the newest checkpoint.

        Args:
            folder: The work folder.
            is_finished: Whether the run came to its end.
        """
        self._wait()
        newest = latest_complete(folder / _CHECKPOINTS) if folder.is_dir() else None
        if not is_finished and newest is not None and _step(newest) > self._pushed:
            self._start(newest)
            self._wait()

    def _start(self, checkpoint: Path) -> None:
        try:
            snapshot = _snapshot(checkpoint, self.repository.repo_id)
        except OSError as error:
            logger.warning("%s is not pushed: %s", checkpoint.name, error)
            return
        self._pushing = self._pool.submit(self._push, snapshot, _step(checkpoint))

    def _push(self, snapshot: Path, step: int) -> None:
        try:
            check_secrets(snapshot)
            upload(self.repository, snapshot, owned=_OWNED, message=f"checkpoint of step {step}")
            self._pushed = step
        except (EmmaError, OSError) as error:
            logger.warning("the checkpoint of step %d was not pushed: %s", step, error)
        finally:
            shutil.rmtree(snapshot, ignore_errors=True)

    def _wait(self) -> None:
        error = None if self._pushing is None else self._pushing.exception()
        if error is not None:
            logger.warning("a checkpoint was not pushed: %s: %s", type(error).__name__, error)


def _snapshot(checkpoint: Path, repo_id: str) -> Path:
    """Lay out what is pushed, as hard links: the work folder goes on changing meanwhile."""
    work, step = checkpoint.parents[1], _step(checkpoint)
    target = work / _SNAPSHOT
    shutil.rmtree(target, ignore_errors=True)
    manifest = read_manifest(work)
    keeps_best = manifest.get("identity", {}).get("config", {}).get("keep") == "best"
    kept = sorted(checkpoint.parent.glob(f"{PREFIX}*")) if keeps_best else [checkpoint]
    for folder in kept:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not _LEFT_OUT.fullmatch(file.name):
                link_or_copy(file, target / file.relative_to(work))
    for file in [work / _CLOCK, *(work / _VALIDATION).glob("step-*.json")]:
        if file.is_file():  # copied: these are replaced by others
            (target / file.relative_to(work)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target / file.relative_to(work))
    write_manifest(target, {**manifest, "step": step, "steps": [_step(folder) for folder in kept]})
    write_text(target / CARD, _card(repo_id, step))
    return target


def _card(repo_id: str, step: int) -> str:
    return (
        "---\ntags:\n- emma500\n- checkpoint\n---\n"
        f"# Checkpoint of step {step}\n\nThe state of a training run that is not finished: weights, optimizer and what "
        "else going on exactly needs. It is no model to be used. The same `continue_pretrain` with "
        f'`checkpoints=HubCheckpoints("{repo_id}")`, on any machine, goes on from here.\n'
    )


def _wanted(steps: list[int]) -> Callable[[str], bool]:
    """Return what tells the files that are fetched by their names: of these steps, and none that leave the folder."""
    numbers = "|".join(str(int(step)) for step in steps)
    pattern = re.compile(
        rf"{_CHECKPOINTS}/{PREFIX}(?:{numbers})(?:/{_NAME})+|{_VALIDATION}/step-\d+\.json|{re.escape(_CLOCK)}"
    )
    return lambda name: (
        bool(pattern.fullmatch(name)) and not _LEFT_OUT.fullmatch(name.rpartition("/")[2])
    )


def _move_in(there: Path, folder: Path) -> None:
    """Move what was brought into the work folder, the checkpoints last."""
    manifest = read_manifest(there)
    if not (folder / MANIFEST).is_file():
        kept = {name: each for name, each in manifest.items() if name not in ("step", "steps")}
        write_manifest(folder, kept)
    for part in (_CLOCK, _VALIDATION, _CHECKPOINTS):
        found = there / part
        for path in [found] if found.is_file() else sorted(found.rglob("*")):
            if path.is_file():
                target = folder / path.relative_to(there)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)


def _newest(folder: Path) -> int:
    found = latest_complete(folder / _CHECKPOINTS) if folder.is_dir() else None
    return 0 if found is None else _step(found)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(PREFIX))
