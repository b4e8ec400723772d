"""From a corpus to what a run trains and validates on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emma500.errors import LanguageError
from emma500.folder import Corpus
from emma500.manifest import fingerprint
from emma500.mixture.documents import (
    Chosen,
    TokenDocuments,
    load_tokens,
    read_texts,
    save_tokens,
    tokenize,
)
from emma500.mixture.plan import Available, plan
from emma500.mixture.rows import PackedRows
from emma500.mixture.selection import check_sources, resolve, select, sides_of
from emma500.models import prefix_token
from emma500.progress import Progress, tracked
from emma500.training.config import TrainConfig
from emma500.training.validation import HeldOut, held_out

DEFAULT_REPLAY = 0.25


@dataclass(frozen=True, kw_only=True, slots=True)
class RunData:
    """What a run trains on, and what it validates on."""

    rows: PackedRows
    validation: HeldOut | None
    labels: tuple[str, ...]


def prepare(
    corpus: Corpus,
    tokenizer: Any,
    config: TrainConfig,
    *,
    rows_per_step: int,
    folder: Path,
    progress: Progress | None = None,
) -> RunData:
    """Choose, tokenize, plan and pack.

    Args:
        corpus: The corpus.
        tokenizer: The model's tokenizer.
        config: The run's configuration.
        rows_per_step: Rows of an optimizer step on all devices.
        folder: Where tokens are kept, so that a resumed run reads them again.
        progress: Called as labels are tokenized.

    Returns:
        The rows to train on, in order, and the validation documents.

    Raises:
        LanguageError: If the corpus lacks a language.
        ConfigError: If the corpus lacks a source that is named, or the text is too little for the steps.
    """
    check_sources(corpus, [*config.sources, *config.exclude_sources])
    replay_languages, replay_share = _replay(corpus, config)
    chosen = select(
        corpus,
        languages=config.languages,
        components=config.components,
        replay_languages=replay_languages,
    )
    parts = [
        _tokens(corpus, each, tokenizer, config, folder=folder)
        for each in tracked(chosen, progress, "tokenizing")
    ]
    mixture = plan(
        [each for each, _ in parts],
        tokens_per_step=rows_per_step * config.max_length,
        n_steps=config.max_steps if config.max_steps > 0 else None,
        replay_share=replay_share,
        code_share=config.code_share,
        weights=config.weights,
        temperature=config.temperature,
        max_epochs=config.max_epochs,
    )
    prefix = prefix_token(tokenizer)
    eos = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else prefix
    rows = PackedRows(
        mixture,
        [tokens for each, tokens in parts if each.n_tokens],
        length=config.max_length,
        seed=config.seed,
        prefix=prefix,
        eos=eos,
        pad=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else eos,
    )
    trained = [part.available.chosen for part in mixture.parts]
    labels = {each.language for each in trained if each.component != "code"}
    validation = held_out(
        corpus,
        [each for each in chosen if each.language in labels],
        tokenizer,
        max_length=config.max_length,
        max_bytes=config.max_validation_bytes,
    )
    return RunData(rows=rows, validation=validation, labels=tuple(sorted(labels)))


def _replay(corpus: Corpus, config: TrainConfig) -> tuple[list[str], float]:
    """Return the replay languages and their share; without a word on it, replay is what the corpus allows.

    Then a language that is trained on is not replayed, nor is the only one there is.
    """
    if config.replay_share == 0:
        return [], 0.0
    if config.replay_share is not None:
        return config.replay_languages, config.replay_share
    sides = sides_of(corpus, config.components)
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


def _tokens(
    corpus: Corpus, chosen: Chosen, tokenizer: Any, config: TrainConfig, *, folder: Path
) -> tuple[Available, TokenDocuments]:
    texts = read_texts(
        corpus,
        chosen,
        "train",
        sources=[] if chosen.replay else config.sources,
        exclude_sources=config.exclude_sources,
        pair_format=config.pair_format,
    )
    if chosen.replay and not texts.texts:
        raise LanguageError(
            f"{corpus.name} has no training text in {chosen.label!r} to replay beside the excluded sources "
            f"({', '.join(config.exclude_sources) or 'none'}): pass replay_share=0, or name other replay_languages"
        )
    file = folder / fingerprint(chosen)
    tokens = load_tokens(file)
    if tokens is None:
        tokens = tokenize(texts.texts, tokenizer)
        save_tokens(tokens, file)
    available = Available(
        chosen=chosen,
        sources=texts.sources,
        n_documents=len(tokens),
        n_tokens=len(tokens.ids) + len(tokens),
    )
    return available, tokens
