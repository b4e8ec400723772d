"""Benchmark items inside documents: an index of their runs of units, and the search for them.

    contamination = Contamination.build([("sib200", "eng_Latn", "The text of an item …"), …])
    contamination.find(tokenise(texts))        # "sib200" where a text holds a run of an item, else null

A document is contaminated if it holds 13 units of an item in a row (GPT-3's measure), or the whole of an item of 8 to
12; in scripts without spaces, where a unit is a character, 26 and 16 to 25. Units are lower-cased and without
punctuation, so neither case, signs nor white space hide an item. A shorter item, from 4 words and 20 letters or from 10
characters on, is found where it stands as a sentence: between two ends of sentences, lines or the document, by the
punctuation of all scripts. (Thai and Lao, which have no full stop, are cut by lines.)

Not indexed are runs that say nothing: those of more than `COMMON` items of one benchmark and language (instructions,
templates), sentences that stand in it more often (answers such as "none of the above"), and those of a few words or
numbers over and over. A run is known by 56 bits of hash: with the 20 million
runs of a million sentences, one lookup in 3.6 billion of a run that is in no item takes it for one, and of a clean
text the filter in front lets one unit in a hundred be looked up.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from emma500.corpus.decontamination.benchmark_runs import (
    COMMON,
    LETTERS,
    RUN,
    SENTENCE,
    SHORTEST,
    Counts,
    Runs,
    runs_of,
)
from emma500.corpus.text.tokens import Tokens
from emma500.errors import ConfigError
from emma500.storage import write_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_BENCHMARKS = 256  # their numbers are 8 bits
_FILTER_BITS = 16  # a run; three of them are set
_BUCKET = 4  # hashes
_ARRAYS = ("grams", "starts", "words", "sizes")
_REPORT = "report.json"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Contamination:
    """An index of benchmark items. Once saved, its copies in other processes share the memory of the files.

    Attributes:
        counts: How much of each benchmark is indexed, by name.
        grams: Sorted uint64 hashes of runs, the place of the benchmark among `counts` in the lowest 8 bits.
        starts: Where the hashes with the same highest bits begin, uint32.
        words: The filter in front, uint64.
        sizes: (2, 27) whether there are runs of so many words and characters, or sentences where a run has more.
        own_sources: Benchmarks left out because their text is a source of the corpus.
        not_covered: Benchmarks that could not be read, by name, and why.
        path: The folder it was saved to, or None.
    """

    counts: dict[str, Counts]
    grams: "NDArray[np.uint64]"
    starts: "NDArray[np.uint32]"
    words: "NDArray[np.uint64]"
    sizes: "NDArray[np.bool_]"
    own_sources: tuple[str, ...] = ()
    not_covered: dict[str, str] = field(default_factory=dict)
    path: Path | None = field(default=None)

    @classmethod
    def of(
        cls,
        benchmarks: Sequence[str] | None = None,
        *,
        datasets: Sequence[str | Path] = (),
        data_dir: str | None = None,
        sources: Collection[str] = (),
    ) -> "Contamination":
        """Index the benchmarks of the evaluation, and data sets besides.

        Args:
            benchmarks: Names of the registry, or `name=place`; None for all that can be read, and `not_covered` says
                which cannot, and why.
            datasets: Files or folders (text, JSON, TSV, CSV, Parquet: every text in them is an item), data sets of
                the Hub or sources of the catalogue; `name=…` names one, else its file or folder does.
            data_dir: Where files of benchmarks are: `<data_dir>/<name>`, or the folder itself.
            sources: The names of the corpus's sources: a benchmark made of one of them is left out (`own_sources`),
                or nothing of that source would stay.

        Returns:
            The index.

        Raises:
            EmmaError: If a benchmark or a data set that is named cannot be read.
        """
        from emma500.corpus.decontamination.benchmark_texts import look

        looked = look(benchmarks, datasets, data_dir=data_dir, sources=sources)
        return replace(
            cls.of_runs(looked.runs),
            own_sources=tuple(looked.own_sources),
            not_covered=looked.not_covered,
        )

    @classmethod
    def build(cls, items: Iterable[tuple[str, str, str]]) -> "Contamination":
        """Index items.

        Args:
            items: Benchmark, label and text of each; those of one benchmark and label stand together. Where two
                benchmarks share a run, it counts for the one that comes first.

        Returns:
            The index.

        Raises:
            ConfigError: If there are more than 256 benchmarks, or items of one stand apart.
        """
        groups = groupby(items, key=lambda each: each[0])
        return cls.of_runs(
            [runs_of(name, ((label, text) for _, label, text in group)) for name, group in groups]
        )

    @classmethod
    def of_runs(cls, runs: Sequence[Runs]) -> "Contamination":
        """Join the runs of benchmarks; `build` says the rest.

        Args:
            runs: Those of each benchmark.

        Returns:
            The index.

        Raises:
            ConfigError: If there are more than 256 benchmarks, or two of one name.
        """
        counts = {each.name: each.counts for each in runs}
        if len(counts) < len(runs):
            names = [each.name for each in runs]
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ConfigError(
                f"decontamination names two benchmarks {', '.join(twice)}: name each once"
            )
        if len(runs) > _MOST_BENCHMARKS:
            raise ConfigError(
                f"decontamination takes {_MOST_BENCHMARKS} benchmarks, not {len(runs)}: "
                "put several files into one folder"
            )
        sizes = np.zeros((2, RUN[1] + 1), np.bool_)
        for each in runs:
            sizes |= each.sizes
        words = _filter([each.keys for each in runs])
        grams = _joined([each.grams for each in runs])
        return cls(counts=counts, grams=grams, starts=_starts(grams), words=words, sizes=sizes)

    @property
    def n_bytes(self) -> int:
        """The memory it takes."""
        return sum(getattr(self, name).nbytes for name in _ARRAYS)

    def report(self) -> dict[str, Any]:
        """Return what a manifest says of it: what is looked for, and what is not and why."""
        return {
            "covered": [{"name": name, **asdict(each)} for name, each in self.counts.items()],
            "own_sources": list(self.own_sources),
            "not_covered": self.not_covered,
        }

    def fingerprint(self) -> str:
        """Return 32 hexadecimal digits that identify what it finds and how it is called."""
        rules = [RUN, SHORTEST, SENTENCE, LETTERS, COMMON]
        digest = sha256(repr([rules, list(self.counts)]).encode())
        digest.update(self.grams.data)
        digest.update(self.sizes.data)
        return digest.hexdigest()[:32]

    def find(self, tokens: Tokens) -> pa.Array:
        """Look for benchmark items in texts.

        Args:
            tokens: The texts' units.

        Returns:
            A `string` array: the benchmark whose item comes first in a text (a run of words before one of characters,
            and that before a sentence), null where there is none.
        """
        owners, _ = self.locate(tokens)
        names = pa.array([*self.counts, None], pa.string())
        return names.take(pa.array(np.where(owners < 0, len(self.counts), owners)))

    def locate(self, tokens: Tokens) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
        """Look for benchmark items in texts, and tell where they stand.

        Args:
            tokens: The texts' units.

        Returns:
            The place of the benchmark among `counts`, and the unit of the text at which the item begins, (texts) int64
            each; -1 where there is none.
        """
        from emma500.corpus.decontamination.search_kernels import find

        count = len(tokens.offsets) - 1
        owners, places = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
        if len(self.grams):
            find(
                tokens.units, tokens.offsets, tokens.breaks, tokens.n_unspaced, np.array(RUN), np.array(SHORTEST),
                self.sizes, self.words, self.grams, self.starts, _shift(self.starts), owners, places,
            )  # fmt: skip
        return owners, places

    def save(self, folder: Path) -> "Contamination":
        """Write the index to a folder.

        Args:
            folder: Where to; it is made.

        Returns:
            The index as it is there: a pickle of it is no more than the path.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        write_text(folder / _REPORT, json.dumps(self.report(), ensure_ascii=False))
        return self.load(folder)

    @classmethod
    def load(cls, folder: Path) -> "Contamination":
        """Return an index that was saved; its arrays stay in the files, and are shared by all who read them."""
        report = json.loads((folder / _REPORT).read_text(encoding="utf-8"))
        arrays = {
            name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in _ARRAYS
        }
        return replace(_restored(report, arrays), path=folder)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.path is not None:
            return Contamination.load, (self.path,)
        return _restored, (self.report(), {name: getattr(self, name) for name in _ARRAYS})


