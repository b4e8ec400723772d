"""Scoring in two processes, started as `accelerate launch` starts them (here: torchrun, over gloo on the CPU)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emma500.evaluation.likelihood import LikelihoodScorer, Request
from emma500.evaluation.likelihood.scorer import _share_of
from emma500.models import load_model

SCRIPT = """
import json, sys
from emma500.evaluation.likelihood import LikelihoodScorer, Request
from emma500.models import load_model
from emma500.processes import process_state

requests = [Request((5, 6, 7, n), (9, n)) for n in range(10, 21)]
engine = LikelihoodScorer(load_model(sys.argv[1]))
found = [each.loglikelihood for each in engine.score(requests)]
with open(f"{sys.argv[2]}/{process_state().process_index}.json", "w") as file:
    json.dump([found, engine.work.n_requests], file)
process_state().destroy_process_group()
"""


def test_two_processes_score_half_each_and_both_have_all(tiny_model, tmp_path):
    script = tmp_path / "score.py"
    script.write_text(SCRIPT)
    root = str(Path(__file__).parents[2])
    subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
            str(script), str(tiny_model), str(tmp_path),
        ],
        check=True, capture_output=True, env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    requests = [Request((5, 6, 7, n), (9, n)) for n in range(10, 21)]
    expected = [
        each.loglikelihood for each in LikelihoodScorer(load_model(tiny_model)).score(requests)
    ]
    counts = []
    for process in range(2):
        found, count = json.loads((tmp_path / f"{process}.json").read_text())
        assert found == pytest.approx(expected, abs=1e-4)
        counts.append(count)
    assert sum(counts) == 11
    assert min(counts) >= 5


def test_every_request_belongs_to_one_process():
    for n_requests in (0, 1, 2, 7):
        requests = [Request((1,) * (n + 1), (2,)) for n in range(n_requests)]
        for n_processes in (1, 2, 3, 5):
            parts = [requests[_share_of(requests, n, n_processes)] for n in range(n_processes)]
            assert [each for part in parts for each in part] == requests
