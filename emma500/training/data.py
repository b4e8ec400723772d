"""From a corpus to what a run trains and validates on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emma500.errors import LanguageError
from emma500.folder import Corpus
from emma500.mixture.packing.rows import PackedRows
from emma500.mixture.planning.available import Available
from emma500.mixture.tokenizing.documents import Chosen
from emma500.mixture.tokenizing.shards import TokenStore
from emma500.mixture.tokenizing.tokens import TokenDocuments
from emma500.models import prefix_token
from emma500.progress import Progress, tracked
from emma500.training.config import TrainConfig
from emma500.training.planning.mixing import Mix
from emma500.training.validation.scoring import HeldOut, held_out


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
        folder: Where tokens are kept, so that a resumed run reads them again, unless `tokens_folder` says where.
        progress: Called as labels are tokenized.

    Returns:
        The rows to train on, in order, and the validation documents.

    Raises:
        LanguageError: If the corpus lacks a language.
        ConfigError: If the corpus lacks a source that is named, or the text is too little for the steps.
    """
    mix = Mix.of(corpus, config)
    store = TokenStore(Path(config.tokens_folder or folder), corpus, tokenizer)
    tokens: dict[Chosen, TokenDocuments] = {}
    available = []
    for chosen in tracked(mix.chosen, progress, "tokenizing"):
        stored = store.documents(chosen, mix.wanted(chosen, config))
        if chosen.replay and not len(stored.tokens):
            raise LanguageError(
                f"{corpus.name} has no training text in {chosen.label!r} to replay beside the excluded sources "
                f"({', '.join(config.exclude_sources) or 'none'}): pass replay_share=0, or name other replay_languages"
            )
        own = stored.tokens.rehydrated(stored.cluster_sizes) if config.rehydrate else stored.tokens
        tokens[chosen] = own
        n_documents, n_tokens = own.epoch()
        available.append(
            Available(
                chosen=chosen, sources=stored.sources, n_documents=n_documents, n_tokens=n_tokens
            )
        )
    mixture = mix.plan(available, config, rows_per_step)
    prefix = prefix_token(tokenizer)
    eos = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else prefix
    rows = PackedRows(
        mixture,
        [tokens[part.available.chosen] for part in mixture.parts],
        length=config.max_length,
        seed=config.seed,
        prefix=prefix,
        eos=eos,
        pad=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else eos,
        packing=config.packing,
    )
    trained = [part.available.chosen for part in mixture.parts]
    labels = {each.language for each in trained if each.component != "code"}
    validation = held_out(
        corpus,
        [each for each in mix.chosen if each.language in labels],
        tokenizer,
        max_length=config.max_length,
        max_bytes=config.max_validation_bytes,
    )
    return RunData(rows=rows, validation=validation, labels=tuple(sorted(labels)))
