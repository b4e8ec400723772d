import doctest
import importlib
import math
from typing import Any

import evaluate
import pytest

from emma500.errors import UsageError
from emma500.evaluation.metrics import MODULES, metric_path

TEXTS = ["abcd", "ọ̀", "abcdefgh"]  # 4, 5 and 8 bytes
NATS = [8 * math.log(2), 10 * math.log(2), 16 * math.log(2)]
INPUTS: dict[str, dict[str, Any]] = {
    "accuracy": {"predictions": [1, 0], "references": [1, 1]},
    "bits_per_byte": {"predictions": NATS, "references": TEXTS},
    "empty_rate": {"predictions": ["", "a"]},
    "nll": {"predictions": NATS},
    "pass_at_k": {"predictions": [[True, False], [False, False]]},
    "repetition_rate": {"predictions": ["a b c d a b c d"]},
    "right_language_rate": {
        "predictions": ["This is an English text."],
        "references": ["eng_Latn"],
    },
    "self_bleu": {"predictions": ["a b c d e", "a b c d f"]},
}
PAIR = {"predictions": ["the cat sat on 5 mats"], "references": ["the cat sat on 5 mats"]}


@pytest.mark.parametrize("name", MODULES)
def test_every_module_loads_by_its_path_without_a_network(name):
    metric = evaluate.load(metric_path(name), keep_in_memory=True)
    found = metric.compute(**INPUTS.get(name, PAIR))
    assert isinstance(found[name], float)
    assert {f"{name}_stderr", "n"} <= set(found)
    assert metric.description


def test_bits_per_byte_counts_utf8_bytes():
    metric = evaluate.load(metric_path("bits_per_byte"), keep_in_memory=True)
    found = metric.compute(**INPUTS["bits_per_byte"])
    assert found["bits_per_byte"] == pytest.approx(2.0)
    assert found["bits_per_byte_stderr"] == pytest.approx(0.0, abs=1e-12)
    assert found["n"] == 3


def test_batches_add_up(tmp_path):
    metric = evaluate.load(metric_path("nll"), cache_dir=str(tmp_path))
    for nats in NATS:
        metric.add(predictions=nats)
    assert metric.compute()["nll"] == pytest.approx(34 / 3 * math.log(2))


def test_options_go_to_the_function_and_several_references_are_taken():
    metric = evaluate.load(metric_path("chrf"), keep_in_memory=True)
    found = metric.compute(predictions=["a cat"], references=[["a dog", "a cat"]], word_order=0)
    assert found["chrf"] == pytest.approx(100.0)
    assert "nw:0" in found["signature"]


def test_metrics_combine():
    both = evaluate.combine([evaluate.load(metric_path(name)) for name in ("chrf", "rouge_l")])
    found = both.compute(**PAIR)
    assert (found["chrf"], found["rouge_l"]) == (pytest.approx(100.0), 1.0)


def test_an_unknown_metric_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=f"'meteor'; it is one of {', '.join(MODULES)}"):
        metric_path("meteor")


@pytest.mark.parametrize(
    "module",
    ["metrics.answers", "metrics.choices", "metrics.code", "metrics.measured", "metrics.outputs", "metrics.rouge",
     "metrics.translation", "sandbox.programs", "significance"],
)  # fmt: skip
def test_the_examples_in_the_documentation_are_true(module, monkeypatch):
    monkeypatch.delenv("HF_ALLOW_CODE_EVAL", raising=False)
    found = doctest.testmod(importlib.import_module(f"emma500.evaluation.{module}"))
    assert found.attempted > 0
    assert found.failed == 0
