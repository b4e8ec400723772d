"""kill -9 around a raise of replay: the run ends with the weights and the record of one that was left alone."""

import time
from typing import Any

import pytest

from emma500.training.config import TrainConfig
from emma500.training.run import continue_pretrain

FIELDS: dict[str, Any] = {
    "max_length": 64, "gradient_accumulation_steps": 2, "learning_rate": 1e-2, "bf16": False, "logging_steps": 4,
    "components": ["monolingual"],
}  # fmt: skip


@pytest.mark.slow
def test_a_run_killed_before_and_after_a_raise_ends_with_the_same_weights_and_record(
    tmp_path, corpus, model, forkserver
):
    english = TrainConfig(languages=["eng_Latn"], max_steps=30, **FIELDS)
    base = continue_pretrain(model, corpus, tmp_path / "base", english).path
    config = TrainConfig(
        languages=["kat_Geor"], replay_share=0.0, max_steps=48, eval_steps=8, save_steps=3,
        on_forgetting="raise_replay", **FIELDS,
    )  # fmt: skip
    whole = continue_pretrain(base, corpus, tmp_path / "whole", config)
    assert whole.manifest["replay_raised"][0]["step"] == 8
    checkpoints = tmp_path / "out.work" / "checkpoints"

    def start():
        arguments = (base, corpus, tmp_path / "out", config)
        process = forkserver.Process(target=continue_pretrain, args=arguments)
        process.start()
        return process

    killed_at = []
    for step in (6, 8, 12, 30):  # before the raise, at it, in the raised plan, and again there
        process, deadline = start(), time.monotonic() + 120
        while not any(int(each.name[11:]) >= step for each in checkpoints.glob("checkpoint-*")):
            assert process.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.kill()
        process.join()
        killed_at.append(max(int(each.name[11:]) for each in checkpoints.glob("checkpoint-*")))
    assert killed_at[0] < 8 < killed_at[-1] < 48
    last = start()
    last.join(120)
    assert last.exitcode == 0
    for name in ("model.safetensors", "manifest.json"):
        assert (tmp_path / "out" / name).read_bytes() == (whole.path / name).read_bytes()
