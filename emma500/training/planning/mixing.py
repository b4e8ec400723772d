"""What a run reads how often: from a configuration to the labels that take part, and to their plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emma500.errors import LanguageError
from emma500.folder import Corpus
from emma500.mixture.planning.available import Available
from emma500.mixture.planning.estimates import estimated
from emma500.mixture.planning.plan import MixPlan, plan
from emma500.mixture.planning.presets import Stage, components_of
from emma500.mixture.planning.selection import (
    check_components,
    check_sources,
    resolve,
    select,
    sides_of,
)
from emma500.mixture.planning.sizing import Sizing
from emma500.mixture.tokenizing.documents import Chosen, Wanted
from emma500.models import load_tokenizer
from emma500.progress import Progress, tracked
from emma500.training.config import TrainConfig

DEFAULT_REPLAY = 0.25


def plan_mixture(
    corpus: Corpus | str | Path,
    config: TrainConfig | None = None,
    *,
    model: str | Path | None = None,
    rows_per_step: int | None = None,
    progress: Progress | None = None,
) -> MixPlan:
    """Plan what a run would read how often, from the corpus's counts, before anything is tokenized.

    Args:
        corpus: A corpus, its folder, or its Hub id.
        config: What would be trained on.
        model: The model whose tokenizer is tried on 20 kB of each label to estimate tokens; without one, white-space
            words are counted in their place.
        rows_per_step: Rows of an optimizer step on all devices; by default what the configuration gives on one.
        progress: Called as labels are looked at.

    Returns:
        The plan; it prints as a tree and says what it counts.

    Raises:
        SourceError: If the corpus or the model is not there.
        LanguageError: If the corpus lacks a language.
        ConfigError: If the mixture cannot be made of the corpus, or would repeat text too often.
    """
    config = config or TrainConfig()
    return planned(
        corpus if isinstance(corpus, Corpus) else Corpus(corpus),
        None if model is None else load_tokenizer(model, config.model_revision),
        config,
        rows_per_step
        or config.global_batch_size
        or config.per_device_train_batch_size * config.gradient_accumulation_steps,
        progress=progress,
    )


def planned(
    corpus: Corpus,
    tokenizer: Any,
    config: TrainConfig,
    rows_per_step: int,
    *,
    progress: Progress | None = None,
) -> MixPlan:
    """Plan a run from the corpus's counts; `plan_mixture` for a tokenizer that is loaded, or None.

    Returns:
        The plan, in estimated tokens or, without a tokenizer, in words.
    """
    mix = Mix.of(corpus, config)
    available = [
        estimated(corpus, each, mix.wanted(each, config), tokenizer)
        for each in tracked(mix.chosen, progress, "counting")
    ]
    return mix.plan(
        available, config, rows_per_step, unit="estimated tokens" if tokenizer else "words"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Mix:
    """What takes part, how it shares the tokens, and which components must have text."""

    chosen: list[Chosen]
    stages: tuple[Stage, ...]
    required: list[str]

    @classmethod
    def of(cls, corpus: Corpus, config: TrainConfig) -> "Mix":
        """Choose what a configuration asks for.

        Returns:
            What takes part.

        Raises:
            LanguageError: If the corpus lacks a language.
            ConfigError: If the corpus lacks a source or a component that is named, or what weights and shares name.
        """
        check_sources(corpus, [*config.sources, *config.exclude_sources])
        check_components(corpus, config.components)
        stages = config.mix_stages(0.0)
        components = config.components or components_of(stages)
        replay_languages, replay_share = _replay(corpus, config, components)
        chosen = select(
            corpus,
            languages=config.languages,
            components=components,
            replay_languages=replay_languages,
        )
        required = components if any(each.is_published for each in stages) else []
        stages = config.mix_stages(replay_share)
        # what does not depend on sizes is refused before hours of tokenizing
        alike = [Available(chosen=each, sources=[], n_documents=1, n_tokens=1) for each in chosen]
        Sizing(alike, stages, tokens_per_step=1, max_epochs=1.0, required=required)
        return cls(chosen=chosen, stages=stages, required=required)

    def wanted(self, chosen: Chosen, config: TrainConfig) -> Wanted:
        """Return which rows of a label are read; `sources` does not hold for replay."""
        return Wanted(
            sources=() if chosen.replay else tuple(config.sources),
            exclude_sources=tuple(config.exclude_sources),
            pair_format=config.pair_format,
        )

    def plan(
        self,
        available: Sequence[Available],
        config: TrainConfig,
        rows_per_step: int,
        *,
        unit: str = "tokens",
    ) -> MixPlan:
        """Share out the tokens of the run among what there is.

        Returns:
            The plan.

        Raises:
            ConfigError: If the text is too little for the steps.
        """
        return plan(
            available,
            tokens_per_step=rows_per_step * config.max_length,
            n_steps=config.max_steps if config.max_steps > 0 else None,
            stages=self.stages,
            max_epochs=config.max_epochs,
            required=self.required,
            unit=unit,
        )


def _replay(
    corpus: Corpus, config: TrainConfig, components: Sequence[str]
) -> tuple[list[str], float]:
    """Return the replay languages and their share; without a word on it, replay is what the corpus allows.

    Then a language that is trained on is not replayed, nor is the only one there is, nor is anything beside a published
    mixture, which has its own English.
    """
    stages = config.mix_stages(config.replay_share or 0.0)
    if any(each.replay_share for each in stages):
        return config.replay_languages, config.replay_share or 0.0
    if config.replay_share == 0 or any(each.is_published for each in stages):
        return [], 0.0
    sides = sides_of(corpus, components)
    asked = {resolve(each, sides, corpus.name) for each in config.languages}
    there = {label for each in config.replay_languages if (label := _found(each, corpus))} - asked
    if not there or not (asked or set(sides) - there):
        return [], 0.0
    return sorted(there), DEFAULT_REPLAY


def _found(code: str, corpus: Corpus) -> str | None:
    try:
        return resolve(code, corpus.labels, corpus.name)
    except LanguageError:
        return None
