"""Checkpoints go to the Hub while a model is trained, and another machine goes on from there."""

import hashlib
import json
from typing import Any

import pytest

import emma500
from emma500.cli import main
from emma500.errors import ConfigError
from emma500.publishing.checkpoints import HubCheckpoints
from tests.training.conftest import tiny_corpus

_WORK = """
import os
from pathlib import Path
from emma500.publishing.checkpoints import HubCheckpoints

def write(folder, step, fingerprint="f1", **more):
    work = Path(folder)
    checkpoint = work / "checkpoints" / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    (work / "validation").mkdir(exist_ok=True)
    (work / "validation" / f"step-{step}.json").write_text(f"[{step}]")
    (work / "clock.json").write_text("{}")
    manifest = {"kind": "training-run-work", "fingerprint": fingerprint, "rows_per_step": 4, "identity": {}, **more}
    (work / "manifest.json").write_text(json.dumps(manifest))
    for name in ("model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin"):
        (checkpoint / name).write_text(f"{name} of {step}")
    (checkpoint / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return checkpoint

def made(every=10):
    return HubCheckpoints("emma/run", every, delay=0.01)

def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())
"""


def paths(hub):
    return set(hub.commit_obj("model", "emma/run", "main")["tree"])


def test_every_so_many_steps_are_pushed_and_only_the_newest_stays(hub, client):
    client(
        _WORK
        + """
keeper = made(10)
keeper.bring(Path("a.work"), "f1")
for step in (4, 8, 12, 16, 24):
    keeper.keep(write("a.work", step))
    keeper._wait()
keeper.close(Path("a.work"), is_finished=True)
"""
    )
    assert hub.meta("model", "emma/run")["private"] is True
    there = {path for path in paths(hub) if "/" in path}
    folder = "checkpoints/checkpoint-24/"
    assert {path for path in there if path.startswith("checkpoints/")} == {
        folder + name
        for name in (
            "model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json",
        )
    }  # fmt: skip
    titles, sha = [], "main"
    while sha:
        commit = hub.commit_obj("model", "emma/run", sha)
        titles.append(commit["title"])
        sha = (commit["parents"] or [None])[0]
    assert {each for each in titles if each.startswith("checkpoint")} == {
        "checkpoint of step 12",
        "checkpoint of step 24",
    }


def test_another_machine_gets_the_newest_state_and_a_run_cut_off_pushes_its_last(hub, client):
    brought, log = client(
        _WORK
        + """
keeper = made(100)
keeper.bring(Path("a.work"), "f1")
keeper.keep(write("a.work", 7))
keeper.close(Path("a.work"), is_finished=False)
made().bring(Path("b/run.work"), "f1")
before = names("b/run.work")
write("c.work", 9)
made().bring(Path("c.work"), "f1")
print(json.dumps([before, names("c.work/checkpoints")]))
"""
    )
    assert brought == [
        "checkpoints/checkpoint-7/model.safetensors",
        "checkpoints/checkpoint-7/optimizer.pt",
        "checkpoints/checkpoint-7/rng_state.pth",
        "checkpoints/checkpoint-7/scheduler.pt",
        "checkpoints/checkpoint-7/trainer_state.json",
        "clock.json",
        "manifest.json",
        "validation/step-7.json",
    ]
    assert not [name for name in log if "checkpoint-7" in name], "what is here is newer"


def test_another_run_is_refused_before_anything_is_trained(client):
    failed = client(
        _WORK
        + """
keeper = made(1)
keeper.keep(write("a.work", 1))
keeper.close(Path("a.work"), is_finished=True)
made().bring(Path("b.work"), "f2")
""",
        check=False,
    )
    assert (
        "OutputError: emma/run holds something else than the checkpoints of this run"
        in failed.stderr
    )


def test_a_push_that_fails_is_a_warning_and_a_token_that_may_not_write_is_told_at_the_start(
    hub, client
):
    hub.fault(r"POST .*/commit/", status=403, times=1)
    done = client(
        _WORK
        + """
keeper = made(1)
keeper.bring(Path("a.work"), "f1")
for step in (1, 2):
    keeper.keep(write("a.work", step))
    keeper._wait()
keeper._push = lambda *_: 1 / 0
keeper.keep(write("a.work", 3))
keeper.close(Path("a.work"), is_finished=True)
HubCheckpoints("stranger/run").bring(Path("b.work"), "f1")
""",
        check=False,
    )
    assert (
        "the checkpoint of step 1 was not pushed: cannot upload the files of emma/run"
        in done.stderr
    )
    assert "a checkpoint was not pushed: ZeroDivisionError: division by zero" in done.stderr
    assert "checkpoints/checkpoint-2/model.safetensors" in paths(hub)
    assert "HubError: cannot create the repository of stranger/run" in done.stderr


