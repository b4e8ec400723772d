"""Programs -> whether they passed, each in a sandbox of its own.

    >>> run_program("print('hello')", "python").status
    'not evaluated'

Nothing runs unless it is allowed (`allow=True`, or HF_ALLOW_CODE_EVAL=1 as the `evaluate` library has it), nothing runs
without a sandbox, and what could not be run is "not evaluated": never a failure, never a 0.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal

from emma500.configuration import n_cores, option, require
from emma500.errors import UsageError
from emma500.tables import read_table

Status = Literal["passed", "failed", "timeout", "not evaluated"]

_NOT_COMPILED = 96
_NOBODY = 65534
_MOST_OUTPUT = 10_000
_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives")
_PARTS = (
    "bin",
    "lib",
    "lib64",
    "libexec",
    "include",
    "share",
)  # of where a tool is installed; no home as a whole
_APART = ("--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a program may use, compiling included."""

    seconds: float = option(20.0, "seconds of wall clock, and of the processor")
    memory_bytes: int = option(1 << 30, "bytes of memory a process")
    disk_bytes: int = option(64 << 20, "bytes of files, which are kept in memory")
    processes: int = option(128, "processes and threads")

    def __post_init__(self) -> None:
        for name in ("seconds", "memory_bytes", "disk_bytes", "processes"):
            require(self, name, lambda value: value > 0, "above 0")


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What became of a program; `reason` says why it was not evaluated, or did not pass."""

    status: Status
    exit_code: int | None = None
    output: str = ""
    reason: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool | None:
        """Whether it passed; None where it was not evaluated."""
        return None if self.status == "not evaluated" else self.status == "passed"


def run_program(
    program: str, language: str, *, limits: Limits | None = None, allow: bool = False
) -> Run:
    """Run a program with its tests: exit status 0 is a pass.

    Args:
        program: Its source.
        language: As MultiPL-E names them: python, js, cpp … (tables/toolchains.tsv).
        limits: What it may use.
        allow: Whether programs of a model may be run on this machine at all.

    Returns:
        What became of it; "not evaluated" where it is not allowed, or the sandbox or the language's tools are missing.

    Raises:
        UsageError: If the language is unknown.
    """
    reason = why_not(language, allow=allow)
    if reason:
        return Run(status="not evaluated", reason=reason)
    return _sandboxed(program, language, limits or Limits())


def run_programs(
    programs: Sequence[str],
    language: str,
    *,
    limits: Limits | None = None,
    allow: bool = False,
    n_workers: int | None = None,
) -> list[Run]:
    """Run programs, several at a time (`run_program`).

    Args:
        programs: Their sources.
        language: The language of all.
        limits: What each may use.
        allow: Whether programs of a model may be run on this machine at all.
        n_workers: How many run at a time; as many as there are cores by default.

    Returns:
        What became of each, in their order.
    """
    run = partial(run_program, language=language, limits=limits, allow=allow)
    with ThreadPoolExecutor(n_workers or n_cores()) as pool:
        return list(pool.map(run, programs))


def why_not(language: str, *, allow: bool) -> str:
    """Return why programs of a language cannot be run here; "" if they can.

    Args:
        language: As MultiPL-E names it.
        allow: Whether programs may be run at all.

    Returns:
        The reason and the way out.

    Raises:
        UsageError: If the language is unknown.
    """
    if language not in _toolchains():
        raise UsageError(
            f"unknown programming language {language!r}; known are {', '.join(_toolchains())}"
        )
    if not allow and os.environ.get("HF_ALLOW_CODE_EVAL") != "1":
        return (
            "running programs of a model is off: allow it with run_code=True (--run_code), in a program with "
            "allow=True, or with HF_ALLOW_CODE_EVAL=1"
        )
    if _namespaces() is None:
        return (
            "no sandbox: it needs Linux, `unshare` of util-linux and the right to make namespaces "
            "(root, or kernel.unprivileged_userns_clone=1)"
        )
    return _broken(language)


@dataclass(frozen=True, slots=True)
class _Toolchain:
    """How programs of a language are run; `missing` are its tools that are not there."""

    file: str
    command: str
    memory_limit: str
    probe: str
    folders: tuple[str, ...]
    missing: tuple[str, ...]


@cache
def _toolchains() -> dict[str, _Toolchain]:
    return {row["language"]: _toolchain(row) for row in read_table("toolchains")}


def _toolchain(row: dict[str, str]) -> _Toolchain:
    steps = [row["compile"].split(), row["run"].split()]
    missing, folders = [], [*_FOLDERS, *map(str, sorted(Path("/etc").glob("java*")))]
    for step in steps:
        if not step or step[0].startswith("./"):
            continue  # nothing to compile; what compiling makes
        found = _tool(step[0])
        if found is None:
            missing.append(step[0])
            continue
        prefix = found.resolve().parent.parent
        folders += [str(prefix / part) for part in _PARTS if (prefix / part).is_dir()]
        step[0] = str(found)
    compiled, run = (" ".join(step) for step in steps)
    command = f"exec {run}" if not compiled else f"{compiled} || exit {_NOT_COMPILED}; exec {run}"
    return _Toolchain(
        file=row["file"],
        command=command,
        memory_limit="RLIMIT_AS" if row["memory"] == "address" else "RLIMIT_DATA",
        probe=row["probe"].replace("\\n", "\n"),
        folders=tuple(dict.fromkeys(folders)),
        missing=tuple(missing),
    )


def _tool(name: str) -> Path | None:
    """Return where a tool is, None for one that is not there; Python is the one that runs this."""
    if name == "python3":
        return Path(sys.base_prefix).resolve() / "bin" / "python3"
    found = shutil.which(name)
    return None if found is None else Path(found)


@cache
def _namespaces() -> tuple[tuple[str, ...], int] | None:
    """Return the options of `unshare` that work here and the user that programs run as; None if there are none."""
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        return None
    ways: list[tuple[tuple[str, ...], int]] = [((*_APART, "--user", "--map-root-user"), 0)]
    if os.geteuid() == 0:  # limits on processes do not bind root, so an ordinary user it is
        ways.insert(0, (_APART, _NOBODY))
    for options, uid in ways:
        tried = subprocess.run(["unshare", *options, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return options, uid
    return None


@cache
def _broken(language: str) -> str:
    """Return why the tools of a language do not work in a sandbox: they must run a program that is known to pass."""
    toolchain = _toolchains()[language]
    if toolchain.missing:
        return f"no {' and no '.join(toolchain.missing)} here to run {language}: install it"
    run = _sandboxed(toolchain.probe, language, Limits(seconds=60.0))
    if run.status == "passed":
        return ""
    return f"the tools of {language} do not work in the sandbox: {run.reason} {run.output}".strip()


def _sandboxed(program: str, language: str, limits: Limits) -> Run:
    toolchain, namespaces = _toolchains()[language], _namespaces()
    if namespaces is None:
        return Run(status="not evaluated", reason="no sandbox")
    options, uid = namespaces
    with tempfile.TemporaryDirectory(prefix="emma500-") as folder:
        root, inputs = Path(folder, "root"), Path(folder, "inputs")
        root.mkdir()
        inputs.mkdir()
        (inputs / toolchain.file).write_text(program, encoding="utf-8")
        settings = {
            "root": str(root),
            "inputs": str(inputs),
            "folders": toolchain.folders,
            "command": toolchain.command,
            "path": "/usr/local/bin:/usr/bin:/bin",
            "uid": uid,
            "cpu_seconds": max(1, round(limits.seconds)),
            "memory_limit": toolchain.memory_limit,
            "memory_bytes": limits.memory_bytes,
            "disk_bytes": limits.disk_bytes,
            "processes": limits.processes,
        }
        return _watched(settings, options, Path(folder), limits.seconds)


def _watched(
    settings: dict[str, object], options: Sequence[str], folder: Path, seconds: float
) -> Run:
    """Run the launcher, which says through a pipe when the sandbox stands."""
    started = time.monotonic()
    is_ready, ready = os.pipe()
    launcher = str(Path(__file__).with_name("launcher.py"))
    words = json.dumps({**settings, "ready": ready})
    with (folder / "printed").open("w+b") as printed, os.fdopen(is_ready, "rb") as signalled:
        process = subprocess.Popen(
            ["unshare", *options, sys.executable, "-I", launcher, words],
            stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, start_new_session=True, pass_fds=(ready,),
        )  # fmt: skip
        os.close(ready)
        try:
            code: int | None = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            code = None
        stood = signalled.read(1) == b"1"
        printed.seek(0)
        text = printed.read(_MOST_OUTPUT).decode("utf-8", "replace")
    if not stood:
        return Run(status="not evaluated", reason=f"the sandbox could not be made: {text}")
    return _judged(code, text, time.monotonic() - started)


def _judged(code: int | None, output: str, seconds: float) -> Run:
    reasons: dict[int | None, tuple[Status, str]] = {
        None: ("timeout", "it did not end in time"),
        0: ("passed", ""),
        _NOT_COMPILED: ("failed", "it does not compile"),
        128 + signal.SIGXCPU: ("timeout", "it used up its seconds of the processor"),
    }
    status, reason = reasons.get(code, ("failed", f"it ended with exit status {code}"))
    return Run(status=status, exit_code=code, output=output, reason=reason, seconds=seconds)
