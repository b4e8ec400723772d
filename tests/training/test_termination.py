"""SIGTERM: a checkpoint is kept, the process exits with 0, and the same call ends with the same bytes."""

import hashlib
import os
import signal
import threading
import time

import pytest

from emma500.errors import StoppedError
from emma500.manifest import write_manifest
from emma500.training.run import continue_pretrain

FIELDS = {
    "max_steps": 60, "max_length": 64, "gradient_accumulation_steps": 2, "learning_rate": 5e-3, "save_steps": 7,
    "eval_steps": 20, "logging_steps": 5, "languages": ["yor_Latn", "kat_Geor"], "bf16": False,
    "use_peft": True, "lora_dropout": 0.1,
}  # fmt: skip


def digest(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def wait_for(condition, process):
    deadline = time.monotonic() + 120
    while not condition():
        assert process.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.slow
def test_a_run_that_is_asked_to_stop_exits_with_0_and_goes_on_with_the_same_weights(
    tmp_path, start
):
    whole = start(tmp_path / "whole", **FIELDS)
    whole.join(120)
    assert whole.exitcode == 0
    checkpoints = tmp_path / "out.work" / "checkpoints"
    stopped = start(tmp_path / "out", **FIELDS)
    wait_for((checkpoints / "checkpoint-14").exists, stopped)
    os.kill(stopped.pid, signal.SIGTERM)
    stopped.join(120)
    assert stopped.exitcode == 0
    assert not (tmp_path / "out").exists()
    (kept,) = checkpoints.iterdir()
    assert 14 <= int(kept.name.removeprefix("checkpoint-")) < 60
    again = start(tmp_path / "out", **FIELDS)
    again.join(120)
    assert again.exitcode == 0
    for name in ("model.safetensors", "manifest.json"):
        assert digest(tmp_path / "out" / name) == digest(tmp_path / "whole" / name)


def test_a_stop_keeps_the_step_and_says_how_to_go_on_and_gives_the_signal_back(
    tmp_path, corpus, model, config
):
    before = signal.getsignal(signal.SIGTERM)

    def ask(what, done, total):
        if what == "training" and done == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(StoppedError, match=r"step [23] is kept; the same call goes on") as caught:
        continue_pretrain(model, corpus, tmp_path / "out", config(save_steps=0), progress=ask)
    assert caught.value.code == 0
    assert signal.getsignal(signal.SIGTERM) == before
    steps = []
    run = continue_pretrain(
        model, corpus, tmp_path / "out", config(save_steps=0),
        progress=lambda what, done, total: steps.append(done) if what == "training" else None,
    )  # fmt: skip
    assert steps[0] in (2, 3)
    assert run.manifest["n_steps"] == 8


def test_a_stop_while_it_is_tokenizing_keeps_finished_labels_and_the_same_call_goes_on(
    tmp_path, corpus, model, config
):
    whole = continue_pretrain(model, corpus, tmp_path / "whole", config())
    before = signal.getsignal(signal.SIGTERM)

    def ask(what, done, total):
        if what == "tokenizing" and done == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(StoppedError, match="finished shards of tokens are kept") as caught:
        continue_pretrain(model, corpus, tmp_path / "out", config(), progress=ask)
    assert caught.value.code == 0
    assert signal.getsignal(signal.SIGTERM) == before
    (kept,) = (tmp_path / "out.work" / "tokens").glob("*/manifest.json")
    written = kept.stat().st_mtime_ns
    seen = []
    run = continue_pretrain(
        model, corpus, tmp_path / "out", config(),
        progress=lambda what, done, total: seen.append(kept.stat().st_mtime_ns) if what == "tokenizing" else None,
    )  # fmt: skip
    assert set(seen) == {written}
    assert digest(run.path / "model.safetensors") == digest(whole.path / "model.safetensors")


def test_a_stop_while_the_model_is_written_waits_until_it_is(
    tmp_path, corpus, model, config, monkeypatch
):
    def ask(*given):
        os.kill(os.getpid(), signal.SIGTERM)
        write_manifest(*given)

    monkeypatch.setattr("emma500.training.export.write_manifest", ask)
    run = continue_pretrain(model, corpus, tmp_path / "out", config(save_steps=0))
    assert run.manifest["n_steps"] == 8
    assert not (tmp_path / "out.work").exists()


@pytest.mark.slow
def test_two_processes_that_are_asked_before_the_first_step_both_exit_with_0(
    tmp_path, start_together
):
    processes = start_together(tmp_path / "out", **FIELDS)
    wait_for((tmp_path / "out.work" / "tokens" / "manifest.json").exists, processes[0])
    for each in processes:
        os.kill(each.pid, signal.SIGTERM)
    for each in processes:
        each.join(120)
    assert [each.exitcode for each in processes] == [0, 0]
    assert not list((tmp_path / "out.work").glob("checkpoints/checkpoint-*"))
    for each in start_together(tmp_path / "out", **FIELDS):
        each.join(120)
        assert each.exitcode == 0


@pytest.mark.slow
def test_two_processes_stop_at_one_step_where_only_one_of_them_is_asked(tmp_path, start_together):
    for output in ("whole", "out"):
        processes = start_together(tmp_path / output, **FIELDS)
        if output == "out":
            wait_for((tmp_path / "out.work/checkpoints/checkpoint-14").exists, processes[0])
            os.kill(processes[1].pid, signal.SIGTERM)
        for each in processes:
            each.join(120)
        assert [each.exitcode for each in processes] == [0, 0]
    assert not (tmp_path / "out").exists()
    (kept,) = (tmp_path / "out.work" / "checkpoints").iterdir()
    assert 14 <= int(kept.name.removeprefix("checkpoint-")) < 60
    for each in start_together(tmp_path / "out", **FIELDS):
        each.join(120)
        assert each.exitcode == 0
    for name in ("model.safetensors", "manifest.json"):
        assert digest(tmp_path / "out" / name) == digest(tmp_path / "whole" / name)


def test_the_command_line_says_that_it_stopped_and_exits_with_0(monkeypatch, capsys):
    from emma500 import cli

    def stop(words):
        raise StoppedError("step 7 is kept")

    monkeypatch.setattr(cli, "_dispatch", stop)
    assert cli.main(["train"]) == 0
    assert capsys.readouterr().err == "emma500: step 7 is kept\n"


def test_training_outside_the_main_thread_works_without_the_signal(tmp_path, corpus, model, config):
    done = []
    thread = threading.Thread(
        target=lambda: done.append(
            continue_pretrain(model, corpus, tmp_path / "out", config(max_steps=1))
        )
    )
    thread.start()
    thread.join()
    assert done[0].manifest["n_steps"] == 1
