import pyarrow as pa
import pytest

from emma500.evaluation.aggregation import details_schema
from emma500.evaluation.lint_scores import lint_scores
from emma500.evaluation.scores import Scores
from emma500.evaluation.tasks.results import samples_schema

ENGLISH = [f"This is sentence number {number} of the English outputs." for number in range(25)]
SWAHILI = [f"Hii ni sentensi ya {number} ya matokeo ya Kiswahili." for number in range(25)]


def made(name, *, values, samples=(), benchmark="sib200", metric="accuracy", average=None):
    """Scores of one benchmark: values by label, each of 204 items, and samples as dictionaries."""
    common = {"benchmark": benchmark, "mode": "fixed", "metric": metric}
    manifest = {
        "model": {"name": name},
        "results": [
            {**common, "label": label, "value": value, "n": 204} for label, value in values.items()
        ],
        "aggregates": [{**common, "group": "all", "value": average}],
    }
    return Scores(
        manifest,
        details_schema().empty_table(),
        samples=pa.Table.from_pylist(
            [{"benchmark": benchmark, "mode": "fixed", "label": "swh_Latn", **sample} for sample in samples],
            schema=samples_schema(),
        ),
    )  # fmt: skip


def kinds(findings):
    return [finding.kind for finding in findings]


def test_two_models_with_the_same_values_and_a_wrong_average_are_found():
    values = {"swh_Latn": 0.4, "eng_Latn": 0.6}
    one, two = made("one", values=values), made("two", values=values, average=0.7)
    found = lint_scores(one, two)
    assert kinds(found) == ["identical", "average"]
    assert found[0].models == ("one", "two")
    assert "stated as 70.0000, and is 50.0000" in found[1].detail
    assert lint_scores(one) == []


def test_a_model_that_always_takes_the_same_option_is_found():
    samples = [
        {"options": ["a", "b"], "logliks": [-1.0, -2.0], "gold": number % 2} for number in range(30)
    ]
    found = lint_scores(made("one", values={}, samples=samples))
    assert kinds(found) == ["predictions"]
    assert found[0].where == "one, sib200 (fixed), swh_Latn"
    assert "'a'" in found[0].detail


@pytest.mark.parametrize(
    ("benchmark", "texts", "expected"),
    [
        ("flores200-eng-x", ENGLISH, ["language"]),
        ("flores200-x-eng", ENGLISH, []),
        ("flores200-x-eng", SWAHILI, ["language"]),
        ("aya", SWAHILI, []),
        ("aya", ["", *SWAHILI, "..."], ["empty"]),
        ("mgsm", ENGLISH, []),
    ],
)
def test_outputs_must_be_in_the_language_of_their_task(benchmark, texts, expected):
    samples = [{"outputs": [text]} for text in texts]
    assert (
        kinds(lint_scores(made("one", values={}, samples=samples, benchmark=benchmark))) == expected
    )
