"""`instruct`: instruction tuning through TRL's SFTTrainer, on the instruction component of a corpus."""

import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from emma500.configuration import as_dict, option, require
from emma500.errors import ConfigError
from emma500.folder import Corpus
from emma500.gguf import without_bars
from emma500.manifest import write_manifest
from emma500.mixture.planning.selection import resolve
from emma500.models import load_model, load_tokenizer
from emma500.processes import is_first_process, process_state
from emma500.progress import Progress
from emma500.storage import locked
from emma500.training.instruction.conversations import Conversations, read_conversations
from emma500.training.loop.checkpoints import latest_complete
from emma500.training.loop.hardware import default_device
from emma500.training.loop.throughput import Stopwatch
from emma500.training.made import INSTRUCTED, MadeModel, Output
from emma500.training.origin import Origin
from emma500.training.stopping import stoppable

TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}{{ '\n' }}"
    "{% else %}{{ message['content'] + '\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
"""The chat template of a model that has none: Tülu's form, in text that any tokenizer has; answers end with EOS."""

_WITHOUT_EFFECT = ("resume", "overwrite", "save_steps", "report_to")


@dataclass(frozen=True, kw_only=True, slots=True)
class InstructConfig:
    """Configuration of `instruct`.

    Raises:
        ConfigError: If a value breaks its rule.
    """

    languages: list[str] = option([], "labels or codes to train on; empty: all there are")
    turn: str = option("{role}: {content}", "how the corpus's sources wrote a turn (Options.turn)")
    plain: Literal["two", "first", "skip"] = option(
        "two", "documents without roles: a task and an answer if of two paragraphs; the first; none"
    )
    max_steps: int = option(-1, "optimizer steps; -1: as num_train_epochs says")
    num_train_epochs: float = option(1.0, "passes over the conversations")
    max_length: int = option(1024, "tokens a conversation; longer ones are cut at their end")
    packing: bool = option(False, "several conversations a row, apart from each other (trl's bfd)")
    per_device_train_batch_size: int = option(1, "conversations a forward pass on each device")
    gradient_accumulation_steps: int = option(8, "forward passes an optimizer step")
    learning_rate: float = option(1e-5, "peak learning rate; with LoRA ten times as much is usual")
    lr_scheduler_type: str = option("cosine", "linear, cosine, constant, …")
    warmup_steps: float = option(0.03, "steps of warm-up; below 1: their share of all steps")
    weight_decay: float = option(0.0, "weight decay of AdamW")
    max_grad_norm: float = option(1.0, "gradients are clipped to this norm")
    bf16: bool = option(True, "matrix products in bfloat16 (autocast); weights stay float32")
    gradient_checkpointing: bool = option(False, "less memory, a third more computing")
    seed: int = option(42, "seed of the order of conversations, and of LoRA's matrices")
    use_peft: bool = option(False, "train LoRA adapters only; they are merged at the end")
    lora_r: int = option(16, "rank of the adapters")
    lora_alpha: int = option(32, "scale of the adapters")
    max_validation: int = option(
        20, "held-out conversations a label, for the loss before and after"
    )
    save_steps: int = option(100, "steps between checkpoints; 0: none")
    resume: bool = option(True, "go on from the last complete checkpoint")
    overwrite: bool = option(False, "replace whatever is in the output folder")
    report_to: str = option("none", "experiment tracker: none, wandb, tensorboard, trackio, …")
    model_revision: str | None = option(None, "branch, tag or commit of the model on the Hub")

    def __post_init__(self) -> None:
        for name in (
            "num_train_epochs", "per_device_train_batch_size", "gradient_accumulation_steps", "learning_rate",
            "lora_r", "lora_alpha",
        ):  # fmt: skip
            require(self, name, lambda value: value > 0, "above 0")
        for name in ("warmup_steps", "weight_decay", "max_validation", "save_steps", "seed"):
            require(self, name, lambda value: value >= 0, "0 or more")
        require(self, "max_steps", lambda value: value == -1 or value > 0, "-1 or above 0")
        require(self, "max_length", lambda value: value >= 2, "at least 2 tokens")
        require(self, "turn", lambda value: "{content}" in value, "a template with {content}")
        known = ("two", "first", "skip")
        require(self, "plain", lambda value: value in known, f"one of {', '.join(known)}")

    @property
    def settings(self) -> dict[str, Any]:
        """The fields that decide what comes out."""
        return {name: value for name, value in as_dict(self).items() if name not in _WITHOUT_EFFECT}


