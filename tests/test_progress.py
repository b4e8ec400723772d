"""Progress: one callback, one bar a description."""

from emma500.progress import Bars, tracked


def test_items_come_through_unchanged_and_each_is_reported():
    seen = []
    assert list(tracked("abc", lambda *told: seen.append(told), "reading")) == ["a", "b", "c"]
    assert seen == [("reading", n, 3) for n in range(4)]
    assert list(tracked(iter("ab"), None, "silent")) == ["a", "b"]


def test_a_bar_goes_on_where_it_was_when_another_came_between(capsys):
    bars = Bars()
    for told in (("training", 0, 10), ("training", 4, 10), ("scoring", 0, 2), ("scoring", 2, 2)):
        bars(*told)
    bars("training", 5, 10)
    bars.close()
    drawn = capsys.readouterr().err
    assert "scoring" in drawn
    assert "100%" in drawn
    assert "5/10" in drawn.rsplit("training", 1)[1]


def test_a_bar_that_was_interrupted_at_its_end_is_not_drawn_again(capsys):
    bars = Bars()
    bars("training", 10, 10)
    assert capsys.readouterr().err == ""
