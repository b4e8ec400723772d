"""Texts that stay in the chunks they were read in, and are put in order for a few rows at a time."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Texts:
    """A column of texts; Arrow's own `take` would join all its chunks each time.

    Args:
        column: `large_string`.
    """

    def __init__(self, column: pa.ChunkedArray) -> None:
        from emma500.languages.writing.strings import buffers

        chunks = [each for each in column.chunks if len(each)]
        self._firsts = np.cumsum([0, *map(len, chunks)])
        self._buffers = [buffers(each) for each in chunks]
        self._null: NDArray[np.bool_] | None = None
        if column.null_count:
            self._null = pc.is_null(column).to_numpy(zero_copy_only=False)

    def take(self, rows: "NDArray[np.int64]") -> pa.Array:
        """Return the texts of some rows, `large_string`."""
        from emma500.corpus.output.text_kernels import gather

        chunks = np.searchsorted(self._firsts, rows, "right") - 1
        found = [
            (own, rows[own] - self._firsts[chunk], *self._buffers[chunk])
            for chunk in np.unique(chunks)
            for own in [np.flatnonzero(chunks == chunk)]
        ]
        ends = np.zeros(len(rows) + 1, np.int64)
        for own, places, _, offsets in found:
            ends[own + 1] = offsets[places + 1] - offsets[places]
        np.cumsum(ends, out=ends)
        data = pa.allocate_buffer(int(ends[-1]))
        out = np.frombuffer(data, np.uint8)
        for own, places, chunk, offsets in found:
            gather(chunk, offsets, places, ends[own], out)
        texts = pa.LargeStringArray.from_buffers(len(rows), pa.py_buffer(ends), data)
        return texts if self._null is None else pc.if_else(pa.array(self._null[rows]), None, texts)
