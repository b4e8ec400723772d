"""Progress: one callback, one bar a description on a terminal, one line a description in a log."""

import re
import time

import pytest

from emma500.progress import Bars, named, tracked


@pytest.fixture
def drawn(monkeypatch):
    """Bars are drawn though standard error is no terminal."""
    monkeypatch.setenv("EMMA500_PROGRESS", "1")


def test_items_come_through_unchanged_and_each_is_reported():
    seen = []
    assert list(tracked("abc", lambda *told: seen.append(told), "reading")) == ["a", "b", "c"]
    assert seen == [("reading", n, 3) for n in range(4)]
    assert list(tracked(iter("ab"), None, "silent")) == ["a", "b"]


def test_a_stage_may_be_called_otherwise():
    seen = []
    shown = named(lambda *told: seen.append(told), "xcopa (fixed)")
    assert shown is not None
    shown("scoring", 1, 2)
    assert seen == [("xcopa (fixed)", 1, 2)]
    assert named(None, "xcopa (fixed)") is None


def test_a_bar_goes_on_where_it_was_when_another_came_between(drawn, capsys):
    bars = Bars()
    for told in (("training", 0, 10), ("training", 4, 10), ("scoring", 0, 2), ("scoring", 2, 2)):
        bars(*told)
    bars("training", 5, 10)
    bars.close()
    shown = capsys.readouterr().err
    assert "scoring" in shown
    assert "100%" in shown
    assert "5/10" in shown.rsplit("training", 1)[1]


def test_a_bar_that_was_interrupted_at_its_end_is_not_drawn_again(drawn, capsys):
    bars = Bars()
    bars("training", 10, 10)
    assert capsys.readouterr().err == ""


def test_a_log_gets_one_line_a_stage_at_its_end(monkeypatch, capsys):
    monkeypatch.delenv("EMMA500_PROGRESS", raising=False)
    bars = Bars()
    for done in range(1001):
        bars("filtering", done, 1000)
        bars("copying", min(done, 10), None)
    bars("nothing to do", 0, 0)
    assert re.fullmatch(r"filtering: 1,000 in \d+\.\d s\n", capsys.readouterr().err)


def test_a_log_says_once_a_minute_how_long_the_rest_takes(monkeypatch, capsys):
    clock = [0.0]
    monkeypatch.delenv("EMMA500_PROGRESS", raising=False)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    bars = Bars()
    for done in range(5):
        bars("sib200 (fixed)", 10 * done, 40)
        bars.note(f"language {done}")
        clock[0] += 31.0
    assert capsys.readouterr().err.splitlines() == [
        "sib200 (fixed): 20 of 40, 1 min left (language 1)",
        "sib200 (fixed): 40 in 124.0 s (language 3)",
    ]


def test_a_live_bar_redraws_one_line_with_carriage_returns(drawn, capsys):
    bars = Bars()
    for done in range(4):
        bars("reading sources", done, 3)
    assert capsys.readouterr().err.count("\n") == 1


def test_progress_is_silent_where_it_is_switched_off(monkeypatch, capsys):
    monkeypatch.setenv("EMMA500_PROGRESS", "0")
    bars = Bars()
    for done in range(4):
        bars("reading sources", done, 3)
    bars.close()
    assert capsys.readouterr().err == ""
