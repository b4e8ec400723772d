"""Fertility: how many tokens a tokenizer needs for the text of each language, and how many are pieces of characters."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from emma500.configuration import as_dict
from emma500.errors import ConfigError
from emma500.folder import Corpus
from emma500.languages.labels import resource_group
from emma500.languages.writing.characters import UNSPACED_SCRIPTS
from emma500.languages.writing.segmentation import DICTIONARIES, words
from emma500.mixture.planning.selection import resolve
from emma500.mixture.tokenizing.pieces import fallback_tokens
from emma500.mixture.tokenizing.samples import first_rows, text_columns
from emma500.mixture.tokenizing.tokens import Encoder
from emma500.models import load_tokenizer
from emma500.progress import Progress, tracked
from emma500.records import COMPONENTS

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 20
_BY_LETTER = UNSPACED_SCRIPTS | DICTIONARIES.keys()


@dataclass(frozen=True, kw_only=True, slots=True)
class FertilityRow:
    """What a tokenizer makes of a sample of one language.

    Attributes:
        label: The language's label.
        resource_group: MaLA's resource group of it.
        n_documents: Documents of the sample.
        n_bytes: UTF-8 bytes of the sample.
        n_chars: Characters of it.
        n_words: Words of it; letters with their marks in scripts without spaces (`counts_letters`).
        n_tokens: Tokens of it.
        counts_letters: True for scripts without spaces between words.
        tokens_per_word: Tokens by words, or by letters.
        tokens_per_char: Tokens by characters.
        tokens_per_byte: Tokens by bytes.
        unknown_share: The share of tokens that stand for what the tokenizer cannot write; None if it has no such token.
        byte_fallback_share: The share of tokens that are pieces of a character: bytes of SentencePiece, or tokens of
            byte-level BPE that are no whole characters.
    """

    label: str
    resource_group: str
    n_documents: int
    n_bytes: int
    n_chars: int
    n_words: int
    n_tokens: int
    counts_letters: bool
    tokens_per_word: float
    tokens_per_char: float
    tokens_per_byte: float
    unknown_share: float | None
    byte_fallback_share: float


@dataclass(frozen=True, slots=True)
class Fertility:
    """The fertility of a tokenizer by language.

    Attributes:
        rows: A row a language, by label.
        tokenizer: The tokenizer's name.
    """

    rows: tuple[FertilityRow, ...]
    tokenizer: str

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table, one row a language."""
        import pandas as pd

        return pd.DataFrame([as_dict(row) for row in self.rows])

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        ordered = sorted(self.rows, key=lambda row: (-row.tokens_per_byte, row.label))
        lines = [
            f"Fertility of {self.tokenizer} in {len(self.rows):,} languages, most tokens a byte first",
            f"{'label':<10} {'group':<11} {'bytes':>9} {'tokens':>9} {'/word':>7} {'/char':>6} {'/byte':>6} "
            f"{'unknown':>8} {'pieces of characters':>21}",
        ]
        for row in ordered[:_MOST_ROWS]:
            unknown = "n/a" if row.unknown_share is None else f"{row.unknown_share:.1%}"
            lines.append(
                f"{row.label:<10} {row.resource_group:<11} {row.n_bytes:>9,} {row.n_tokens:>9,} "
                f"{row.tokens_per_word:>6.2f}{'*' if row.counts_letters else ' '} {row.tokens_per_char:>6.2f} "
                f"{row.tokens_per_byte:>6.3f} {unknown:>8} {row.byte_fallback_share:>21.1%}"
            )
        if len(ordered) > _MOST_ROWS:
            lines.append(f"… and {len(ordered) - _MOST_ROWS:,} more: see to_pandas()")
        if any(row.counts_letters for row in ordered[:_MOST_ROWS]):
            lines.append("* a script without spaces: tokens a letter with its marks")
        return "\n".join(lines)


