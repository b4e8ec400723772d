"""The work folder: who may go on in it, and who writes it."""

import json

import pytest

from emma500.errors import OutputError, StorageError
from emma500.storage import space_checked
from emma500.training.config import TrainConfig
from emma500.training.run import continue_pretrain
from emma500.training.work import Workplace

FILES = ("model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth")


def place(tmp_path, rows_per_step=4, fingerprint="a"):
    return Workplace(
        output=tmp_path / "out", fingerprint=fingerprint, identity={}, rows_per_step=rows_per_step
    )


def checkpoint(tmp_path, step=3):
    folder = tmp_path / "out.work" / "checkpoints" / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text(name)
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return folder


def test_other_rows_a_step_do_not_go_on_from_a_runs_checkpoints(tmp_path):
    assert place(tmp_path).open(TrainConfig()) is None
    kept = checkpoint(tmp_path)
    assert place(tmp_path).open(TrainConfig()) == kept
    with pytest.raises(
        OutputError, match=r"with 4 rows an optimizer step, but now there are 8.*overwrite=True"
    ):
        place(tmp_path, rows_per_step=8).open(TrainConfig())
    assert kept.exists()
    assert place(tmp_path, rows_per_step=8).open(TrainConfig(overwrite=True)) is None
    assert not kept.exists()


def test_other_rows_a_step_without_checkpoints_start_anew(tmp_path):
    place(tmp_path).open(TrainConfig())
    assert place(tmp_path, rows_per_step=8).open(TrainConfig()) is None
    kept = checkpoint(tmp_path)
    assert place(tmp_path, rows_per_step=8).open(TrainConfig()) == kept


def test_a_process_that_joins_writes_nothing_and_goes_on_from_the_same_checkpoint(tmp_path):
    with pytest.raises(OutputError, match="was not made ready for this run by its first process"):
        place(tmp_path).join()
    assert list(tmp_path.iterdir()) == []
    place(tmp_path).open(TrainConfig())
    kept = checkpoint(tmp_path)
    half = kept.parent / "staged.tmp"
    half.mkdir()
    before = {each: each.stat().st_mtime_ns for each in tmp_path.rglob("*")}
    assert place(tmp_path).join() == kept
    assert {each: each.stat().st_mtime_ns for each in tmp_path.rglob("*")} == before
    with pytest.raises(OutputError, match="all processes must be given the same model"):
        place(tmp_path, fingerprint="b").join()


def test_asking_whether_a_run_is_finished_writes_nothing(tmp_path):
    old = tmp_path / "out.old.tmp"
    old.mkdir()
    assert not place(tmp_path).is_finished
    assert old.exists()


def test_closing_leaves_the_work_folder_of_another_run_alone(tmp_path):
    place(tmp_path).open(TrainConfig())
    place(tmp_path, fingerprint="b").close(keep_checkpoints=False)
    assert (tmp_path / "out.work").exists()
    place(tmp_path).close(keep_checkpoints=False)
    assert not (tmp_path / "out.work").exists()


def test_another_process_that_trains_into_the_same_output_is_waited_for_or_refused(
    tmp_path, corpus, model, config, monkeypatch
):
    from emma500 import storage
    from emma500.storage import locked

    monkeypatch.setattr(storage, "_PATIENCE", 0.0)
    with (
        locked(tmp_path / "out.work"),
        pytest.raises(OutputError, match=r"another process is writing .*out\.work"),
    ):
        continue_pretrain(model, corpus, tmp_path / "out", config())
    assert list(tmp_path.iterdir()) == []
    continue_pretrain(model, corpus, tmp_path / "out", config(max_steps=1))
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_a_disk_that_is_full_is_told_whatever_library_met_it(tmp_path):
    from safetensors import SafetensorError

    with (
        pytest.raises(StorageError, match=r"no space left while writing .*free some space"),
        space_checked(tmp_path),
    ):
        raise SafetensorError("I/O error: No space left on device (os error 28)")
    with pytest.raises(SafetensorError, match="header too large"), space_checked(tmp_path):
        raise SafetensorError("header too large")
