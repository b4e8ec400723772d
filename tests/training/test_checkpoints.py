import json
import os

import pytest
import torch
from safetensors.torch import save_file

from emma500.training.loop.checkpoints import is_complete, latest_complete, publish_checkpoint

FILES = ("model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth")


def write(folder, step):
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    for name in FILES:
        (checkpoint / name).write_text(f"{name} of {step}")
    (checkpoint / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return checkpoint


def test_the_newest_checkpoint_is_that_of_the_highest_step(tmp_path):
    for step in (9, 100, 20):
        write(tmp_path, step)
    assert latest_complete(tmp_path) == tmp_path / "checkpoint-100"


@pytest.mark.parametrize("missing", [*FILES, "trainer_state.json"])
def test_a_checkpoint_that_lacks_a_file_is_passed_over(tmp_path, missing):
    write(tmp_path, 10)
    (write(tmp_path, 20) / missing).unlink()
    assert latest_complete(tmp_path) == tmp_path / "checkpoint-10"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", [0.0, 0.5, 0.99])
def test_a_truncated_checkpoint_is_passed_over_for_the_last_good_one_with_a_warning(
    tmp_path, caplog, name, left
):
    tensors = {"a": torch.arange(999.0), "b": torch.zeros(2, 3)}
    for checkpoint in (write(tmp_path, 10), write(tmp_path, 20)):
        save_file(tensors, checkpoint / "model.safetensors")
        for each in FILES[1:]:
            torch.save(tensors, checkpoint / each)
    assert latest_complete(tmp_path) == tmp_path / "checkpoint-20"
    assert caplog.text == ""
    file = tmp_path / "checkpoint-20" / name
    os.truncate(file, int(left * file.stat().st_size))
    assert latest_complete(tmp_path) == tmp_path / "checkpoint-10"
    assert "checkpoint-20 is not complete: the run goes on from checkpoint-10" in caplog.text


@pytest.mark.parametrize("text", ["", '{"global_step": 2', '{"global_step": 19}'])
def test_a_checkpoint_with_half_a_state_or_the_wrong_one_is_not_complete(tmp_path, text):
    checkpoint = write(tmp_path, 20)
    (checkpoint / "trainer_state.json").write_text(text)
    assert not is_complete(checkpoint)


def test_a_checkpoint_of_deepspeed_is_complete_when_its_last_file_names_its_state(tmp_path):
    checkpoint = write(tmp_path, 20)
    for name in ("optimizer.pt", "scheduler.pt", "model.safetensors"):
        (checkpoint / name).unlink()
    (checkpoint / "latest").write_text("global_step20")
    assert not is_complete(checkpoint)
    (checkpoint / "global_step20").mkdir()
    assert not is_complete(checkpoint)
    (checkpoint / "global_step20" / "zero_pp_rank_0_mp_rank_00_optim_states.pt").touch()
    assert is_complete(checkpoint)


def test_checkpoints_of_which_none_is_complete_are_warned_of(tmp_path, caplog):
    (write(tmp_path, 20) / "optimizer.pt").unlink()
    assert latest_complete(tmp_path) is None
    assert "holds 1 checkpoints, but none is complete" in caplog.text


def test_no_folder_has_no_checkpoint(tmp_path):
    assert latest_complete(tmp_path / "nowhere") is None


def test_publishing_a_checkpoint_removes_the_older_ones(tmp_path):
    for step in (9, 10):
        write(tmp_path, step)
    staged = write(tmp_path / "staged.tmp", 11)
    publish_checkpoint(staged, tmp_path / "checkpoint-11", keep=2)
    assert sorted(each.name for each in tmp_path.glob("checkpoint-*")) == [
        "checkpoint-10",
        "checkpoint-11",
    ]
    assert is_complete(tmp_path / "checkpoint-11")
