"""What a run leaves behind beside the weights: the manifest, the same for the same run, and what varies, apart."""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from emma500.configuration import as_dict
from emma500.manifest import versions
from emma500.storage import write_text
from emma500.training.config import TrainConfig
from emma500.training.data import RunData
from emma500.training.loop.hardware import footprint, hardware
from emma500.training.loop.throughput import read_clock
from emma500.training.work import Workplace

RECORD = "training.json"
"""What differs between two runs of the same thing: hardware, seconds, speed, energy."""


def plan_record(
    data: RunData, config: TrainConfig, place: Workplace, base_model: dict[str, Any]
) -> dict[str, Any]:
    """Return what the manifest says about a run before it has run.

    Args:
        data: What it trains on.
        config: Its configuration.
        place: Where it works.
        base_model: What the manifest says about the model it goes on from.

    Returns:
        Entries of the manifest.
    """
    rows = data.rows
    return {
        "base_model": base_model,
        "corpus": place.identity["corpus"],
        "config": {**as_dict(config), "tokens_folder": None},  # a path of this machine
        "versions": versions(),
        "plan": rows.plan.rows(rows.n_tokens_trained),
        "languages": list(data.labels),
        "n_steps": rows.plan.n_steps,
        "n_tokens": sum(rows.n_tokens_trained),
        "packing": rows.packing,
    }


def log_rows(history: Sequence[dict[str, Any]], logging_steps: int) -> list[dict[str, Any]]:
    """Return one row for every `logging_steps` steps: their mean loss, the last learning rate and norm of gradients.

    The Trainer logs every step, since its own windows do not survive an interruption.

    Args:
        history: The Trainer's log.
        logging_steps: Steps a row.

    Returns:
        The rows.
    """
    steps = [row for row in history if "loss" in row]
    starts = [*range(0, len(steps), logging_steps), len(steps)]
    windows = [steps[start:stop] for start, stop in pairwise(starts)]
    return [
        {
            "step": rows[-1]["step"],
            "loss": sum(row["loss"] for row in rows) / len(rows),
            "learning_rate": rows[-1]["learning_rate"],
            "grad_norm": rows[-1].get("grad_norm"),
        }
        for rows in windows
    ]


def spike_rows(history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the steps whose loss jumped, with their loss.

    Args:
        history: The Trainer's log, a row a step.

    Returns:
        The rows.
    """
    from emma500.training.loop.callbacks import is_spike

    steps = [row for row in history if "loss" in row]
    losses = [row["loss"] for row in steps]
    return [
        {"step": steps[index]["step"], "loss": losses[index]}
        for index in range(len(losses))
        if is_spike(losses, index)
    ]


def write_training_record(
    folder: Path, work: Path, *, device: str, n_processes: int, peak: float
) -> None:
    """Write `training.json` of a training run.

    Args:
        folder: The folder of the model.
        work: The work folder, which holds the seconds of all calls that worked on the run.
        device: As "cuda:0".
        n_processes: How many processes trained.
        peak: What the device multiplies matrices at, FLOP/s, as measured.
    """
    clock = read_clock(work)
    found = hardware(device, n_processes)
    seconds = clock["seconds"] or float("nan")
    write_record(
        folder,
        found,
        seconds=clock["seconds"],
        n_processes=n_processes,
        n_tokens_computed=round(clock["n_tokens"]),
        tokens_per_second=round(clock["n_tokens"] / seconds, 1),
        matmul_peak_flops=round(peak),
        mfu=round(clock["flop"] / seconds / (peak * found["n_devices"]), 4),
    )


def write_record(
    folder: Path, found: Mapping[str, Any], *, seconds: float, n_processes: int, **measured: float
) -> None:
    """Write what made a model, and in how long: `training.json`.

    Args:
        folder: The folder of the model.
        found: What `hardware` says.
        seconds: How long it took.
        n_processes: How many processes worked on it.
        **measured: What else was measured.
    """
    record = {
        "kind": "training-record",
        "hardware": found,
        "n_processes": n_processes,
        "seconds": round(seconds, 3),
        **measured,
        "footprint": footprint(seconds, found["watts"], found["n_devices"]),
    }
    write_text(folder / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
