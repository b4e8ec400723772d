"""Scores in the two forms in which the Hub shows them beside a model.

`model-index` in the card's YAML takes a result on any data. `.eval_results/*.yaml` holds results on data that the Hub
keeps a leaderboard of: repositories with an `eval.yaml` that names their tasks. Which they are cannot be known from
here, so the user says which, and a score is only written to a task that was named.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emma500.benchmarks.prompt_variants import OWN
from emma500.benchmarks.registry import base_name
from emma500.errors import ConfigError, SourceError
from emma500.evaluation.headline import first_metrics
from emma500.evaluation.tasks.practice import split_prompt
from emma500.publishing.comparison import contaminated
from emma500.publishing.metadata import is_hub_id
from emma500.storage import write_text
from emma500.tables import read_table

EVAL_RESULTS = ".eval_results"
OURS = f"{EVAL_RESULTS}/emma500-*.yaml"
"""The files of ours among those that others may add by pull request."""

Manifest = Mapping[str, Any]
Row = Mapping[str, Any]

_HUB = "hf://datasets/"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ASKED = re.compile(r"(?P<benchmark>[^/=]+)(?:/(?P<label>[^/=]+))?=(?P<dataset>[^:=]+):(?P<task>[^\s:=]+)")  # fmt: skip


@dataclass(frozen=True, slots=True)
class HubTask:
    """A benchmark of ours, or one label of it, that is a task of a benchmark of the Hub."""

    benchmark: str
    label: str | None
    dataset: str
    task: str


def hub_task(written: str) -> HubTask:
    """Read `BENCHMARK=USER/DATASET:TASK` or `BENCHMARK/LABEL=USER/DATASET:TASK`.

    Returns:
        What it says.

    Raises:
        ConfigError: If it is neither.
    """
    found = _ASKED.fullmatch(written)
    if found is None or not is_hub_id(found["dataset"]):
        raise ConfigError(
            f"eval_results holds {written!r}: write BENCHMARK=USER/DATASET:TASK, with a task of the eval.yaml in that "
            "dataset, or BENCHMARK/LABEL=… for the score in one language"
        )
    return HubTask(found["benchmark"], found["label"], found["dataset"], found["task"])


def model_index(name: str, scores: Manifest) -> list[dict[str, Any]]:
    """Return the means over all labels for the card's YAML: of each benchmark and mode, the metric that stands for it.

    Args:
        name: The model's name.
        scores: The manifest of its scores.

    Returns:
        The entry of the model, as `huggingface_hub.EvalResult` reads it; none where there is no value.
    """
    results = [
        {
            "task": {"type": "text-generation"},
            "dataset": _dataset(row, scores),
            "metrics": [{"type": row["metric"], "name": _measured(row), "value": round(row["value"], 4)}],
        }
        for row in _means(scores)
    ]  # fmt: skip
    return [{"name": name, "results": results}] if results else []


def write_eval_results(
    asked: Sequence[str], scores: Manifest, target: Path, *, repo_id: str
) -> None:
    """Write what was measured on benchmarks of the Hub, a file a task and mode, as the `EvalResultEntry` of its client.

    Args:
        asked: Which benchmark is which task there (`hub_task`).
        scores: The manifest of the model's scores.
        target: The repository's folder.
        repo_id: The repository, in which the scores lie.

    Raises:
        SourceError: If the scores hold no value of one of them.
    """
    import yaml

    for each in map(hub_task, asked):
        rows = list(_labels(scores, each) if each.label else _means(scores, each.benchmark))
        if not rows:
            where = f" in {each.label}" if each.label else ""
            raise SourceError(
                f"eval_results names {each.benchmark}{where}, of which there is no score: leave it out or score it"
            )
        for row in rows:
            entry = [_entry(each, row, repo_id)]
            text = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=10_000)
            parts = filter(None, ("emma500", each.dataset, each.task, row.get("mode")))
            name = re.sub(r"[^\w.-]+", "-", "-".join(parts))
            write_text(target / EVAL_RESULTS / f"{name}.yaml", text)


def _entry(task: HubTask, row: Row, repo_id: str) -> dict[str, Any]:
    dataset = {"id": task.dataset, "task_id": task.task}
    if task.dataset == _repository(task.benchmark) and _COMMIT.fullmatch(str(row["revision"])):
        dataset["revision"] = row["revision"]
    return {
        "dataset": dataset,
        "value": round(row["value"], 6),
        "source": {
            "url": f"https://huggingface.co/{repo_id}/tree/main/evaluation",
            "name": "scores with outputs and settings",
        },
        "notes": _measured(row),
    }


def _means(scores: Manifest, benchmark: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the means over all labels under a benchmark's own prompt, where there is a value."""
    rows = (row for row in scores["aggregates"] if row["group"] == "all")
    return _chosen(scores, rows, benchmark)


def _labels(scores: Manifest, task: HubTask) -> Iterator[dict[str, Any]]:
    rows = (row for row in scores["results"] if row["label"] == task.label)
    return _chosen(scores, rows, task.benchmark)


def _chosen(
    scores: Manifest, rows: Iterator[Row], benchmark: str | None
) -> Iterator[dict[str, Any]]:
    first = first_metrics(scores)
    revisions = {row["benchmark"]: row.get("data_revision") for row in scores["results"]}
    known = contaminated(scores)
    for row in rows:
        is_first = (row["benchmark"], row["metric"]) in first
        is_own = split_prompt(row.get("mode") or "")[1] == OWN
        if (
            is_first
            and is_own
            and row["value"] is not None
            and benchmark in (None, row["benchmark"])
        ):
            yield {
                **row,
                "revision": revisions.get(row["benchmark"]),
                "contaminated": row["benchmark"] in known,
            }


def _dataset(row: Row, scores: Manifest) -> dict[str, Any]:
    place = _repository(row["benchmark"])
    found = {"type": place or row["benchmark"], "name": f"{row['benchmark']}, {row['n_labels']} labels"}  # fmt: skip
    if place and _COMMIT.fullmatch(str(row["revision"])):
        found["revision"] = row["revision"]
    return found


def _repository(benchmark: str) -> str:
    """Return the repository that a benchmark of the table is read from; "" for others."""
    name = base_name(benchmark)
    places = [row["place"] for row in read_table("benchmarks") if row["name"] == name]
    return places[0].removeprefix(_HUB) if places and places[0].startswith(_HUB) else ""


def _measured(row: Row) -> str:
    """Return what a value is, in words."""
    metric = row["metric"].replace("_", " ")
    mode = f", {row['mode']}" if row.get("mode") else ""
    labels = ", mean over labels" if "n_labels" in row else f", {row['label']}"
    return f"{metric}{mode}{labels}" + ", trained on its source" * row["contaminated"]
