"""What a training run can be told; names as in transformers' TrainingArguments and in trl."""

from dataclasses import dataclass
from typing import Any, Literal

from emma500.configuration import as_dict, option, require
from emma500.mixture.packing.pools import PACKINGS, Packing
from emma500.mixture.planning.presets import Mixture, Stage, stages_of
from emma500.records import COMPONENTS
from emma500.training.presets import preset_fields

_WITHOUT_EFFECT = ("resume", "overwrite", "save_steps", "keep_checkpoints", "report_to", "use_cpu",
                   "tokens_folder")  # fmt: skip
"""Fields that change how a run goes, but not what comes out."""

_GATE = ("forgetting_limit", "on_forgetting")
"""These change what comes out only where replay may be raised: a run that was stopped may go on with `warn`."""

_BATCH = ("per_device_train_batch_size", "gradient_accumulation_steps")
"""These are only ways to the rows of a step where `global_batch_size` gives them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """Configuration of `continue_pretrain`.

    Raises:
        ConfigError: If a value breaks its rule.
    """

    languages: list[str] = option([], "labels or codes to train on; empty: all of the corpus")
    components: list[str] = option(
        [], f"of {', '.join(COMPONENTS)}; empty: the first two, or all of a published mixture"
    )
    sources: list[str] = option([], "train only on rows of these sources; empty: all")
    exclude_sources: list[str] = option([], "train on no rows of these sources")
    pair_format: Literal["target", "both"] = option(
        "both", "a document of ten pairs holds one side only (target) or both, with labels (both)"
    )
    replay_languages: list[str] = option(["eng_Latn"], "languages the model must not forget")
    replay_share: float | None = option(
        None, "share of replayed tokens; default: 0.25 if the corpus has these languages, else 0"
    )
    mixture: Mixture = option(
        "proportional", "how labels share the rest of the tokens: a rule, or a published mixture"
    )
    temperature: float = option(1.0, "for mixture=temperature: 1 is proportional, large is uniform")
    weights: dict[str, float] = option(
        {}, "factors by component, group (low, English, …) or label: {low: 2, papers: 0.5}"
    )
    shares: dict[str, float] = option(
        {}, "shares of all tokens by the same: {bilingual: 0.3}; code, if there, has 0.15"
    )
    stages: list[dict[str, Any]] = option(
        [], "parts of the run with other shares: [{share: 0.9}, {share: 0.1, mixture: uniform}]"
    )
    max_epochs: float = option(4.0, "how often any text may be repeated at most")

    max_steps: int = option(-1, "optimizer steps; -1: one pass over the new text")
    max_length: int = option(256, "tokens a packed row")
    packing: Packing = option(
        "isolated", "isolated: no document sees another; concat: rows are slices of a label's text"
    )
    rehydrate: bool = option(
        False, "read documents that stand for near-duplicates more often, by FineWeb2's weights"
    )
    tokens_folder: str | None = option(
        None, "where tokens are kept for other runs; default: in the run's work folder"
    )
    per_device_train_batch_size: int = option(1, "rows a forward pass on each device")
    gradient_accumulation_steps: int = option(4, "forward passes an optimizer step")
    global_batch_size: int = option(
        0, "rows an optimizer step on all devices; sets gradient_accumulation_steps; 0: as given"
    )
    learning_rate: float = option(1e-4, "peak learning rate")
    lr_scheduler_type: str = option(
        "cosine", "linear, cosine, cosine_with_min_lr, warmup_stable_decay, infinite, …"
    )
    lr_scheduler_kwargs: dict[str, Any] = option({}, "more arguments of the schedule")
    warmup_steps: float = option(0.03, "steps of warm-up; below 1: their share of all steps")
    weight_decay: float = option(0.0, "weight decay of AdamW")
    max_grad_norm: float = option(1.0, "gradients are clipped to this norm")
    embedding_learning_rate: float | None = option(
        None, "peak learning rate of the embeddings; default: learning_rate"
    )
    optim: str = option("adamw_torch_fused", "optimizer, a name of TrainingArguments.optim")
    bf16: bool = option(True, "matrix products in bfloat16 (autocast); weights stay float32")
    gradient_checkpointing: bool = option(False, "less memory, a third more computing")
    seed: int = option(42, "seed of the order of documents, and of LoRA's matrices")
    use_cpu: bool | None = option(
        None, "train on the CPU; False asks for a GPU; default: a GPU if there is one"
    )

    use_peft: bool = option(False, "train LoRA adapters only; they are merged at the end")
    lora_r: int = option(16, "rank of the adapters")
    lora_alpha: int = option(32, "scale of the adapters")
    lora_dropout: float = option(0.0, "dropout of the adapters")
    lora_target_modules: list[str] = option([], "modules that get adapters; empty: all linear ones")
    lora_modules_to_save: list[str] = option(
        [], "modules trained whole beside the adapters, as embed_tokens and lm_head"
    )
    trainable_token_indices: list[int] = option(
        [], "with use_peft: rows of the embeddings that are trained, as those of new tokens"
    )
    load_in_4bit: bool = option(False, "with use_peft: base weights in 4 bits (QLoRA; a GPU)")

    logging_steps: int = option(10, "steps a row of the log")
    eval_steps: int = option(0, "validate every so many steps; 0: only at the start and the end")
    max_validation_bytes: int = option(20_000, "bytes of validation text a language; 0: none")
    forgetting_languages: list[str] = option(
        ["eng_Latn", "deu_Latn", "ita_Latn", "jpn_Jpan"],
        "languages the base knows, validated where the corpus has held-out text in them",
    )
    forgetting_limit: float = option(
        0.05, "share of bits per byte that none of them may lose against step 0"
    )
    on_forgetting: Literal["warn", "stop", "raise_replay"] = option(
        "warn", "what happens where one does"
    )
    keep: Literal["last", "best"] = option(
        "last", "the weights that are exported: of the last step, or of the best validation"
    )
    save_steps: int = option(100, "steps between checkpoints; 0: none")
    keep_checkpoints: bool = option(False, "leave <output>.work with its checkpoints")
    resume: bool = option(True, "go on from the last complete checkpoint")
    overwrite: bool = option(False, "replace another run, or whatever is in the output folder")
    report_to: str = option("none", "experiment tracker: none, wandb, tensorboard, trackio, …")
    model_revision: str | None = option(None, "branch, tag or commit of the model on the Hub")
    trainer_args: dict[str, Any] = option({}, "more arguments for TrainingArguments (fsdp, …)")

    def __post_init__(self) -> None:
        positive = ("max_epochs", "per_device_train_batch_size", "gradient_accumulation_steps", "lora_r",
                    "lora_alpha", "logging_steps", "temperature", "learning_rate")  # fmt: skip
        for name in positive:
            require(self, name, lambda value: value > 0, "above 0")
        for name in ("eval_steps", "save_steps", "max_validation_bytes", "warmup_steps", "seed",
                     "global_batch_size", "forgetting_limit"):  # fmt: skip
            require(self, name, lambda value: value >= 0, "0 or more")
        self._require_training()
        require(self, "max_steps", lambda value: value == -1 or value > 0, "-1 or above 0")
        require(self, "max_length", lambda value: value >= 2, "at least 2 tokens")
        require(
            self,
            "components",
            lambda value: set(value) <= set(COMPONENTS) and len(set(value)) == len(value),
            f"some of {', '.join(COMPONENTS)}, each once",
        )
        share = "at least 0 and below 1"
        require(self, "replay_share", lambda value: value is None or 0 <= value < 1, share)
        require(self, "lora_dropout", lambda value: 0 <= value < 1, share)
        require(self, "pair_format", lambda value: value in ("target", "both"), "target or both")
        require(self, "packing", lambda value: value in PACKINGS, " or ".join(PACKINGS))
        self.mix_stages(self.replay_share or 0.0)

    def _require_training(self) -> None:
        """Check what holds between the fields of training."""
        decisions = ("warn", "stop", "raise_replay")
        require(
            self,
            "on_forgetting",
            lambda value: value in decisions,
            f"one of {', '.join(decisions)}",
        )
        require(self, "keep", lambda value: value in ("last", "best"), "last or best")
        positive = "above 0, or None"
        require(self, "embedding_learning_rate", lambda value: value is None or value > 0, positive)
        if self.keep == "best":
            above = "above 0 with keep='best', which chooses among validations"
            require(self, "eval_steps", lambda value: value > 0, above)
        for name in ("lora_modules_to_save", "trainable_token_indices", "load_in_4bit"):
            require(
                self, name, lambda value: self.use_peft or not value, "given with use_peft only"
            )

    def mix_stages(self, replay_share: float) -> tuple[Stage, ...]:
        """Return how the tokens are shared, one stage or more.

        Args:
            replay_share: The share of replay where a stage does not say.

        Returns:
            The stages, in order.

        Raises:
            ConfigError: If a stage breaks a rule, or the stages are not the whole run.
        """
        names = ("mixture", "temperature", "weights", "shares")
        whole = {name: getattr(self, name) for name in names} | {"replay_share": replay_share}
        return stages_of(self.stages, whole, type(self).__name__)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> "TrainConfig":
        """Return the configuration of a preset.

        Args:
            name: As emma500-llama2, emma500-llama3-bi, single-gpu-lora or cpu-demo; `emma500/tables/train_presets.tsv`
                says how sure each of their values is.
            **changes: Fields that differ from the preset.

        Returns:
            The configuration.

        Raises:
            ConfigError: If there is no such preset, or a value breaks its rule.
        """
        return cls(**{**preset_fields(name), **changes})

    @property
    def settings(self) -> dict[str, Any]:
        """The fields that decide what comes out: two runs that agree in them are the same run."""
        left = set(_WITHOUT_EFFECT)
        if self.on_forgetting != "raise_replay":
            left |= set(_GATE)
        if self.global_batch_size:
            left |= set(_BATCH)
        return {name: value for name, value in as_dict(self).items() if name not in left}
