from itertools import pairwise

import numpy as np
import pytest

from emma500.errors import UsageError
from emma500.evaluation.published import EMMA, published_averages, published_metrics
from emma500.publishing.figures import spread_labels
from emma500.publishing.groups_figure import groups_figure
from emma500.publishing.language_figures import (
    Point,
    heatmap_figure,
    reliability_figure,
    slope_figure,
)
from emma500.publishing.wins_figure import wins_figure

LABELS = [f"{first}{second}x_Latn" for first in "abcdefghij" for second in "abcdefghijklmnopqrstu"][
    :205
]


def size_of(path):
    """Width and height of a PNG in pixels."""
    data = path.with_suffix(".png").read_bytes()
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


@pytest.fixture(scope="module")
def values():
    generator = np.random.default_rng(1)
    return {
        name: dict(zip(LABELS, generator.random(205).tolist(), strict=True))
        for name in ("one", "two")
    }


def test_wins_over_the_published_models_are_drawn(tmp_path):
    averages = {
        (each.benchmark, each.metric): published_averages(each.benchmark, each.metric)[EMMA]
        for each in published_metrics()
    }
    path = wins_figure(averages, tmp_path, title="EMMA-500")
    again = wins_figure(averages, tmp_path, title="EMMA-500", name="again")
    assert path.read_bytes() == again.read_bytes()
    assert path.with_suffix(".png").is_file()
    with pytest.raises(UsageError, match="no averages to count wins with"):
        wins_figure({}, tmp_path, title="none")


def test_205_languages_have_a_row_of_readable_height_each(tmp_path, values):
    values = {**values, "two": {**values["two"], LABELS[0]: None}}
    width, height = size_of(heatmap_figure(values, tmp_path, title="SIB-200", unit="accuracy"))
    assert height / 52 > 0.13 * 200  # 200 dots an inch; a name of 7 points needs 0.1 inch
    assert width < 1600  # a card shows 800 pixels


def test_a_few_languages_are_drawn_with_their_numbers(tmp_path, values):
    few = {name: {label: row[label] for label in LABELS[:5]} for name, row in values.items()}
    small = heatmap_figure(few, tmp_path, title="few", unit="accuracy", name="few")
    assert size_of(small)[1] < 700
    with pytest.raises(UsageError, match="needs a value"):
        heatmap_figure({"one": {"x": None}}, tmp_path, title="none", unit="accuracy")


@pytest.mark.parametrize("n", [5, 205])
def test_two_models_are_drawn_as_slopes(tmp_path, values, n):
    one, two = ({label: row[label] for label in LABELS[:n]} for row in values.values())
    path = slope_figure(
        one, two, tmp_path, names=("before", "after"), unit="accuracy", lower_is_better=n == 5
    )
    assert path.is_file()
    with pytest.raises(UsageError, match="share no language"):
        slope_figure({"a": 1.0}, {"b": 1.0}, tmp_path, names=("x", "y"), unit="z")


def test_values_are_drawn_against_n(tmp_path):
    generator = np.random.default_rng(2)
    points = [
        Point(label=label, value=float(generator.normal()), stderr=n**-0.5 if n > 1 else None, n=n)
        for label, n in zip(LABELS[:30], [*range(28), 500, 900], strict=True)
    ]
    assert reliability_figure(points, tmp_path, title="t", unit="u").is_file()
    with pytest.raises(UsageError, match="no language has an item"):
        reliability_figure(points[:1], tmp_path, title="t", unit="u")


def test_labels_of_equal_values_stay_on_the_axis():
    heights = spread_labels([0.0] * 40, (0.0, 1.0), lines=46)
    assert min(heights) > 0
    assert max(heights) < 1
    gaps = [one - two for one, two in pairwise(heights)]
    assert min(gaps) == pytest.approx(1 / 46)


def test_two_models_are_drawn_by_resource_group(tmp_path):
    def means(**values):
        return {
            group.replace("_", "-"): {"value": value, "stderr": 0.1, "n_labels": 3}
            for group, value in values.items()
        }

    before, after = means(high=0.5, medium_low=0.2, all=0.3), means(high=0.4, all=0.3, low=0.9)
    drawn = {"names": ("before", "after"), "title": "t", "unit": "accuracy"}
    path = groups_figure(before, after, tmp_path, **drawn)
    low = groups_figure(before, after, tmp_path, **drawn, lower_is_better=True, name="low")
    assert path.read_bytes() != low.read_bytes()  # a loss there is a gain here
    with pytest.raises(UsageError, match="share no resource group"):
        groups_figure(means(low=0.1), means(high=0.1), tmp_path, **drawn)
