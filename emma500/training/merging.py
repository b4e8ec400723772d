"""`merge_models`: one model of several of the same shape, such as a base and what it became, by mergekit."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from emma500.configuration import as_dict, need, option, require
from emma500.errors import ConfigError
from emma500.gguf import local_model, without_bars
from emma500.manifest import write_manifest
from emma500.models import load_tokenizer, model_identity, trained_sources
from emma500.progress import Progress, tracked
from emma500.training.made import MERGED, MadeModel, Output

_SHAPE = (
    "model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "head_dim", "tie_word_embeddings",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeConfig:
    """Configuration of `merge_models`.

    Raises:
        ConfigError: If a value breaks its rule.
    """

    method: Literal["linear", "slerp"] = option(
        "linear", "weighted mean of the weights, or along the arc between two"
    )
    weights: list[float] = option([], "of each model, for linear; empty: the same for all")
    t: float = option(0.5, "for slerp: 0 is the first model, 1 the second")
    overwrite: bool = option(False, "replace whatever is in the output folder")

    def __post_init__(self) -> None:
        require(self, "method", lambda value: value in ("linear", "slerp"), "linear or slerp")
        require(self, "t", lambda value: 0 <= value <= 1, "between 0 and 1")
        require(
            self,
            "weights",
            lambda value: all(each >= 0 for each in value) and (not value or sum(value) > 0),
            "numbers that are 0 or more, not all 0",
        )
        if self.weights and self.method != "linear":
            raise ConfigError("MergeConfig.weights are for method='linear'; slerp goes by t")

    def plan(self, models: Sequence[str]) -> dict[str, Any]:
        """Return what mergekit is told.

        Args:
            models: Folders or Hub ids.

        Returns:
            Its configuration, as of a YAML file.

        Raises:
            ConfigError: If the number of models does not go with the method or the weights.
        """
        if len(models) < 2 or (self.method == "slerp" and len(models) > 2):
            wanted = "exactly two models" if self.method == "slerp" else "two models or more"
            raise ConfigError(f"method={self.method!r} merges {wanted}, not {len(models)}")
        if self.method == "slerp":
            return {
                "merge_method": "slerp",
                "base_model": models[0],
                "models": [{"model": each} for each in models],
                "parameters": {"t": self.t},
            }
        weights = self.weights or [1.0] * len(models)
        if len(weights) != len(models):
            raise ConfigError(f"there are {len(weights)} weights for {len(models)} models")
        return {
            "merge_method": "linear",
            "models": [
                {"model": each, "parameters": {"weight": weight}}
                for each, weight in zip(models, weights, strict=True)
            ],
            "parameters": {"normalize": True},
        }


def merge_models(
    models: Sequence[str | Path],
    output: str | Path,
    config: MergeConfig | None = None,
    *,
    progress: Progress | None = None,
) -> MadeModel:
    """Merge models of one shape and one vocabulary, a tensor at a time, with mergekit.

    Merging a base with what it became by continual pre-training gives back some of what the base knew.

    Args:
        models: Folders, `.gguf` files or Hub ids (`user/name@revision`). Where they differ in anything but weights, the
            configuration is that of the first; the tokenizer, with its chat template, is the last one's.
        output: The folder of the merged model.
        config: How they are merged.
        progress: Called before and after.

    Returns:
        The merged model.

    Raises:
        MissingExtraError: If mergekit is not installed.
        SourceError: If a model is not there.
        ConfigError: If the models' shapes or vocabularies differ, or their number does not go with the method.
        OutputError: If the output holds something else.
    """
    config = config or MergeConfig()
    local = [local_model(each, progress=progress) for each in models]
    plan = config.plan(local)
    names = [model_identity(*_parted(each)) for each in local]
    identity = {
        "models": [{"name": name, "revision": revision} for name, revision in names],
        "config": {name: value for name, value in as_dict(config).items() if name != "overwrite"},
    }
    place = Output(
        final=Path(output).absolute(), kind=MERGED, identity=identity, overwrite=config.overwrite
    )
    if place.is_finished:
        return MadeModel(output)
    need("mergekit", "merging")
    _check_shapes(local)
    tokenizer = _common_tokenizer(local)
    with place.staged() as staged, without_bars():
        for _ in tracked([plan], progress, "merging"):
            _merge(plan, staged)
        tokenizer.save_pretrained(staged)
        summary = f"{' and '.join(name for name, _ in names)}, {config.method}"
        sources = {source for each in local for source in trained_sources(Path(each))}
        write_manifest(staged, place.record(summary, config, sources))
    return MadeModel(output)


def _parted(model: str) -> tuple[str, str | None]:
    """Return a model and its revision, where `user/name@revision` gives one."""
    name, at, revision = model.partition("@")
    return (name, revision) if at and not Path(model).is_dir() else (model, None)


def _check_shapes(models: Sequence[str]) -> None:
    from transformers import AutoConfig

    found = []
    for each in models:
        name, revision = _parted(each)
        shape = AutoConfig.from_pretrained(name, revision=revision).to_dict()
        found.append({key: shape.get(key) for key in _SHAPE})
    for (left, one), (right, other) in pairwise(zip(models, found, strict=True)):
        wrong = [key for key in _SHAPE if one[key] != other[key]]
        if wrong:
            told = ", ".join(f"{key}: {one[key]} and {other[key]}" for key in wrong)
            raise ConfigError(
                f"{Path(left).name} and {Path(right).name} are not of one shape ({told}): only models made from the "
                "same base can be merged; where the vocabulary was extended, merge with the extended base"
            )


def _common_tokenizer(models: Sequence[str]) -> Any:
    """Return the last model's tokenizer; all have to give a token the same id."""
    tokenizers = [load_tokenizer(*_parted(each)) for each in models]
    for each, name in zip(tokenizers, models, strict=True):
        if each.get_vocab() != tokenizers[-1].get_vocab():
            raise ConfigError(
                f"{Path(name).name} and {Path(models[-1]).name} have different vocabularies: their rows are of other "
                "tokens; merge models with one tokenizer"
            )
    return tokenizers[-1]


def _merge(plan: dict[str, Any], folder: Path) -> None:
    from mergekit.config import MergeConfiguration
    from mergekit.merge import run_merge
    from mergekit.options import MergeOptions

    run_merge(
        MergeConfiguration.model_validate(plan),
        str(folder),
        MergeOptions(quiet=True, write_model_card=False, copy_tokenizer=False),
    )
