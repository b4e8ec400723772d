import numpy as np
import pytest

from emma500.errors import ConfigError, FailureError
from emma500.evaluation.likelihood import (
    LikelihoodScorer,
    Request,
    batches,
    encode_pairs,
    forward,
    running,
    scorer,
)
from emma500.models import load_model, load_tokenizer

SHOTS = "The topic of 'winds rise' is weather. The topic of 'they won again' is sports. "
LABELS = [" sports", " weather", " s", " weathering"]


@pytest.fixture(scope="module")
def model(tiny_model):
    return load_model(tiny_model)


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return load_tokenizer(tiny_model)


@pytest.fixture(scope="module")
def requests(tokenizer):
    """Nine items of four choices after the same examples, two of them equal, and texts without a context."""
    items = [SHOTS + f"The topic of '{'ab' * n} {n}' is" for n in (1, 2, 3, 4, 5, 20, 30, 2)]
    pairs = [(item, label) for item in items for label in LABELS]
    return encode_pairs(tokenizer, [*pairs, ("", "Ẹ káàárọ̀"), ("", "x"), (SHOTS, "The")])


def alone(model, request):
    """The log-likelihood of one request by itself, and whether it is the greedy continuation."""
    import torch

    whole = torch.tensor([[*request.context, *request.continuation]])
    with torch.no_grad():
        rows = model(input_ids=whole[:, :-1]).logits[0].float().log_softmax(-1)
    rows, wanted = rows[-len(request.continuation) :], whole[0, -len(request.continuation) :]
    return rows.gather(-1, wanted[:, None]).sum().item(), bool((rows.argmax(-1) == wanted).all())


def values(scored):
    return np.array([each.loglikelihood for each in scored])


@pytest.mark.parametrize("token_budget", [16, 64, 256, 4096])
@pytest.mark.parametrize("share", [True, False])
def test_results_are_those_of_each_request_alone_whatever_is_shared(
    model, requests, token_budget, share
):
    found = LikelihoodScorer(model, token_budget=token_budget, share=share).score(requests)
    expected = [alone(model, request) for request in requests]
    assert values(found) == pytest.approx([value for value, _ in expected], abs=2e-4)
    assert [each.is_greedy for each in found] == [greedy for _, greedy in expected]
    assert [each.n_tokens for each in found] == [len(each.continuation) for each in requests]


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_rows_side_by_side_and_kept_prefixes_change_nothing(
    tiny_model, requests, attention, monkeypatch
):
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr(scorer, "_ROW", 64)
    monkeypatch.setattr(batches, "MOST_PADDING", 0.5)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, attn_implementation=attention)
    engine = LikelihoodScorer(model, token_budget=512)
    found = engine.score(requests)
    assert engine.work.n_batches < 8  # several rows each
    assert values(found) == pytest.approx([alone(model, each)[0] for each in requests], abs=2e-4)


def test_what_requests_share_is_fed_once_and_nothing_is_padded(model, requests):
    engine = LikelihoodScorer(model, token_budget=256)
    engine.score(requests)
    distinct = {
        (*each.context, *each.continuation)[:end]
        for each in requests
        for end in range(1, len(each.context) + len(each.continuation))
    }
    assert len(distinct) <= engine.work.fed_tokens < 1.05 * len(distinct)
    assert engine.work.fed_tokens < 0.15 * engine.work.naive_tokens
    assert engine.work.padding_tokens == 0


def test_the_output_layer_sees_the_targets_only(model, requests):
    sizes = []
    handle = model.get_output_embeddings().register_forward_hook(
        lambda _, __, output: sizes.append(output.shape[-2])
    )
    engine = LikelihoodScorer(model, token_budget=256)
    engine._is_tree_model = True  # no check of the model among the counts
    engine.score(requests)
    handle.remove()
    assert sum(sizes) == engine.work.target_rows < engine.work.fed_tokens / 2


def test_padding_of_plain_rows_stays_below_three_percent(model, requests):
    engine = LikelihoodScorer(model, token_budget=2048, share=False)
    engine.score(requests)
    assert engine.work.padding_tokens <= 0.03 * engine.work.fed_tokens


@pytest.mark.parametrize("refuses", ["flash", "window", "nothing shared"])
def test_plain_rows_where_no_tree_is_possible_or_worth_it(
    model, requests, tokenizer, refuses, monkeypatch
):
    engine = LikelihoodScorer(model, token_budget=256)
    if refuses == "flash":
        monkeypatch.setattr(model.config, "_attn_implementation_internal", "flash_attention_2")
        monkeypatch.setattr(scorer, "plain_batches", _with_sdpa(model, monkeypatch))
    if refuses == "window":
        monkeypatch.setattr(model.config, "sliding_window", 40, raising=False)
    if refuses == "nothing shared":
        requests = encode_pairs(tokenizer, [("", f"{n} bottles") for n in range(9)])
    monkeypatch.setattr(scorer, "tree_batches", None)
    assert values(engine.score(requests)) == pytest.approx(
        [alone(model, each)[0] for each in requests], abs=2e-4
    )


def _with_sdpa(model, monkeypatch):
    def run(*arguments, **options):
        monkeypatch.setattr(model.config, "_attn_implementation_internal", "sdpa")
        return running.plain_batches(*arguments, **options)

    return run


