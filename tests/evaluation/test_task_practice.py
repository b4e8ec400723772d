import random
from types import SimpleNamespace

import numpy as np
import pytest

from emma500.benchmarks.base import Example
from emma500.errors import ConfigError
from emma500.evaluation.likelihood import LikelihoodScorer, Scored
from emma500.evaluation.tasks.choices import ask, measure
from emma500.evaluation.tasks.outputs import measure as measure_outputs
from emma500.evaluation.tasks.outputs import measure_code
from emma500.evaluation.tasks.parts import Part, gather_tasks
from emma500.evaluation.tasks.practice import practices
from emma500.evaluation.tasks.results import Answered, mean_rows, measured_again, result_rows
from emma500.evaluation.tasks.shots import shots_of, without_itself
from emma500.evaluation.tasks.windows import window_nll, windows
from emma500.models import load_model, load_tokenizer

LABELS = (
    "science/technology",
    "travel",
    "politics",
    "sports",
    "health",
    "entertainment",
    "geography",
)


def example(n, **parts):
    return Example(
        id=f"e{n}", label="eng_Latn", parallel_id=f"p{n}", **({"fields": {"text": f"t{n}"}} | parts)
    )


def part_of(
    mode, *changes, name="sib200", shape="classification", metrics="accuracy", examples=(), **row
):
    from emma500.benchmarks.prompts import load_prompt

    (practice,) = practices(mode, changes)
    data = SimpleNamespace(revision="r1")
    benchmark = SimpleNamespace(name=name, shape=shape, row={"metrics": metrics, **row}, data=data)
    return Part(
        benchmark=benchmark, label="eng_Latn", practice=practice, prompt=load_prompt(name, mode, "eng_Latn"),
        examples=tuple(examples), shots=tuple(() for _ in examples), digest="d" * 32,
    )  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return load_tokenizer(tiny_model)


def test_the_paper_draws_the_shots_of_each_item_as_pandas_does():
    import pandas as pd

    (faithful,) = practices("faithful")
    pool = [example(n) for n in range(701)]
    drawn = shots_of(pool, 5, 3, practice=faithful, shape="classification", seed=0)
    random.seed(42)
    seeds = [random.randint(0, 1000) for _ in range(5)]
    frame = pd.DataFrame({"n": range(701)})
    for shots, seed in zip(drawn, seeds, strict=True):
        expected = frame.sample(n=3, random_state=seed)["n"].tolist()
        assert [int(each.id[1:]) for each in without_itself(shots, example(-1), 3)] == expected
        left = without_itself(
            shots, shots[0], 3
        )  # where the item is among the pool, another stands in
        assert [int(each.id[1:]) for each in left[:2]] == expected[1:]
        assert len(left) == 3


def test_the_paper_draws_the_shots_of_translations_once_a_language_with_replacement():
    (faithful,) = practices("faithful")
    drawn = shots_of(
        [example(n) for n in range(997)], 4, 3, practice=faithful, shape="translation", seed=0
    )
    random.seed(42)
    random.seed(random.randint(0, 1000))
    expected = [random.randint(0, 996) for _ in range(3)]
    first = [without_itself(shots, example(-1), 3) for shots in drawn]
    assert [[int(each.id[1:]) for each in shots] for shots in first] == [expected] * 4
    pool = [example(n) for n in range(3)]  # of so few, some are drawn twice
    for shots, item in zip(
        shots_of(pool, 3, 3, practice=faithful, shape="translation", seed=0), pool, strict=True
    ):
        assert len(without_itself(shots, item, 3)) == 3


def test_fixed_shots_are_the_same_in_all_languages_and_never_the_item_itself():
    (fixed,) = practices("fixed")
    one, other = (
        [example(n, fields={"text": f"{word} {n}"}) for n in range(40)] for word in ("one", "moja")
    )
    options = {"practice": fixed, "shape": "choice", "seed": 7}
    found = shots_of(one, 2, 3, **options)
    assert [each.id for each in found[0]] == [
        each.id for each in shots_of(other, 2, 3, **options)[1]
    ]
    assert found[0] != shots_of(one, 2, 3, practice=fixed, shape="choice", seed=8)[0]
    left = without_itself(found[0], found[0][1], 3)
    assert (len(left), found[0][1] in left) == (3, False)
    (first,) = practices("lm-eval")
    assert [each.id for each in shots_of(one, 1, 2, practice=first, shape="choice", seed=7)[0]][
        :2
    ] == ["e0", "e1"]


