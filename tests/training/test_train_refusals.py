"""Bad input: refused before the work, or explained where it ends it."""

import shutil

import pytest

from emma500 import TrainConfig
from emma500.errors import ConfigError, MissingExtraError, TrainingError
from emma500.training.loop.arguments import training_arguments
from emma500.training.loop.checks import memory_explained
from emma500.training.run import continue_pretrain


def test_a_tokenizer_that_is_not_the_models_is_refused(tmp_path, corpus, model, config):
    from transformers import AutoTokenizer

    wrong = tmp_path / "wrong"
    shutil.copytree(model, wrong)
    tokenizer = AutoTokenizer.from_pretrained(wrong)
    tokenizer.add_tokens([f"<{n}>" for n in range(50)])
    tokenizer.save_pretrained(wrong)
    with pytest.raises(
        ConfigError, match=r"tokenizer has 309 entries, but the model has embeddings for 259"
    ):
        continue_pretrain(wrong, corpus, tmp_path / "out", config())
    assert not (tmp_path / "out.work").exists()


@pytest.mark.parametrize("row", [259, -1])
def test_rows_of_embeddings_that_are_not_there_cannot_be_trained(
    tmp_path, corpus, model, config, row
):
    with pytest.raises(
        ConfigError, match=rf"trainable_token_indices has {row}, .*embeddings 0 to 258"
    ):
        continue_pretrain(
            model,
            corpus,
            tmp_path / "out",
            config(use_peft=True, trainable_token_indices=[3, row]),
        )
    assert not (tmp_path / "out.work").exists()


def test_a_gpu_that_is_asked_for_and_not_there_is_refused(tmp_path):
    import torch

    if torch.accelerator.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match="use_cpu=False asks for a GPU, but torch sees none"):
        training_arguments(TrainConfig(use_cpu=False), tmp_path)


def test_a_tracker_that_is_unknown_or_not_installed_is_told_before_the_data_is_read(
    tmp_path, monkeypatch
):
    from transformers.integrations import integration_utils

    with pytest.raises(ConfigError, match=r"'tensorbord' is no integration.*nearest: tensorboard"):
        training_arguments(TrainConfig(report_to="tensorbord"), tmp_path)
    monkeypatch.setattr(integration_utils, "is_wandb_available", lambda: False)
    with pytest.raises(
        MissingExtraError, match=r"report_to='wandb'.*pip install wandb.*report_to='none'"
    ):
        training_arguments(TrainConfig(report_to="wandb"), tmp_path)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
        ),
        MemoryError(),
    ],
)
def test_memory_that_runs_out_is_explained_with_the_setting_to_change(error):
    config = TrainConfig(per_device_train_batch_size=8, gradient_accumulation_steps=2)
    with (
        pytest.raises(
            TrainingError,
            match=r"cpu ran out of memory with 8 rows of 256.*per_device_train_batch_size=4 with "
            r"gradient_accumulation_steps=4, which trains the same; or gradient_checkpointing=True; or use_peft",
        ),
        memory_explained(config, "cpu"),
    ):
        raise error


def test_torchs_own_error_of_memory_is_explained_too():
    import torch

    config = TrainConfig(use_peft=True, gradient_checkpointing=True)
    with (
        pytest.raises(TrainingError, match=r"try load_in_4bit=True; or a smaller max_length"),
        memory_explained(config, "cuda:0"),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def test_any_other_error_stays_as_it_is():
    with (
        pytest.raises(RuntimeError, match=r"^shapes differ$") as caught,
        memory_explained(TrainConfig(), "cpu"),
    ):
        raise RuntimeError("shapes differ")
    assert not isinstance(caught.value, TrainingError)


def test_memory_that_runs_out_in_a_step_ends_the_run_with_the_last_checkpoint_kept(
    tmp_path, corpus, model, config, monkeypatch
):
    from emma500.training.loop.trainer import PackedTrainer

    step = PackedTrainer.training_step

    def full(self, *args, **kwargs):
        if self.state.global_step == 4:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 GB")
        return step(self, *args, **kwargs)

    monkeypatch.setattr(PackedTrainer, "training_step", full)
    with pytest.raises(TrainingError, match="ran out of memory with 1 rows of 64 tokens"):
        continue_pretrain(model, corpus, tmp_path / "out", config())
    assert (tmp_path / "out.work" / "checkpoints" / "checkpoint-3").is_dir()


def test_a_loss_is_looked_at_before_an_engine_that_steps_in_its_backward_pass():
    """DeepSpeed steps at the end of the backward pass, before anybody asks for the norm of the gradients."""
    from types import SimpleNamespace
    from typing import Any

    from emma500.training.loop.guarded import Guarded

    class Engine:
        is_deepspeed_enabled = True
        state = SimpleNamespace(global_step=4)

        def compute_loss(self, model, inputs):
            return inputs

        def _get_grad_norm(self):
            return float("inf")

    trainer: Any = type("Stepping", (Guarded, Engine), {})()
    training, scoring = SimpleNamespace(training=True), SimpleNamespace(training=False)
    for found in (float("nan"), (float("nan"), "outputs")):
        with pytest.raises(TrainingError, match=r"loss is nan in step 5; .*still those of step 4"):
            trainer.compute_loss(training, found)
        assert trainer.compute_loss(scoring, found) is found
    assert trainer.compute_loss(training, 1.5) == 1.5
    with pytest.raises(TrainingError, match=r"gradients is inf in step 5; the last checkpoint is"):
        trainer._get_grad_norm()
