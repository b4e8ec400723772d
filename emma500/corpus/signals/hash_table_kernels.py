"""Numba kernels: a hash table that numbers keys and is not emptied between texts, but counts on from a higher base."""

from typing import Any

import numpy as np
from numba import njit

from emma500.languages.writing.utf8_kernel import GOLDEN


@njit(cache=True, nogil=True)
def memory(n: int) -> Any:
    """Return the working memory for texts of up to n characters and units.

    Returns:
        A hash table, whose entries count from a base that grows (what is below it is empty); that base; the keys of
        the entries; two arrays as long as the text of uint64, four of int32; a bitmap of 16 bits
        a character or more.
    """
    size = 16
    while size < 2 * n:
        size *= 2
    table = np.zeros(2 * size, np.int32)
    base = np.ones(1, np.int64)
    numbers = np.empty((4, n + 1), np.int32)
    return (
        table,
        base,
        np.empty(n + 1, np.uint64),
        np.empty(n + 1, np.uint64),
        numbers,
        np.zeros(size // 4, np.uint64),
    )


@njit(cache=True, nogil=True, inline="always")
def find(table: Any, mask: int, shift: int, keys: Any, base: int, n: int, key: Any) -> Any:
    """Return the number of a key among the n of a table; n where it is new, and then it is entered.

    Args:
        table: Entries, each a key's number above `base`; less than that is empty.
        mask: Places of the table in use, less one.
        shift: Where in the table they begin.
        keys: The keys by their numbers.
        base: What the first key's number counts from.
        n: How many keys there are.
        key: The key.
    """
    # The compiler looks at every signed place, whether it counts from the end.
    last, first = np.uint64(mask), np.uint64(shift)
    slot = ((key * GOLDEN) >> np.uint64(32)) & last
    entry = table[first + slot]
    while entry >= base and keys[np.uint64(entry - base)] != key:
        slot = (slot + np.uint64(1)) & last
        entry = table[first + slot]
    if entry >= base:
        return entry - base
    table[first + slot] = base + n
    keys[np.uint64(n)] = key
    return n


@njit(cache=True, nogil=True)
def fresh(room: Any, n: int) -> Any:
    """Return the mask for n keys and the base to count from; start the table anew before its numbers run out."""
    table, base = room[0], room[1]
    size = 16
    while size < 2 * n:
        size *= 2
    if base[0] > 2**31 - 2 - 24 * n:
        table[:] = 0
        base[0] = 1
    return size - 1, base[0]
