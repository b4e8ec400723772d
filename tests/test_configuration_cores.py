"""How many cores a process may use, on any system."""

import os

from emma500.configuration import n_cores


def test_the_cores_a_process_may_use_are_counted_and_those_there_are_where_no_system_call_says(
    monkeypatch,
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3}, raising=False)
    assert n_cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert n_cores() == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert n_cores() == 1
