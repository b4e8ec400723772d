"""Work that one of several processes does for all: here the others, without it."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from torch import distributed

from emma500 import processes
from emma500.evaluation.sandbox import programs
from emma500.evaluation.tasks.outputs import measure_code


def forbidden(*_, **__):
    raise AssertionError("this process was not to do the work")


@pytest.fixture
def told(monkeypatch):
    """Make this the second of two processes; what the first one tells it is to be put in."""
    state = SimpleNamespace(num_processes=2, process_index=1, is_main_process=False)
    first = list[Any]()
    monkeypatch.setattr(processes, "process_state", lambda: state)

    def receive(found, group):
        found[:] = first

    monkeypatch.setattr(processes, "patient_group", nullcontext)
    monkeypatch.setattr(distributed, "broadcast_object_list", receive)
    return first


def test_the_other_processes_do_no_work_and_get_what_it_gave(told):
    told.append("made")
    assert processes.of_first_process(forbidden) == "made"


def test_one_process_works_for_itself_and_tells_nobody(monkeypatch):
    monkeypatch.setattr(distributed, "broadcast_object_list", forbidden)
    assert processes.of_first_process(lambda: "made") == "made"


def test_programs_run_in_the_first_process_alone(told, monkeypatch):
    monkeypatch.setattr(programs, "run_programs", forbidden)
    told.append(([True, False], ""))
    examples = [SimpleNamespace(fields={"text": "def f():", "tests": ""})] * 2
    part = SimpleNamespace(label="python", examples=examples)
    (found,), reason = measure_code(part, [["pass"], ["pass"]], allow=True)
    assert (found.name, found.value, reason) == ("pass@1", 0.5, "")