def instruct(
    model: str | Path,
    corpus: Corpus | str | Path,
    output: str | Path,
    config: InstructConfig | None = None,
    *,
    progress: Progress | None = None,
) -> MadeModel:
    """Tune a model on the conversations of a corpus, with TRL's SFTTrainer.

    The loss counts the assistant's turns alone where the model's chat template can mark them (trl knows how for common
    ones), else the last answer of each conversation. A model without a chat template gets `TEMPLATE`. A call that was
    killed is repeated to go on from its last complete checkpoint in `<output>.work`.

    Args:
        model: A Hub id, a folder, or a `.gguf` file.
        corpus: A corpus with an instruction component, its folder, or its Hub id.
        output: The folder of the tuned model.
        config: What to train on and how.
        progress: Called as the work goes on.

    Returns:
        The tuned model.

    Raises:
        SourceError: If the model or the corpus is not there.
        LanguageError: If the corpus has no instruction in a language that was asked for.
        ConfigError: If the corpus has no instruction component, or nothing in it can be read as a conversation.
        OutputError: If the output holds something else.
        StoppedError: If SIGTERM asked for the end. A checkpoint is kept; the process exits with 0 if nobody catches it.
        TrainingError: If the loss or the gradients are no longer finite.
    """
    config = config or InstructConfig()
    corpus = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
    origin = Origin.of(model, corpus, config, progress)
    known = corpus.labels_of("instruction")
    labels = sorted({resolve(each, known, corpus.name) for each in config.languages} or known)
    place = Output(
        final=Path(output).absolute(),
        kind=INSTRUCTED,
        identity=origin.identity,
        overwrite=config.overwrite,
    )
    work = place.final.with_name(f"{place.final.name}.work")
    if not place.is_finished:
        tuning = _Tuning(
            origin=origin,
            corpus=corpus,
            labels=labels,
            config=config,
            checkpoints=work / place.fingerprint,
            progress=progress,
        )
        with without_bars(), stoppable("the last checkpoint is kept if there is one"):
            tuning.run(place)
    if is_first_process():
        shutil.rmtree(work, ignore_errors=True)
    return MadeModel(output)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tuning:
    """What a call of `instruct` is made of."""

    origin: Origin
    corpus: Corpus
    labels: list[str]
    config: InstructConfig
    checkpoints: Path
    progress: Progress | None

    def run(self, place: Output) -> None:
        """Tune and write the output; with several processes, only the first one writes."""
        is_first = is_first_process()
        with ExitStack() as held:
            if is_first:
                held.enter_context(locked(self.checkpoints.parent))
                if not self.config.resume:
                    shutil.rmtree(self.checkpoints, ignore_errors=True)
            stopwatch = Stopwatch(self.checkpoints)
            staged = held.enter_context(
                place.staged(
                    writes=is_first,
                    device=default_device(),
                    n_processes=int(os.environ.get("WORLD_SIZE", "1")),
                    stopwatch=stopwatch,
                )
            )
            made = self._tune(staged, stopwatch)
            if is_first:
                sources = {*made.pop("sources"), *self.origin.trained_sources}
                size = f"{made['n_conversations']:,} conversations, {made['n_steps']:,} steps"
                summary = f"{self.origin.identity['base_model']['name']} on {size}"
                told = {"languages": self.labels, **made}
                manifest = place.record(summary, self.config, sources, **told)
                write_manifest(staged, manifest)
        process_state().wait_for_everyone()

    def _tune(self, staged: Path, stopwatch: Stopwatch) -> dict[str, Any]:
        """Train, write the model and its tokenizer, and return what the manifest says of it."""
        from emma500.training.instruction.trainer import Loss, make_instruction_trainer

        config = self.config
        read = partial(
            read_conversations, self.corpus, self.labels, turn=config.turn, plain=config.plain
        )
        train = read("train")
        _check_any(self.corpus, train, config)
        held = read("validation", most=config.max_validation)
        model = (str(self.origin.name), self.origin.revision)
        tokenizer = load_tokenizer(*model)
        has_template = bool(tokenizer.chat_template)
        if not has_template:
            tokenizer.chat_template = TEMPLATE
        loss = Loss.of(tokenizer)
        network = load_model(*model, dtype="float32")
        use_cache = network.config.use_cache
        trainer = make_instruction_trainer(
            network,
            tokenizer,
            config,
            conversations=(train, held),
            loss=loss,
            checkpoints=self.checkpoints,
            stopwatch=stopwatch,
            progress=self.progress,
        )
        before, after = trainer.tune(latest_complete(self.checkpoints))
        trainer.export(staged, use_cache=use_cache)
        return {
            "sources": train.sources,
            "n_conversations": len(train.messages) - sum(trainer.left_out.values()),
            "n_by_label": train.n_by_label,
            "left_out": train.left_out | trainer.left_out,
            "n_steps": trainer.state.global_step,
            "n_tokens_a_pass": trainer.n_tokens,
            "chat_template": "the model's" if has_template else "emma500's",
            "loss_on": loss.counts,
            "held_out_loss": {
                "n_conversations": len(held.messages),
                "before": before,
                "after": after,
            },
            "log": trainer.steps(),
        }


def _check_any(corpus: Corpus, found: Conversations, config: InstructConfig) -> None:
    if found.messages:
        return
    if not corpus.labels_of("instruction"):
        raise ConfigError(
            f"{corpus.name} has no instruction component: build it with a source of conversations or of tasks with "
            "answers (`emma500 sources --component instruction`)"
        )
    told = ", ".join(f"{n:,} with {reason}" for reason, n in found.left_out.items())
    raise ConfigError(
        f"no document of {corpus.name} reads as a conversation ({told or 'none in these languages'}): give the turn "
        f"template its sources were read with (turn={config.turn!r} here), build them with "
        "Options(turn='{role}: {content}'), or take the first paragraph of each as its task with plain='first'"
    )
