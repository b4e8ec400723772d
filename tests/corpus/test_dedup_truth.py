"""The copies that were planted in real text of 1,109 codes are found, and little else is removed."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "speed" / "dedup_truth.py"
PARTS = ("part-00000.jsonl.gz", "part-00001.jsonl.gz")


@pytest.fixture
def two_parts(shared, tmp_path):
    """Two of the six parts of the real data, and the copies that lie in them as their originals do."""
    folder = shared / "data" / "bench_open"
    if not folder.is_dir():
        pytest.skip("no bench_open among the real data")
    for part in PARTS:
        (tmp_path / part).symlink_to(folder / part)
    with gzip.open(folder / "truth.jsonl.gz", "rt", encoding="utf-8") as lines:
        truth = [json.loads(line) for line in lines]
    inside = [each for each in truth if {each["copy"][0], each["original"][0]} <= set(PARTS)]
    assert len(inside) > 2000
    with gzip.open(tmp_path / "truth.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(each) + "\n" for each in inside)
    return tmp_path


@pytest.mark.slow
def test_planted_copies_are_found_and_what_is_removed_resembles_what_stays(two_parts):
    run = subprocess.run(
        [sys.executable, str(SCRIPT), str(two_parts)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