def test_files_of_a_repository_cannot_leave_the_work_folder(hub, client, tmp_path):
    client(
        _WORK
        + """
keeper = made(1)
keeper.bring(Path("a.work"), "f1")
keeper.keep(write("a.work", 3))
keeper.close(Path("a.work"), is_finished=True)
"""
    )
    tree = dict(hub.commit_obj("model", "emma/run", "main")["tree"])
    names = ["../escaped", "checkpoints/checkpoint-3/../../../escaped", "/escaped", "a\\..\\escaped",
             "checkpoints/checkpoint-3/pytorch_model.bin", "checkpoints/checkpoint-33/model.safetensors"]  # fmt: skip
    hostile = {name: hub.small_file(b"hostile") for name in names}
    hub.new_commit("model", "emma/run", "refs/heads/main", tree | hostile, "hostile", [])
    brought = client(
        _WORK + 'made().bring(Path("deep/b.work"), "f1")\nprint(json.dumps(names("deep")))'
    )
    assert not list(tmp_path.rglob("*escaped*"))
    assert [name for name in brought if "checkpoints/" in name] == [
        f"b.work/checkpoints/checkpoint-3/{name}"
        for name in (
            "model.safetensors", "optimizer.pt", "rng_state.pth", "scheduler.pt", "trainer_state.json",
        )
    ]  # fmt: skip


def test_what_names_no_repository_or_no_step_is_refused():
    with pytest.raises(ConfigError, match="must be user/name, not 'run'"):
        HubCheckpoints("run")
    with pytest.raises(ConfigError, match="push_every must be 1 step or more, not 0"):
        HubCheckpoints("user/run", 0)


def test_the_command_line_hands_the_repository_on(monkeypatch, capsys):
    given: dict[str, Any] = {}

    def trained(*what, **options):
        given.update(options, output=what[2])
        return "done"

    monkeypatch.setattr(emma500, "continue_pretrain", trained, raising=False)
    words = ["train", "--model_name_or_path", "m", "--output", "out"]
    assert main([*words, "--checkpoint_repo_id", "user/run", "--push_every", "7"]) == 0
    assert (given["checkpoints"].repository.repo_id, given["checkpoints"].push_every) == (
        "user/run",
        7,
    )
    assert given["checkpoints"].repository.private
    assert main(words) == 0
    assert given["checkpoints"] is None
    assert main([*words, "--checkpoint_repo_id", "run"]) == 2
    assert "must be user/name, not 'run'" in capsys.readouterr().err


_TRAIN = """
import sys
from emma500 import HubCheckpoints, TrainConfig, continue_pretrain
config = TrainConfig(max_steps=8, max_length=64, save_steps=2, eval_steps=4, languages=["yor_Latn", "kat_Geor"],
                     bf16=False, use_cpu=True, learning_rate=5e-3, seed=3)
"""


@pytest.mark.slow
def test_a_run_whose_machine_is_lost_ends_on_another_one_with_the_same_weights(
    hub, client, tiny_model, tmp_path
):
    corpus = tiny_corpus(tmp_path / "tiny")
    call = f"continue_pretrain({str(tiny_model)!r}, {str(corpus)!r}, OUTPUT, config"
    lost = client(
        _TRAIN
        + f"""
{call.replace("OUTPUT", '"whole"')})
import os
keeper = HubCheckpoints("emma/run", 4)
def progress(what, done, total):
    if what == "training" and done == 7:
        keeper._wait()
        os._exit(9)
{call.replace("OUTPUT", '"a/out"')}, checkpoints=keeper, progress=progress)
""",
        check=False,
    )
    assert lost.returncode == 9, lost.stderr[-3000:]
    assert "checkpoints/checkpoint-4/model.safetensors" in paths(hub)
    steps = client(
        _TRAIN
        + f"""
steps = []
def progress(what, done, total):
    if what == "training":
        steps.append(done)
{call.replace("OUTPUT", '"b/out"')}, checkpoints=HubCheckpoints("emma/run", 4), progress=progress)
print(json.dumps(steps))
"""
    )
    assert steps == [4, 5, 6, 7, 8], "it went on from the step that was pushed"
    for name in ("model.safetensors", "manifest.json"):
        one, other = (
            hashlib.sha256((tmp_path / folder / name).read_bytes()).hexdigest()
            for folder in ("whole", "b/out")
        )
        assert one == other, name
    assert not list((tmp_path / "b").glob("out.work"))
    assert json.loads((tmp_path / "b" / "out" / "manifest.json").read_text())["n_steps"] == 8
