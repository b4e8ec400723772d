"""A repository of the Hub: its name, what it is to be like, and how its refusals are told."""

import re
from dataclasses import dataclass
from typing import Any

from emma500.patience import Errand

REPO_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
"""A repository's name as the Hub takes it."""

_ADVICE = {
    401: "log in with `hf auth login`, or set HF_TOKEN to a token with write access",
    402: "the storage of that user or organisation is used up: make room there, or choose another one",
    403: "the token may not write there, or the storage is used up: use a token with write access to that user or "
    "organisation, or make room",
    404: "there is no such repository, or the token may not see it",
    409: "somebody else changed the repository meanwhile: run the same call again",
    412: "somebody else changed the repository meanwhile: run the same call again",
    413: "the card is too large for the Hub",
    429: "the Hub allows 128 commits an hour: wait, and run the same call again; what is uploaded is kept",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """One repository of the Hub, what it is to be like, and how patient to be with it."""

    repo_id: str
    repo_type: str
    revision: str | None = None
    private: bool = False
    gated: str | None = None
    create_pr: bool = False
    tag: str | None = None
    attempts: int = 5
    delay: float = 1.0
    """Seconds before the second attempt; doubled with each further one."""

    @property
    def place(self) -> dict[str, Any]:
        """The arguments that name it in a call of huggingface_hub."""
        return {"repo_id": self.repo_id, "repo_type": self.repo_type}


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """What an upload did; `commit` is None where it was not confirmed."""

    url: str
    commit: str | None
    n_uploaded: int


def errand(repo_id: str) -> Errand:
    """Return what is asked of a repository: every error is the Hub's, as its files were checked before."""
    return Errand(
        fails=f"cannot {{}} of {repo_id}",
        advice=_ADVICE,
        otherwise="run the same call again; what is uploaded is kept",
        unreachable="check the connection and HF_ENDPOINT, or publish to a directory",
        offline="unset it, or publish to a directory",
        passing=(RuntimeError,),  # what the uploads of large files raise for a lost connection
    )
