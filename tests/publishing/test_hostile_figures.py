"""Names of anybody on figures: drawn as they are, never as a formula, and with room left for what the figure shows."""

import copy

import pytest
from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.text import Text

from emma500.publishing import figure_text, figures
from emma500.publishing.comparison import Change
from emma500.publishing.corpus_figures import groups_figure
from emma500.publishing.figure_text import plain_text
from emma500.publishing.figures import comparison_figure, training_figure
from emma500.publishing.language_figures import (
    Point,
    heatmap_figure,
    reliability_figure,
    slope_figure,
)
from emma500.publishing.mixture_figures import fertility_figure, mixture_figure
from emma500.publishing.polywrite_figure import tasks_figure
from emma500.publishing.vocabulary_figures import vocabulary_figure
from emma500.publishing.wins_figure import wins_figure
from tests.publishing.test_mixture_figures import fertility_rows, plan_rows

NAMES = (
    "$\\frac{1$",
    "a$b$",
    "_^{",
    "$$",
    "\\$x$",
    "a very long name " * 200,
    "\u202eevil\u202c \u2067x",
    "mod\u00e8le \u6f22\u5b57 \U0001f600",
    "two\nlines\nand three\x00\x1b[31m",
)


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were drawn, kept beside their files."""
    kept: list[Figure] = []

    def plain_texts(canvas):
        figure_text.plain_texts(canvas)
        kept.append(canvas)

    monkeypatch.setattr(figures, "plain_texts", plain_texts)
    return kept


def shown_on(canvas):
    """Every text of a figure, as it was drawn last."""
    return [text.get_text() for text in canvas.findobj(Text) if text.get_text()]


def changes():
    return [
        Change(benchmark="b", label=name, resource_group="low", n=3, before=2.0, before_stderr=0.1,
               after=1.5 + place / 9, after_stderr=0.1, difference=-0.5 + place / 9, stderr=0.05)
        for place, name in enumerate(NAMES)
    ]  # fmt: skip


def rows_named(rows):
    """Rows of a table of labels with hostile names for the first of them."""
    return [
        {**row, "label": NAMES[place] if place < len(NAMES) else row["label"]}
        for place, row in enumerate(rows)
    ]


def vocabulary_pairs():
    row = {"resource_group": "low", "tokens_per_word": 4.0, "bits_per_byte": 2.0}
    return [
        (row | {"label": name}, row | {"label": name, "tokens_per_word": 2.0}) for name in NAMES
    ]


def points():
    return [
        Point(label=name, value=place / 9, stderr=0.001, n=10 + place)
        for place, name in enumerate(NAMES)
    ]


def values(factor):
    return {name: factor * place for place, name in enumerate(NAMES, start=1)}


NAME = NAMES[0]
FIGURES = {
    "training": lambda folder, run: training_figure(run, folder),
    "comparison": lambda folder, _: comparison_figure(
        changes(), folder, title=NAMES[5], notes=dict.fromkeys(NAMES, NAME)
    ),
    "heatmap": lambda folder, _: heatmap_figure(
        {name: values(0.1) for name in NAMES}, folder, title=NAMES[5] + NAME, unit=NAMES[1]
    ),
    "slopes": lambda folder, _: slope_figure(values(1.0), values(0.5), folder, names=(NAMES[5], NAME), unit=NAME),
    "reliability": lambda folder, _: reliability_figure(points(), folder, title=NAMES[5], unit=NAME),
    "mixture": lambda folder, _: mixture_figure(rows_named(plan_rows(12)), folder),
    "fertility": lambda folder, _: fertility_figure(rows_named(fertility_rows(12)), folder),
    "vocabulary": lambda folder, _: vocabulary_figure(vocabulary_pairs(), folder),
    "tasks": lambda folder, _: tasks_figure(
        {"tasks": [{"category": name, "n": 9, "n_kept": 4} for name in NAMES], "languages": ["a"]}, folder
    ),
    "wins": lambda folder, _: wins_figure({("sib200", "accuracy"): 0.5}, folder, title=f"{NAME}: wins"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_hostile_names_are_drawn_as_they_are(name, drawn, manifests, tmp_path):
    run = copy.deepcopy(manifests["training-run"])
    labels = sorted({row["label"] for row in run["validation"]})
    hostile = dict(zip(labels, NAMES, strict=False))
    for row in run["validation"]:
        row["label"] = hostile.get(row["label"], row["label"])
    FIGURES[name](tmp_path, run)
    [canvas] = drawn
    texts = shown_on(canvas)
    assert not [each for each in texts if is_math_text(each) and "mathdefault" not in each]
    assert not [each for each in texts if len(each) > 200 or "\u202e" in each or "\x00" in each]
    assert any(r"\$" in each for each in texts), "the hostile name is not on the figure"


def test_what_the_axes_lose_to_names_is_bounded(drawn, tmp_path):
    comparison_figure(changes(), tmp_path, title="t")
    [axes] = drawn[0].axes
    assert axes.get_position().width > 0.35


def test_plain_text_keeps_what_can_be_read():
    assert plain_text("yor_Latn (replay)") == "yor_Latn (replay)"
    assert plain_text("high\n3 labels") == "high\n3 labels"
    assert plain_text("a\nb\nc") == "a b c"
    assert plain_text("a$b$") == r"a\$b\$"
    assert plain_text("\u202ex\u202c") == "x"
    assert plain_text("na\u00efve \u6f22") == "na\u00efve \N{WHITE SQUARE}"
    assert plain_text("x" * 99, 9) == "x" * 8 + "…"


def test_numbers_on_a_logarithmic_axis_are_still_powers(drawn, manifests, tmp_path):
    groups_figure(manifests["corpus"], tmp_path)
    powers = [each for each in shown_on(drawn[0]) if "mathdefault{10^{" in each]
    assert powers
    assert all(map(is_math_text, powers))
