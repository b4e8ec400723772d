"""The loop over bytes that counts scripts: UTF-8 in, one script and one share a text out."""

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def count_scripts(  # noqa: PLR0917  numba takes no keywords
    data: Any, offsets: Any, table: Any, n_scripts: int, counts: Any
) -> None:
    """Count the characters of each script in each text.

    Args:
        data: The UTF-8 bytes of all texts, uint8; must be valid UTF-8, as Arrow strings are.
        offsets: Where each text begins and ends in `data`, n + 1 integers.
        table: Script number by code point, uint8, 0x110000 long.
        n_scripts: How many scripts there are.
        counts: Output, int64 (n, n_scripts), zeros on entry.
    """
    line = np.zeros(n_scripts, np.int64)
    for row in range(len(offsets) - 1):
        line[:] = 0
        at, end = offsets[row], offsets[row + 1]
        while at < end:
            byte = np.uint32(data[at])
            if byte < 0x80:
                point, width = byte, 1
            elif byte < 0xE0:
                point = ((byte & 0x1F) << 6) | (data[at + 1] & 0x3F)
                width = 2
            elif byte < 0xF0:
                point = ((byte & 0x0F) << 12) | ((data[at + 1] & 0x3F) << 6) | (data[at + 2] & 0x3F)
                width = 3
            else:
                point = (
                    ((byte & 0x07) << 18)
                    | ((data[at + 1] & 0x3F) << 12)
                    | ((data[at + 2] & 0x3F) << 6)
                    | (data[at + 3] & 0x3F)
                )
                width = 4
            line[table[point]] += 1
            at += width
        counts[row, :] = line
