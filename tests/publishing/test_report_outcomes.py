"""What became of each label: better and worse only where the interval says so, in the direction of the metric."""

from typing import Any

import pyarrow as pa
import pytest

from emma500.evaluation.scores import Scores
from emma500.evaluation.tasks.results import measures_schema
from emma500.publishing.comparison import compare
from emma500.publishing.reporting.outcomes import Outcome, outcomes_of_tasks, outcomes_of_text
from emma500.publishing.reporting.scores_section import tasks_section
from emma500.publishing.reporting.wins_section import win_line, wins_section


def outcome(low, high, metric="accuracy", **more):
    fields: dict[str, Any] = {
        "benchmark": "xcopa",
        "label": "swa_Latn",
        "n": 10,
        "before": 0.5,
        "after": 0.6,
        "group": "medium-high",
    }
    return Outcome(metric=metric, low=low, high=high, **(fields | more))


@pytest.mark.parametrize(
    ("low", "high", "metric", "verdict"),
    [
        (0.01, 0.2, "accuracy", "better"),
        (-0.2, -0.01, "accuracy", "worse"),
        (-0.2, -0.01, "bits_per_byte", "better"),
        (0.01, 0.2, "self_bleu", "worse"),
        (0.01, 0.2, "nll_window_sum", "worse"),
        (-0.1, 0.1, "accuracy", "no clear difference"),
        (None, None, "accuracy", "no interval"),
    ],
)
def test_a_verdict_needs_an_interval_without_zero(low, high, metric, verdict):
    assert outcome(low, high, metric).verdict == verdict


def test_the_interval_of_bits_per_byte_is_that_of_paired_documents(before, after, manifests):
    [comparison] = compare(before, after, manifests["training-run"])
    rows = outcomes_of_text(comparison)
    first = comparison.rows[0]
    assert rows[0].low == pytest.approx(first.difference - 1.959964 * first.stderr)
    assert rows[0].high == pytest.approx(first.difference + 1.959964 * first.stderr)
    assert [row.is_mean for row in rows] == [False] * len(comparison.rows) + [True] * len(
        comparison.means
    )


@pytest.fixture
def tasks(before, after):
    """Scores of a choice task: one label gains 15 of 40 items, the other none."""

    def scores(of, gained):
        rows = [
            {"benchmark": "xcopa", "mode": "faithful", "label": label, "metric": "accuracy", "id": str(item),
             "parallel_id": str(item), "statistics": [float(item < 10 + (gained if label == "swa_Latn" else 0)), 1.0]}
            for label in ("swa_Latn", "tha_Thai")
            for item in range(40)
        ]  # fmt: skip
        mean = {"benchmark": "xcopa", "mode": "faithful", "metric": "accuracy", "group": "all", "stderr": None,
                "value": 0.25 + gained / 80, "n_labels": 11, "n": 80}  # fmt: skip
        results = [{**row, "benchmark": "xcopa"} for row in of.manifest["results"][:1]]
        manifest = of.manifest | {"aggregates": [mean], "results": results}
        return Scores(
            manifest, of.details, measures=pa.Table.from_pylist(rows, schema=measures_schema())
        )

    return scores(before, 0), scores(after, 15)


def test_tasks_are_compared_item_by_item(tasks):
    rows = outcomes_of_tasks(*tasks)
    assert {row.label: row.verdict for row in rows} == {
        "swa_Latn": "better", "tha_Thai": "no clear difference", "mean of 2 labels": "better",
    }  # fmt: skip
    assert (rows[0].before, rows[0].after) == (0.25, 0.625)
    assert rows[0].low < 0.375 < rows[0].high
    means, by_label = [each for each in tasks_section(rows).parts if each.table]
    assert means.table.rows[0][:4] == ("**mean of 2 labels**", "xcopa", "`accuracy`", "faithful")
    assert "Swahili" in by_label.asides[0].words


def test_a_programming_language_has_no_resource_group(tasks):
    renamed = []
    for scores in tasks:
        labels = scores.measures["label"].to_pylist()
        named = pa.array(["py" if each == "swa_Latn" else each for each in labels])
        measures = scores.measures.set_column(2, "label", named)
        renamed.append(Scores(scores.manifest, scores.details, measures=measures))
    groups = {row.label: row.group for row in outcomes_of_tasks(*renamed)}
    assert groups == {"py": "", "tha_Thai": "medium", "mean of 2 labels": "all"}


def test_wins_count_labels_and_published_models(tasks, tmp_path, placeholders, monkeypatch):
    from emma500.publishing import figures, wins_figure

    monkeypatch.setattr(wins_figure, "draw", figures.draw)
    rows = outcomes_of_tasks(*tasks)
    assert win_line(rows) == (
        "Of 2 comparisons of a label with an interval, 1 became better, 0 worse, and 1 show no clear difference."
    )
    section = wins_section(rows, tasks[1], tmp_path)
    counted, published = [each.table for each in section.parts if each.table]
    assert counted.rows[0] == ("xcopa (faithful)", "`accuracy`", "**all**", "2", "1", "0", "1", "0")
    assert published.rows[0][:5] == ("xcopa", "`accuracy`", "faithful", "11 of 11", "43.75")
    assert [each.figure.name for each in section.parts if each.figure] == ["wins.svg"]


def test_without_scores_there_are_no_wins(tmp_path, before):
    assert wins_section([], None, tmp_path) is None
    assert outcomes_of_tasks(before, before) == []
