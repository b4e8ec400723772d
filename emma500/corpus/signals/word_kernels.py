"""Numba kernels: several bytes read, compared and hashed at once, wherever they begin (NumPy's items are aligned)."""

from typing import Any

import numpy as np
from numba import njit

from emma500.languages.writing.utf8_kernel import GOLDEN, load, mix

_BYTES = 8
_SHIFT = np.uint64(32)
_LOWEST_BITS = np.uint64(0x0101010101010101)  # of each byte


@njit(cache=True, nogil=True, inline="always")
def four(data: Any, at: Any) -> Any:
    """Return the four bytes from a place on as a number, the first lowest.

    Only of unsigned places does the compiler make one load, as these are never counted from the end.
    """
    place = np.uint64(at)
    return (
        np.uint64(data[place])
        | (np.uint64(data[place + np.uint64(1)]) << np.uint64(8))
        | (np.uint64(data[place + np.uint64(2)]) << np.uint64(16))
        | (np.uint64(data[place + np.uint64(3)]) << np.uint64(24))
    )


@njit(cache=True, nogil=True, inline="always")
def _same_low_bytes(differing: Any) -> Any:
    """Return how many of the lowest bytes are 0; the number is not."""
    lowest = differing & (~differing + np.uint64(1))
    below = ((lowest - np.uint64(1)) >> np.uint64(7)) & _LOWEST_BITS
    return np.int64((below * _LOWEST_BITS) >> np.uint64(56))


@njit(cache=True, nogil=True)
def same_bytes(data: Any, before: int, at: int, end: int) -> Any:
    """Return where the bytes from `at` on end to be those from `before` on."""
    while at + _BYTES <= end:
        differing = load(data, before) ^ load(data, at)
        if differing:
            return at + _same_low_bytes(differing)
        at, before = at + _BYTES, before + _BYTES
    while at < end and data[before] == data[at]:
        at, before = at + 1, before + 1
    return at


@njit(cache=True, nogil=True)
def hashed(data: Any, at: int, end: int) -> Any:
    """Return a hash of some bytes."""
    value = np.uint64(end - at)
    while at + _BYTES <= end:
        value = (value ^ load(data, at)) * GOLDEN
        value ^= value >> _SHIFT
        at += _BYTES
    while at < end:
        value = (value ^ np.uint64(data[at])) * GOLDEN
        at += 1
    return mix(value)