def fertility(
    tokenizer: Any,
    corpus: Corpus | str | Path,
    *,
    languages: Sequence[str] = (),
    components: Sequence[str] = ("monolingual",),
    split: str = "train",
    max_bytes: int = 100_000,
    progress: Progress | None = None,
) -> Fertility:
    """Measure how many tokens a tokenizer needs for the text of each language.

    Args:
        tokenizer: A tokenizer of transformers, or a model: a Hub id, a folder or a `.gguf` file.
        corpus: A corpus, its folder, or its Hub id.
        languages: Labels or codes; empty for every language of the components.
        components: Where the text comes from, the first that has it first; of pairs the language's own side.
        split: "train" or "validation".
        max_bytes: Bytes of text a language; its first documents are taken, which are a random sample.
        progress: Called as languages are read.

    Returns:
        A row a language that has text.

    Raises:
        SourceError: If the model or the corpus is not there.
        LanguageError: If the corpus lacks a language.
        ConfigError: If a component is unknown or is code, or `max_bytes` is not above 0.
    """
    known = [each for each in COMPONENTS if each != "code"]
    if max_bytes <= 0 or not set(components) <= set(known):
        raise ConfigError(
            f"fertility needs max_bytes above 0, not {max_bytes}, and components among {', '.join(known)}, "
            f"not {', '.join(components)}"
        )
    name = str(tokenizer) if isinstance(tokenizer, str | Path) else tokenizer.name_or_path
    tokenizer = load_tokenizer(tokenizer) if isinstance(tokenizer, str | Path) else tokenizer
    corpus = corpus if isinstance(corpus, Corpus) else Corpus(corpus)
    places = _places(corpus, components)
    labels = sorted({resolve(each, sorted(places), corpus.name) for each in languages} or places)
    samples = (
        (label, _sample(corpus, places[label], split, max_bytes))
        for label in tracked(labels, progress, "reading")
    )
    rows = tuple(_measured(tokenizer, samples))
    return Fertility(rows, Path(name).name if Path(name).exists() else name)


_Place = tuple[str, str, str]
"""A component, a label and a column: where text of a language stands."""


def _places(corpus: Corpus, components: Sequence[str]) -> dict[str, list[_Place]]:
    """Return where the text of each language stands."""
    found: dict[str, list[_Place]] = {}
    for component in components:
        columns = text_columns(component)
        for label in corpus.labels_of(component):
            sides = label.split("-") if component == "bilingual" else [label]
            for side, column in zip(sides, columns, strict=True):
                found.setdefault(side, []).append((component, label, column))
    return found


def _sample(corpus: Corpus, places: Sequence[_Place], split: str, max_bytes: int) -> list[str]:
    """Read the first bytes of a language's text; the last document is cut to fit."""
    texts: list[str] = []
    left = max_bytes
    for component, label, column in places:
        rows = first_rows(corpus, component, label, split=split, max_bytes=left)
        for text in rows[column].to_pylist():
            cut = text.encode()[:left]
            left -= len(cut)
            whole = cut.decode(errors="ignore")
            texts += [whole] if whole else []
        if left <= 0:
            break
    return texts


def _measured(tokenizer: Any, samples: Iterable[tuple[str, list[str]]]) -> Iterator[FertilityRow]:
    """Yield the row of each language with text; the next is read while one is tokenized."""
    is_piece = fallback_tokens(tokenizer)
    unknown = tokenizer.unk_token_id
    read: deque[tuple[str, list[str]]] = deque()

    def batches() -> Iterator[list[str]]:
        for label, texts in samples:
            if texts:
                read.append((label, texts))
                yield texts

    for ids, _ in Encoder(tokenizer).encode(batches()):
        label, texts = read.popleft()
        array = pa.array(texts, pa.large_string())
        n_bytes, n_chars = (
            int(pc.sum(count(array)).as_py()) for count in (pc.binary_length, pc.utf8_length)
        )
        n_words = len(words(array, label[-4:], dictionaries=False).flatten())
        yield FertilityRow(
            label=label,
            resource_group=resource_group(label),
            n_documents=len(texts),
            n_bytes=n_bytes,
            n_chars=n_chars,
            n_words=n_words,
            n_tokens=len(ids),
            counts_letters=label[-4:] in _BY_LETTER,
            tokens_per_word=len(ids) / max(n_words, 1),
            tokens_per_char=len(ids) / n_chars,
            tokens_per_byte=len(ids) / n_bytes,
            unknown_share=None if unknown is None else float((ids == unknown).mean()),
            byte_fallback_share=float(is_piece[ids].mean()),
        )
