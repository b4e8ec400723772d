"""TRL's SFTTrainer, with checkpoints that are whole and an end before a loss that is no number."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from transformers import PrinterCallback
from trl import SFTConfig, SFTTrainer
from trl.chat_template_utils import get_training_chat_template, has_generation_markers

from emma500.errors import ConfigError, StoppedError
from emma500.progress import Progress
from emma500.training.instruction.conversations import Conversation, Conversations
from emma500.training.loop.callbacks import (
    ProgressCallback,
    StopwatchCallback,
    TerminationCallback,
)
from emma500.training.loop.guarded import Guarded
from emma500.training.loop.throughput import Stopwatch

_PASSED = (
    "max_steps", "num_train_epochs", "max_length", "packing", "per_device_train_batch_size",
    "gradient_accumulation_steps", "learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay",
    "max_grad_norm", "bf16", "seed", "report_to",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """Which tokens the loss counts.

    Attributes:
        of_turns: All turns of the assistant; else only the last answer of a conversation.
    """

    of_turns: bool

    @classmethod
    def of(cls, tokenizer: Any) -> "Loss":
        """Return what the tokenizer's chat template allows: trl marks the turns of templates it knows."""
        if has_generation_markers(tokenizer.chat_template):
            return cls(of_turns=True)
        try:
            return cls(of_turns=get_training_chat_template(tokenizer) is not None)
        except ValueError:  # a template trl does not know
            return cls(of_turns=False)

    @property
    def counts(self) -> str:
        """What it counts, in words."""
        return "assistant turns" if self.of_turns else "last answers"

    def rows(self, conversations: list[Conversation]) -> Any:
        """Return the conversations as the Dataset the SFTTrainer expects for this loss."""
        from datasets import Dataset

        if self.of_turns:
            return Dataset.from_list([{"messages": each} for each in conversations])
        return Dataset.from_list(
            [{"prompt": each[:-1], "completion": each[-1:]} for each in conversations]
        )


class InstructionTrainer(Guarded, SFTTrainer):
    """An SFTTrainer whose checkpoints are whole or not there, and that ends before a loss that is no number."""

    model: Any
    termination: TerminationCallback
    left_out: dict[str, int]
    n_tokens: int

    def tune(self, checkpoint: Path | None) -> tuple[float | None, float | None]:
        """Train, and score the held-out conversations before and after.

        Before, in the Trainer's own loop: an `evaluate` ahead of it leaves the model unwrapped, and several processes
        would train apart, without a word. After, without naming the dataset: trl would pack it once more.

        Args:
            checkpoint: Where to go on from, or None; it knows the score before.

        Returns:
            The mean loss of a counted token before and after, None for no held-out conversations.

        Raises:
            StoppedError: If the process was asked to stop; a checkpoint is kept.
        """
        self.args.eval_on_start = bool(self.eval_dataset) and checkpoint is None
        with self.termination.listening():
            self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if self.termination.is_stopped:
            raise StoppedError(
                f"tuning was asked to stop (SIGTERM): step {self.state.global_step} is kept; the same call goes on "
                "from there"
            )
        if not self.eval_dataset:
            return None, None
        scored = [row for row in self.state.log_history if "eval_loss" in row and not row["step"]]
        return float(scored[0]["eval_loss"]), float(self.evaluate()["eval_loss"])

    def export(self, folder: Path, *, use_cache: bool) -> None:
        """Write the model and its tokenizer; adapters are merged into it.

        Args:
            folder: Where to.
            use_cache: What the model's configuration said before training.
        """
        if self.is_fsdp_enabled:  # sharded state would save nothing here, without an error
            self.accelerator.state.fsdp_plugin.set_state_dict_type("FULL_STATE_DICT")
        if hasattr(self.model, "merge_and_unload"):
            self.model = self.model.merge_and_unload()
            self.model_wrapped = self.model
        self.model.config.use_cache = use_cache
        self.save_model(str(folder))
        if self.args.should_save:
            (folder / "training_args.bin").unlink(missing_ok=True)  # holds paths of this machine
        self.accelerator.wait_for_everyone()

    def steps(self) -> list[dict[str, Any]]:
        """Return the loss, the learning rate and the norm of the gradients of every step."""
        names = ("step", "loss", "learning_rate", "grad_norm")
        rows = [row for row in self.state.log_history if "loss" in row]
        return [{name: row.get(name) for name in names} for row in rows]


def make_instruction_trainer(
    model: Any,
    tokenizer: Any,
    config: Any,
    *,
    conversations: tuple[Conversations, Conversations],
    loss: Loss,
    checkpoints: Path,
    stopwatch: Stopwatch,
    progress: Progress | None,
) -> InstructionTrainer:
    """Put an SFTTrainer together.

    Args:
        model: The model, in float32.
        tokenizer: Its tokenizer, with a chat template.
        config: An InstructConfig.
        conversations: Those to train on, and those held out.
        loss: Which tokens count.
        checkpoints: Where checkpoints go.
        stopwatch: What counts the seconds.
        progress: Called as steps are done.

    Returns:
        The trainer. Conversations whose counted tokens all lie behind `max_length` are left out.

    Raises:
        ConfigError: If no conversation is left.
    """
    train, held = conversations
    with _without_bars():
        trainer = InstructionTrainer(
            model=model,
            args=_arguments(config, loss, checkpoints),
            train_dataset=loss.rows(train.messages),
            eval_dataset=loss.rows(held.messages) if held.messages else None,
            processing_class=tokenizer,
            peft_config=_adapters(config),
        )
    rows = trainer.train_dataset
    if not len(rows):
        raise ConfigError(
            f"max_length={config.max_length} cuts every conversation before its answer: raise it"
        )
    n_cut = 0 if config.packing else len(train.messages) - len(rows)
    trainer.left_out = {"answer behind max_length": n_cut} if n_cut else {}
    trainer.n_tokens = sum(sum(label != -100 for label in labels) for labels in rows["labels"])
    trainer.remove_callback(PrinterCallback)
    trainer.termination = TerminationCallback(trainer.accelerator)
    trainer.add_callback(trainer.termination)
    trainer.add_callback(StopwatchCallback(stopwatch))
    if progress is not None and trainer.is_world_process_zero():
        trainer.add_callback(ProgressCallback(progress))
    return trainer


@contextmanager
def _without_bars() -> Iterator[None]:
    """Keep datasets from drawing progress bars in the meantime."""
    import datasets

    were_off = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not were_off:
            datasets.enable_progress_bars()


def _arguments(config: Any, loss: Loss, checkpoints: Path) -> SFTConfig:
    import torch

    checkpointing = "activation_checkpointing"  # its name until transformers 5.15 was the other
    if checkpointing not in {each.name for each in fields(SFTConfig)}:
        checkpointing = "gradient_checkpointing"
    return SFTConfig(
        output_dir=str(checkpoints),
        assistant_only_loss=loss.of_turns,
        completion_only_loss=not loss.of_turns,
        shuffle_dataset=False,
        use_cpu=not torch.accelerator.is_available(),
        dataloader_pin_memory=torch.accelerator.is_available(),
        save_strategy="steps" if config.save_steps else "no",
        save_steps=config.save_steps or 1,
        save_total_limit=1,
        eval_strategy="no",
        per_device_eval_batch_size=config.per_device_train_batch_size,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        **{checkpointing: config.gradient_checkpointing},
        **{name: getattr(config, name) for name in _PASSED},
    )


def _adapters(config: Any) -> Any:
    if not config.use_peft:
        return None
    from peft import LoraConfig

    return LoraConfig(
        task_type="CAUSAL_LM",
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        target_modules="all-linear",
    )
