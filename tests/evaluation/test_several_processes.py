"""Evaluation started by `accelerate launch` (here: by torchrun, as it does), over gloo on the CPU."""

import subprocess
import sys
from pathlib import Path

from emma500.evaluation.evaluate import EvalConfig, evaluate


def test_two_processes_share_the_rows_and_write_the_scores_of_one(
    tiny_model, parallel_texts, tmp_path
):
    benchmark = f"text={parallel_texts}"
    evaluate(tiny_model, [benchmark], None, EvalConfig(max_length=16), output=tmp_path / "one")
    subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
            "-m", "emma500.cli", "evaluate", "--model_name_or_path", str(tiny_model),
            "--benchmarks", benchmark, "--max_length", "16", "--output_dir", str(tmp_path / "two"),
        ],
        check=True, capture_output=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    for name in ("results.parquet", "details.parquet", "manifest.json"):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
