"""Several draws after one prompt: none is another one's, whichever process drew it and whatever was known before."""

import sys
from types import ModuleType, SimpleNamespace

import accelerate.utils
import pytest

from emma500.evaluation.likelihood import OutputCache
from emma500.evaluation.tasks import running
from emma500.evaluation.tasks.generation import (
    Generated,
    Sampling,
    TransformersGenerator,
    Wanted,
    draw_seed,
    numbered,
)
from emma500.evaluation.tasks.vllm_generation import VllmGenerator
from emma500.models import load_model, load_tokenizer

SAMPLING = Sampling(temperature=1.0)
N = 4


@pytest.fixture(scope="module")
def parts(tiny_model):
    return load_model(tiny_model), load_tokenizer(tiny_model)


def draws():
    return [Wanted(prompt="def f():", max_tokens=12)] * N


def drawn_by(process, generator, monkeypatch):
    """What one of two processes draws, without the other."""
    state = SimpleNamespace(num_processes=2, process_index=process, is_main_process=process == 0)
    own = list[list[Generated]]()

    def gathered(found):
        own.extend(found)
        return [found[0], found[0]]

    monkeypatch.setattr(running, "process_state", lambda: state)
    monkeypatch.setattr(accelerate.utils, "gather_object", gathered)
    running._shared(generator, draws(), SAMPLING, None)
    return [each.text for each in own[0]]


def test_two_processes_draw_other_outputs_after_the_same_prompt(parts, monkeypatch):
    generator = TransformersGenerator(*parts, max_length=64)
    found = [*drawn_by(0, generator, monkeypatch), *drawn_by(1, generator, monkeypatch)]
    assert len(set(found)) == N


def test_what_one_process_kept_is_no_draw_of_the_other(parts, monkeypatch, tmp_path):
    kept = OutputCache(tmp_path / "answers.sqlite", "0" * 32)
    generator = TransformersGenerator(*parts, max_length=64, cache=kept)
    first = drawn_by(0, generator, monkeypatch)
    monkeypatch.undo()
    whole = [each.text for each in running._shared(generator, draws(), SAMPLING, None)]
    assert [whole[0], whole[2]] == first
    assert len(set(whole)) == N
    kept.close()


def test_the_seed_of_a_draw_is_its_prompt_and_number():
    one, two = numbered(draws())[:2]
    assert (one.draw, two.draw) == (0, 1)
    assert draw_seed(SAMPLING, [[1]], [one]) == draw_seed(SAMPLING, [[1]], [one])
    others = [([2], one, SAMPLING), ([1], two, SAMPLING), ([1], one, Sampling(seed=7))]
    seeds = {draw_seed(sampling, [ids], [each]) for ids, each, sampling in others}
    assert len(seeds | {draw_seed(SAMPLING, [[1]], [one])}) == N


def test_vllm_goes_on_with_the_draws_that_are_missing(parts, monkeypatch, tmp_path):
    """By a stand-in for vLLM that answers with the seed: a run that was killed must not draw the same ones again."""
    engines = []

    class Engine:
        def __init__(self, **options):
            engines.append(options)

        def generate(self, prompts, parameters, use_tqdm):
            return [
                SimpleNamespace(outputs=[SimpleNamespace(text=str(each["seed"]))])
                for each in parameters
            ]

    stand_in = ModuleType("vllm")
    stand_in.__dict__.update(LLM=Engine, SamplingParams=dict)
    monkeypatch.setitem(sys.modules, "vllm", stand_in)
    wanted = numbered(draws())
    kept = OutputCache(tmp_path / "answers.sqlite", "0" * 32)
    options = {"revision": None, "tokenizer": parts[1], "max_length": 64}
    whole = VllmGenerator("folder", **options).generate(wanted, SAMPLING)
    VllmGenerator("folder", **options, cache=kept).generate(wanted[: N // 2], SAMPLING)
    assert VllmGenerator("folder", **options, cache=kept).generate(wanted, SAMPLING) == whole
    assert len({each.text for each in whole}) == N
    n_engines = len(engines)
    assert VllmGenerator("folder", **options, cache=kept).generate(wanted, SAMPLING) == whole
    assert len(engines) == n_engines  # nothing to generate, no engine
    kept.close()
