"""Model and benchmark from a Hub on loopback, read by the real clients in a process of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.loopback import LoopbackHub

ROOT = Path(__file__).parents[2]

CODE = """
import json, sys
from pathlib import Path
from huggingface_hub import HfApi
from emma500.evaluation.evaluate import EvalConfig, evaluate

model, texts = sys.argv[1:]
api = HfApi()
api.create_repo("tester/tiny")
api.upload_folder(repo_id="tester/tiny", folder_path=model)
api.create_repo("tester/quartet", repo_type="dataset")
api.upload_folder(repo_id="tester/quartet", repo_type="dataset", folder_path=texts, path_in_repo="data")
config = EvalConfig(max_length=128)
hub = evaluate("tester/tiny", ["text=hf://datasets/tester/quartet"], config=config)
disk = evaluate(model, [texts], config=config)
print(json.dumps({
    "model": hub.manifest["model"],
    "commit": api.model_info("tester/tiny").sha,
    "same": hub.details.drop("benchmark").equals(disk.details.drop("benchmark")),
    "names": [row["name"] for row in hub.manifest["benchmarks"]],
}))
"""


@pytest.fixture
def hub(tmp_path):
    server = LoopbackHub(tmp_path / "hub").start()
    yield server
    server.stop()


@pytest.mark.slow
def test_a_model_and_a_benchmark_on_the_hub_are_named_and_pinned(
    hub, tiny_model, parallel_texts, tmp_path
):
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.endpoint,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_TOKEN": hub.token,
        "HF_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tiny_model), str(parallel_texts)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["same"] is True
    assert found["model"]["name"] == "tester/tiny"
    assert found["model"]["revision"] == found["commit"]
    assert found["names"] == ["quartet"]
