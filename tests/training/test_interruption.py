"""A run that is killed, in processes of their own: it ends with the same bytes."""

import hashlib
import json
import shutil
import time

import pytest

FIELDS = {
    "max_steps": 60, "max_length": 64, "gradient_accumulation_steps": 2, "learning_rate": 5e-3, "save_steps": 7,
    "eval_steps": 20, "logging_steps": 5, "languages": ["yor_Latn", "kat_Geor"], "bf16": False,
}  # fmt: skip


def digests(folder):
    """All but what says how long it took, on what."""
    files = sorted(
        each for each in folder.rglob("*") if each.is_file() and each.name != "training.json"
    )
    return {
        each.relative_to(folder).as_posix(): hashlib.sha256(each.read_bytes()).hexdigest()
        for each in files
    }


def finish(process):
    process.join(timeout=120)
    assert process.exitcode == 0


def kill_when(process, condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert process.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.kill()
    process.join()


@pytest.mark.slow
def test_a_run_killed_anywhere_and_repeated_ends_with_the_same_bytes(tmp_path, start):
    finish(start(tmp_path / "undisturbed", **FIELDS))
    output = tmp_path / "out"
    work = tmp_path / "out.work"
    checkpoints = work / "checkpoints"
    kill_when(start(output, **FIELDS), (work / "tokens").exists)
    kill_when(start(output, **FIELDS), (checkpoints / "checkpoint-14").exists)
    kill_when(
        start(output, **FIELDS), lambda: any(checkpoints.glob("staged.tmp/checkpoint-[2-5]*/*"))
    )
    assert not output.exists()
    half = checkpoints / "checkpoint-59"  # what a kill would leave without the temporary name
    shutil.copytree(
        max(checkpoints.glob("checkpoint-*"), key=lambda each: int(each.name[11:])), half
    )
    (half / "trainer_state.json").unlink()
    finish(start(output, **FIELDS))
    assert digests(output) == digests(tmp_path / "undisturbed")
    assert not work.exists()


def test_the_interrupted_run_really_went_on_from_a_checkpoint(tmp_path, corpus, model, config):
    from emma500.training.run import continue_pretrain

    options = {"save_steps": 3, "keep_checkpoints": True}
    continue_pretrain(model, corpus, tmp_path / "out", config(**options))
    weights = (tmp_path / "out" / "model.safetensors").read_bytes()
    checkpoint = tmp_path / "out.work" / "checkpoints" / "checkpoint-8"
    assert json.loads((checkpoint / "trainer_state.json").read_text())["global_step"] == 8
    shutil.rmtree(tmp_path / "out")
    steps = []
    continue_pretrain(
        model,
        corpus,
        tmp_path / "out",
        config(**options),
        progress=lambda what, done, total: steps.append(done) if what == "training" else None,
    )
    assert steps == [8]
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == weights


@pytest.mark.parametrize(
    "fields",
    [
        {"packing": "concat", "trainer_args": {"dataloader_num_workers": 2}},
        {
            "packing": "concat",
            "rehydrate": True,
            "stages": [{"share": 0.5, "weights": {"kat_Geor": 0}}, {"share": 0.5}],
        },
    ],
)
def test_rows_cut_from_a_stream_and_late_languages_go_on_with_the_same_bytes(
    tmp_path, corpus, model, config, fields
):
    from emma500.training.run import continue_pretrain

    def stop(what, done, total):
        if what == "training" and done == 5:
            raise KeyboardInterrupt

    whole = continue_pretrain(model, corpus, tmp_path / "whole", config(**fields))
    assert whole.manifest["packing"]["mode"] == "concat"
    with pytest.raises(KeyboardInterrupt):
        continue_pretrain(model, corpus, tmp_path / "out", config(**fields), progress=stop)
    assert (tmp_path / "out.work" / "checkpoints" / "checkpoint-3").is_dir()
    continue_pretrain(model, corpus, tmp_path / "out", config(**fields))
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")
