"""Evaluation started by `accelerate launch` (here: by torchrun, as it does), over gloo on the CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emma500.evaluation import scoring
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.scores import Scores
from emma500.models import document_nll
from tests.benchmarks.published_files import write

COUNTED = """
import json, sys

from emma500.cli import main
from emma500.evaluation import scoring
from emma500.evaluation.likelihood import LikelihoodScorer
from emma500.evaluation.tasks.generation import TransformersGenerator
from emma500.processes import process_state

done = {"rows": 0, "choices": 0, "outputs": 0}

def counting(name, function, size):
    def counted(*arguments, **options):
        done[name] += size(arguments[1])
        return function(*arguments, **options)
    return counted

scoring.document_nll = counting("rows", scoring.document_nll, lambda rows: len(rows["input_ids"]))
LikelihoodScorer._score = counting("choices", LikelihoodScorer._score, len)
TransformersGenerator.generate = counting("outputs", TransformersGenerator.generate, len)
status = main(sys.argv[2:])
with open(f"{sys.argv[1]}/{process_state().process_index}.json", "w") as file:
    json.dump(done, file)
sys.exit(status)
"""
"""`emma500` as it is, which also says how much of the work this process did."""


def test_two_processes_share_the_work_and_write_the_scores_of_one(
    tiny_model, parallel_texts, tmp_path, monkeypatch
):
    wanted = [f"text={parallel_texts}"]
    wanted += [f"{name}={write(name, tmp_path / name)}" for name in ("xcopa", "aya")]
    rows, real = list[int](), document_nll

    def counted(model, part, **options):
        rows.append(len(part["input_ids"]))
        return real(model, part, **options)

    monkeypatch.setattr(scoring, "document_nll", counted)
    one = evaluate(tiny_model, wanted, None, EvalConfig(max_length=16, max_new_tokens=5))
    script = tmp_path / "counted.py"
    script.write_text(COUNTED)
    done = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(script),
            str(tmp_path), "evaluate", str(tiny_model), "--benchmarks", *wanted, "--max_length", "16",
            "--max_new_tokens", "5", "--output", str(tmp_path / "two"),
        ],
        check=False, capture_output=True, text=True,
        env=os.environ | {"EMMA500_PROGRESS": "", "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Scores of tiny") == 1  # the first process writes and prints, for both
    assert done.stderr.count("aya (fixed): 6 in") == 1
    _assert_same(one, Scores.load(tmp_path / "two"))
    shares = [json.loads((tmp_path / f"{process}.json").read_text()) for process in range(2)]
    samples = one.samples.to_pylist()
    totals = {
        "rows": sum(rows),
        "choices": sum(len(each["logliks"] or ()) for each in samples),
        "outputs": sum(len(each["outputs"] or ()) for each in samples),
    }
    for name, total in totals.items():
        first, second = (each[name] for each in shares)
        assert first + second == total, name
        assert abs(first - second) <= 2, name


def _assert_same(one, two):
    assert two.manifest["fingerprint"] == one.manifest["fingerprint"]
    assert two.details["id"].to_pylist() == one.details["id"].to_pylist()
    # torchrun gives each process one thread, and sums of floats depend on the number of threads
    assert two.details["nll"].to_pylist() == pytest.approx(one.details["nll"].to_pylist())
    assert two.samples["outputs"].to_pylist() == one.samples["outputs"].to_pylist()
    for mine, other in zip(one.samples.to_pylist(), two.samples.to_pylist(), strict=True):
        assert (mine["benchmark"], mine["id"]) == (other["benchmark"], other["id"])
        assert mine["logliks"] is None or mine["logliks"] == pytest.approx(
            other["logliks"], abs=1e-4
        )
