"""How to publish: the configuration of `publish`."""

import re
from dataclasses import dataclass
from typing import Literal

from emma500.configuration import option, require
from emma500.errors import ConfigError
from emma500.publishing.hub_results import hub_task

_GATES = (None, "auto", "manual", "off")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishConfig:
    """How to publish a corpus, a model or scores.

    The token is no option: it is read from `HF_TOKEN` or from where `hf auth login` put it.
    """

    private: bool = option(False, "Create the repository as private.")
    gated: Literal["auto", "manual", "off"] | None = option(
        None,
        "Who may read must share their contact, and is let in at once (auto) or by hand; default: as it is.",
    )
    revision: str | None = option(None, "Branch to publish to; created if it isn't there.")
    create_pr: bool = option(
        False, "Open a pull request, or go on with ours of the same commit_message."
    )
    tag: str | None = option(None, "Tag of the release, as v1.0; never moved once it is set.")
    commit_message: str | None = option(
        None, "First line of the commits, and title of the pull request."
    )
    title: str | None = option(None, "Title of the card; the name of the repository by default.")
    license: str | None = option(
        None, "SPDX licence on the card; by default that of the sources, or none for a model."
    )
    tags: list[str] = option([], "Further tags on the card.")
    base_model: str | None = option(
        None, "Hub id of the base model, where the run's manifest has only a file's name."
    )
    datasets: list[str] = option([], "Hub ids of the corpora a model was trained on.")
    contact: str | None = option(None, "Where to ask for removal, beside the Community tab.")
    stage: str | None = option(
        None,
        "Publish a corpus as it was after this stage (integration, filter, dedup); needs keep_excluded.",
    )
    generations: bool = option(
        False, "Of scores, publish what the model wrote: prompt, output, language, settings."
    )
    decisions: bool = option(
        False,
        "Upload decisions/ of a corpus too: signals and URLs of every document, also those left out.",
    )
    eval_results: list[str] = option(
        [],
        "Scores of a model for the Hub's leaderboards, as BENCHMARK=USER/DATASET:TASK (of its eval.yaml).",
    )
    dry_run: bool = option(False, "Lay out the repository and say what it holds; upload nothing.")
    overwrite: bool = option(False, "Replace a repository or folder that something else made.")
    attempts: int = option(5, "How often to try a request that the Hub fails to answer.")
    delay: float = option(1.0, "Seconds before the second attempt; doubled with each further one.")

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: If a value breaks its rule.
        """
        require(self, "attempts", lambda value: value >= 1, "at least 1")
        require(self, "delay", lambda value: value >= 0, "0 seconds or more")
        require(self, "gated", lambda value: value in _GATES, "auto, manual or off")
        for name in ("revision", "tag"):
            require(self, name, lambda value: value is None or _is_ref(value), "a name for git")
        tasks = [(each.dataset, each.task) for each in map(hub_task, self.eval_results)]
        twice = sorted({":".join(each) for each in tasks if tasks.count(each) > 1})
        if twice:
            raise ConfigError(f"eval_results names {twice[0]} twice: a task there has one value")
        if self.create_pr and (self.revision or self.tag):
            raise ConfigError(
                "create_pr goes to the main branch: leave out revision and tag, and tag what was merged"
            )


def _is_ref(name: str) -> bool:
    """Tell whether git takes a name for a branch or a tag, and the Hub for a part of an address."""
    return bool(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_./-]*", name, re.ASCII)) and not re.search(
        r"\.\.|//|[./]$|\.lock$", name
    )
