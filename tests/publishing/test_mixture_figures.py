"""The figures of a mixture and of fertility: readable for one label and for a thousand."""

import pytest
from matplotlib.figure import Figure

from emma500.languages.labels import RESOURCE_GROUPS
from emma500.publishing import mixture_figures
from emma500.publishing.mixture_figures import fertility_figure, mixture_figure


def label(place):
    return f"{chr(97 + place // 676)}{chr(97 + place // 26 % 26)}{chr(97 + place % 26)}_Latn"


def plan_rows(n, n_stages=1):
    """Return the rows of a plan: n labels in all groups, English replayed and Python."""
    rows = [
        {"component": "monolingual", "group": RESOURCE_GROUPS[place % 6], "label": label(place), "replay": False,
         "n_tokens_available": 1000 * (place + 1), "share": 0.6 / n, "epochs": 0.1 + place % 4}
        for place in range(n)
    ]  # fmt: skip
    rows += [
        {"component": component, "group": "", "label": name, "replay": replay,
         "n_tokens_available": 10**6, "share": 0.2, "epochs": 0.01}
        for component, name, replay in (("monolingual", "eng_Latn", True), ("code", "python", False))
    ]  # fmt: skip
    return [{**row, "stage_shares": [row["share"]] * n_stages} for row in rows]


def fertility_rows(n):
    return [
        {"label": label(place), "resource_group": RESOURCE_GROUPS[place % 6], "counts_letters": place % 7 == 0,
         "tokens_per_char": 0.3 + place / n, "tokens_per_word": 1.5 + place % 9, "byte_fallback_share": place / n / 2,
         "unknown_share": None if place % 2 else 0.1}
        for place in range(n)
    ]  # fmt: skip


@pytest.fixture
def drawn(monkeypatch):
    """The axes of each figure that is drawn, which is not written."""
    found = []

    def draw(folder, name, figure, size):
        canvas = Figure(figsize=size)
        figure(canvas)
        found.append(canvas.axes)
        return folder / f"{name}.svg"

    monkeypatch.setattr(mixture_figures, "draw", draw)
    return found


def names(axes):
    return [each.get_text() for each in axes.get_yticklabels()]


def test_a_mixture_shows_the_groups_in_their_order_and_every_label(drawn, tmp_path):
    mixture_figure(plan_rows(6), tmp_path)
    [[left, right]] = drawn
    groups = [f"{group} (1)" for group in RESOURCE_GROUPS]
    assert names(left) == ["replay (1)", *groups, "code (1)"]
    assert set(names(right)) == {*map(label, range(6)), "eng_Latn", "python"}


def test_a_mixture_of_a_thousand_labels_is_a_point_each(drawn, tmp_path):
    mixture_figure(plan_rows(1000), tmp_path)
    [[left, right]] = drawn
    assert names(left)[1] == "high (167)"
    assert sum(len(line.get_xdata()) for line in right.lines) == 1002
    assert right.get_title() == "How often each of 1,002 texts is read"


def test_every_stage_has_a_bar_of_its_own(drawn, tmp_path):
    mixture_figure(plan_rows(6, n_stages=3), tmp_path)
    [[left, _]] = drawn
    assert len(left.patches) == 3 * 8


def test_the_plan_of_an_older_manifest_is_drawn_by_component(drawn, tmp_path, manifests):
    mixture_figure(manifests["training-run"]["plan"], tmp_path)
    [[left, _]] = drawn
    assert [name.split(" (")[0] for name in names(left)] == ["replay", "bilingual"]


def test_fertility_shows_every_language_the_most_tokens_first(drawn, tmp_path):
    fertility_figure(fertility_rows(12), tmp_path)
    [[left, right]] = drawn
    assert names(left) == [label(place) for place in reversed(range(12))]
    assert [text.get_text().strip() for text in right.texts][:2] == ["3.5", "2.5"]


def test_fertility_in_a_thousand_languages_names_thirty_and_shows_all_by_group(drawn, tmp_path):
    fertility_figure(fertility_rows(1000), tmp_path)
    [[left, right]] = drawn
    assert names(left) == [label(place) for place in range(999, 969, -1)]
    sizes = [167] * 4 + [166] * 2
    assert names(right) == [
        f"{group} ({n})" for group, n in zip(RESOURCE_GROUPS, sizes, strict=True)
    ]
    points = sum(len(line.get_xdata()) for line in right.lines if line.get_marker() == "o")
    assert points == 1000


@pytest.mark.parametrize(
    ("draw", "rows"),
    [(mixture_figure, plan_rows(1000)), (fertility_figure, fertility_rows(1000)),
     (mixture_figure, plan_rows(1)), (fertility_figure, fertility_rows(1))],
)  # fmt: skip
def test_the_files_are_written_small_and_the_same_each_time(tmp_path, draw, rows):
    first, again = draw(rows, tmp_path), draw(rows, tmp_path, name="again")
    assert first.read_bytes() == again.read_bytes()
    assert first.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert first.stat().st_size < 400_000
