"""Numba kernels of packing: sizes in falling order, best fit, rows in an even order."""

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def falling_order(sizes: Any, largest: int) -> Any:
    """Return the order that puts sizes between 0 and `largest` from large to small, equal ones as they stand."""
    starts = np.zeros(largest + 2, np.int64)
    for size in sizes:
        starts[largest - size + 1] += 1
    for each in range(1, largest + 2):
        starts[each] += starts[each - 1]
    order = np.empty(len(sizes), np.int64)
    for index in range(len(sizes)):
        place = largest - sizes[index]
        order[starts[place]] = index
        starts[place] += 1
    return order


@njit(cache=True, nogil=True)
def best_fit_rows(sizes: Any, order: Any, capacity: int, rows: Any) -> int:
    """Put sizes, in some order, into the fullest row that still has room, or into a new one.

    Rows of equal room are a stack. One bit an amount of room says whether some row has it, and one bit 64 of these
    whether any is set, so that the smallest sufficient room is found in a few words.

    Args:
        sizes: Sizes between 1 and `capacity`.
        order: The order in which they are put.
        capacity: What a row holds.
        rows: Receives the row of each size; rows are numbered as they are opened.

    Returns:
        How many rows were opened.
    """
    head = np.full(capacity + 1, -1, np.int64)
    below = np.empty(len(sizes), np.int64)
    words = np.zeros(capacity // 64 + 1, np.uint64)
    groups = np.zeros(capacity // 4096 + 1, np.uint64)
    opened = 0
    for index in order:
        size = sizes[index]
        room = _smallest_from(words, groups, size)
        if room < 0:
            room = capacity
            row = opened
            opened += 1
        else:
            row = head[room]
            head[room] = below[row]
            if head[room] < 0:
                words[room >> 6] &= ~(np.uint64(1) << np.uint64(room & 63))
                if words[room >> 6] == 0:
                    groups[room >> 12] &= ~(np.uint64(1) << np.uint64((room >> 6) & 63))
        rows[index] = row
        left = room - size
        below[row] = head[left]
        head[left] = row
        words[left >> 6] |= np.uint64(1) << np.uint64(left & 63)
        groups[left >> 12] |= np.uint64(1) << np.uint64((left >> 6) & 63)
    return opened


@njit(cache=True, nogil=True)
def _smallest_from(words: Any, groups: Any, size: int) -> int:
    """Return the smallest amount of room of at least `size` that some row has, or -1."""
    word = size >> 6
    some = words[word] >> np.uint64(size & 63)
    if some != 0:
        return size + _lowest(some)
    word += 1
    group = word >> 6
    if group >= len(groups):
        return -1
    some = groups[group] >> np.uint64(word & 63)
    if some != 0:
        word += _lowest(some)
        return (word << 6) + _lowest(words[word])
    for later in range(group + 1, len(groups)):
        if groups[later] != 0:
            word = (later << 6) + _lowest(groups[later])
            return (word << 6) + _lowest(words[word])
    return -1


@njit(cache=True, nogil=True)
def _lowest(bits: Any) -> int:
    """Return the number of the lowest bit that is set."""
    place = 0
    for half in (32, 16, 8, 4, 2, 1):
        if bits & ((np.uint64(1) << np.uint64(half)) - np.uint64(1)) == 0:
            bits >>= np.uint64(half)
            place += half
    return place


@njit(cache=True, nogil=True)
def balanced_order(order: Any, content: Any, window: int) -> Any:
    """Reorder rows so that what any few neighbours hold is near to what all hold.

    Of the next rows in the given order, the one is taken that brings the sum of all taken nearest to its due.

    Args:
        order: The rows in an order that is nearly even.
        content: What each row holds of each kind, (rows, kinds).
        window: How many rows there are to choose from.

    Returns:
        The rows in the new order.
    """
    n_rows, n_kinds = content.shape
    due = np.zeros(n_kinds)
    for row in range(n_rows):
        due += content[row]
    due /= max(n_rows, 1)
    ahead = np.zeros(n_kinds)
    waiting = order[:window].copy()
    result = np.empty(n_rows, np.int64)
    for place in range(n_rows):
        best, least = 0, np.inf
        for each in range(min(window, n_rows - place)):
            distance = 0.0
            for kind in range(n_kinds):
                after = ahead[kind] + content[waiting[each], kind] - due[kind]
                distance += after * after / max(due[kind], 1.0)
            if distance < least:
                best, least = each, distance
        row = waiting[best]
        result[place] = row
        ahead += content[row] - due
        if place + window < n_rows:
            waiting[best] = order[place + window]
        else:
            waiting[best] = waiting[min(window, n_rows - place) - 1]
    return result
