"""One upload to the Hub; what it asks there is in `contents` and `references`.

It goes in this order, so that a reader never meets a card without its data: the files (large ones by Xet or
LFS, resumed by the server where an upload was cut off), then one commit with the card, the manifest and the deletion of
stale files, then a comparison of every hash with the server's. That last commit names the commit it was made for: where
somebody else published in between, it is refused by the Hub, and what is there is looked at anew.
"""

import json
import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from emma500.errors import HubError, OutputError
from emma500.manifest import MANIFEST
from emma500.patience import Patience, status_of
from emma500.progress import Progress
from emma500.publishing.contents import Contents, create, list_files, look
from emma500.publishing.difference import LAST, Difference, Ids, PublishPlan, compare, local_ids
from emma500.publishing.references import (
    find_pull_request,
    open_pull_request,
    refuse_other_tag,
    set_tag,
    show_pull_request,
    tagged_commit,
)
from emma500.publishing.repository import Repository, Upload, errand

_CHANGED_MEANWHILE = 412


def upload(
    repository: Repository,
    folder: Path,
    *,
    owned: Iterable[str],
    message: str,
    overwrite: bool = False,
    progress: Progress | None = None,
    confirm: Callable[[PublishPlan], bool] | None = None,
) -> Upload:
    """Make a repository hold the files of a folder.

    Args:
        repository: Where to; it is created if it isn't there.
        folder: The files, with the card among them.
        owned: Patterns of the files that are ours to delete where the folder has no such file.
        message: The first line of the commits, and the title of a pull request.
        overwrite: Replace a repository that something else made.
        progress: Called as files are hashed.
        confirm: Called with what would change before anything does; nothing is done unless it returns True.

    Returns:
        Where it went and how many files were new or changed.

    Raises:
        HubError: If the Hub refuses, cannot be reached, or holds other bytes afterwards.
        OutputError: If the repository holds something this call would destroy, or the tag names another commit.
    """
    return _Uploading(repository, folder, tuple(owned), message).run(overwrite, progress, confirm)


