"""Numba kernels that look for runs and sentences of benchmark items in documents.

The hashes are sorted; `starts` says where those with the same highest bits begin. A run is looked up at every place
that passes the filter, a sentence only where it fills what stands between two ends of sentences or lines.
"""

from typing import Any

import numpy as np
from numba import njit

from emma500.corpus.decontamination.index_kernels import (
    BASE,
    OWNER,
    SENTENCE_SEED,
    bloom_bits,
    rolled,
)
from emma500.languages.writing.utf8_kernel import GOLDEN, mix

_BLOCK = 128  # units


@njit(cache=True, nogil=True)
def _owner_of(value: Any, grams: Any, starts: Any, shift: Any) -> Any:
    """Return the number of the first benchmark that has a run, or -1."""
    value &= ~OWNER
    bucket = np.int64(value >> shift)
    for place in range(starts[bucket], starts[bucket + 1]):
        if grams[place] >= value:
            if grams[place] & ~OWNER == value:
                return np.int64(grams[place] & OWNER)
            return -1
    return -1


@njit(cache=True, nogil=True)
def _owner_at(
    units: Any, begin: int, end: int, least: int, sizes: Any, grams: Any, starts: Any, shift: Any
) -> Any:
    """Return the number of the benchmark of the shortest run that begins at a unit, or -1."""
    value = np.uint64(0)
    for each in range(begin, end):
        value = mix(value * GOLDEN + units[each])
        if each - begin + 1 >= least and sizes[each - begin + 1]:
            owner = _owner_of(value, grams, starts, shift)
            if owner >= 0:
                return owner
    return -1


@njit(cache=True, nogil=True)
def _first_match(
    units: Any, first: int, end: int, run: int, least: int, sizes: Any, words: Any, grams: Any, starts: Any, shift: Any,
    block: Any,
) -> Any:  # fmt: skip
    """Return the number of the benchmark of the first run that a text holds, or -1, and where that stands."""
    leaving = np.uint64(1)
    for _ in range(least):
        leaving *= BASE
    key = rolled(units, first, least - 1)
    last = end - least + 1
    for start in range(first, last, _BLOCK):
        stop = min(start + _BLOCK, last)
        for begin in range(start, stop):
            key = key * BASE + units[begin + least - 1]
            if begin > first:
                key -= leaving * units[begin - 1]
            block[0, begin - start], block[1, begin - start] = bloom_bits(key, len(words))
        for place in range(
            stop - start
        ):  # a loop of its own: the processor waits for many words at once
            block[2, place] = words[block[0, place]]
        for place in range(stop - start):
            if block[2, place] & block[1, place] == block[1, place]:
                begin = start + place
                owner = _owner_at(
                    units, begin, min(begin + run, end), least, sizes, grams, starts, shift
                )
                if owner >= 0:
                    return owner, begin
    return -1, -1


@njit(cache=True, nogil=True)
def _first_sentence(
    units: Any, first: int, end: int, breaks: Any, at: int, sizes: Any, words: Any, grams: Any, starts: Any, shift: Any
) -> Any:  # fmt: skip
    """Return the number of the benchmark of the first sentence that is an item, or -1, and where that stands.

    An item may be several sentences. `at` is the place of a break not after the first of the text.
    """
    begin = first
    while begin < end:
        while breaks[at] <= begin:
            at += 1
        value, done, to = SENTENCE_SEED, begin, at
        while done < end and breaks[to] - begin < len(sizes):
            stop = breaks[to]
            for each in range(done, stop):
                value = mix(value * GOLDEN + units[each])
            if stop > done and sizes[stop - begin]:
                place, bits = bloom_bits(value, len(words))
                owner = -1
                if words[place] & bits == bits:
                    owner = _owner_of(value, grams, starts, shift)
                if owner >= 0:
                    return owner, begin
            done = stop
            to += 1
        begin = breaks[at]
    return -1, -1


@njit(cache=True, nogil=True)
def _sentence_sizes(sizes: Any, least: Any) -> Any:
    """Return, (2, units of the shortest run of characters), the sizes of sentences of words, and of both kinds."""
    found = np.zeros((2, least[1]), np.bool_)
    for n in range(least[1]):
        found[0, n] = n < least[0] and sizes[0, n]
        found[1, n] = found[0, n] or sizes[1, n]
    return found


@njit(cache=True, nogil=True)
def find(
    units: Any, offsets: Any, breaks: Any, n_unspaced: Any, runs: Any, least: Any, sizes: Any, words: Any, grams: Any,
    starts: Any, shift: Any, owners: Any, places: Any,
) -> None:  # fmt: skip
    """Look for the runs of benchmarks in texts, and for their sentences.

    Args:
        units: (units) hashes.
        offsets: (texts + 1) where each text's units begin and end.
        breaks: Where in `units` sentences, lines and texts end.
        n_unspaced: (texts) units that are characters.
        runs: (2) units a run, of words and of characters.
        least: (2) units of the shortest run.
        sizes: (2, units of the longest run + 1) whether there are runs of so many units; below `least`, sentences.
        words: The filter.
        grams: Sorted hashes of runs.
        starts: (buckets + 1) where the hashes with the same highest bits begin.
        shift: How many bits are not among the highest, as uint64.
        owners: (texts) int64; receives the number of the benchmark, -1 where there is none.
        places: (texts) int64; receives the unit at which it begins, counted from the text's first, or -1.
    """
    block = np.empty((3, _BLOCK), np.uint64)
    short = _sentence_sizes(sizes, least)
    some_short, at = short.any(), 0
    for text in range(len(offsets) - 1):
        first, end = offsets[text], offsets[text + 1]
        owners[text], places[text] = -1, -1
        for kind in range(2):
            of_kind = n_unspaced[text] if kind else end - first - n_unspaced[text]
            # An item is mostly of its kind, but any of its runs need not be.
            if end - first < least[kind] or of_kind < least[kind] // 2:
                continue
            owner, place = _first_match(
                units, first, end, runs[kind], least[kind], sizes[kind], words, grams, starts, shift, block
            )  # fmt: skip
            if owner >= 0:
                owners[text], places[text] = owner, place - first
                break
        if some_short and owners[text] < 0:
            while breaks[at] < first:
                at += 1
            kind = int(n_unspaced[text] > 0)
            owner, place = _first_sentence(
                units, first, end, breaks, at, short[kind, : least[kind]], words, grams, starts, shift
            )  # fmt: skip
            if owner >= 0:
                owners[text], places[text] = owner, place - first
