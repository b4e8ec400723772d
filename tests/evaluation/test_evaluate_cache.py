"""Answers of a model are kept by content, for every shape: what is known is not computed again."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emma500.evaluation import evaluate as room
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.likelihood import OutputCache, TextCache
from tests.benchmarks.published_files import jsonl, lines

ROOT = Path(__file__).parents[2]
LANGUAGES = {"sw": "Maji", "th": "น้ำ"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two languages of a benchmark of each shape: choices, text as it is, outputs."""
    folder = tmp_path_factory.mktemp("cached")
    for code, word in LANGUAGES.items():
        rows = [
            {"premise": f"{word} {n}.", "choice1": "Ndiyo.", "choice2": "Hapana kabisa.", "question": "effect",
             "label": n % 2, "idx": n} for n in range(3)
        ]  # fmt: skip
        jsonl(folder / f"xcopa/data/{code}/test.{code}.jsonl", rows)
        lines(folder / f"text/{code}.txt", [f"{word} {n} na tena {word}." for n in range(3)])
        lines(folder / f"mgsm/mgsm_{code}.tsv", [f"{word} {n}?\t{n}" for n in range(3)])
    return folder


@pytest.fixture
def counted(monkeypatch):
    """Rows that the model is given, counted."""
    seen = []
    load = room._load

    def loading(*given):
        loaded = load(*given)
        loaded.model.register_forward_pre_hook(
            lambda _, args, kwargs: seen.append(
                (args[0] if args else kwargs["input_ids"]).shape[0]
            ),
            with_kwargs=True,
        )
        return loaded

    monkeypatch.setattr(room, "_load", loading)
    return seen


def config(data, cache, **options):
    return EvalConfig(
        data_dir=str(data), cache=None if cache is None else str(cache), max_length=64, max_new_tokens=4, device="cpu",
        **options,
    )  # fmt: skip


@pytest.mark.parametrize("benchmark", ["xcopa", "text", "mgsm"])
def test_a_second_run_asks_nothing_and_an_added_language_only_itself(
    tiny_model, data, tmp_path, counted, benchmark
):
    given = config(data, tmp_path / "answers.sqlite")
    first = evaluate(tiny_model, [benchmark], ["sw"], given)
    n_first = len(counted)
    assert n_first
    counted.clear()
    again = evaluate(tiny_model, [benchmark], ["sw"], given)
    assert counted == []
    assert again.rows == first.rows
    assert again.samples.equals(first.samples)
    assert again.details.equals(first.details)
    both = evaluate(tiny_model, [benchmark], ["sw", "th"], given)
    n_added = len(counted)
    counted.clear()
    alone = evaluate(tiny_model, [benchmark], ["th"], config(data, None))
    assert n_added == len(counted) > 0
    for row in (*first.rows, *alone.rows):
        value = both.value(benchmark, row["label"], row["metric"])
        assert value == pytest.approx(row["value"], rel=1e-5)


@pytest.mark.parametrize("benchmark", ["xcopa", "text", "mgsm"])
def test_another_model_or_type_is_asked_anew(
    tiny_model, other_model, data, tmp_path, counted, benchmark
):
    cache = tmp_path / "answers.sqlite"
    evaluate(tiny_model, [benchmark], ["sw"], config(data, cache))
    for model, options in ((other_model, {}), (tiny_model, {"dtype": "bfloat16"})):
        counted.clear()
        evaluate(model, [benchmark], ["sw"], config(data, cache, **options))
        assert counted, (benchmark, options)


def test_longer_outputs_and_other_windows_are_other_answers(tiny_model, data, tmp_path, counted):
    lines(tmp_path / "long" / "sw.txt", ["maji " * 40])
    for benchmark, one, other in (
        ("mgsm", {"max_new_tokens": 4}, {"max_new_tokens": 5}),
        (f"text={tmp_path / 'long'}", {"max_length": 64}, {"max_length": 32}),
    ):
        for options in (one, other):
            counted.clear()
            given = {"data_dir": str(data), "cache": str(tmp_path / "a.sqlite"), **options}
            evaluate(tiny_model, [benchmark], ["sw"], EvalConfig(**given))
            assert counted, options


def test_draws_after_one_prompt_are_kept_apart(tmp_path):
    from emma500.evaluation.tasks.generation import Sampling, Wanted, numbered, output_keys

    cache = OutputCache(tmp_path / "a.sqlite", "0" * 32)
    wanted = numbered([Wanted(prompt="a", max_tokens=4)] * 2)
    greedy = output_keys(cache, [[1], [1]], wanted, None)
    drawn = output_keys(cache, [[1], [1]], wanted, Sampling())
    assert len(set(greedy)) == 1
    assert len({*greedy, *drawn}) == 3
    assert len({*drawn, *output_keys(cache, [[1], [1]], wanted, Sampling(seed=7))}) == 4
    cache.add(zip(drawn, ["one", "two"], strict=True))
    assert cache.find([*drawn, *greedy]) == {0: "one", 1: "two"}


def test_the_kinds_of_answers_share_a_file(tmp_path):
    import numpy as np

    text = TextCache(tmp_path / "a.sqlite", "0" * 32)
    text.add([((0, np.array([1, 2])), 2.5)])
    text.close()
    OutputCache(tmp_path / "a.sqlite", "0" * 32).close()
    again = TextCache(tmp_path / "a.sqlite", "0" * 32)
    assert again.find([(64, np.array([1, 2])), (0, np.array([1, 2]))]) == {1: 2.5}


KILLED = """
import os, signal, sys
from emma500.evaluation import scoring
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.likelihood import cache
from emma500.evaluation.tasks import generation

model, data, file = sys.argv[1:]
cache._EVERY = 0.0
scoring.KEPT_AT_ONCE = 1
generation._BUDGETS["cpu"] = 1

def stop(description, done, total):
    if description.startswith("mgsm") and done == 2:
        os.kill(os.getpid(), signal.SIGKILL)

config = EvalConfig(data_dir=data, cache=file, max_length=64, max_new_tokens=4, device="cpu")
evaluate(model, ["text", "mgsm"], ["sw"], config, progress=stop)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tiny_model, data, tmp_path, counted):
    file = tmp_path / "answers.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tiny_model), str(data), str(file)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    resumed = evaluate(tiny_model, ["text", "mgsm"], ["sw"], config(data, file))
    n_resumed = len(counted)
    counted.clear()
    whole = evaluate(tiny_model, ["text", "mgsm"], ["sw"], config(data, None))
    assert 0 < n_resumed < len(counted)
    assert json.dumps(resumed.samples.to_pylist()) == json.dumps(whole.samples.to_pylist())
    assert resumed.details["nll"].to_pylist() == pytest.approx(
        whole.details["nll"].to_pylist(), rel=1e-5
    )