def _restored(report: dict[str, Any], arrays: dict[str, Any]) -> Contamination:
    names = [row["name"] for row in report["covered"]]
    counts = [
        Counts(**{key: row[key] for key in row if key != "name"}) for row in report["covered"]
    ]
    return Contamination(
        counts=dict(zip(names, counts, strict=True)),
        own_sources=tuple(report["own_sources"]),
        not_covered=report["not_covered"],
        **arrays,
    )


def _joined(grams: "Sequence[NDArray[np.uint64]]") -> "NDArray[np.uint64]":
    """Return the hashes of benchmarks in one, sorted, each once with the number of the first that has it."""
    joined = np.empty(sum(map(len, grams)), np.uint64)
    end = 0
    for place, each in enumerate(grams):
        np.bitwise_or(each, np.uint64(place), out=joined[end : end + len(each)])
        end += len(each)
    joined.sort()
    is_first = np.ones(len(joined), np.bool_)
    is_first[1:] = (joined[1:] ^ joined[:-1]) >= _MOST_BENCHMARKS
    return joined if is_first.all() else joined[is_first]


def _starts(grams: "NDArray[np.uint64]") -> "NDArray[np.uint32]":
    """Return where each bucket of the highest bits begins, and the end: 2 to some power buckets, and one place more."""
    bits = np.uint64(max(1, (len(grams) // _BUCKET).bit_length()))
    firsts = np.arange(1 << int(bits), dtype=np.uint64) << (np.uint64(64) - bits)
    return np.append(np.searchsorted(grams, firsts), len(grams)).astype(np.uint32)


def _shift(starts: "NDArray[np.uint32]") -> np.uint64:
    return np.uint64(64 - (len(starts) - 1).bit_length() + 1)


def _filter(keys: "Sequence[NDArray[np.uint64]]") -> "NDArray[np.uint64]":
    from emma500.corpus.decontamination.index_kernels import fill_filter

    words = np.zeros(1 + sum(map(len, keys)) * _FILTER_BITS // 64, np.uint64)
    for each in keys:
        fill_filter(each, words)
    return words
