"""Tasks answered by two processes of `accelerate launch` (here: torchrun, as it does), over gloo on the CPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.scores import Scores
from tests.benchmarks.published_files import write


def test_two_processes_share_choices_and_outputs_and_write_the_scores_of_one(tiny_model, tmp_path):
    wanted = [f"{name}={write(name, tmp_path / name)}" for name in ("xcopa", "aya")]
    evaluate(tiny_model, wanted, None, EvalConfig(max_new_tokens=5), output=tmp_path / "one")
    done = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
            "-m", "emma500", "evaluate", str(tiny_model), "--benchmarks", *wanted, "--max_new_tokens", "5",
            "--output", str(tmp_path / "two"),
        ],
        check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2],
        env=os.environ | {"EMMA500_PROGRESS": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Scores of tiny") == 1  # the first process writes and prints, for both
    assert done.stderr.count("aya (fixed): 6 in") == 1
    one, two = (Scores.load(tmp_path / name) for name in ("one", "two"))
    assert two.manifest["fingerprint"] == one.manifest["fingerprint"]
    assert two.samples["outputs"].to_pylist() == one.samples["outputs"].to_pylist()
    for mine, other in zip(one.samples.to_pylist(), two.samples.to_pylist(), strict=True):
        assert (mine["benchmark"], mine["id"]) == (other["benchmark"], other["id"])
        assert mine["logliks"] is None or mine["logliks"] == pytest.approx(
            other["logliks"], abs=1e-4
        )
