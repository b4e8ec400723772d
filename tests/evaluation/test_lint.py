from collections import Counter

import pytest

from emma500.evaluation.lint import lint_labels, lint_outputs, lint_predictions, lint_tables
from emma500.evaluation.published_tables import ResultTable, read_published

LABELS = tuple(f"l{number:02}_Latn" for number in range(12))


def table(values, *, labels=LABELS, metric="accuracy", averages=None, n_items=900):
    return ResultTable(
        name="t", metric=metric, labels=labels, values={name: tuple(row) for name, row in values.items()},
        averages=averages or {}, tolerance=0.01, n_items=n_items,
    )  # fmt: skip


def kinds(findings):
    return [finding.kind for finding in findings]


def test_the_known_faults_of_the_published_tables_are_found(shared):
    findings = lint_tables(read_published(shared / "published" / "evaluation_results"))
    assert Counter(kinds(findings)) == {
        "average": 28,
        "constant": 10,
        "identical": 7,
        "unsegmented": 5,
    }
    identical = {finding.models for finding in findings if finding.kind == "identical"}
    assert identical == {("mala-500-10b-v1", "mala-500-10b-v2")}
    assert {each.where for each in findings if each.kind == "average"} == {"mgsm-cot/number_match"}
    constant = {(each.where, each.models[0]) for each in findings if each.kind == "constant"}
    assert ("belebele/accuracy", "LLaMAX2-7B") in constant
    assert ("taxi1500/accuracy", "CodeLlama-7b") in constant
    rouge = " ".join(each.detail for each in findings if each.kind == "unsegmented")
    assert all(label in rouge for label in ("zho_Hans", "zho_Hant", "jpn_Jpan", "bod_Tibt"))


def test_a_table_without_faults_has_no_findings():
    rows = {
        "a": [40.0 + 3 * number for number in range(12)],
        "b": [41.0 + 2 * number for number in range(12)],
    }
    averages = {name: sum(row) / 12 for name, row in rows.items()}
    assert lint_tables([table(rows, averages=averages)]) == []


def test_each_fault_is_found_where_it_is():
    rising = [40.0 + 3 * number for number in range(12)]
    assert kinds(lint_tables([table({"a": rising, "b": rising})])) == ["identical"]
    assert kinds(
        lint_tables([table({"a": [25.0 + 0.1 * (number % 2) for number in range(12)]})])
    ) == ["constant"]
    found = lint_tables([table({"a": rising}, averages={"a": 60.0})])
    assert [str(each) for each in found] == [
        "[average] t: a: the average is stated as 60.0000, and is 56.5000"
    ]
    labels = (*LABELS[:-1], "zho_Hans")
    assert kinds(
        lint_tables([table({"a": [*rising[:-1], 0.4]}, labels=labels, metric="rouge_l")])
    ) == ["unsegmented"]


def test_missing_values_are_no_fault():
    assert lint_tables([table({"a": [None] * 12, "b": [None] * 12}, averages={"a": 3.0})]) == []


def test_a_model_that_always_says_the_same_is_found_unless_it_is_right():
    same, mixed = ["A"] * 30, ["A", "B"] * 15
    assert kinds(lint_predictions({"x": same, "y": mixed}, {"x": mixed, "y": mixed})) == [
        "predictions"
    ]
    assert lint_predictions({"x": same}, {"x": same}) == []
    assert lint_predictions({"x": same[:5]}, {"x": mixed[:5]}) == []  # too few to tell


def test_labels_that_share_the_scored_token_are_found():
    tokens = {" sports": [4], " science/technology": [5, 9], " biology": [6, 9], "": []}
    labels = list(tokens)
    found = lint_labels(labels, tokens.__getitem__, scored="last")
    assert [each.detail for each in found] == [
        "' science/technology', ' biology' share the last token [9]: score whole labels",
        "'' has no tokens: score whole labels",
    ]
    assert len(lint_labels(labels, tokens.__getitem__)) == 1


@pytest.mark.parametrize("identifier", ["emma500", ""])
def test_empty_and_wrong_language_outputs_are_found(identifier):
    english = [f"This is the number {number} of the English sentences." for number in range(25)]
    findings = lint_outputs({"swh_Latn": [*english, "", "", "..."]}, identifier=identifier)
    assert kinds(findings) == (["empty", "language"] if identifier else ["empty"])
    assert lint_outputs({"eng_Latn": english}, identifier=identifier) == []
