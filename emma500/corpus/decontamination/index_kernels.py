"""Numba kernels that hash runs of units of benchmark items.

A run's hash is 56 bits of a chain over its units, with the number of its benchmark in the lowest 8. In front of the
hashes stands a Bloom filter over the first units of every run (a rolling hash, one word of memory a key), which nearly
every place of a clean text fails.

An item too short to be a run is a *sentence*; the chain of its hash begins with another number than those of runs.
"""

from typing import Any

import numpy as np
from numba import njit

from emma500.languages.writing.utf8_kernel import GOLDEN, mix

OWNER = np.uint64(0xFF)
"""The bits of a hash that are the number of its benchmark."""
BASE = np.uint64(0xD6E8FEB86659FD93)
"""What a rolling hash is multiplied by for a unit; odd."""
SENTENCE_SEED = np.uint64(1)
"""What the chain of a sentence begins with; that of a run begins with 0."""
_SIX = np.uint64(63)


@njit(cache=True, nogil=True, inline="always")
def bloom_bits(key: Any, n_words: Any) -> Any:
    """Return the word of a rolling hash in the filter, and its three bits there."""
    key = mix(key)
    one = np.uint64(1)
    bits = (one << (key & _SIX)) | (one << ((key >> np.uint64(6)) & _SIX))
    bits |= one << ((key >> np.uint64(12)) & _SIX)
    return ((key >> np.uint64(32)) * np.uint64(n_words)) >> np.uint64(32), bits


@njit(cache=True, nogil=True)
def rolled(units: Any, first: int, n: int) -> Any:
    """Return the rolling hash of some units."""
    value = np.uint64(0)
    for each in range(first, first + n):
        value = value * BASE + units[each]
    return value


@njit(cache=True, nogil=True)
def _variety(units: Any, first: int, n: int, numbers: Any, enough: int) -> bool:
    """Tell whether a run has enough different units that are no numbers."""
    found = 0
    for each in range(first, first + n):
        is_new = True
        for other in range(first, each):
            if units[other] == units[each]:
                is_new = False
                break
        if is_new:
            place = np.searchsorted(numbers, units[each])
            found += place == len(numbers) or numbers[place] != units[each]
            if found >= enough:
                return True
    return False


@njit(cache=True, nogil=True)
def whole(units: Any, offsets: Any, out: Any) -> None:
    """Hash the units of each text in one, as a sentence; `out` receives (texts) uint64."""
    for text in range(len(offsets) - 1):
        value = SENTENCE_SEED
        for each in range(offsets[text], offsets[text + 1]):
            value = mix(value * GOLDEN + units[each])
        out[text] = value


@njit(cache=True, nogil=True)
def sentences(
    units: Any, lengths: Any, offsets: Any, kinds: Any, least: Any, fewest: Any, shortest: int, numbers: Any,
    sizes: Any, out: Any,
) -> None:  # fmt: skip
    """Tell which items are to be found as sentences.

    Args:
        units: (units) hashes.
        lengths: (units) characters of each.
        offsets: (items + 1) where each item's units begin and end.
        kinds: (items) 0 where most units are words, 1 where they are characters.
        least: (2) units from which on an item is a run, of words and of characters.
        fewest: (2) units of the shortest sentence; more than half as many must differ and be no numbers.
        shortest: Characters of the shortest sentence of words.
        numbers: Sorted hashes of units that are numbers.
        sizes: (2, at least `least`); receives True where there are sentences of so many units.
        out: (items) receives whether each is one.
    """
    for item in range(len(offsets) - 1):
        first, n, kind = offsets[item], offsets[item + 1] - offsets[item], kinds[item]
        out[item] = fewest[kind] <= n < least[kind]
        if not out[item]:
            continue
        n_chars = 0
        for each in range(first, first + n):
            n_chars += lengths[each]
        is_long = kind or n_chars >= shortest
        out[item] = is_long and _variety(units, first, n, numbers, fewest[kind] // 2 + 1)
        sizes[kind, n] |= out[item]


@njit(cache=True, nogil=True)
def index(
    units: Any, offsets: Any, kinds: Any, runs: Any, least: Any, numbers: Any, grams: Any, keys: Any, sizes: Any
) -> int:  # fmt: skip
    """Hash the runs of items.

    Args:
        units: (units) hashes.
        offsets: (items + 1) where each item's units begin and end.
        kinds: (items) 0 where most units are words, 1 where they are characters, -1 for an item to leave out.
        runs: (2) units a run, of words and of characters; a shorter item is one run.
        least: (2) units of the shortest item that counts, and the first units that the filter looks at.
        numbers: Sorted hashes of units that are numbers.
        grams: Receives the hashes of the runs, at most one a unit; their lowest bits are 0.
        keys: As many; receives the rolling hashes of their first units.
        sizes: (2, units of the longest run + 1); receives True where there are runs of so many units.

    Returns:
        How many runs there are.
    """
    to = 0
    for item in range(len(offsets) - 1):
        first, end = offsets[item], offsets[item + 1]
        kind = kinds[item]
        if kind < 0:
            continue
        n = min(runs[kind], end - first)
        if n < least[kind]:
            continue
        sizes[kind, n] = True
        for begin in range(first, end - n + 1):
            if not _variety(units, begin, n, numbers, least[kind] // 2):
                continue
            value = np.uint64(0)
            for each in range(begin, begin + n):
                value = mix(value * GOLDEN + units[each])
            grams[to] = value & ~OWNER
            keys[to] = rolled(units, begin, least[kind])
            to += 1
    return to


@njit(cache=True, nogil=True)
def fill_filter(keys: Any, words: Any) -> None:
    """Enter rolling hashes into the words of the filter."""
    for key in keys:
        place, bits = bloom_bits(key, len(words))
        words[place] |= bits
