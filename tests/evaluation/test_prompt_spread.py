import pytest

from emma500.benchmarks.prompt_variants import most_variants, variants
from emma500.benchmarks.registry import open_benchmark
from emma500.errors import ConfigError, UsageError
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.prompt_spread import prompt_spread, spread_rows
from emma500.evaluation.tasks.parts import gather_tasks
from emma500.evaluation.tasks.practice import practices
from emma500.tables import read_table
from tests.benchmarks.published_files import NAMES, write

WITH_SHOTS = {"belebele", "ntrex128", "tatoeba"}
"""Benchmarks whose small files have examples to show."""


def test_every_variant_belongs_to_a_prompt_and_is_unlike_the_others():
    names = {row["prompt"] for row in read_table("prompts")}
    seen = set()
    for row in read_table("prompt_variants"):
        assert row["prompt"] in names
        text = tuple(row[key] for key in ("prompt", "header", "query", "choice"))
        assert text not in seen
        seen.add(text)
    for name in names:
        numbers = variants(name)
        assert numbers == tuple(str(n + 1) for n in range(len(numbers)))


def test_all_stands_for_each_prompt_in_turn():
    names = [each.name for each in practices("fixed", ["prompt=all"])]
    assert names == ["fixed", *(f"fixed+prompt={n}" for n in range(2, most_variants() + 1))]
    assert [each.name for each in practices("both", ["prompt=2"])] == [
        "faithful+prompt=2", "fixed+prompt=2",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="prompt must be one of 1, not '99': which prompt"):
        practices("fixed", ["prompt=99"])


@pytest.mark.parametrize("mode", ["both", "lm-eval"])
def test_every_variant_can_be_filled_with_the_items_of_its_benchmarks(tmp_path, mode):
    switches = ["prompt=all", "bleu_units=13a"]
    with_variants = {row["prompt"] for row in read_table("prompt_variants")}
    filled = set()
    for name in NAMES:
        if name in {"pbc", "glot500"}:
            continue
        names = [f"{name}-eng-x"] if name in {"flores200", "ntrex128", "tatoeba"} else [name]
        benchmark = open_benchmark(*names, data_dir=str(write(name, tmp_path / name)))
        tasks = gather_tasks(
            [benchmark],
            None,
            practices(mode, switches),
            shots=int(name in WITH_SHOTS),
            limit=1,
        )
        for part in tasks.parts:
            drawn = part.examples[0], part.shots[0]
            options = part.prompt.options(part.examples[0])
            pairs = part.prompt.pairs(*drawn) if options else [(part.prompt.context(*drawn), "")]
            assert len(set(pairs)) == len(pairs), (name, part.practice.name)
            filled.add(part.prompt.name)
    assert with_variants - {"sib200"} <= filled


def test_the_spread_is_that_of_the_values_by_language_and_of_their_mean():
    values = {"fixed": (0.2, 0.4), "fixed+prompt=2": (0.5, 0.3), "fixed+prompt=3": (0.2, 0.2)}
    base = {"benchmark": "b", "metric": "accuracy", "stderr": 0.1}
    manifest = {
        "results": [
            {**base, "mode": mode, "label": label, "value": value}
            for mode, pair in values.items()
            for label, value in zip(("x", "y"), pair, strict=True)
        ],
        "aggregates": [
            {**base, "mode": mode, "group": "all", "value": sum(pair) / 2}
            for mode, pair in values.items()
        ],
    }
    mean, x, y = spread_rows(manifest)
    assert (mean["label"], mean["n_prompts"], mean["lowest_prompt"], mean["highest_prompt"]) == (
        "all",
        3,
        "3",
        "2",
    )
    assert mean["spread"] == pytest.approx(0.2)
    assert (x["lowest"], x["highest"], x["highest_prompt"]) == (0.2, 0.5, "2")
    assert x["stdev"] == pytest.approx(0.03**0.5)
    assert (y["spread"], y["mode"]) == (pytest.approx(0.2), "fixed")
    assert spread_rows({"results": manifest["results"][:2], "aggregates": []}) == []


def test_a_model_is_asked_with_every_prompt_that_a_benchmark_has(tiny_model, tmp_path):
    for name in ("xcopa", "taxi1500"):
        write(name, tmp_path / name)
    scores = evaluate(
        tiny_model,
        ["xcopa", "taxi1500"],
        config=EvalConfig(data_dir=str(tmp_path), switches=["prompt=all"], shots=0, limit=2),
    )
    modes = {
        name: {row["mode"] for row in scores.rows if row["benchmark"] == name}
        for name in ("xcopa", "taxi1500")
    }
    assert len(modes["xcopa"]) == 3
    assert len(modes["taxi1500"]) == 5
    spread = prompt_spread(scores)
    taxi = spread[(spread.benchmark == "taxi1500") & (spread.metric == "accuracy")]
    assert taxi.n_prompts.tolist() == [5] * len(taxi)
    prompts = {
        row["mode"]: row["prompt"]
        for row in scores.samples.to_pylist()
        if row["benchmark"] == "taxi1500"
    }
    assert len(set(prompts.values())) == 5
    assert prompts["fixed+prompt=2"].endswith("\nTopic:")
    assert "taxi1500 (fixed), accuracy under 5 prompts" in repr(scores)
    with pytest.raises(ConfigError, match="the prompt xcopa has no variant '5'; it has 1, 2, 3"):
        evaluate(
            tiny_model, ["xcopa"], config=EvalConfig(data_dir=str(tmp_path), switches=["prompt=5"])
        )
    with pytest.raises(UsageError, match="several prompts: evaluate with switches"):
        prompt_spread(
            evaluate(tiny_model, ["xcopa"], config=EvalConfig(data_dir=str(tmp_path), limit=1))
        )


@pytest.mark.parametrize(
    ("mode", "switches", "modes"),
    [
        ("both", ["prompt=all"], ["faithful"]),
        ("faithful", ["prompt=2"], ["faithful"]),
        ("fixed", ["prompt=all", "nll_windows=mean_sum"], ["fixed+nll_windows=mean_sum"]),
        ("fixed", ["prompt=all"], []),
    ],
)
def test_texts_have_no_prompts_and_their_windows_are_added_up_once(
    tiny_model, parallel_texts, mode, switches, modes
):
    config = EvalConfig(mode=mode, switches=switches, limit=1, max_length=64)
    scores = evaluate(tiny_model, [str(parallel_texts)], ["yor", "swa"], config)
    found = [row for row in scores.rows if row["metric"] == "nll_window_sum"]
    assert [(row["label"], row["mode"]) for row in found] == [
        (label, each) for each in modes for label in ("swa_Latn", "yor_Latn")
    ]
    means = [row for row in scores.aggregates if row["metric"] == "nll_window_sum"]
    assert [row["mode"] for row in means if row["group"] == "all"] == modes
    for mean in means:
        own = [row["value"] for row in found if mean["group"] in ("all", row["resource_group"])]
        assert (mean["value"], mean["n_labels"]) == (pytest.approx(sum(own) / len(own)), len(own))
    assert ("mean losses of windows added up" in repr(scores)) == bool(modes)
