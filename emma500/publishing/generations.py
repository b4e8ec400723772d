"""What a model wrote, as a data set: prompt, output, language, settings, and whether the language is right."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from emma500.errors import SourceError
from emma500.evaluation.scores import Scores
from emma500.manifest import write_manifest
from emma500.storage import atomic_file

KIND = "generations"
DATA = "data"
_RIGHT_LANGUAGE = "right_language_rate"
_SETTINGS = (
    "seed", "switches", "max_prompt", "max_new_tokens", "backend", "dtype", "bf16",
)  # fmt: skip
"""Options of `EvalConfig` that an output depends on, beside what has a column of its own."""

Key = tuple[str, str, str, str]
"""Benchmark, mode, label and id of an item."""


def generations_schema() -> pa.Schema:
    """Return the schema: one row an output.

    `number` counts the outputs of a prompt from 0. `is_right_language` is null where nobody looked, the output is
    empty, or the identifier does not know the language.
    """
    name = pa.string()
    return pa.schema(
        [
            ("benchmark", name), ("mode", name), ("language", name), ("id", name), ("parallel_id", name),
            ("prompt", name), ("n_shots", pa.int32()), ("number", pa.int32()), ("output", name),
            ("targets", pa.list_(name)), ("is_right_language", pa.bool_()), ("is_truncated", pa.bool_()),
            ("model", name), ("model_revision", name), ("settings", name),
        ]
    )  # fmt: skip


def write_generations(scores: Scores, folder: Path) -> None:
    """Write the outputs behind scores as a folder that can be published.

    Args:
        scores: The scores.
        folder: An empty or missing folder; gets `data/<benchmark>.parquet` and a manifest.

    Raises:
        SourceError: If the model was asked to write nothing.
    """
    rows = generation_rows(scores)
    if not rows:
        raise SourceError(
            "these scores hold no outputs: evaluate on a benchmark that is answered in text, as translation or "
            "open-ended writing"
        )
    by_benchmark: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_benchmark.setdefault(file_name(row["benchmark"]), []).append(row)
    for name, part in sorted(by_benchmark.items()):
        with atomic_file(folder / DATA / f"{name}.parquet") as temporary:
            pq.write_table(
                pa.Table.from_pylist(part, schema=generations_schema()),
                temporary,
                compression="zstd",
            )
    manifest = scores.manifest
    kept = ("fingerprint", "versions", "model", "config", "benchmarks")
    write_manifest(
        folder,
        {
            "kind": KIND,
            **{name: manifest[name] for name in kept if name in manifest},
            "n_outputs": len(rows),
            "parts": _parts(rows),
        },
    )


def generation_rows(scores: Scores) -> list[dict[str, Any]]:
    """Return the outputs behind scores, as `generations_schema`, in the order in which they were asked for."""
    told = scores.manifest["model"]
    config = scores.manifest.get("config") or {}
    settings = {name: config[name] for name in _SETTINGS if config.get(name) is not None}
    shared = {
        "model": told["name"],
        "model_revision": told.get("revision"),
        "settings": json.dumps(settings, sort_keys=True),
    }
    right = _right_languages(scores.measures)
    return [
        {
            **{name: row[name] for name in ("benchmark", "mode", "id", "parallel_id", "prompt")},
            **{name: row[name] for name in ("n_shots", "targets", "is_truncated")},
            "language": row["label"],
            "number": number,
            "output": output,
            "is_right_language": right.get(_key(row)) if len(row["outputs"]) == 1 else None,
            **shared,
        }
        for row in scores.samples.to_pylist()
        for number, output in enumerate(row["outputs"] or ())
    ]


def file_name(benchmark: str) -> str:
    """Return a benchmark's name as that of a file and of a configuration: no separators, no leading dot."""
    return re.sub(r"[^\w-]+", "-", benchmark, flags=re.ASCII).strip("-") or "benchmark"


def _key(row: Mapping[str, Any]) -> Key:
    return (row["benchmark"], row["mode"], row["label"], row["id"])


def _right_languages(measures: pa.Table) -> dict[Key, bool]:
    """Return whether an output is in the right language, for those that were looked at: a row is (1 or 0, 1)."""
    found = {}
    for row in measures.to_pylist():
        if row["metric"] == _RIGHT_LANGUAGE and row["statistics"][1]:
            found[_key(row)] = bool(row["statistics"][0])
    return found


def _parts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return how many outputs there are by benchmark, mode and language, empty ones and those in the right language."""
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    for row in rows:
        found = counts.setdefault((row["benchmark"], row["mode"], row["language"]), Counter())
        found["n_outputs"] += 1
        found["n_empty"] += not (row["output"] or "").strip()
        found["n_judged"] += row["is_right_language"] is not None
        found["n_right_language"] += bool(row["is_right_language"])
    names = ("n_outputs", "n_empty", "n_judged", "n_right_language")
    return [
        {"benchmark": benchmark, "mode": mode, "language": language}
        | {name: found[name] for name in names}
        for (benchmark, mode, language), found in counts.items()
    ]
