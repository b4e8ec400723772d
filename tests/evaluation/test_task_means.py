"""Means over languages where not every item, or not every language, was evaluated."""

from types import SimpleNamespace

import pandas as pd
import pytest

from emma500.evaluation.metrics.measured import mean_of
from emma500.evaluation.metrics.translation import bleu
from emma500.evaluation.model_comparison import shown_comparison
from emma500.evaluation.significance import compare_models
from emma500.evaluation.tasks.results import Answered, mean_rows


def answered(label, measured):
    """Answers to as many items as the metric has rows."""
    part = SimpleNamespace(
        benchmark=SimpleNamespace(name="flores200-eng-x", shape="translation"),
        prompt=SimpleNamespace(name="flores200"),
        label=label,
        examples=[SimpleNamespace(parallel_id=str(n)) for n in range(len(measured.rows))],
    )
    part.practice = type("Practice", (), {"name": "fixed", "__getitem__": lambda *_: ""})()
    return Answered(part=part, measured=(measured,), samples=())


def mean_of_all(*answers):
    (found,) = [row for row in mean_rows(answers) if row["group"] == "all"]
    return found


def test_the_items_of_a_mean_are_those_that_were_evaluated():
    rates = {"swh_Latn": [1.0, None, 0.0, None], "fin_Latn": [1.0, 1.0, None, None]}
    found = mean_of_all(
        *(answered(label, mean_of("right_language_rate", each)) for label, each in rates.items())
    )
    assert (found["value"], found["n"], found["n_labels"]) == (0.75, 4, 2)


def test_a_mean_of_the_one_language_with_a_value_has_its_standard_error():
    nothing, some = bleu([], []), bleu(["a b c d e", "f g h"], ["a b c d x", "f g h i j"])
    found = mean_of_all(answered("swh_Latn", nothing), answered("fin_Latn", some))
    assert found["value"] == pytest.approx(some.value)
    assert found["stderr"] == pytest.approx(some.stderr)


def test_models_whose_programs_were_not_run_are_compared_without_a_difference():
    measured = {"py": mean_of("pass@1", [None, None])}
    frame = compare_models(measured, measured)
    for name, value in (("benchmark", "humaneval"), ("metric", "pass@1"), ("mode", "fixed")):
        frame[name] = value
    frame = pd.DataFrame(frame.assign(resource_group="", better=""))
    lines = shown_comparison(frame, ("after", "before")).splitlines()
    assert [line.split() for line in lines if line.startswith("  py")] == [
        ["py", "-", "-", "-", "-", "-", "0"]
    ]
