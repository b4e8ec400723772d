"""Scores in the form of lm-evaluation-harness' results: what reads those files reads these.

<output>/<model>/results_<date>.json                    a task a benchmark and language, a group a benchmark
<output>/<model>/samples_<task>_<date>.jsonl            an item a line, with what was asked and answered

The form is that of lm-eval 0.4.13. What scores do not keep is null or left out, not made up: templates, whether a
continuation is the greedy one, the harness' own version.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500._version import __version__
from emma500.benchmarks.prompts import load_prompt
from emma500.evaluation.measures import keys_of, measured_in
from emma500.evaluation.metrics import LOWER_IS_BETTER
from emma500.manifest import MANIFEST
from emma500.storage import write_text
from emma500.tables import read_table

if TYPE_CHECKING:
    from emma500.evaluation.scores import Scores

_NAMES = {
    "accuracy": "acc,none",
    "chrf++": "chrf,none",
    "number_match": "exact_match,flexible-extract",
    "rouge_l": "rougeL,none",
}
"""Metrics that the harness calls otherwise, with the filter that they go through there."""

_SHAPES = {
    "choice": "multiple_choice",
    "classification": "multiple_choice",
    "intrinsic": "loglikelihood_rolling",
}
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)

Row = dict[str, Any]


def export_lm_eval(
    scores: "Scores | str | Path", output: str | Path, *, date: datetime | None = None
) -> Path:
    """Write scores as lm-evaluation-harness writes its results.

    Args:
        scores: The scores, or their folder.
        output: The folder; the files go into one named after the model.
        date: When the scores were made, which the files are named after. Without it, when their folder was written;
            scores in memory do not know, and say 1970.

    Returns:
        The results, `results_<date>.json`; the samples lie beside it.

    Raises:
        SourceError: If the folder holds no scores.
    """
    from emma500.evaluation.scores import Scores

    if not isinstance(scores, Scores):
        manifest = Path(scores) / MANIFEST
        written = manifest.stat().st_mtime if manifest.is_file() else 0.0
        scores, date = Scores.load(scores), date or datetime.fromtimestamp(written, tz=UTC)
    date = date or _FIRST
    names = _Names(scores.manifest)
    folder = Path(output) / _sanitized(scores.manifest["model"]["name"])
    stamp = date.replace(tzinfo=None).isoformat(timespec="microseconds").replace(":", "-")
    hashes = {}
    for task, rows in _samples(scores, names).items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_text(folder / f"samples_{task}_{stamp}.jsonl", lines)
        told = "".join(row[f"{each}_hash"] for row in rows for each in ("doc", "prompt", "target"))
        hashes[task] = _hash(told)
    results = _results(scores, names) | {"date": date.timestamp(), "task_hashes": hashes}
    path = folder / f"results_{stamp}.json"
    write_text(path, json.dumps(results, indent=2, ensure_ascii=False))
    return path


class _Names:
    """What benchmarks and languages are called as groups and tasks; the mode is said where there are several."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        modes: dict[str, set[str]] = {}
        for row in manifest["results"]:
            modes.setdefault(row["benchmark"], set()).add(row["mode"])
        self._several = {name for name, found in modes.items() if len(found) > 1}

    def group(self, row: Mapping[str, Any]) -> str:
        """Return the name of a benchmark in a mode."""
        name = str(row["benchmark"])
        return f"{name}_{_sanitized(row['mode'])}" if name in self._several else name

    def task(self, row: Mapping[str, Any]) -> str:
        """Return the name of a benchmark in a mode and language."""
        return f"{self.group(row)}_{_sanitized(row['label'])}"


def _results(scores: "Scores", names: _Names) -> Row:
    manifest = scores.manifest
    shapes = {each["name"]: each.get("shape", "intrinsic") for each in manifest["benchmarks"]}
    shots = _shots(scores.samples.select(["benchmark", "mode", "label", "n_shots"]).to_pylist(), names)  # fmt: skip
    found: dict[str, Row] = {
        key: {}
        for key in (
            "results", "groups", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better", "n-samples",
        )
    }  # fmt: skip
    for row in manifest["aggregates"]:
        if row["group"] == "all":
            group = names.group({"mode": "fixed"} | row)
            _add(found["groups"].setdefault(group, {"name": group, "alias": group}), row)
            found["group_subtasks"].setdefault(group, [])
    for row in manifest["results"]:
        task, group = names.task(row), names.group(row)
        if task not in found["results"]:
            found["group_subtasks"].setdefault(group, []).append(task)
            found["results"][task] = {"name": task, "alias": task, "sample_len": row["n"]}
            found["n-samples"][task] = _size(row["n"], manifest["config"])
            found["versions"][task] = 1.0
            found["configs"][task] = _config(row, shapes[row["benchmark"]], shots.get(task, 0))
            found["n-shot"][task] = shots.get(task, 0)
        _add(found["results"][task], row)
        name = _metric(row["metric"])[0]
        better = row["metric"] not in LOWER_IS_BETTER
        found["higher_is_better"].setdefault(task, {})[name] = better
        found["higher_is_better"].setdefault(group, {})[name] = better
    found["results"] = {**found["groups"], **found["results"]}
    return found | _about(manifest)


