import gc
import signal
import sqlite3

import pytest

from emma500.errors import StorageError
from emma500.evaluation.likelihood import (
    LikelihoodScorer,
    Request,
    ResponseCache,
    cache,
    encode_pairs,
    response_model,
    running,
)
from emma500.models import load_model, load_tokenizer

ONE, OTHER = "0" * 32, "1" * 32


@pytest.fixture(scope="module")
def model(tiny_model):
    return load_model(tiny_model)


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return load_tokenizer(tiny_model)


def pairs(tokenizer, language, n=6):
    return encode_pairs(
        tokenizer,
        [(f"{language} says {number} is", end) for number in range(n) for end in (" a", " bc")],
    )


def forbidden(*_, **__):
    raise AssertionError("the model was asked")


def test_what_was_scored_before_is_not_scored_again(model, tokenizer, tmp_path, monkeypatch):
    file = tmp_path / "responses" / "all.sqlite"
    wanted = pairs(tokenizer, "swh")
    first = LikelihoodScorer(model, cache=ResponseCache(file, ONE)).score(wanted)
    monkeypatch.setattr(running, "score_batch", forbidden)
    engine = LikelihoodScorer(model, cache=ResponseCache(file, ONE))
    assert engine.score(wanted) == first  # to the last bit
    assert engine.score(wanted[3:5]) == first[3:5]
    assert (engine.work.n_cached, engine.work.fed_tokens) == (len(wanted) + 2, 0)


def test_adding_a_language_computes_only_that_language(model, tokenizer, tmp_path):
    responses = ResponseCache(tmp_path / "all.sqlite", ONE)
    before, added = pairs(tokenizer, "swh"), pairs(tokenizer, "fin")
    LikelihoodScorer(model, cache=responses).score(before)
    engine = LikelihoodScorer(model, cache=responses)
    mixed = [each for pair in zip(before, added, strict=True) for each in pair]
    assert engine.score(mixed)[1::2] == pytest.approx(LikelihoodScorer(model).score(added))
    assert engine.work.n_cached == len(before)
    assert engine.work.naive_tokens == sum(
        len(each.context) + len(each.continuation) - 1 for each in added
    )


def test_another_model_dtype_or_tokenizer_has_other_responses(tokenizer, tmp_path):
    keys = {
        response_model("a@1", "float32", tokenizer),
        response_model("a@2", "float32", tokenizer),
        response_model("a@1", "bfloat16", tokenizer),
        response_model("a@1", "float32", tokenizer, bf16=True),
    }
    tokenizer.add_tokens(["<new>"])
    keys.add(response_model("a@1", "float32", tokenizer))
    assert len(keys) == 5


def test_the_response_of_one_model_is_not_that_of_another(model, tokenizer, tmp_path):
    file, wanted = tmp_path / "all.sqlite", pairs(tokenizer, "swh")
    LikelihoodScorer(model, cache=ResponseCache(file, ONE)).score(wanted)
    assert ResponseCache(file, OTHER).find(wanted) == {}
    assert len(ResponseCache(file, ONE).find(wanted)) == len(wanted)


def test_where_context_ends_is_part_of_the_content(model, tmp_path):
    responses = ResponseCache(tmp_path / "all.sqlite", ONE)
    LikelihoodScorer(model, cache=responses).score([Request((3, 4), (5,))])
    assert responses.find([Request((3,), (4, 5)), Request((3, 4, 5), (5,))]) == {}


def test_a_context_cut_to_another_length_is_another_context(model, tmp_path):
    file, long = tmp_path / "all.sqlite", Request((*range(3, 60),), (5, 6))
    values = {
        size: LikelihoodScorer(model, max_length=size, cache=ResponseCache(file, ONE)).score([long])
        for size in (16, 128)
    }
    assert values[16] != values[128]
    assert values[128] == pytest.approx(LikelihoodScorer(model).score([long]))
    again = LikelihoodScorer(model, max_length=16, cache=ResponseCache(file, ONE))
    assert again.score([long]) == values[16]
    assert again.work.n_cached == 1


def test_a_file_that_is_no_cache_is_named(tmp_path):
    file = tmp_path / "all.sqlite"
    file.write_bytes(b"not a database, but long enough to be taken for one" * 50)
    with pytest.raises(StorageError, match=r"all\.sqlite cannot be used .*name another file"):
        ResponseCache(file, ONE)
    with pytest.raises(StorageError, match=r"all\.sqlite/new cannot be written"):
        ResponseCache(file / "new", ONE)


def test_a_cache_that_nobody_closed_is_closed_when_nobody_holds_it(tmp_path):
    responses = ResponseCache(tmp_path / "all.sqlite", ONE)
    file = responses._file
    del responses
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        file.execute("SELECT 1")


def test_many_responses_are_found_in_several_queries(tmp_path, monkeypatch, model):
    monkeypatch.setattr(cache, "_AT_ONCE", 3)
    requests = [Request((3,), (n,)) for n in range(10, 20)]
    responses = ResponseCache(tmp_path / "all.sqlite", ONE)
    found = LikelihoodScorer(model, cache=responses).score(requests)
    assert [responses.find(requests)[n] for n in range(10)] == found
    responses.close()


SUICIDE = """
import os, signal
from pathlib import Path
from emma500.evaluation.likelihood import LikelihoodScorer, ResponseCache, cache
from emma500.models import load_model

def stop(_, done, __):
    if done >= 20:
        os.kill(os.getpid(), signal.SIGKILL)

cache._EVERY = 0.0
responses = ResponseCache(Path(file), "0" * 32)
engine = LikelihoodScorer(load_model(model), token_budget=16, share=False, cache=responses)
engine.score(requests, progress=stop)
"""


def test_a_killed_run_goes_on_where_it_was(tiny_model, model, tokenizer, tmp_path, forkserver):
    file = tmp_path / "all.sqlite"
    requests = encode_pairs(tokenizer, [("x" * n, " abc") for n in range(1, 60)])
    names = {"file": str(file), "model": str(tiny_model), "requests": requests}
    process = forkserver.Process(target=exec, args=(SUICIDE, names))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    engine = LikelihoodScorer(model, cache=ResponseCache(file, ONE))
    found = [each.loglikelihood for each in engine.score(requests)]
    assert engine.work.n_cached == 20
    expected = [each.loglikelihood for each in LikelihoodScorer(model).score(requests)]
    assert found == pytest.approx(expected, abs=1e-4)
