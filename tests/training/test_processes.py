"""Several processes: gloo on the CPU, over loopback; the same training as in one."""

import json
import os
import time

import pytest

from tests.training.conftest import train_as

FIELDS = {
    "max_steps": 24, "max_length": 64, "global_batch_size": 4, "learning_rate": 5e-3, "save_steps": 4,
    "eval_steps": 8, "logging_steps": 4, "languages": ["yor_Latn", "kat_Geor"], "bf16": False,
}  # fmt: skip

TOLERANCE = 1e-4
"""Of losses and bits per byte: sums of float32 in another order, over 24 steps of a rate that moves every weight."""


def finish(processes):
    for process in processes:
        process.join(timeout=240)
        assert process.exitcode == 0


def wait_for(condition, processes):
    deadline = time.monotonic() + 240
    while not condition():
        assert all(process.is_alive() for process in processes)
        assert time.monotonic() < deadline
        time.sleep(0.001)


def kill(processes):
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


def train_and_tell(rank, size, port, arguments):
    """Train, and write down which rows this process reads and how many it scores."""
    from emma500.mixture.packing.rows import PackedRows
    from emma500.models import document_nll

    read: list[int] = []
    scored: list[int] = []
    row = PackedRows.__getitem__

    def reading(rows, index):
        read.append(index)
        return row(rows, index)

    def scoring(model, rows, **options):
        scored.append(len(rows["document"]))
        return document_nll(model, rows, **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PackedRows, "__getitem__", reading)
        patched.setattr("emma500.training.validation.scoring.document_nll", scoring)
        train_as(rank, size, port, arguments)
    told = arguments[2].with_name(f"told-{rank}.json")
    told.write_text(json.dumps({"read": read, "scored": scored}))


def wait_behind(rank, size, port, arguments):
    """Wait for a first process that takes longer than the group of all processes would wait."""
    from datetime import timedelta
    from types import SimpleNamespace

    from torch import distributed

    from emma500.training.waiting import first_process_first

    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    distributed.init_process_group("gloo", rank=rank, world_size=size, timeout=timedelta(seconds=2))
    done = arguments[2].with_name("done")
    with first_process_first(SimpleNamespace(world_size=size, process_index=rank)):
        assert done.exists() == (rank > 0)
        if rank == 0:
            time.sleep(5)
            done.touch()
    distributed.destroy_process_group()


@pytest.fixture
def single(tmp_path, start):
    finish([start(tmp_path / "single", **FIELDS)])
    return tmp_path / "single"


@pytest.mark.slow
def test_two_processes_train_and_validate_as_one_with_twice_the_accumulation(
    tmp_path, single, start_together
):
    finish(start_together(tmp_path / "pair", **FIELDS))
    one, two = manifest(single), manifest(tmp_path / "pair")
    assert one["fingerprint"] == two["fingerprint"]
    assert one["plan"] == two["plan"]
    for name, measure in (("log", "loss"), ("validation", "bits_per_byte")):
        found = [[row[measure] for row in each[name]] for each in (one, two)]
        assert found[0] == pytest.approx(found[1], rel=TOLERANCE)
    record = json.loads((tmp_path / "pair" / "training.json").read_text())
    assert record["n_processes"] == 2
    assert record["n_tokens_computed"] == two["n_tokens"]


@pytest.mark.slow
def test_two_processes_that_are_killed_go_on_with_the_same_weights_and_one_may_take_over(
    tmp_path, single, start_together, start
):
    finish(start_together(tmp_path / "pair", **FIELDS))
    for output in ("killed", "alone"):
        processes = start_together(tmp_path / output, **FIELDS)
        work = tmp_path / f"{output}.work" / "checkpoints" / "checkpoint-12"
        wait_for(work.exists, processes)
        kill(processes)
        assert not (tmp_path / output).exists()
    finish(start_together(tmp_path / "killed", **FIELDS))
    assert weights(tmp_path / "killed") == weights(tmp_path / "pair")
    finish([start(tmp_path / "alone", **FIELDS)])
    losses = [
        [row["loss"] for row in manifest(tmp_path / each)["log"]] for each in ("alone", "pair")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=TOLERANCE)