class _Uploading:
    """One upload on its way."""

    def __init__(
        self, repository: Repository, folder: Path, owned: tuple[str, ...], message: str
    ) -> None:
        from huggingface_hub import HfApi

        self.api = HfApi()
        self.repository, self.folder, self.owned, self.message = repository, folder, owned, message
        self.place = repository.place
        self.call = Patience(repository.attempts, repository.delay, errand(repository.repo_id))
        self.revision = repository.revision
        self.ids: dict[str, Ids] = {}

    def run(
        self,
        overwrite: bool,
        progress: Progress | None,
        confirm: Callable[[PublishPlan], bool] | None,
    ) -> Upload:
        """See `upload`."""
        repository, ours = self.repository, (self.api, self.call, self.place)
        state = self._look()
        if repository.create_pr and state.exists:
            self.revision = find_pull_request(*ours, self.message)
            state = self._look() if self.revision else state
        self.ids = local_ids(self.folder, progress)
        found = compare(self.ids, state.files, self.owned)
        if not overwrite:
            self._refuse_foreign(found, state)
        if repository.tag and state.exists:
            there = tagged_commit(*ours, repository.tag)
            refuse_other_tag(there, None if found else state.commit, repository.tag, self.place)
        plan = self._plan(found, state)
        if (plan.notes or found) and confirm is not None and not confirm(plan):
            return Upload(url=self._url(), commit=None, n_uploaded=0)
        self._prepare(state)
        if found and repository.create_pr and self.revision is None:
            self.revision = open_pull_request(*ours, self.message)
        commit = self._settle() if found else state.commit
        if repository.tag:
            set_tag(*ours, tag=repository.tag, commit=commit)
        if self.revision and repository.create_pr:
            show_pull_request(*ours, self.revision)
        return Upload(url=self._url(), commit=commit, n_uploaded=len(found.upload))

    def _look(self) -> Contents:
        """Return what is there now: of a branch that is not there yet, what it would start from."""
        return look(self.api, self.call, self.repository, self.revision)

    def _refuse_foreign(self, found: Difference, state: Contents) -> None:
        """Refuse to delete, or to bury under new files, what emma500 didn't publish there."""
        kind = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))["kind"]
        if not found.lost:
            return
        if MANIFEST in state.files:
            path = self.call(
                "read its manifest",
                lambda: self.api.hf_hub_download(
                    filename=MANIFEST, revision=state.commit, **self.place
                ),
            )
            if json.loads(Path(path).read_text(encoding="utf-8")).get("kind") == kind:
                return
        raise OutputError(
            f"{self.repository.repo_id} holds files that are no {kind} of emma500, as {min(found.lost)}: "
            "choose another repository, or pass overwrite=True (--overwrite)"
        )

    def _plan(self, found: Difference, state: Contents) -> PublishPlan:
        repository = self.repository
        notes = {
            f"a new {'private' if repository.private else 'public'} repository": not state.exists,
            f"gated: {repository.gated}": repository.gated
            and repository.gated != (state.gated or "off"),
            f"tagged {repository.tag}": repository.tag,
            "as a pull request": repository.create_pr,
        }
        at = f" at {self.revision}" if self.revision else ""
        return PublishPlan(
            where=f"{repository.repo_type} {repository.repo_id}{at}",
            notes=tuple(note for note, holds in notes.items() if holds),
            new=found.new,
            changed=found.changed,
            deleted=found.stale,
            n_files=len(self.ids),
            n_bytes=sum(self.ids[path].n_bytes for path in found.upload),
        )

    def _prepare(self, state: Contents) -> None:
        """Make the repository and its branch, and gate it before there is anything to read."""
        repository, api = self.repository, self.api
        if not state.exists:
            create(api, self.call, repository)
        gate: Any = {"off": False}.get(repository.gated or "", repository.gated)
        if repository.gated and gate != state.gated:
            self.call("gate it", lambda: api.update_repo_settings(gated=gate, **self.place))
        if repository.revision is not None:
            branch = repository.revision
            self.call(
                "create the branch",
                lambda: api.create_branch(branch=branch, exist_ok=True, **self.place),
            )

    def _settle(self) -> str:
        """Upload until one commit holds exactly these files; return it."""
        wrong: list[str] = []
        for attempt in range(self.repository.attempts):
            if attempt:  # the other one waits a different time
                time.sleep(self.repository.delay * random.uniform(0.5, 1.5))
            self._upload_files()
            state = self._look()
            found = compare(self.ids, state.files, self.owned)
            wrong = [path for path in found.upload if path not in LAST]
            commit = state.commit if not found else None if wrong else self._finish(found, state)
            if commit is None:
                continue
            wrong = list(
                compare(
                    self.ids, list_files(self.api, self.call, self.repository, commit), ()
                ).upload
            )
            if not wrong:
                return commit
        if not wrong:
            raise HubError(
                f"{self.repository.repo_id} keeps being changed by somebody else: run the same call again later"
            )
        raise HubError(
            f"{self.repository.repo_id} holds other bytes than were uploaded, in {len(wrong)} of "
            f"{len(self.ids)} files, first {wrong[0]}: run the same call again"
        )

    def _upload_files(self) -> None:
        found = compare(self.ids, self._look().files, self.owned)
        if set(found.upload) - LAST:
            self.call(
                "upload the files",
                lambda: self.api.upload_folder(
                    folder_path=self.folder,
                    ignore_patterns=sorted(LAST),
                    commit_message=self.message,
                    revision=self.revision,
                    **self.place,
                ),
            )

    def _finish(self, found: Difference, state: Contents) -> str | None:
        """Commit the card, the manifest and the deletions; None if the repository was changed meanwhile."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete
        from huggingface_hub.errors import HfHubHTTPError

        def committed() -> str | None:
            adds = [CommitOperationAdd(path, self.folder / path) for path in found.upload]
            try:
                done = self.api.create_commit(
                    operations=[*adds, *(CommitOperationDelete(path) for path in found.stale)],
                    commit_message=self.message,
                    revision=self.revision,
                    parent_commit=state.commit,
                    **self.place,
                )
            except HfHubHTTPError as error:
                if status_of(error) == _CHANGED_MEANWHILE:
                    return None
                raise
            return str(done.oid)

        return self.call("upload the card", committed)

    def _url(self) -> str:
        from huggingface_hub import constants

        kind = "" if self.repository.repo_type == "model" else f"{self.repository.repo_type}s/"
        url = f"{constants.ENDPOINT}/{kind}{self.repository.repo_id}"
        if not self.repository.create_pr or self.revision is None:
            return url
        return f"{url}/discussions/{self.revision.rpartition('/')[2]}"
