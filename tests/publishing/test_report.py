"""The report holds the numbers of the manifests, figures included, and is one file."""

import re

import pytest

from emma500.publishing.comparison import compare
from emma500.publishing.corpus_figures import groups_figure
from emma500.publishing.figures import comparison_figure, draw, training_figure
from emma500.publishing.report import report, summary_tables
from emma500.publishing.reporting.pages import inline_html
from emma500.publishing.summary import group_sizes, stage_sizes
from emma500.publishing.tables import count, counted, percent, plain, size, table, with_error
from emma500.training.run import TrainingRun


@pytest.fixture(scope="module")
def written(tmp_path_factory, results, before, after):
    corpus, model = results
    folder = tmp_path_factory.mktemp("report") / "out"
    return report(corpus, TrainingRun(model), before, after, folder, title="A <small> report")


def test_the_html_report_needs_no_other_file(written):
    html = written.with_suffix(".html").read_text(encoding="utf-8")
    assert html.count('src="data:image/svg+xml;base64,') == 6
    assert not re.findall(r'(?:src|href)="(?!data:|#|https://github|https?://docs)[^"]*"', html)
    assert html.count("<script") == 1
    assert "A &lt;small&gt; report" in html


def test_both_renderings_hold_the_same_tables(written):
    html = written.with_suffix(".html").read_text(encoding="utf-8")
    markdown = written.read_text(encoding="utf-8")
    assert html.count("<table>") == markdown.count("\n| ---")
    for line in markdown.splitlines():
        if line.startswith("| `") and "`" not in line[4:].split("|")[0][:-2]:
            assert line.split("`")[1] in html


def test_every_figure_of_the_markdown_is_there(written):
    figures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", written.read_text(encoding="utf-8"))
    assert len(figures) == 6
    assert all((written.parent / figure).is_file() for figure in figures)


def test_the_report_opens_with_the_gain_and_the_change_in_english(
    written, before, after, manifests
):
    opening = written.read_text(encoding="utf-8").split("## Corpus")[0]
    trained, *_ = compare(before, after, manifests["training-run"])[0].means
    assert f"fell from {with_error(trained.before, trained.before_stderr)} to" in opening
    assert f"({percent(trained.relative, sign=True)} ± {trained.relative_stderr:.1%})" in opening
    assert "eng_Latn rose from" in opening


def test_the_report_shows_the_mixture_and_what_the_languages_of_the_base_lost(written):
    training = written.read_text(encoding="utf-8").split("## Training")[1].split("## Before")[0]
    for title in (
        "What it was trained on, by component and resource group",
        "What it was trained on, by label",
        "Tokens by language; those of a pair count for both",
        "What the languages the base model knew have lost",
        "How documents were packed into rows",
        "Hardware and duration",
    ):
        assert f"**{title}**\n\n| " in training
    assert "| `eng_Latn` | 6 | 6,450 | 1.170 ± 0.035 | 1.197 ± 0.036 | +2.3% | yes |" in training
    assert "Replay was raised" not in training
    assert "an estimate and no measurement" in training
    html = written.with_suffix(".html").read_text(encoding="utf-8")
    assert '<dd class="note">on the validation split</dd>' in html


def test_a_second_report_has_the_same_bytes(written, results, before, after):
    corpus, model = results
    first = {path: path.read_bytes() for path in written.parent.rglob("*") if path.is_file()}
    run = TrainingRun(model)
    report(corpus, run, before, after, written.parent, title="A <small> report")
    assert {
        path: path.read_bytes() for path in written.parent.rglob("*") if path.is_file()
    } == first


def test_figures_are_png_and_svg_without_a_date(tmp_path, manifests):
    svg = groups_figure(manifests["corpus"], tmp_path)
    assert svg is not None
    assert (tmp_path / "corpus.png").read_bytes().startswith(b"\x89PNG")
    assert "<dc:date>" not in svg.read_text(encoding="utf-8")


