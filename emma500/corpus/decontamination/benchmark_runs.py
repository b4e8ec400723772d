"""The items of one benchmark -> hashes of their runs of units, for decontamination."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby, islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from emma500.corpus.text.tokens import Tokens, tokenise
from emma500.languages.writing.characters import described
from emma500.languages.writing.normalisation import normalise

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUN = (13, 26)
"""Units a run, of words and of characters."""
SHORTEST = (8, 16)
"""An item of fewer units than a run counts as a whole from so many on."""
SENTENCE = (4, 10)
"""A still shorter item is found only as a sentence or line of its own, from so many units on."""
LETTERS = 20
"""And only if its words have so many characters: in Tatoeba and picture books "What is your name?" stands by chance."""
COMMON = 10
"""A run of more items than this, of one benchmark in one language, is a template of theirs."""

_ITEMS_AT_ONCE = 8192
_HASH = ~np.uint64(0xFF)  # the lowest 8 bits are the benchmark's
_NUMBERS = 2100  # days, counts, years: a run of them is a calendar


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """How much of a benchmark can be found.

    Attributes:
        n_labels: Its languages; of a data set, its files.
        n_items: Its items, each text of a language once.
        n_short: Those among them that are found only as a sentence or line of their own.
        n_too_short: Those that are too short to be told from chance, and are not looked for.
        n_common_runs: Runs that are not looked for because more than `COMMON` items have them.
        revision: Its version, or "".
    """

    n_labels: int
    n_items: int
    n_short: int
    n_too_short: int
    n_common_runs: int
    revision: str = ""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Runs:
    """The runs of one benchmark.

    Attributes:
        name: The benchmark.
        counts: How much of it they are.
        grams: Their hashes, uint64 with the lowest 8 bits 0, each once in a language.
        keys: What the filter is asked for: rolling hashes of their first units, and the hashes of sentences, uint64.
        sizes: (2, 27) whether there are runs of so many words and characters, or sentences where a run has more.
    """

    name: str
    counts: Counts
    grams: "NDArray[np.uint64]"
    keys: "NDArray[np.uint64]"
    sizes: "NDArray[np.bool_]"


def runs_of(name: str, items: Iterable[tuple[str, str]]) -> Runs:
    """Hash the runs of a benchmark's items.

    Args:
        name: The benchmark.
        items: Label and text of each; those of one label stand together.

    Returns:
        Its runs.
    """
    sizes = np.zeros((2, RUN[1] + 1), np.bool_)
    grams, keys, labels = [], [], set()
    totals = np.zeros(4, np.int64)
    for label, group in groupby(items, key=lambda each: each[0]):
        labels.add(label)
        some, first, counts = _runs_of_label((text for _, text in group), sizes)
        grams.append(some)
        keys.append(first)
        totals += counts
    n_items, n_short, n_too_short, n_common_runs = totals.tolist()
    return Runs(
        name=name,
        counts=Counts(
            n_labels=len(labels), n_items=n_items, n_short=n_short, n_too_short=n_too_short,
            n_common_runs=n_common_runs,
        ),
        grams=np.concatenate([np.empty(0, np.uint64), *grams]),
        keys=np.concatenate([np.empty(0, np.uint64), *keys]),
        sizes=sizes,
    )  # fmt: skip


def _uniques(values: "NDArray[np.uint64]", most: int) -> "NDArray[np.uint64]":
    """Return each of sorted values once, without those that stand there more often than `most`."""
    is_first = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=is_first[1:])
    firsts = np.flatnonzero(is_first)
    if len(firsts) == len(values):
        return values
    return values[firsts[np.diff(firsts, append=len(values)) <= most]]


def _runs_of_label(
    texts: Iterator[str], sizes: "NDArray[np.bool_]"
) -> "tuple[NDArray[np.uint64], NDArray[np.uint64], tuple[int, int, int, int]]":
    """Return the hashes and the keys of a label, and how many items, short, too short ones and templates it has."""
    seen: set[int] = set()
    grams, keys = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
    n_short = n_too_short = 0
    while some := list(islice(texts, _ITEMS_AT_ONCE)):
        tokens = tokenise(normalise(some))
        kinds = tokens.is_unspaced.astype(np.int64)
        whole, is_short = _sentences(tokens, kinds, sizes)
        is_new = _is_new(whole, seen)
        n_short += int((is_new & is_short).sum())
        is_no_run = tokens.n_units < np.array(SHORTEST)[kinds]
        n_too_short += int((is_new & is_no_run & ~is_short).sum())
        hashed = _hashed(tokens, np.where(is_new, kinds, -1), sizes)
        # Repeated sentences too: an answer that many questions have is told by that.
        grams += [hashed[0], whole[is_short] & _HASH]
        keys += [hashed[1], whole[is_short]]
    every, firsts = np.concatenate(grams), np.concatenate(keys)
    del grams, keys  # of a large benchmark they are hundreds of megabytes
    every.sort()
    firsts.sort()
    n_runs = len(_uniques(every, len(every)))
    kept = _uniques(every, COMMON)
    counts = (len(seen), n_short, n_too_short, n_runs - len(kept))
    return kept, _uniques(firsts, len(firsts)), counts


def _sentences(
    tokens: Tokens, kinds: "NDArray[np.int64]", sizes: "NDArray[np.bool_]"
) -> "tuple[NDArray[np.uint64], NDArray[np.bool_]]":
    """Return the hash of each item as a sentence, and whether it is looked for as one."""
    from emma500.corpus.decontamination import index_kernels

    hashes, is_short = np.empty(len(kinds), np.uint64), np.empty(len(kinds), np.bool_)
    index_kernels.whole(tokens.units, tokens.offsets, hashes)
    index_kernels.sentences(
        tokens.units, tokens.lengths, tokens.offsets, kinds, np.array(SHORTEST), np.array(SENTENCE), LETTERS,
        _numbers(), sizes, is_short,
    )  # fmt: skip
    return hashes, is_short


def _is_new(hashes: "NDArray[np.uint64]", seen: set[int]) -> "NDArray[np.bool_]":
    """Tell of which items there was none with the same units before; `seen` learns them."""
    is_new = np.zeros(len(hashes), np.bool_)
    for place, each in enumerate(hashes.tolist()):
        is_new[place] = each not in seen
        seen.add(each)
    return is_new


def _hashed(
    tokens: Tokens, kinds: "NDArray[np.int64]", sizes: "NDArray[np.bool_]"
) -> "tuple[NDArray[np.uint64], NDArray[np.uint64]]":
    """Return the hashes and the keys of the runs of items."""
    from emma500.corpus.decontamination.index_kernels import index

    grams, keys = np.empty(len(tokens.units), np.uint64), np.empty(len(tokens.units), np.uint64)
    count = index(
        tokens.units, tokens.offsets, kinds, np.array(RUN), np.array(SHORTEST), _numbers(), grams, keys, sizes
    )  # fmt: skip
    return grams[:count].copy(), keys[:count].copy()


def hashed_runs(
    tokens: Tokens, kinds: "NDArray[np.int64]", place: int, runs: tuple[int, int] | list[int] = RUN
) -> "NDArray[np.uint64]":
    """Hash the runs of one text, as those of items are hashed.

    Args:
        tokens: Texts.
        kinds: (texts) 0 where runs are of words, 1 where they are of characters.
        place: Which text.
        runs: Units a run, of words and of characters; a shorter text is one run.

    Returns:
        Their hashes, the lowest 8 bits 0.
    """
    from emma500.corpus.decontamination.index_kernels import index

    offsets = tokens.offsets[place : place + 2]
    size = int(offsets[1] - offsets[0])
    grams, keys = np.empty(size, np.uint64), np.empty(size, np.uint64)
    sizes = np.zeros((2, RUN[1] + 1), np.bool_)
    count = index(
        tokens.units, offsets, kinds[place : place + 1], np.array(runs), np.array(SHORTEST), _numbers(), grams, keys,
        sizes,
    )  # fmt: skip
    return grams[:count]


@cache
def _numbers() -> "NDArray[np.uint64]":
    """Return the sorted hashes of small numbers as units, in the digits of every script."""
    zeros = [chr(point) for point in described() if unicodedata.decimal(chr(point), -1) == 0]
    plain = [str(number) for number in range(_NUMBERS)]
    every = []
    for zero in zeros:
        own = str.maketrans("0123456789", "".join(chr(ord(zero) + digit) for digit in range(10)))
        every.append(" ".join(plain).translate(own))
    return np.unique(tokenise(pa.array(every, pa.large_string())).units)
