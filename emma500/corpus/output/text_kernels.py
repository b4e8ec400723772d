"""Numba kernel of the shards' writer: texts of some rows, copied out of the chunks they stand in."""

from typing import Any

from numba import njit


@njit(cache=True, nogil=True)
def gather(data: Any, offsets: Any, places: Any, starts: Any, out: Any) -> None:  # fmt: skip
    """Copy texts of one chunk.

    Args:
        data: UTF-8 bytes of the chunk.
        offsets: (texts + 1) where each of its texts begins and ends.
        places: The texts wanted, by their place in the chunk.
        starts: Where each of them goes.
        out: Receives their bytes.
    """
    for each in range(len(places)):
        first, end = offsets[places[each]], offsets[places[each] + 1]
        start = starts[each]
        out[start : start + end - first] = data[first:end]
