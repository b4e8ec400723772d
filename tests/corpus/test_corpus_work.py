"""The work folder: whatever a kill leaves, the next call goes on; two builds never share it; progress is told."""

import fcntl
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading

import pytest

from emma500 import engine
from emma500.corpus import build as building
from emma500.corpus import work as working
from emma500.corpus.build import BuildConfig, build_mala
from emma500.corpus.work import Work
from emma500.errors import OutputError, SourceError
from emma500.records import raw_schema
from emma500.storage import locked

FAST = BuildConfig(identify="off")
HOLD = """
import sys, time
from pathlib import Path
from emma500.storage import locked
with locked(Path(sys.argv[1] + ".work")):
    print("held", flush=True)
    time.sleep(60)
"""


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def killed_in_the_first_marker(folder):
    folder.mkdir()
    (folder / "work.json.tmp").write_text('{"kind": "corp')


def killed_in_the_removal(folder):
    """A work folder is renamed before it is deleted: what is left of it has another name."""
    trash = folder.with_name(folder.name + ".tmp")
    (trash / "integration").mkdir(parents=True)
    (trash / "integration" / "0.parquet").write_text("half")


def killed_between_removal_and_start(folder):
    killed_in_the_removal(folder)
    killed_in_the_first_marker(folder)


@pytest.mark.parametrize(
    "leave",
    [killed_in_the_first_marker, killed_in_the_removal, killed_between_removal_and_start],
)
@pytest.mark.parametrize("is_finished", [False, True])
def test_what_a_kill_in_the_start_or_the_removal_of_the_work_leaves_blocks_no_build(
    leave, is_finished, tmp_path, jsonl
):
    if is_finished:
        build_mala(jsonl, tmp_path / "mala", config=FAST)
    leave(tmp_path / "mala.work")
    assert build_mala(jsonl, tmp_path / "mala", config=FAST).n_documents == 45
    assert names_in(tmp_path) == ["mala", "texts.jsonl"]


@pytest.mark.parametrize("n_deleted", range(6))
def test_a_removal_killed_after_any_number_of_deletions_blocks_no_build(
    n_deleted, tmp_path, monkeypatch
):
    folder = tmp_path / "mala.work"
    work = Work(folder)
    for name in ("a", "b", "work.zzz"):
        (folder / name).write_text("")

    def deleted_in_part(path, **_):
        for each in sorted(path.iterdir(), reverse=True)[:n_deleted] if path.exists() else ():
            each.unlink()

    monkeypatch.setattr(shutil, "rmtree", deleted_in_part)
    work.remove()
    monkeypatch.undo()
    assert Work(folder).folder == folder
    assert names_in(folder) == ["work.json"]
    assert names_in(tmp_path) == ["mala.work"]


def test_a_folder_of_someone_else_is_left_alone(tmp_path):
    folder = tmp_path / "mala.work"
    assert names_in(Work(folder).folder) == ["work.json"]
    (folder / "work.json").write_text("[]")
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match="holds something else"):
        Work(folder)
    working.remove_work(folder)
    assert (folder / "thesis.tex").exists()


def test_a_finished_split_whose_corpus_is_gone_is_run_again(tmp_path, jsonl, monkeypatch):
    monkeypatch.setattr(building, "remove_work", lambda _: None)  # killed before the removal
    build_mala(jsonl, tmp_path / "mala", config=FAST)
    shutil.rmtree(tmp_path / "mala")
    monkeypatch.undo()
    assert build_mala(jsonl, tmp_path / "mala", config=FAST).n_documents == 45
    assert names_in(tmp_path) == ["mala", "texts.jsonl"]


def test_two_builds_never_write_one_output_at_once(tmp_path, jsonl):
    output = tmp_path / "mala"
    command = [sys.executable, "-c", HOLD, str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OutputError, match=r"another process is writing .*mala.work: wait"):
            build_mala(jsonl, output, config=FAST)
        assert names_in(tmp_path) == ["mala.work.lock", "texts.jsonl"]
        build_mala(jsonl, tmp_path / "other", config=FAST)
        holder.kill()  # -9: the kernel lets go of the lock
    assert build_mala(jsonl, output, config=FAST).n_documents == 45
    assert names_in(tmp_path) == ["mala", "other", "texts.jsonl"]


def test_a_lock_whose_file_its_last_holder_removed_is_taken_anew(tmp_path, monkeypatch):
    path = tmp_path / "mala.work.lock"
    flock, calls = fcntl.flock, []

    def late(descriptor, how):
        calls.append(descriptor)
        if len(calls) == 1:
            path.unlink()
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with locked(tmp_path / "mala.work"):
        assert path.exists()
        assert len(calls) == 2
    assert not path.exists()


def test_a_file_system_without_locks_is_built_on_all_the_same(tmp_path, monkeypatch):
    def refuse(descriptor, how):
        raise OSError(38, os.strerror(38))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path / "mala.work"):
        pass
    assert names_in(tmp_path) == []


def test_a_finished_corpus_is_opened_without_writing_anything_beside_it(
    tmp_path, jsonl, monkeypatch
):
    build_mala(jsonl, tmp_path / "mala", config=FAST)

    def refuse(output):
        raise AssertionError(f"{output} was locked")

    monkeypatch.setattr(building, "locked", refuse)
    assert build_mala(jsonl, tmp_path / "mala", config=FAST).n_documents == 45


def test_every_long_step_reports_its_progress_to_the_end(tmp_path, jsonl):
    reports: dict[str, list[tuple[int, int | None]]] = {}

    def progress(description, done, total):
        reports.setdefault(description, []).append((done, total))

    build_mala(jsonl, tmp_path / "mala", config=FAST, progress=progress)
    assert list(reports)[:2] == ["reading sources", "filtering"]
    assert "splitting" in reports
    for description in ("filtering", "splitting"):
        assert reports[description][0] == (0, 45)
        assert reports[description][-1] == (45, 45)
        assert sorted(reports[description]) == reports[description]


class Task:
    def read(self):
        yield from ()
        raise SourceError("unreadable")


def test_what_ray_sends_elsewhere_carries_no_callback_of_this_process():
    done = []
    lock = threading.Lock()  # cannot be pickled, as a progress bar cannot

    def on_done(*values):
        with lock:
            done.append(values)

    (bundle,) = engine.Flow([Task()], raw_schema(), on_done=on_done)._bundles(1)
    elsewhere = pickle.loads(pickle.dumps(bundle))
    elsewhere.on_done()
    assert not done
    bundle.on_done()
    assert done == [()]
    with pytest.raises(SourceError, match="unreadable"):
        next(elsewhere.read())


@pytest.mark.parametrize("n", [2, 3, 30])
def test_a_language_of_fewer_than_three_documents_keeps_them_all_in_training(
    n, tmp_path, rows, write_jsonl
):
    path = write_jsonl(tmp_path / "a.jsonl", [*rows("swh", n), *rows("yo", 40)])
    corpus = build_mala(path, tmp_path / "mala", config=FAST)
    validation = corpus.read("monolingual", "swh_Latn", "validation")
    assert (validation.num_rows if validation is not None else 0) == (1 if n >= 3 else 0)
    train = corpus.read("monolingual", "swh_Latn", "train")
    assert train is not None
    assert train.num_rows == n - (n >= 3)
    assert corpus.files("monolingual", "yor_Latn", "validation")
    if n == 2:
        given = {json.loads(line)["text"] for line in path.read_text().splitlines()[:2]}
        assert set(train["text"].to_pylist()) == given
