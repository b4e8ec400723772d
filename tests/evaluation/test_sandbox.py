import shutil
from pathlib import Path

import pytest

from emma500.errors import ConfigError, UsageError
from emma500.evaluation.metrics.code import pass_at_k
from emma500.evaluation.sandbox import programs
from emma500.evaluation.sandbox.programs import Limits, run_program, run_programs, why_not

SMALL = Limits(seconds=3.0, memory_bytes=300 << 20, disk_bytes=4 << 20, processes=24)


@pytest.fixture
def sandbox():
    reason = why_not("python", allow=True)
    if reason:
        pytest.skip(reason)


def run(program, language="python"):
    return run_program(program, language, limits=SMALL, allow=True)


def test_nothing_runs_unless_it_is_allowed(monkeypatch):
    monkeypatch.delenv("HF_ALLOW_CODE_EVAL", raising=False)
    found = run_program("print(1)", "python")
    assert (found.status, found.passed) == ("not evaluated", None)
    assert "HF_ALLOW_CODE_EVAL=1" in found.reason


def test_the_convention_of_evaluate_allows_it(monkeypatch, sandbox):
    monkeypatch.setenv("HF_ALLOW_CODE_EVAL", "1")
    assert run_program("print(1)", "python").passed is True


def test_the_exit_status_says_whether_a_program_passed(sandbox):
    assert run("assert 1 + 1 == 2").passed is True
    failed = run("assert 1 + 1 == 3")
    assert (failed.status, failed.passed, failed.exit_code) == ("failed", False, 1)
    assert "AssertionError" in failed.output


def test_a_program_cannot_pretend_that_it_was_not_run(sandbox):
    for code in (96, 97, 1):
        assert run(f"import os; os._exit({code})").status == "failed"


def test_there_is_no_network(sandbox):
    found = run("import socket; socket.create_connection(('127.0.0.1', 80), 1)")
    assert found.status == "failed"
    assert "unreachable" in found.output


def test_the_file_system_is_read_only_and_shows_no_files_of_ours(sandbox, tmp_path):
    (tmp_path / "secret").write_text("s")
    assert "Read-only" in run("open('/usr/evil', 'w')").output
    assert run(f"import os; assert not os.path.exists({str(tmp_path)!r})").passed
    assert run(f"import os; assert not os.path.exists({str(Path(__file__).parent)!r})").passed
    assert run("open('/tmp/work/mine', 'w').write('x')").passed


def test_time_memory_files_and_processes_are_limited(sandbox):
    assert run("while True: pass").status == "timeout"
    assert "MemoryError" in run("bytearray(8 << 30)").output
    assert run("open('/tmp/work/big', 'wb').write(b'0' * (64 << 20))").status == "failed"
    assert run("while True: print('x' * 1000)").status == "failed"
    assert "BlockingIOError" in run("import os\nwhile True: os.fork()").output


def test_a_program_has_no_privileges_and_cannot_get_them(sandbox):
    source = (
        "import ctypes, os\n"
        "status = open('/proc/self/status').read()\n"
        "assert 'CapEff:\\t0000000000000000' in status and 'NoNewPrivs:\\t1' in status\n"
        "assert os.getuid() == 65534 and [p for p in os.listdir('/proc') if p.isdigit()] == ['1']\n"
        "c = ctypes.CDLL(None)\n"
        "c.unshare(0x10000000 | 0x20000)\n"
        "assert c.mount(None, b'/usr', None, ctypes.c_ulong(32 | 4096), None) != 0\n"
    )
    found = run(source)
    assert found.passed, found.output


def test_the_ways_of_root_and_of_others_are_both_apart(sandbox, monkeypatch):
    way = ((*programs._APART, "--user", "--map-root-user"), 0)
    monkeypatch.setattr(programs, "_namespaces", lambda: way)
    found = run("import os; assert os.getuid() == 65534; open('/usr/evil', 'w')")
    if found.status == "not evaluated":
        pytest.skip(found.reason)
    assert "Read-only" in found.output


def test_a_compiled_language_runs_and_says_when_it_does_not_compile(sandbox):
    if why_not("cpp", allow=True):
        pytest.skip(why_not("cpp", allow=True))
    assert run_program(
        "#include <cassert>\nint main() { assert(1 == 1); }", "cpp", allow=True
    ).passed
    assert run_program("int main( {", "cpp", allow=True).reason == "it does not compile"


def test_missing_tools_are_not_a_failure(monkeypatch):
    monkeypatch.setattr(
        shutil, "which", lambda name: "/usr/bin/unshare" if name == "unshare" else None
    )
    for cached in (programs._toolchains, programs._broken):
        cached.cache_clear()
    monkeypatch.setattr(programs, "_namespaces", lambda: ((), 0))
    found = run_program("fn main() {}", "rs", allow=True)
    for cached in (programs._toolchains, programs._broken):
        cached.cache_clear()
    assert (found.passed, found.reason) == (None, "no rustc here to run rs: install it")


def test_no_sandbox_means_not_evaluated(monkeypatch):
    monkeypatch.setattr(programs, "_namespaces", lambda: None)
    found = run_program("print(1)", "python", allow=True)
    assert found.passed is None
    assert "no sandbox" in found.reason


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"'cobol'; known are python, cpp"):
        run_program("", "cobol")


def test_limits_must_be_above_zero():
    with pytest.raises(ConfigError, match=r"Limits\.seconds must be above 0, not 0"):
        Limits(seconds=0)


def test_samples_of_problems_become_pass_at_k(sandbox):
    runs = run_programs(["assert True", "assert False"], "python", limits=SMALL, allow=True)
    found = pass_at_k([[each.passed for each in runs]], k=1)
    assert (found.value, found.n) == (0.5, 1)


@pytest.mark.parametrize(
    ("n", "right", "k", "value"),
    [(10, 1, 1, 0.1), (10, 1, 10, 1.0), (5, 2, 2, 0.7), (4, 0, 2, 0.0), (3, 3, 2, 1.0)],
)
def test_pass_at_k_is_the_unbiased_estimate(n, right, k, value):
    assert pass_at_k([[True] * right + [False] * (n - right)], k=k).value == pytest.approx(value)


def test_problems_that_were_not_run_have_no_value():
    assert pass_at_k([[None, None]], k=1).value is None
    assert pass_at_k([[None], [True]], k=1).estimate.n == 1
    with pytest.raises(UsageError, match="pass@3 needs 3 samples of a problem; problem 0 has 2"):
        pass_at_k([[True, False, None]], k=3)
    with pytest.raises(UsageError, match="at least 1, not 0"):
        pass_at_k([[True]], k=0)
