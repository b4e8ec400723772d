"""What the kernels over UTF-8 bytes share: decoding a character, scrambling a hash."""

from typing import Any

import numpy as np
from numba import njit

_K1 = np.uint64(0xBF58476D1CE4E5B9)
_K2 = np.uint64(0x94D049BB133111EB)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
HIGHEST = np.uint64(0x8080808080808080)
"""The highest bit of each of eight bytes; ASCII has none."""
_EIGHT_1 = np.uint64(0x0101010101010101)


@njit(cache=True, nogil=True, inline="always")
def mix(value: Any) -> Any:
    """Scramble 64 bits (the finaliser of splitmix64)."""
    value = (value ^ (value >> np.uint64(30))) * _K1
    value = (value ^ (value >> np.uint64(27))) * _K2
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True, inline="always")
def decode(data: Any, at: Any) -> Any:
    """Return the code point at a byte and the byte after it; the bytes are valid UTF-8.

    It is read at unsigned places: at a signed one, compiled code first asks whether the place counts from the end.
    """
    first = np.int64(data[np.uint64(at)])
    if first < 0x80:
        return first, at + 1
    second = data[np.uint64(at + 1)] & 0x3F
    if first < 0xE0:
        return ((first & 0x1F) << 6) | second, at + 2
    third = data[np.uint64(at + 2)] & 0x3F
    if first < 0xF0:
        return ((first & 0x0F) << 12) | (second << 6) | third, at + 3
    high = ((first & 0x07) << 18) | (second << 12)
    return high | (third << 6) | (data[np.uint64(at + 3)] & 0x3F), at + 4


@njit(cache=True, nogil=True, inline="always")
def count_first(marks: Any) -> Any:
    """Return how many of eight bytes, the lowest first, come before the first whose highest bit is set; no other is."""
    lowest = (marks & (~marks + np.uint64(1))) >> np.uint64(7)
    return np.int64((((lowest - np.uint64(1)) & _EIGHT_1) * _EIGHT_1) >> np.uint64(56))


@njit(cache=True, nogil=True, inline="always")
def load(data: Any, at: Any) -> Any:
    """Return the eight bytes from a place on as a number, the first lowest.

    Written out, and with unsigned places, which are never counted from the end, the compiler makes one load of it.
    """
    place = np.uint64(at)
    return (
        np.uint64(data[place])
        | (np.uint64(data[place + np.uint64(1)]) << np.uint64(8))
        | (np.uint64(data[place + np.uint64(2)]) << np.uint64(16))
        | (np.uint64(data[place + np.uint64(3)]) << np.uint64(24))
        | (np.uint64(data[place + np.uint64(4)]) << np.uint64(32))
        | (np.uint64(data[place + np.uint64(5)]) << np.uint64(40))
        | (np.uint64(data[place + np.uint64(6)]) << np.uint64(48))
        | (np.uint64(data[place + np.uint64(7)]) << np.uint64(56))
    )


@njit(cache=True, nogil=True, inline="always")
def copy(data: Any, at: Any, end: Any, out: Any, to: Any) -> Any:
    """Copy a few bytes; return where the next goes."""
    for place in range(at, end):
        out[np.uint64(to)] = data[np.uint64(place)]
        to += 1
    return to


@njit(cache=True, nogil=True, inline="always")
def copy_eight(data: Any, at: Any, out: Any, to: Any) -> Any:
    """Copy eight bytes; return where the next goes."""
    word, place = load(data, at), np.uint64(to)
    for each in range(8):
        out[place + np.uint64(each)] = np.uint8(word >> np.uint64(8 * each))
    return to + 8
