import sys
from types import ModuleType, SimpleNamespace

import pytest

from emma500.errors import ConfigError, FailureError, MissingExtraError
from emma500.evaluation.tasks.generation import (
    Generated,
    Sampling,
    TransformersGenerator,
    Wanted,
)
from emma500.evaluation.tasks.stopping import cut
from emma500.models import load_model, load_tokenizer

PROMPTS = ["One.", "A somewhat longer prompt than the first.", "Two words", ""]


@pytest.fixture(scope="module")
def model(tiny_model):
    return load_model(tiny_model)


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return load_tokenizer(tiny_model)


def generator(model, tokenizer, **options):
    return TransformersGenerator(model, tokenizer, **({"max_length": 256} | options))


def wanted(max_tokens=12, stops=()):
    return [Wanted(prompt=prompt, stops=stops, max_tokens=max_tokens) for prompt in PROMPTS]


def test_outputs_do_not_depend_on_the_batch_and_keep_their_order(model, tokenizer):
    together = generator(model, tokenizer).generate(wanted())
    alone = generator(model, tokenizer, token_budget=1).generate(wanted())
    assert [each.text for each in together] == [each.text for each in alone]
    one_by_one = [generator(model, tokenizer).generate([each])[0] for each in wanted()]
    assert one_by_one == together


def test_greedy_outputs_are_the_likeliest_tokens(model, tokenizer):
    import torch

    ids = tokenizer("One.", return_tensors="pt")["input_ids"]
    for _ in range(12):
        with torch.no_grad():
            ids = torch.cat([ids, model(ids).logits[:, -1:].argmax(-1)], dim=1)
        if int(ids[0, -1]) == tokenizer.eos_token_id:
            break
    expected = tokenizer.decode(ids[0, 4:].tolist(), skip_special_tokens=True)
    assert generator(model, tokenizer).generate(wanted())[0].text == expected


def test_a_model_that_penalises_repetition_by_default_is_not_let(model, tokenizer, monkeypatch):
    expected = generator(model, tokenizer).generate(wanted())
    monkeypatch.setattr(model.generation_config, "repetition_penalty", 5.0)
    monkeypatch.setattr(model.generation_config, "no_repeat_ngram_size", 1)
    assert generator(model, tokenizer).generate(wanted()) == expected


def test_sampling_repeats_with_its_seed_and_differs_with_another(model, tokenizer):
    runs = [
        [
            each.text
            for each in generator(model, tokenizer).generate(
                wanted(), Sampling(seed=seed, temperature=1.0)
            )
        ]
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_an_output_ends_before_the_first_stop(model, tokenizer):
    whole = generator(model, tokenizer).generate(wanted())[1].text
    stop = whole[len(whole) // 2 : len(whole) // 2 + 2]
    found = generator(model, tokenizer).generate(wanted(stops=(stop,)))[1].text
    assert found == whole[: whole.find(stop)]
    assert cut("a\nb: c", ("b:", "\n")) == "a"


def test_a_prompt_without_room_for_its_output_loses_its_start(model, tokenizer):
    long, short = (Wanted(prompt=text, max_tokens=6) for text in ("x" * 300 + "tail.", "tail."))
    found = generator(model, tokenizer, max_length=11).generate([long, short])
    assert [each.is_truncated for each in found] == [True, False]
    assert found[0].text == found[1].text
    with pytest.raises(ConfigError, match="leaves no room for a prompt in 5 tokens"):
        generator(model, tokenizer, max_length=5).generate([short])


def test_where_memory_runs_out_the_batch_is_halved_and_said_so(model, tokenizer, monkeypatch):
    tried = []
    run = TransformersGenerator._run

    def tight(self, prompts, *rest):
        tried.append(prompts)
        if len(prompts) > 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return run(self, prompts, *rest)

    expected = [each.text for each in generator(model, tokenizer).generate(wanted())]
    monkeypatch.setattr(TransformersGenerator, "_run", tight)
    with pytest.warns(UserWarning, match="memory ran out with . prompts a batch"):
        found = generator(model, tokenizer, token_budget=1 << 16).generate(wanted())
    assert [each.text for each in found] == expected
    assert len(tried[0]) == 4
    assert len(set(map(str, tried))) == len(tried)  # no batch was tried twice
    monkeypatch.setattr(
        TransformersGenerator, "_run", lambda *_: _raise(RuntimeError("out of memory"))
    )
    with pytest.raises(FailureError, match="memory runs out with one prompt a batch"):
        generator(model, tokenizer, token_budget=1).generate(wanted())


def _raise(error):
    raise error


def test_vllm_is_an_extra_that_is_named(tokenizer):
    from emma500.evaluation.tasks.vllm_generation import VllmGenerator

    with pytest.raises(MissingExtraError, match=r"pip install 'emma500\[vllm\]'"):
        VllmGenerator("nowhere", revision=None, tokenizer=tokenizer, max_length=64)


def test_vllm_is_given_tokens_and_asked_for_what_is_not_kept(tokenizer, monkeypatch, tmp_path):
    """By a stand-in for vLLM, which needs a GPU: what it is asked, and in which order its answers come back."""
    asked = []

    class Engine:
        def __init__(self, **options):
            assert options == {
                "model": "folder",
                "revision": None,
                "tokenizer_revision": None,
                "dtype": "float16",
                "max_model_len": 40,
            }

        def generate(self, prompts, parameters, use_tqdm):
            asked.append([len(each["prompt_token_ids"]) for each in prompts])
            assert {each["temperature"] for each in parameters} == {0.0}
            texts = [f"{len(each['prompt_token_ids'])} END more" for each in prompts]
            return [SimpleNamespace(outputs=[SimpleNamespace(text=text)]) for text in texts]

    stand_in = ModuleType("vllm")
    stand_in.__dict__.update(LLM=Engine, SamplingParams=dict)
    monkeypatch.setitem(sys.modules, "vllm", stand_in)
    from emma500.evaluation.likelihood import OutputCache
    from emma500.evaluation.tasks.vllm_generation import VllmGenerator

    options = {"revision": None, "tokenizer": tokenizer, "max_length": 40, "dtype": "float16"}
    kept = OutputCache(tmp_path / "answers.sqlite", "0" * 32)
    writer = VllmGenerator("folder", **options, cache=kept)
    wanted = [Wanted(prompt="x" * n, stops=("END",), max_tokens=8) for n in (5, 60)]
    first = writer.generate(wanted)
    assert [each.text for each in first] == ["5 ", "32 "]
    assert [each.is_truncated for each in first] == [False, True]
    added = Wanted(prompt="new", stops=("END",), max_tokens=8)
    assert writer.generate([*wanted, added]) == [*first, Generated("3 ", False)]
    assert asked == [[5, 32], [3]]
