"""The demo, whole: with a tiny model in the place of SmolLM2, in processes of their own."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = """
import sys
from pathlib import Path
from emma500 import demo

if __name__ == "__main__":
    demo.packaged_model = lambda package: Path(sys.argv[1])
    print(demo.run_demo(sys.argv[2]))
"""
TIMES = "timings.json"


def start(tiny_model, folder, output):
    script = folder / "run_demo.py"
    script.write_text(SCRIPT, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script), str(tiny_model), str(output)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def finish(process):
    printed, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors[-2000:]
    return printed


_TIMED = {TIMES, "training.json", "report.md", "report.html"}
_CARD = Path("hub/demo/smollm2-135m-mala/README.md")
"""What says how long training took."""


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in _TIMED and path.relative_to(folder) != _CARD
    }


@pytest.fixture(scope="module")
def whole(tiny_model, tmp_path_factory):
    """A demo that nothing disturbed: its folder, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    return folder / "demo", finish(start(tiny_model, folder, folder / "demo"))


@pytest.mark.slow
def test_the_demo_goes_the_whole_way_and_prints_what_it_measured(whole):
    output, printed = whole
    for name in ("mala/README.md", "model/model.safetensors", "report.html", "report.md", TIMES):
        assert (output / name).stat().st_size > 100, name
    for repository in ("mala", "smollm2-135m-mala", "smollm2-135m-mala-scores"):
        assert (output / "hub" / "demo" / repository / "README.md").is_file()
    for words in (
        "after each stage",
        "by resource group",
        "mean of 8 trained languages",
        "peak GiB",
    ):
        assert words in printed
    assert not list(output.rglob("*.work")) + list(output.rglob("*.tmp"))


@pytest.mark.slow
def test_killed_in_every_step_and_run_again_the_demo_reuses_what_is_finished_and_ends_the_same(
    whole, tiny_model, tmp_path
):
    output = tmp_path / "demo"
    for appears in (  # in the build, loading, training, scoring and publishing
        "mala.work/integration", "mala", "model.work/checkpoints/checkpoint-16", "model", "hub/demo/mala",
    ):  # fmt: skip
        process = start(tiny_model, tmp_path, output)
        deadline = time.monotonic() + 200
        while not (output / appears).exists() and process.poll() is None:
            assert time.monotonic() < deadline, appears
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    finished = ("mala/README.md", "model/model.safetensors", "scores/after/manifest.json")
    inodes = {name: (output / name).stat().st_ino for name in finished}
    finish(start(tiny_model, tmp_path, output))
    assert digests(output) == digests(whole[0])
    assert {name: (output / name).stat().st_ino for name in finished} == inodes
