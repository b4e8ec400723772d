"""`emma500 train` as its launchers start it; what needs GPUs is marked so, and was not run where there are none."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emma500.training.planning.launching import launch_config, launch_names

ROOT = Path(__file__).parents[2]
FIELDS: dict[str, Any] = {
    "languages": ["yor_Latn", "kat_Geor"], "max_steps": 4, "max_length": 64, "global_batch_size": 16, "save_steps": 2,
    "learning_rate": 5e-3,
}  # fmt: skip


def launched(launcher, model, corpus, output, **fields):
    """Train by a launcher; return what was printed, and the record."""
    config = output.with_name("train.yaml")
    config.write_text(json.dumps({**FIELDS, **fields}))
    words = ["train", "--config", config, "--dataset_name", corpus, "--output", output]
    run = subprocess.run(
        [sys.executable, "-m", *launcher, "-m", "emma500", *words, "--model_name_or_path", model],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout, json.loads((output / "training.json").read_text())


@pytest.mark.slow
def test_torchrun_starts_processes_that_train_together_and_print_once(tmp_path, model, corpus):
    launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    shown, record = launched(launcher, model, corpus, tmp_path / "out", use_cpu=True)
    assert record["n_processes"] == 2
    assert shown.count("TrainingRun(") == 1


@pytest.mark.gpu
@pytest.mark.parametrize("name", [each for each in launch_names() if not each.startswith("64")])
def test_a_launch_file_trains_on_as_many_gpus_as_its_name_says(name, tmp_path, model, corpus):
    import torch

    n_gpus = int(name.partition("gpu")[0])
    if torch.cuda.device_count() < n_gpus:
        pytest.skip(f"no {n_gpus} GPUs")
    if "deepspeed" in name:
        pytest.importorskip("deepspeed")
    launcher = ["accelerate.commands.launch", "--config_file", str(launch_config(name))]
    _, record = launched(launcher, model, corpus, tmp_path / "out")
    assert record["n_processes"] == record["hardware"]["n_devices"] == n_gpus


@pytest.mark.gpu
def test_a_gpu_has_the_losses_of_the_cpu(tmp_path, model, corpus):
    import torch

    from emma500 import TrainConfig, continue_pretrain

    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    logs = []
    for use_cpu in (True, False):
        config = TrainConfig(**FIELDS, use_cpu=use_cpu, bf16=False, logging_steps=1)
        run = continue_pretrain(model, corpus, tmp_path / str(use_cpu), config)
        logs.append([row["loss"] for row in run.manifest["log"]])
    assert logs[0] == pytest.approx(logs[1], rel=1e-3)
