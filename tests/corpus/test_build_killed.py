"""A build that is killed -9 at a stage boundary, or inside a stage, and run again ends with the same bytes."""

import json
import signal
import time

import pytest

from emma500.corpus.build import BuildConfig, build_mala

SUICIDE = """
import importlib, os, signal
from pathlib import Path
from emma500.corpus.build import build_mala

owner, name = (Path, "replace") if name == "Path.replace" else (importlib.import_module(module), name)
function = getattr(owner, name)

def fatal(*args, **options):
    if place == "after":
        function(*args, **options)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, fatal)
build_mala(source, output, config=config)
"""
CONFIG = BuildConfig(identify="off", shard_bytes=20_000)


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def kill_when(process, pattern, folder):
    """Kill a process as soon as a path appears; return whether it was killed before it was done."""
    while process.exitcode is None:
        if any(folder.glob(pattern)):
            process.kill()
            process.join()
            return process.exitcode == -signal.SIGKILL
        time.sleep(0.0005)
    return False


@pytest.fixture
def start(forkserver):
    """Start a build in a process of its own."""

    def run(source, output):
        process = forkserver.Process(
            target=build_mala, args=(source, output), kwargs={"config": CONFIG}
        )
        process.start()
        return process

    return run


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
        "mala.work",  # before anything is done
        "mala.work/integration/*",  # inside integration
        "mala.work/integration.done",
        "mala.work/filter.done",
        "mala.work/dedup.done",
        "mala.work/split/corpus/data/*/*.parquet",  # inside the split
    ],
)
def test_killed_and_run_again_gives_the_same_bytes(pattern, tmp_path, texts_and_whole, start):
    path, whole = texts_and_whole
    assert kill_when(start(path, tmp_path / "mala"), pattern, tmp_path)
    assert not (tmp_path / "mala").exists()
    build_mala(path, tmp_path / "mala", config=CONFIG)
    assert files_of(tmp_path / "mala") == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mala"]


@pytest.mark.parametrize(
    ("module", "name", "place", "left"),
    [
        # What is over in no time: the process kills itself before or after one function is called.
        ("pathlib", "Path.replace", "before", {"mala.work", "mala.work.lock"}),
        ("emma500.corpus.pipeline", "write_manifest", "before", {"mala.work", "mala.work.lock"}),
        ("emma500.corpus.pipeline", "write_manifest", "after", {"mala.work", "mala.work.lock"}),
        ("emma500.corpus.build", "replace_folder", "before", {"mala.work", "mala.work.lock"}),
        (
            "emma500.corpus.build",
            "replace_folder",
            "after",
            {"mala", "mala.work", "mala.work.lock"},
        ),
        ("emma500.corpus.build", "remove_work", "after", {"mala", "mala.work.lock"}),
    ],
)
def test_killed_at_an_exact_point_and_run_again_gives_the_same_bytes(
    module, name, place, left, tmp_path, texts_and_whole, forkserver
):
    path, whole = texts_and_whole
    names = {"module": module, "name": name, "place": place, "config": CONFIG}
    names |= {"source": path, "output": tmp_path / "mala"}
    process = forkserver.Process(target=exec, args=(SUICIDE, names))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert {path.name for path in tmp_path.iterdir()} == left
    build_mala(path, tmp_path / "mala", config=CONFIG)
    assert files_of(tmp_path / "mala") == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mala"]


def test_a_finished_stage_is_not_run_again(tmp_path, jsonl, start):
    build_mala(jsonl, tmp_path / "whole", config=CONFIG)
    assert kill_when(start(jsonl, tmp_path / "mala"), "mala.work/integration.done", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("mala.work/integration/*")}
    assert before
    assert kill_when(start(jsonl, tmp_path / "mala"), "mala.work/dedup.done", tmp_path)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_work_for_other_sources_is_thrown_away(tmp_path, jsonl, rows, write_jsonl, start):
    assert kill_when(start(jsonl, tmp_path / "mala"), "mala.work/integration.done", tmp_path)
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
