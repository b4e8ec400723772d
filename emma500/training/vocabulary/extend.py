"""`extend_vocabulary`: pieces for new languages, with rows that mean something before any training."""

import copy
from pathlib import Path
from typing import Any

from emma500.errors import ConfigError
from emma500.folder import Corpus
from emma500.gguf import without_bars
from emma500.manifest import write_manifest
from emma500.mixture.planning.selection import resolve, sides_of
from emma500.mixture.tokenizing.tokens import tokenize
from emma500.models import load_model, load_tokenizer
from emma500.progress import Progress
from emma500.training.loop.hardware import default_device
from emma500.training.made import EXTENDED, MadeModel, Output
from emma500.training.origin import Origin
from emma500.training.vocabulary.config import VocabularyConfig
from emma500.training.vocabulary.pieces import Pieces, learn_pieces
from emma500.training.vocabulary.report import Report
from emma500.training.vocabulary.rows import add_rows
from emma500.training.vocabulary.text import read_language


def extend_vocabulary(
    model: str | Path,
    corpus: Corpus | str | Path,
    output: str | Path,
    config: VocabularyConfig | None = None,
    *,
    progress: Progress | None = None,
) -> MadeModel:
    """Give a model and its tokenizer pieces for the languages of a corpus.

    The tokenizer's own BPE training goes on with the new text, so that every new piece is reached by merges and text
    without a new pair keeps its tokens; works for byte-level BPE (SmolLM2, Llama 3, Qwen) and BPE over characters with
    byte fallback (Llama 2, Mistral). `continue_pretrain` takes the output as its model.

    Args:
        model: A Hub id, a folder, or a `.gguf` file.
        corpus: A corpus, its folder, or its Hub id.
        output: The folder of the extended model.
        config: Whose text, how many pieces, and how their rows start.
        progress: Called as the work goes on.

    Returns:
        The extended model. Its report has tokens a word and bits per byte by label, before and after.

    Raises:
        SourceError: If the model or the corpus is not there.
        LanguageError: If the corpus lacks a language that was asked for.
        ConfigError: If the tokenizer is no BPE, does not fit the model, or the text gives no new piece.
        OutputError: If the output holds something else.
    """
    config = config or VocabularyConfig()
    corpus = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
    origin = Origin.of(model, corpus, config, progress)
    learned, kept = _labels(corpus, config)
    place = Output(
        final=Path(output).absolute(),
        kind=EXTENDED,
        identity=origin.identity,
        overwrite=config.overwrite,
    )
    if place.is_finished:
        return MadeModel(output)
    with place.staged(device=default_device()) as staged, without_bars():
        made = _extend(
            origin, corpus, config, labels=(learned, kept), folder=staged, progress=progress
        )
        name = origin.identity["base_model"]["name"]
        summary = f"{name} with {made['n_pieces']:,} new pieces for {len(learned)} languages"
        told = {"languages": learned, "keep_languages": kept, **made}
        write_manifest(staged, place.record(summary, config, origin.trained_sources, **told))
    return MadeModel(output)


def _labels(corpus: Corpus, config: VocabularyConfig) -> tuple[list[str], list[str]]:
    """Return the labels pieces are learned from, and those that are only reported."""
    known = sides_of(corpus, config.components)
    wanted = {resolve(each, known, corpus.name) for each in config.languages}
    kept = {each for each in config.keep_languages if each in known} - wanted
    learned = wanted or set(known) - kept
    if not learned:
        raise ConfigError(
            f"{corpus.name} has no {' or '.join(config.components)} text but in keep_languages "
            f"({', '.join(sorted(kept)) or 'none'}): name languages, or another corpus"
        )
    return sorted(learned), sorted(kept)


def _extend(
    origin: Origin,
    corpus: Corpus,
    config: VocabularyConfig,
    *,
    labels: tuple[list[str], list[str]],
    folder: Path,
    progress: Progress | None,
) -> dict[str, Any]:
    """Write the extended model and tokenizer, and return what the manifest says of them."""
    learned, kept = labels
    model = (str(origin.name), origin.revision)
    tokenizer, network = load_tokenizer(*model), load_model(*model)
    _check_fit(tokenizer, network)
    texts = [
        text
        for label in learned
        for text in read_language(
            corpus, label, "train", components=config.components, max_bytes=config.max_bytes
        )
    ]
    pieces = learn_pieces(
        tokenizer.backend_tokenizer,
        texts,
        n_pieces=config.n_pieces,
        min_frequency=config.min_frequency,
        max_piece_length=config.max_piece_length,
    )
    report = Report(corpus, sorted([*learned, *kept]), config, progress)
    before = report.rows("before", network, tokenizer)
    extended = _with_backend(tokenizer, pieces)
    extended.save_pretrained(folder)
    similar = _similar(texts, extended, pieces, config)
    add_rows(
        network, pieces, init=config.init, multiple=config.pad_to_multiple_of, seed=config.seed, similar=similar
    )  # fmt: skip
    network.save_pretrained(folder)
    reloaded = load_tokenizer(folder)
    _check_reloaded(extended, reloaded, texts)
    return {
        "n_pieces": len(pieces.names),
        "first_id": int(pieces.ids[0]),
        "vocab_size": int(network.get_input_embeddings().weight.shape[0]),
        "n_bytes_read": sum(len(text.encode()) for text in texts),
        "report": [*before, *report.rows("after", network, reloaded)],
        "pieces": list(pieces.names),
    }


def _check_fit(tokenizer: Any, model: Any) -> None:
    rows = model.get_input_embeddings().weight.shape[0]
    largest = max(tokenizer.get_vocab().values())
    if largest >= rows:
        raise ConfigError(
            f"the tokenizer {tokenizer.name_or_path!r} has ids up to {largest}, but the model has rows for {rows} "
            "tokens: they do not belong together"
        )
    if not tokenizer.is_fast:
        raise ConfigError(
            f"the tokenizer {tokenizer.name_or_path!r} is no fast tokenizer of `tokenizers`"
        )


def _with_backend(tokenizer: Any, pieces: Pieces) -> Any:
    from tokenizers import Tokenizer

    extended = copy.deepcopy(tokenizer)
    extended._tokenizer = Tokenizer.from_str(pieces.backend)
    return extended


def _similar(texts: list[str], tokenizer: Any, pieces: Pieces, config: VocabularyConfig) -> Any:
    if config.init != "similarity":
        return None
    from emma500.training.vocabulary.similarity import similar_tokens

    return similar_tokens(tokenize(texts, tokenizer), pieces, seed=config.seed)


def _check_reloaded(made: Any, reloaded: Any, texts: list[str]) -> None:
    """Make sure that the class of the tokenizer reads back what was written."""
    probe = [*texts[:100], "\n".join(texts[:3])]
    if (
        made.get_vocab() != reloaded.get_vocab()
        or made(probe)["input_ids"] != reloaded(probe)["input_ids"]
    ):
        raise ConfigError(
            f"a {type(reloaded).__name__} does not read an extended vocabulary back as it was written: "
            "this kind of tokenizer cannot be extended here"
        )
