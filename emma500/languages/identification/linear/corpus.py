"""What our own identifier is trained on: how it is configured, and what is taken from labelled texts."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.configuration import option, require
from emma500.errors import SourceError
from emma500.languages.writing.strings import as_strings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FAMILIES = {
    **dict.fromkeys(("Hans", "Hant", "Hanb", "Jpan", "Hrkt", "Hira", "Kana", "Kore", "Hang", "Bopo"), "Hani"),
    "Aran": "Arab", "Cyrs": "Cyrl", "Geok": "Geor", "Latf": "Latn", "Latg": "Latn",
}  # fmt: skip
"""Scripts whose texts may be found in one another's script: their labels compete."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig:
    """How an identifier is trained."""

    features: int = option(95_000, "How many n-grams the model keeps; 38 bytes each.")
    dimensions: int = option(64, "Length of a feature's row; even.")
    steps: int = option(4_000_000, "How many runs of text are learned from; 15 microseconds each.")
    candidates: int = option(2500, "How many n-grams of each label are learned before the cut.")
    max_bytes: int = option(
        400_000, "The most bytes of a label that are used, half from one source."
    )
    min_characters: int = option(10, "The shortest run of text, in characters.")
    max_characters: int = option(200, "The longest run of text, in characters.")
    learning_rate: float = option(0.3, "Step size of Adagrad at the first step.")
    balance: float = option(0.08, "A label is drawn in proportion to its text to this power.")
    borrowing: float = option(6.0, "A label with little text borrows this times its unseen share.")
    max_borrowing: float = option(0.7, "The largest mean share of features that is borrowed.")
    dropout: float = option(0.2, "Share of features left out of a run.")
    left_out: float = option(0.1, "Share of labels whose texts show what unknown languages are.")
    known_kept: float = option(0.98, "Share of texts in known languages that are not answered und.")
    seed: int = option(500, "Seed of every random choice.")

    def __post_init__(self) -> None:
        for name in ("features", "steps", "candidates", "max_bytes", "min_characters", "seed"):
            require(self, name, lambda value: value > 0, "positive")
        require(self, "dimensions", lambda value: value > 0 and value % 2 == 0, "even and positive")
        require(self, "max_characters", lambda value: value >= self.min_characters, "no shorter")
        for name in ("dropout", "max_borrowing", "left_out"):
            require(self, name, lambda value: 0 <= value < 1, "from 0 to less than 1")
        require(self, "known_kept", lambda value: 0 < value <= 1, "over 0 and at most 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Corpus:
    """Labelled texts, label by label; labels are sorted by script family.

    Attributes:
        texts: The texts that are used, `large_string`.
        owner: The number of each text's label, rising.
        source: The number of each text's source.
        labels: The labels.
        bytes_by_source: By label, the bytes from each source.
    """

    texts: pa.Array
    owner: "NDArray[np.int64]"
    source: "NDArray[np.int64]"
    labels: tuple[str, ...]
    bytes_by_source: dict[str, dict[str, int]]

    def without(self, texts: "NDArray[np.bool_]") -> "Corpus":
        """Return the corpus without some texts, and without labels that have none left."""
        kept = np.flatnonzero(~texts)
        left, owner = np.unique(self.owner[kept], return_inverse=True)
        labels = tuple(self.labels[each] for each in left)
        return replace(
            self,
            texts=self.texts.take(pa.array(kept)),
            owner=owner,
            source=self.source[kept],
            labels=labels,
        )

    def is_one_source(self, label: str) -> bool:
        """Tell whether nine tenths of a label's text are from one source, where there are several sources."""
        sources = {source for each in self.bytes_by_source.values() for source in each}
        counts = self.bytes_by_source[label].values()
        return len(sources) > 1 and max(counts) >= 0.9 * sum(counts)


def gathered(texts: "pa.Table | Iterable[pa.RecordBatch]", config: TrainingConfig) -> Corpus:
    """Take from labelled texts what training uses.

    Args:
        texts: Columns `text`, `label` (`xxx_Xxxx`) and perhaps `source`; rows without text or label are passed over.
        config: How much of a label and of a source is used; which rows, the seed decides.

    Returns:
        The texts.

    Raises:
        SourceError: If a column is missing, or fewer than two labels have text.
    """
    table = texts if isinstance(texts, pa.Table) else pa.Table.from_batches(list(texts))
    missing = sorted({"text", "label"} - {*table.column_names})
    if missing:
        raise SourceError(f"texts to train on need the columns text and label: no {missing}")
    if "source" not in table.column_names:
        table = table.append_column("source", pa.nulls(len(table), pa.string()).fill_null(""))
    table = table.select(["text", "label", "source"]).drop_null()
    labels, sources = (table[name].to_pylist() for name in ("label", "source"))
    sizes = pc.binary_length(table["text"]).to_numpy()
    kept = _within_limits(labels, sources, sizes, config)
    names = sorted({labels[each] for each in kept}, key=lambda name: (family(name[4:]), name))
    if len(names) < 2:
        raise SourceError(f"texts to train on need two labels or more, not {names}")
    numbers = {name: number for number, name in enumerate(names)}
    owner = np.array([numbers[labels[each]] for each in kept])
    order = np.argsort(owner, kind="stable")
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    for each in kept:
        counts[labels[each]][sources[each]] += int(sizes[each])
    return Corpus(
        texts=as_strings(table["text"].take(pa.array(np.array(kept)[order]))),
        owner=owner[order],
        source=np.unique([sources[each] for each in kept], return_inverse=True)[1][order],
        labels=tuple(names),
        bytes_by_source={name: dict(sorted(each.items())) for name, each in counts.items()},
    )


def family(script: str) -> str:
    """Return what stands for the scripts whose labels compete with this one's."""
    return _FAMILIES.get(script, script)


def _within_limits(
    labels: list[str], sources: list[str], sizes: "NDArray[np.int64]", config: TrainingConfig
) -> list[int]:
    """Return the numbers of the rows used, in a random order."""
    used: Counter[tuple[str, str]] = Counter()
    kept = []
    for each in np.random.default_rng(config.seed).permutation(len(labels)).tolist():
        of_label, of_source = (labels[each], ""), (labels[each], f"from {sources[each]}")
        if used[of_label] < config.max_bytes and used[of_source] < config.max_bytes // 2:
            used[of_label] += int(sizes[each])
            used[of_source] += int(sizes[each])
            kept.append(each)
    return kept