@pytest.mark.slow
def test_two_processes_that_share_the_weights_train_the_same_and_go_on_after_a_kill(
    tmp_path, single, start_together
):
    config = {
        "version": 2,
        "transformer_layer_cls_to_wrap": ["LlamaDecoderLayer"],
        "state_dict_type": "SHARDED_STATE_DICT",
    }
    fields = {**FIELDS, "trainer_args": {"fsdp": True, "fsdp_config": config}}
    finish(start_together(tmp_path / "whole", **fields))
    one, two = manifest(single), manifest(tmp_path / "whole")
    for name, measure in (("log", "loss"), ("validation", "bits_per_byte")):
        found = [[row[measure] for row in each[name]] for each in (one, two)]
        assert found[0] == pytest.approx(found[1], rel=TOLERANCE)
    processes = start_together(tmp_path / "killed", **fields)
    checkpoint = tmp_path / "killed.work" / "checkpoints" / "checkpoint-12"
    wait_for((checkpoint / "pytorch_model_fsdp_0").is_dir, processes)  # it was really shared
    kill(processes)
    finish(start_together(tmp_path / "killed", **fields))
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")


def test_each_of_two_processes_reads_and_scores_its_own_half(tmp_path, start_together):
    finish(start_together(tmp_path / "out", target=train_and_tell, **{**FIELDS, "max_steps": 8}))
    told = [json.loads((tmp_path / f"told-{rank}.json").read_text()) for rank in range(2)]
    assert told[0]["read"] == list(range(0, 32, 2))
    assert told[1]["read"] == list(range(1, 32, 2))
    assert told[0]["scored"] == told[1]["scored"]
    assert len(told[0]["scored"]) == 2  # before the first step and after the last
    work = json.loads((tmp_path / "out" / "manifest.json").read_text())["validation"]
    n_rows = sum(row["n_tokens"] for row in work if row["step"] == 0) / FIELDS["max_length"]
    assert n_rows / 2 <= told[0]["scored"][0] < 0.75 * n_rows


def test_a_first_process_that_takes_long_is_waited_for(tmp_path, start_together):
    finish(start_together(tmp_path / "out", target=wait_behind))


def test_workers_of_the_data_loader_read_the_same_rows(tmp_path, corpus, model, config):
    from emma500.training.run import continue_pretrain

    runs = [
        continue_pretrain(
            model,
            corpus,
            tmp_path / str(n),
            config(trainer_args={"dataloader_num_workers": n}, max_steps=4),
        )
        for n in (0, 2)
    ]
    assert weights(runs[0].path) == weights(runs[1].path)


def test_rows_of_a_step_that_the_devices_cannot_share_are_refused(tmp_path):
    from emma500.errors import ConfigError
    from emma500.training.config import TrainConfig
    from emma500.training.loop.arguments import training_arguments

    with pytest.raises(
        ConfigError, match=r"global_batch_size=10 is no multiple of the 4 rows.*take 8"
    ):
        training_arguments(
            TrainConfig(global_batch_size=10, per_device_train_batch_size=4), tmp_path
        )


def test_activations_are_checkpointed_by_fsdp_or_by_the_trainer_but_not_by_both(
    tmp_path, monkeypatch
):
    from emma500.training.config import TrainConfig
    from emma500.training.loop.arguments import training_arguments

    config = TrainConfig(gradient_checkpointing=True)
    assert training_arguments(config, tmp_path).activation_checkpointing
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")  # as `accelerate launch` does
    monkeypatch.setenv("FSDP_ACTIVATION_CHECKPOINTING", "true")
    assert not training_arguments(config, tmp_path).activation_checkpointing


def test_the_way_to_the_rows_of_a_step_does_not_make_another_run():
    from emma500.training.config import TrainConfig

    one, other = (
        TrainConfig(global_batch_size=8, per_device_train_batch_size=rows) for rows in (1, 4)
    )
    assert one.settings == other.settings
    assert TrainConfig(per_device_train_batch_size=1).settings != (
        TrainConfig(per_device_train_batch_size=4).settings
    )
