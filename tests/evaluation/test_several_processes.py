"""Evaluation started by `accelerate launch` (here: by torchrun, as it does), over gloo on the CPU."""

import subprocess
import sys
from pathlib import Path

import pytest

from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.scores import Scores


def test_two_processes_share_the_rows_and_write_the_scores_of_one(
    tiny_model, parallel_texts, tmp_path
):
    benchmark = f"text={parallel_texts}"
    evaluate(tiny_model, [benchmark], None, EvalConfig(max_length=16), output=tmp_path / "one")
    done = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
            "-m", "emma500", "evaluate", "--model_name_or_path", str(tiny_model),
            "--benchmarks", benchmark, "--max_length", "16", "--output", str(tmp_path / "two"),
        ],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout.count("Scores of tiny") == 1  # the first process writes and prints, for both
    one, two = (Scores.load(tmp_path / name) for name in ("one", "two"))
    assert two.manifest["fingerprint"] == one.manifest["fingerprint"]
    assert two.details["id"].to_pylist() == one.details["id"].to_pylist()
    # torchrun gives each process one thread, and sums of floats depend on the number of threads
    assert two.details["nll"].to_pylist() == pytest.approx(one.details["nll"].to_pylist())
