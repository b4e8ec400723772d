import numpy as np
import pytest

from emma500.errors import SourceError, UsageError
from emma500.evaluation.published import (
    EMMA,
    compare_with_published,
    published_averages,
    published_metrics,
    shown_beside,
    wins,
)
from emma500.evaluation.published_tables import read_published
from emma500.tables import read_table

FIRST_COLUMN = {
    "sib200/accuracy": 10, "taxi1500/accuracy": 7, "flores200-eng-x/spbleu": 10, "flores200-eng-x/chrf++": 10,
    "flores200-x-eng/spbleu": 10, "flores200-x-eng/chrf++": 10, "xcopa/accuracy": 10, "xstorycloze/accuracy": 10,
    "xnli/accuracy": 10, "mgsm/number_match": 10, "mgsm-cot/number_match": 10, "belebele/accuracy": 6,
    "arc/accuracy": 8, "xlsum/rouge_l": 7, "xlsum/bertscore": 6,
}  # fmt: skip
"""Figure 1 of the paper, of the ten models based on Llama 2, where the tables hold all ten."""


class Aggregates:
    """What `Scores` has of means over labels."""

    def __init__(self, rows):
        self.aggregates = rows


def row(benchmark, metric, value, group="all", n_labels=205, mode="fixed"):
    return {
        "mode": mode,
        "benchmark": benchmark,
        "metric": metric,
        "value": value,
        "group": group,
        "n_labels": n_labels,
    }


def test_there_are_59_models_and_24_metrics():
    assert len(read_table("published")) == 59
    assert len(published_metrics()) == 24
    names = [
        name
        for each in read_table("published")
        for name in (each["model"], *each["also"].split("|"))
        if name
    ]
    assert len(names) == len(set(names))
    assert published_averages("sib200", "accuracy")[EMMA] == 31.27


def test_figure_one_of_the_paper_is_counted_again():
    found = {
        metric.column: wins(
            published_averages(metric.benchmark, metric.metric)[EMMA], metric.benchmark, metric.metric, "llama2"
        )
        for metric in published_metrics()
    }  # fmt: skip
    assert {
        name: beaten for name, (beaten, of) in found.items() if name in FIRST_COLUMN and of == 10
    } == FIRST_COLUMN
    assert (
        found["glot500/nll"] == found["pbc/nll"] == (9, 9)
    )  # the figure says 10; the tables hold nine


def test_the_published_averages_are_those_of_their_columns(shared):
    tables = read_published(shared / "published" / "evaluation_results")
    wrong = {
        table.name
        for table in tables
        for model, stated in table.averages.items()
        if abs(stated - np.mean([value for value in table.values[model] if value is not None]))
        > table.tolerance + 1e-9
    }
    assert wrong == {"mgsm-cot/number_match"}
    assert len(tables) == 24


def test_the_packaged_averages_are_those_of_the_files(shared):
    for table, metric in zip(
        read_published(shared / "published" / "evaluation_results"), published_metrics(), strict=True
    ):  # fmt: skip
        packaged = published_averages(metric.benchmark, metric.metric)
        assert set(packaged) == set(table.averages), metric.column
        for model, value in packaged.items():
            assert value == pytest.approx(table.averages[model], rel=1e-5, abs=5e-5), (
                metric.column,
                model,
            )


def test_lower_nats_win():
    assert wins(68.0, "pbc", "nll", "llama2") == (9, 9)
    assert wins(1e6, "pbc", "nll", "llama2") == (0, 9)


def test_a_tie_is_no_win():
    others = published_averages("xcopa", "accuracy", "llama2")
    best = max(others.values())
    assert wins(best, "xcopa", "accuracy", "llama2") == (9, 10)


def test_ones_own_averages_stand_beside_the_published_ones():
    frame = compare_with_published({("sib200", "accuracy"): 40.0, ("mine", "accuracy"): 1.0})
    assert len(frame) == 1
    found = frame.iloc[0]
    assert (found["emma500"], found["best"], found["best_model"]) == (
        31.27,
        68.93,
        "Qwen3-14B-Base",
    )
    assert (found["wins_llama2"], found["wins_recent"]) == ("10 of 10", "0 of 8")
    better = sum(value > 40.0 for value in published_averages("sib200", "accuracy").values())
    assert found["rank"] == better + 1
    assert not found["all_labels"]


def test_scores_are_taken_over_all_labels_and_shares_as_percent():
    scores = Aggregates(
        [row("sib200", "accuracy", 0.4), row("sib200", "accuracy", 0.9, group="high"),
         row("pbc", "nll", 90.0, n_labels=3), row("flores200-eng-x", "chrf++", 30.0), row("xcopa", "accuracy", None)]
    )  # fmt: skip
    frame = compare_with_published(scores).set_index("benchmark")
    assert frame["value"].to_dict() == {"sib200": 40.0, "flores200-eng-x": 30.0, "pbc": 90.0}
    assert frame["all_labels"].to_dict() == {"sib200": True, "flores200-eng-x": False, "pbc": False}


def test_the_faithful_mode_is_taken_where_there_are_several():
    scores = Aggregates(
        [row("xnli", "accuracy", 0.5), row("xnli", "accuracy", 0.4, mode="faithful")]
    )
    faithful, fixed = compare_with_published(scores), compare_with_published(scores, mode="fixed")
    assert (faithful["value"][0], faithful["mode"][0]) == (40.0, "faithful")
    assert (fixed["value"][0], fixed["mode"][0]) == (50.0, "fixed")


def test_nats_a_sentence_stand_beside_the_papers_and_what_is_not_the_papers_is_said():
    scores = Aggregates(
        [row("pbc", "nll", 60.0, n_labels=370), row("pbc", "nll_window_sum", 6.0, mode="faithful", n_labels=370),
         row("xnli", "accuracy", 0.5), row("xnli", "accuracy", 0.4, mode="faithful+ties=first")]
    )  # fmt: skip
    frame = compare_with_published(scores).set_index("benchmark")
    assert frame["value"].to_dict() == {"pbc": 60.0, "xnli": 40.0}
    assert frame["wins_llama2"]["pbc"] == "9 of 9"
    told = shown_beside(frame.reset_index())
    assert "without these changes: faithful+ties=first" in told
    assert "compare in faithful mode" not in told
    fixed = compare_with_published(scores, mode="fixed")
    assert fixed["value"].tolist() == [50.0, 60.0]
    assert "compare in faithful mode" in shown_beside(fixed)


def test_what_was_not_published_is_refused_with_what_was():
    with pytest.raises(
        UsageError, match="none of the scores has a published table; there are sib200/accuracy"
    ):
        compare_with_published({("mine", "accuracy"): 1.0})
    with pytest.raises(UsageError, match="no published table of xwinograd/accuracy"):
        wins(1.0, "xwinograd", "accuracy")
    with pytest.raises(UsageError, match="unknown kind of models 'old'"):
        published_averages("sib200", "accuracy", "old")


def test_a_folder_without_the_files_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"SIB-200\.csv is not there as it was published"):
        read_published(tmp_path)
    target = tmp_path / published_metrics()[0].file
    target.parent.mkdir()
    target.write_text("Model,Avg,eng_Latn\nx,1.0,1.0\n")
    with pytest.raises(SourceError, match="must have 205 languages, and has 1"):
        read_published(tmp_path)
