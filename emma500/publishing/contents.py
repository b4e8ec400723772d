"""What a repository holds at one commit, and its files fetched and checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from emma500.errors import HubError
from emma500.patience import Patience
from emma500.publishing.difference import hash_file
from emma500.publishing.repository import Repository


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """A repository at one moment.

    Attributes:
        commit: Its commit; "" where there is no repository.
        files: ("sha256" or "sha1", digest) by path.
        gated: "auto" or "manual", where readers are asked for their contact.
    """

    commit: str
    files: Mapping[str, tuple[str, str]]
    gated: str | bool = False

    @property
    def exists(self) -> bool:
        """Whether there is such a repository."""
        return self.commit != ""


def look(api: Any, call: Patience, repository: Repository, revision: str | None = None) -> Contents:
    """Return what is there now.

    Args:
        api: The client.
        call: How patient to be.
        repository: The repository.
        revision: A branch or another reference; of one that is not there, the main branch, which it would start from.

    Returns:
        What it holds.

    Raises:
        HubError: If it was renamed, the Hub refuses, or cannot be reached.
    """
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    def asked() -> Any:
        try:
            return api.repo_info(revision=revision, **repository.place)
        except RevisionNotFoundError:
            return api.repo_info(**repository.place)
        except GatedRepoError:
            raise
        except RepositoryNotFoundError:
            return None

    info = call("look at what is there", asked)
    if info is None:
        return Contents(commit="", files={})
    if str(info.id).lower() != repository.repo_id.lower():
        raise HubError(f"{repository.repo_id} was renamed to {info.id}: use that name")
    files = list_files(api, call, repository, str(info.sha))
    return Contents(commit=str(info.sha), files=files, gated=info.gated or False)


def list_files(
    api: Any, call: Patience, repository: Repository, commit: str
) -> dict[str, tuple[str, str]]:
    """Return the hashes of the files of a commit by their paths: SHA-256 of large ones, git's SHA-1 of small ones."""

    def listed() -> dict[str, tuple[str, str]]:
        tree = api.list_repo_tree(revision=commit, recursive=True, **repository.place)
        files: list[Any] = [each for each in tree if hasattr(each, "blob_id")]
        return {
            each.path: ("sha256", each.lfs.sha256) if each.lfs else ("sha1", each.blob_id)
            for each in files
        }

    return call("list its files", listed)


def create(api: Any, call: Patience, repository: Repository) -> None:
    """Make a repository, if it is not there."""
    private = repository.private or None  # of one that is there, the visibility stays
    call(
        "create the repository",
        lambda: api.create_repo(private=private, exist_ok=True, **repository.place),
    )


def fetch(
    api: Any,
    call: Patience,
    repository: Repository,
    *,
    contents: Contents,
    wanted: Callable[[str], bool],
    target: Path,
) -> None:
    """Fetch files of a repository, and check every hash.

    Args:
        api: The client.
        call: How patient to be.
        repository: The repository.
        contents: What it holds.
        wanted: Tells by its path whether a file is fetched; one whose path leaves the folder never is.
        target: The folder.

    Raises:
        HubError: If a file cannot be fetched, or came with other bytes.
    """
    for name in sorted(filter(wanted, contents.files)):
        if not is_inside(name):
            continue

        def fetched(name: str = name) -> str:
            return str(
                api.hf_hub_download(
                    filename=name, revision=contents.commit, local_dir=target, **repository.place
                )
            )

        path = Path(call(f"fetch {name}", fetched))
        if not hash_file(path).same(contents.files[name]):
            raise HubError(
                f"{name} of {repository.repo_id} came with other bytes than it holds: run the same call again"
            )


def is_inside(name: str) -> bool:
    """Tell whether a path in a repository stays in the folder that it is joined to."""
    path = PurePosixPath(name)
    return not (path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name)
