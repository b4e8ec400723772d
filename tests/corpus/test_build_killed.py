"""A build that is killed -9 at a stage boundary, or inside a stage, and run again ends with the same bytes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from emma500.corpus.build import BuildConfig, build_mala

SCRIPT = """
import sys
from emma500.corpus.build import BuildConfig, build_mala
build_mala(sys.argv[1], sys.argv[2], config=BuildConfig(identify="off", shard_bytes=20_000))
"""
CONFIG = BuildConfig(identify="off", shard_bytes=20_000)


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def kill_when(command, pattern, folder):
    """Start a process, kill it as soon as a path appears; return whether it was killed before it was done."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        if any(folder.glob(pattern)):
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return process.returncode == -signal.SIGKILL
        time.sleep(0.0005)
    return False


@pytest.fixture(scope="module")
def texts_and_whole(tmp_path_factory):
    """A file of texts, and the files of the corpus that an undisturbed build makes of it."""
    folder = tmp_path_factory.mktemp("whole")
    words = [
        "moja",
        "mbili",
        "tatu",
        "nne",
        "tano",
        "sita",
        "saba",
        "nane",
        "tisa",
        "kumi",
        "simba",
        "chui",
    ]
    records = [
        {"text": " ".join(f"{word}{code}{number}" for word in words), "lang": code}
        for code, count in (("swh", 300), ("yo", 120), ("sna", 9))
        for number in range(count)
    ]
    path = folder / "texts.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    build_mala(path, folder / "mala", config=CONFIG)
    return path, files_of(folder / "mala")


@pytest.mark.parametrize(
    "pattern",
    [
        "mala.work/integration/*",  # inside integration
        "mala.work/integration.done",
        "mala.work/filter.done",
        "mala.work/dedup.done",
        "mala.work/split/corpus/data/*/*.parquet",  # inside the split
        "mala.work/split.done",
        "mala.work/split/corpus/manifest.json",  # finished but for its place
        "mala",  # in its place, the work not yet removed
    ],
)
def test_killed_and_run_again_gives_the_same_bytes(pattern, tmp_path, texts_and_whole):
    path, whole = texts_and_whole
    command = [sys.executable, "-c", SCRIPT, str(path), str(tmp_path / "mala")]
    was_killed = kill_when(command, pattern, tmp_path)
    assert was_killed or pattern in {
        "mala.work/split/corpus/manifest.json",
        "mala",
    }  # these are over in no time
    build_mala(path, tmp_path / "mala", config=CONFIG)
    assert files_of(tmp_path / "mala") == whole
    assert not (tmp_path / "mala.work").exists()


def test_a_finished_stage_is_not_run_again(tmp_path, jsonl):
    build_mala(jsonl, tmp_path / "whole", config=CONFIG)
    command = [sys.executable, "-c", SCRIPT, str(jsonl), str(tmp_path / "mala")]
    assert kill_when(command, "mala.work/integration.done", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("mala.work/integration/*")}
    assert before
    kill_when(command, "mala.work/split.done", tmp_path)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_work_for_other_sources_is_thrown_away(tmp_path, jsonl, rows, write_jsonl):
    command = [sys.executable, "-c", SCRIPT, str(jsonl), str(tmp_path / "mala")]
    assert kill_when(command, "mala.work/integration.done", tmp_path)
    other = write_jsonl(tmp_path / "other.jsonl", rows("yo", 12))
    corpus = build_mala(other, tmp_path / "mala", config=CONFIG)
    assert corpus.labels == ("yor_Latn",)
    assert corpus.n_documents == 12


def test_a_replacement_killed_half_way_is_undone(tmp_path, jsonl):
    build_mala(jsonl, tmp_path / "mala", config=CONFIG)
    before = files_of(tmp_path / "mala")
    (tmp_path / "mala").rename(tmp_path / "mala.old.tmp")
    build_mala(jsonl, tmp_path / "mala", config=CONFIG)
    assert files_of(tmp_path / "mala") == before
    assert not (tmp_path / "mala.old.tmp").exists()