def _about(manifest: Mapping[str, Any]) -> Row:
    model, config = manifest["model"], manifest["config"]
    seed = config.get("seed")
    return {
        "config": {
            "model": "emma500",
            "model_args": {"pretrained": model["name"], "revision": model["revision"]},
            "model_dtype": config.get("dtype"),
            "model_revision": model["revision"],
            "model_sha": model["revision"],
            "batch_size": config.get("batch_size"),
            "batch_sizes": [],
            "device": None,
            "use_cache": None,
            "limit": config.get("limit"),
            "bootstrap_iters": None,
            "gen_kwargs": {},
            **{f"{name}_seed": seed for name in ("random", "numpy", "torch", "fewshot")},
        },
        "git_hash": None,
        "pretty_env_info": None,
        "transformers_version": manifest["versions"].get("transformers"),
        "lm_eval_version": None,
        "emma500_version": manifest["versions"].get("emma500", __version__),
        "upper_git_hash": None,
        "model_source": "emma500",
        "model_name": model["name"],
        "model_name_sanitized": _sanitized(model["name"]),
        "system_instruction": None,
        "system_instruction_sha": None,
        "fewshot_as_multiturn": None,
        "chat_template": None,
        "chat_template_sha": None,
        "total_evaluation_time_seconds": None,
    }


def _config(row: Mapping[str, Any], shape: str, shots: int) -> Row:
    return {
        "task": f"{row['benchmark']}_{row['label']}",
        "dataset_name": row["label"],
        "num_fewshot": shots,
        "output_type": _SHAPES.get(shape, "generate_until"),
        "repeats": 1,
        "metadata": {
            "version": 1.0, "benchmark": row["benchmark"], "mode": row["mode"], "label": row["label"],
            "resource_group": row["resource_group"], "data_revision": row["data_revision"],
        },
    }  # fmt: skip


def _size(n: int, config: Mapping[str, Any]) -> Row:
    """Return how many items there are; with a limit, only how many were asked is known."""
    return {"effective": n} if config.get("limit") else {"original": n, "effective": n}


def _add(found: Row, row: Mapping[str, Any]) -> None:
    """Add value and standard error of a metric; "N/A", as the harness says, where there is none."""
    name, through = _metric(row["metric"])
    found[f"{name},{through}"] = row["value"]
    found[f"{name}_stderr,{through}"] = "N/A" if row["stderr"] is None else row["stderr"]


def _shots(rows: Iterable[Row], names: _Names) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        task = names.task(row)
        found[task] = max(found.get(task, 0), row["n_shots"])
    return found


def _samples(scores: "Scores", names: _Names) -> dict[str, list[Row]]:
    """Return the items of each task."""
    values = _values(scores)
    found: dict[str, list[Row]] = {}
    for row in scores.samples.to_pylist():
        rows = found.setdefault(names.task(row), [])
        key = tuple(row[name] for name in ("benchmark", "mode", "label", "id"))
        rows.append(_sample(row, len(rows), values.get(key, {})))
    return found


def _values(scores: "Scores") -> dict[tuple[str, ...], dict[str, float | None]]:
    """Return the metrics of each item, by benchmark, mode, label and id."""
    ids: dict[tuple[str, ...], list[str]] = {}
    columns = ("benchmark", "metric", "mode", "label", "id")
    for row in scores.measures.select(columns).to_pylist():
        ids.setdefault(tuple(row[name] for name in columns[:-1]), []).append(row["id"])
    found: dict[tuple[str, ...], dict[str, float | None]] = {}
    for benchmark, metric, mode in keys_of(scores.measures):
        for label, measured in measured_in(scores.measures, (benchmark, metric, mode)).items():
            for name, value in zip(ids[benchmark, metric, mode, label], measured.each, strict=True):
                number = None if value != value else float(value)
                found.setdefault((benchmark, mode, label, name), {})[metric] = number
    return found


def _sample(row: Row, number: int, values: Mapping[str, float | None]) -> Row:
    target = str(row["gold"]) if row["gold"] is not None else "\n".join(row["targets"])
    doc = {name: row[name] for name in ("id", "parallel_id", "options", "targets")}
    answers = (
        [[str(each), "None"] for each in row["logliks"]] if row["logliks"] else row["outputs"] or []
    )
    through = next((_metric(name)[1] for name in values), "none")
    return {
        "doc_id": number,
        "doc": doc,
        "target": target,
        "arguments": _arguments(row),
        "resps": [[each] for each in answers],
        "filtered_resps": answers,
        "filter": through,
        "metrics": [_metric(name)[0] for name in values],
        "doc_hash": _hash(json.dumps(doc, indent=2, ensure_ascii=False)),
        "prompt_hash": _hash(row["prompt"]),
        "target_hash": _hash(target),
        **{_metric(name)[0]: value for name, value in values.items()},
    }


def _arguments(row: Row) -> Row:
    if not row["options"]:
        return {"gen_args_0": {"arg_0": row["prompt"]}}
    gap = _delimiter(row["benchmark"], row["mode"], row["label"])
    return {
        f"gen_args_{n}": {"arg_0": row["prompt"], "arg_1": gap + each}
        for n, each in enumerate(row["options"])
    }


@cache
def _delimiter(benchmark: str, mode: str, label: str) -> str:
    """Return what stands before an option, where the option itself is what is scored; else ""."""
    row = next((each for each in read_table("benchmarks") if each["name"] == benchmark), None)
    if row is None:
        return ""
    prompt = load_prompt(row["prompt"], mode.partition("+")[0], label)
    return prompt.delimiter if prompt.choice == "{option}" else ""


def _metric(name: str) -> tuple[str, str]:
    """Return the harness' name of a metric and the filter that it goes through there."""
    found, _, through = _NAMES.get(name, f"{name},none").rpartition(",")
    return found, through


def _sanitized(name: str) -> str:
    return re.sub(r"[\"<>:/|\\?*\[\]]+", "__", name)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