def test_a_recurrent_model_is_found_out_and_gets_plain_rows(requests):
    from transformers import MambaConfig, MambaForCausalLM

    model = MambaForCausalLM(
        MambaConfig(
            vocab_size=300, hidden_size=16, state_size=4, num_hidden_layers=2, initializer_range=0.5
        )
    )
    engine = LikelihoodScorer(model.eval(), token_budget=256, max_length=512)
    assert not running.keeps_branches_apart(model)
    found = engine.score(requests[:8])
    assert values(found) == pytest.approx(
        [alone(model, each)[0] for each in requests[:8]], abs=2e-4
    )


def test_the_log_softmax_is_taken_in_float32_of_bfloat16_weights(tiny_model, requests):
    import torch

    model = load_model(tiny_model, dtype="bfloat16")
    found = values(LikelihoodScorer(model, token_budget=256).score(requests))
    exact = np.array([alone(model, each)[0] for each in requests])
    assert np.abs(found - exact).max() < 0.5
    single = [Request(each.context, each.continuation[:1]) for each in requests]
    found = values(LikelihoodScorer(model, token_budget=256).score(single))
    on_grid = torch.tensor(found).bfloat16().double().numpy() == found
    assert on_grid.mean() < 0.1  # where bfloat16 is summed, all are


def test_matrix_products_in_bfloat16_stay_close(model, requests):
    found = values(LikelihoodScorer(model, token_budget=256, bf16=True).score(requests))
    assert found == pytest.approx([alone(model, each)[0] for each in requests], abs=0.5)
    assert forward.takes_masks(model, 10)


def test_contexts_beyond_the_window_are_cut_on_the_left_and_counted(model):
    long, short = Request(tuple(range(3, 60)), (7, 8)), Request((3, 4), (7, 8))
    engine = LikelihoodScorer(model, max_length=20)
    found = engine.score([long, short])
    assert engine.work.n_truncated == 1
    assert found[0].loglikelihood == pytest.approx(
        alone(model, Request(long.context[-19:], long.continuation))[0], abs=1e-4
    )
    assert found[1].loglikelihood == pytest.approx(alone(model, short)[0], abs=1e-4)


def test_a_continuation_beyond_the_window_is_refused(model):
    with pytest.raises(
        ConfigError, match=r"a continuation has 30 tokens, but the model takes at most 20"
    ):
        LikelihoodScorer(model, max_length=20).score([Request((3,), tuple(range(3, 33)))])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_length": 4096}, "max_length is 4096: .* at most 2048"),
        ({"max_length": 1}, "it must be 2 at least"),
        ({"token_budget": 3}, "token_budget is 3: it must be at least 16"),
    ],
)
def test_settings_that_cannot_be_are_refused(model, options, told):
    with pytest.raises(ConfigError, match=told):
        LikelihoodScorer(model, **options)


def test_no_requests_are_no_results(model):
    assert LikelihoodScorer(model).score([]) == []


def test_a_log_likelihood_that_is_no_number_names_the_item(tiny_model, requests):
    model = load_model(tiny_model)
    model.lm_head.weight.data[:] = float("nan")
    names = [f"sib200 eng_Latn {n}" for n in range(len(requests))]
    with pytest.raises(FailureError, match=r"log-likelihood of sib200 eng_Latn \d+ is nan"):
        LikelihoodScorer(model, share=False).score(requests, names=names)
    with pytest.raises(FailureError, match=r"log-likelihood of request \d+ is nan"):
        LikelihoodScorer(model).score(requests[:4])


def test_where_memory_runs_out_the_budget_is_halved_and_nothing_counts_twice(
    model, requests, monkeypatch
):
    engine = LikelihoodScorer(model, token_budget=128)
    monkeypatch.setattr(running, "score_batch", _short_of_memory(most=64))
    with pytest.warns(UserWarning, match="memory ran out: going on with batches of 64 tokens"):
        found = engine.score(requests)
    assert engine.token_budget == 64
    assert values(found) == pytest.approx([alone(model, each)[0] for each in requests], abs=2e-4)


def _short_of_memory(most):
    import torch

    def run(model, batch, kept, **options):
        if kept and batch.ids.size > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return forward.score_batch(model, batch, kept, **options)

    return run


@pytest.mark.filterwarnings("ignore:memory ran out")
def test_memory_that_never_suffices_is_an_error_with_a_way_out(model, requests, monkeypatch):
    def never(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9")

    monkeypatch.setattr(running, "score_batch", never)
    with pytest.raises(FailureError, match="batches of 16 tokens: take a smaller dtype"):
        LikelihoodScorer(model, token_budget=64).score(requests)


def test_any_other_error_of_the_model_is_not_taken_for_a_lack_of_memory(
    model, requests, monkeypatch
):
    def broken(*_, **__):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(running, "score_batch", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        LikelihoodScorer(model, share=False).score(requests)


def test_progress_ends_with_all_requests(model, requests):
    seen = []
    LikelihoodScorer(model).score(requests, progress=lambda *each: seen.append(each))
    assert seen[-1] == ("scoring", len(requests), len(requests))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_a_model_in_training_is_scored_in_evaluation_mode_and_given_back(model, requests):
    model.train()
    LikelihoodScorer(model).score(requests[:2])
    assert model.training
    model.eval()