def test_a_corpus_of_one_label_can_be_drawn(tmp_path, manifests):
    manifest = dict(manifests["corpus"])
    manifest["splits"] = [row for row in manifest["splits"] if row["label"] == "swh_Latn"]
    assert groups_figure(manifest, tmp_path) == tmp_path / "corpus.svg"
    assert sum(sizes.n_documents for sizes in group_sizes(manifest).values()) == 6


def test_a_run_with_many_languages_is_drawn_as_means(tmp_path, manifests):
    manifest = dict(manifests["training-run"])
    manifest["validation"] = [
        {"step": step, "label": f"aa{letter}_Latn", "bits_per_byte": 3 - step / 100}
        for step in (0, 50, 100)
        for letter in "abcdefghijklmnopqr"
    ]
    assert training_figure(manifest, tmp_path).is_file()


def test_an_empty_comparison_can_be_drawn(tmp_path):
    assert comparison_figure([], tmp_path, title="nothing").is_file()


def test_a_figure_that_fails_leaves_no_file(tmp_path):
    def figure(canvas):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        draw(tmp_path / "figures", "broken", figure, (1, 1))
    assert not list(tmp_path.rglob("*.*"))


def test_beyond_forty_labels_a_comparison_shows_the_resource_groups(before, after, monkeypatch):
    monkeypatch.setattr("emma500.publishing.comparison.MOST_LABELS", 4)
    [found] = compare(before, after)
    names = [row.label for row in found.drawn]
    assert names[0] == "mean of all 9 labels"
    assert names[1].endswith(": high")
    assert len(names) == 1 + len({row.resource_group for row in found.rows})
    assert len(found.table.rows) == len(names)


def test_stage_sizes_follow_the_order_of_the_stages(manifests):
    found = stage_sizes(manifests["corpus"], "monolingual")
    assert list(found) == ["integration", "filter", "dedup", "split"]
    documents = [each.n_documents for each in found.values()]
    assert documents == sorted(documents, reverse=True)


def test_inline_markdown_becomes_html_and_nothing_else_does():
    assert inline_html("a < `b<c` **d** [e](https://x.org/y)") == (
        'a &lt; <code>b&lt;c</code> <strong>d</strong> <a href="https://x.org/y">e</a>'
    )
    assert "<a" not in inline_html("[e](javascript:alert)")


@pytest.mark.parametrize(
    ("written_as", "expected"),
    [
        (count(1234567), "1,234,567"),
        (count(None), "n/a"),
        (counted(1, "label"), "1 label"),
        (counted(2000, "label"), "2,000 labels"),
        (size(999), "999 B"),
        (size(1_234_567), "1.2 MB"),
        (size(123_456), "123 kB"),
        (percent(-0.1234, sign=True), "-12.3%"),
        (percent(float("nan")), "n/a"),
        (with_error(1.23456, None), "1.235"),
        (with_error(1.23456, 0.01), "1.235 ± 0.010"),
        (with_error(None, 0.01), "n/a"),
        (plain(["a", True, None]), "a, yes, none"),
        (plain(5e-4), "0.0005"),
    ],
)
def test_numbers_are_written_for_readers(written_as, expected):
    assert written_as == expected


def test_a_bar_in_a_cell_does_not_break_the_markdown_table():
    text = table(("a",), "l", [("x | y\nz",)]).markdown()
    assert text.splitlines()[-1] == "| x \\| y z |"


def test_the_summary_for_a_terminal_is_aligned_and_captioned(manifests, before, after):
    tables = summary_tables(manifests["corpus"], before, after, manifests["training-run"])
    stages = tables[0].text().splitlines()
    assert stages[0] == "monolingual text after each stage"
    assert [line.split()[0] for line in stages[1:]] == [
        "stage",
        "integration",
        "filter",
        "dedup",
        "split",
    ]
    assert len({len(line) for line in stages[1:]}) == 1
    assert "mean of 6 trained languages" in tables[-1].text()
    assert "`" not in tables[-1].text()