def test_too_few_shots_are_refused():
    (fixed,) = practices("fixed")
    with pytest.raises(ConfigError, match=r"there are 2 examples to show, not 3: .* shots=2"):
        shots_of([example(0), example(1)], 5, 3, practice=fixed, shape="choice", seed=7)


def test_switches_are_named_in_the_mode_where_they_differ():
    assert [each.name for each in practices("both", ["ties=first"])] == [
        "faithful+ties=first",
        "fixed+ties=first",
    ]
    assert practices("fixed", ["ties=split"])[0].name == "fixed"
    assert practices("fixed", ["samples=10"])[0]["samples"] == "10"


def test_the_paper_scores_the_last_piece_of_a_label_and_fixed_the_whole(tokenizer):
    items = [example(1, targets=("science/technology",))]
    (whole,) = ask(part_of("fixed", examples=items), tokenizer, 2048)
    (last,) = ask(part_of("faithful", examples=items), tokenizer, 2048)
    assert tokenizer.decode(whole.requests[0].continuation) == " science/technology"
    assert [tokenizer.decode(each.continuation) for each in last.requests] == [
        label[-1] for label in LABELS
    ]
    assert tokenizer.decode(last.requests[0].context).endswith('"t1" is\n')


def test_between_equal_scores_each_mode_has_its_winner(tokenizer):
    items = [example(n, targets=(label,)) for n, label in enumerate(LABELS)]
    values = {}
    for mode, *changes in (("fixed",), ("lm-eval",), ("faithful",), ("fixed", "ties=last_label")):
        part = part_of(mode, *changes, examples=items)
        (found,) = measure(part, ask(part, tokenizer, 2048), [[-1.0] * 7] * 7)
        values[part.practice.name] = found.each.tolist()
    assert values["fixed"] == pytest.approx([1 / 7] * 7)
    assert values["lm-eval"] == [1, 0, 0, 0, 0, 0, 0]
    travel = [0, 1, 0, 0, 0, 0, 0]
    assert values["faithful"] == values["fixed+ties=last_label"] == travel


def test_the_paper_cuts_the_end_of_a_long_prompt_and_the_harness_its_start(tokenizer):
    items = [example(1, fields={"text": "x" * 300 + "END"}, targets=("travel",))]
    (right,) = ask(part_of("faithful", examples=items), tokenizer, 200)
    (left,) = ask(part_of("lm-eval", examples=items), tokenizer, 200)
    assert right.is_truncated
    assert left.is_truncated
    assert tokenizer.decode(right.requests[0].context).startswith("Topic")
    assert tokenizer.decode(left.requests[1].context).endswith('END" is')
    assert len(left.requests[1].context) + len(left.requests[1].continuation) - 1 == 200


def test_empty_outputs_are_dropped_by_the_paper_and_scored_here():
    items = [example(n, targets=("a b c d",)) for n in range(3)]
    outputs = ["a b c d", "", "..."]
    kinds = {"name": "xlsum", "shape": "summary", "metrics": "rouge_l", "examples": items}
    fixed, faithful = (
        {each.name: each for each in measure_outputs(part_of(mode, **kinds), outputs)}
        for mode in ("fixed", "faithful")
    )
    assert (fixed["rouge_l"].value, fixed["rouge_l"].n) == (pytest.approx(1 / 3), 3)
    assert (faithful["rouge_l"].value, faithful["rouge_l"].n) == (pytest.approx(1.0), 1)
    assert faithful["empty_rate"].value == pytest.approx(2 / 3)


def test_dropped_translations_keep_their_rows_of_zeros():
    items = [example(n, targets=("the cat sat on the mat",)) for n in range(2)]
    part = part_of(
        "faithful",
        "bleu_units=13a",
        name="translation",
        shape="translation",
        metrics="bleu chrf",
        examples=items,
    )
    found = {each.name: each for each in measure_outputs(part, ["the cat sat on the mat", "."])}
    assert (found["bleu"].value, found["bleu"].n, len(found["bleu"].rows)) == (
        pytest.approx(100),
        1,
        2,
    )
    assert measured_again("bleu", found["bleu"].rows).value == found["bleu"].value


