"""Where a corpus stands: a folder, the Hub, or any fsspec address."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from emma500.errors import SourceError
from emma500.patience import Errand, Patience

_ATTEMPTS, _DELAY = 5, 1.0  # seconds before the second attempt


def address(root: "str | Path") -> str:
    """Return an absolute path, or an fsspec address; `user/name` that is no folder here is a dataset of the Hub."""
    text = str(root).rstrip("/")
    if isinstance(root, Path) or "://" in text or Path(text).exists() or text.count("/") != 1:
        return text if "://" in text else str(Path(text).absolute())
    if text.startswith((".", "~")):
        return str(Path(text).expanduser().absolute())
    return f"hf://datasets/{text}"


def commit_of(repo_id: str, revision: str | None = None) -> str:
    """Return the commit of a data set on the Hub that a branch or a tag names; the newest by default.

    Raises:
        HubError: If the Hub refuses, or cannot be reached.
        SourceError: If there is no such data set or revision.
    """
    from huggingface_hub import HfApi

    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id, re.ASCII):
        raise SourceError(f"a data set of the Hub is named user/name, not {repo_id!r}")
    errand = Errand(
        fails="cannot read {}",
        advice={401: "log in with `hf auth login`, or set HF_TOKEN"},
        otherwise="run the same call again",
        unreachable="check the connection and HF_ENDPOINT, or name a folder",
        offline="unset it, or name a folder",
        missing="there is no such data set or revision, or the token may not see it",
        wrong=SourceError,
    )
    at = f" at {revision!r}" if revision else ""
    info = Patience(_ATTEMPTS, _DELAY, errand)(
        f"{repo_id}{at} on the Hub", lambda: HfApi().dataset_info(repo_id, revision=revision)
    )
    return str(info.sha)


def refuse_outside(root: str, manifest: Mapping[str, Any]) -> None:
    """Refuse a manifest whose files leave its folder: it may come from anybody.

    Raises:
        SourceError: If one does.
    """
    for name in _files(manifest):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or "://" in name:
            raise SourceError(
                f"the manifest of {root} names a file outside of it, {name!r}: emma500 did not write that"
            )


def _files(manifest: Mapping[str, Any]) -> Iterator[str]:
    for part in ("splits", "excluded_files"):
        for row in manifest.get(part) or ():
            yield from row.get("files") or ()
    for part in ("clusters", "decisions"):
        found = manifest.get(part)
        yield from (found.get("files") or () if isinstance(found, Mapping) else found or ())


class filesystem:
    """Open the file system of an address; a Hub that cannot be reached becomes a SourceError."""

    def __init__(self, root: str) -> None:
        self.root = root

    def __enter__(self) -> tuple[Any, str]:
        import fsspec

        return fsspec.core.url_to_fs(self.root)

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if (
            isinstance(error, OSError)
            and self.root.startswith("hf://")
            and not isinstance(error, FileNotFoundError)
        ):
            raise SourceError(f"{self.root} cannot be read from the Hub: {error}") from error