def test_outputs_in_another_language_are_counted_on_request():
    items = [example(n, fields={"text": "Write."}, targets=("x",)) for n in range(2)]
    part = part_of(
        "fixed", name="open", shape="generation", metrics="repetition_rate", examples=items
    )
    texts = [
        "This is a sentence in plain English about the weather.",
        "Dies ist ein deutscher Satz über das Wetter von heute.",
    ]
    rate = {each.name: each for each in measure_outputs(part, texts, identifier="emma500")}
    assert rate["right_language_rate"].each.tolist() == [1.0, 0.0]
    into = [
        example(n, fields={"text": "x", "output_label": "deu_Latn"}, targets=("x",))
        for n in range(2)
    ]
    part = part_of("fixed", name="open", shape="translation", metrics="chrf", examples=into)
    rate = {each.name: each for each in measure_outputs(part, texts, identifier="emma500")}
    assert rate["right_language_rate"].each.tolist() == [0.0, 1.0]


def test_programs_run_where_they_are_allowed_and_pass_their_tests():
    fields = {"text": "def add(a, b):\n", "tests": "assert add(1, 2) == 3\n"}
    part = part_of(
        "fixed", name="code", shape="code", metrics="pass@1", examples=[example(1, fields=fields)]
    )
    part = Part(**{name: getattr(part, name) for name in Part.__slots__} | {"label": "python"})
    found, reason = measure_code(part, [["    return a + b", "    return a - b"]], allow=False)
    assert (found[0].value, found[0].n) == (None, 0)
    assert "allow" in reason
    found, reason = measure_code(part, [["    return a + b", "    return a - b"]], allow=True)
    if reason:
        pytest.skip(reason)
    assert found[0].value == 0.5


def test_windows_score_every_token_but_the_first_once():
    ids = list(range(25))
    requests = windows(ids, 8, 4)
    assert [token for each in requests for token in each.continuation] == ids[1:]
    assert all(len(each.context) + len(each.continuation) <= 8 for each in requests)
    assert [len(each.continuation) for each in requests] == [7, 4, 4, 4, 4, 1]
    assert [len(each.context) for each in requests[:2]] == [1, 4]


def test_the_window_sum_adds_up_means_and_is_no_likelihood(tokenizer):
    class Flat:
        max_length = 64

        def score(self, requests, **_):
            return [
                Scored(-2.0 * len(each.continuation), len(each.continuation), False)
                for each in requests
            ]

    total, n = window_nll(["a" * 100, "b" * 100], tokenizer, Flat())
    assert (total, n) == (2.0 * n, 6)


def test_a_scorer_of_the_engine_gives_what_its_model_gives(tiny_model, tokenizer, tmp_path):
    from emma500.benchmarks.registry import open_benchmark
    from tests.benchmarks.published_files import write

    benchmark = open_benchmark(f"xcopa={write('xcopa', tmp_path)}")
    tasks = gather_tasks([benchmark], None, practices("fixed"))
    asked = ask(tasks.parts[0], tokenizer, 2048)
    request = asked[0].requests[1]
    model = load_model(tiny_model)
    (scored,) = LikelihoodScorer(model).score([request])
    import torch

    ids = torch.tensor([request.context + request.continuation])
    with torch.no_grad():
        logits = torch.log_softmax(model(ids).logits[0].float(), -1)
    places = range(len(request.context) - 1, ids.shape[1] - 1)
    expected = sum(float(logits[place, ids[0, place + 1]]) for place in places)
    assert scored.loglikelihood == pytest.approx(expected, abs=1e-3)


def test_a_metric_of_counts_averages_over_languages_with_their_spread():
    items = [example(n, targets=("the cat sat on the mat",)) for n in range(2)]
    part = part_of("fixed", name="translation", shape="translation", metrics="bleu", examples=items)
    answered = []
    for label, outputs in (
        ("fin_Latn", ["the cat sat on the mat"] * 2),
        ("swh_Latn", ["a dog ran far off now"] * 2),
    ):
        own = Part(**{name: getattr(part, name) for name in Part.__slots__} | {"label": label})
        answered.append(
            Answered(part=own, measured=tuple(measure_outputs(own, outputs)), samples=({}, {}))
        )
    rows = result_rows(answered, {"model": "m", "model_revision": "r", "seed": 1})
    values = [row["value"] for row in rows if row["metric"] == "bleu"]
    (mean,) = [
        row for row in mean_rows(answered) if (row["metric"], row["group"]) == ("bleu", "all")
    ]
    assert mean["value"] == pytest.approx(np.mean(values))
    assert (mean["clustered_by"], mean["n_labels"], mean["n"]) == ("label", 2, 4)
    assert mean["stderr"] == pytest.approx(np.std(values, ddof=1) / np.sqrt(2))
