"""Scores of texts with a model of our own identifier: what is looked at of a text, and which labels compete."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.languages.identification.linear.model import LinearModel
from emma500.languages.writing.script_detection import COMMON, compatible, scripts
from emma500.languages.writing.strings import buffers

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEST, N_FEATURES, N_FOUND, SCORE, MARGIN, LOG_ODDS, N_TESTED, N_SEEN = range(8)
"""Columns of the measures of a text."""

SAMPLE_BYTES = 800
"""Of a longer text, this many bytes are looked at."""
WINDOWS = 4
"""In this many windows, spread evenly from its begin to its end and cut between words."""

_CACHE_LINE = 64  # bytes
LEAST_CHARACTERS = 60
"""A part of a text has at least so many: shorter ones are too often taken for a neighbouring language."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of texts.

    Attributes:
        scripts: The main script of what is looked at of each; null for null.
        measures: The measures of each, as `scoring_kernel.measure` writes them, float64 (n, 8).
        n_parts: How many parts of each were measured; 0 for a text too short for two, int64 (n).
        part_scripts: The main script of each part, those of one text after another; in the words of `scripts`.
        parts: The measures of the parts of all texts, one text after another, float64 (sum of `n_parts`, 8).
    """

    scripts: pa.DictionaryArray
    measures: "NDArray[np.float64]"
    n_parts: "NDArray[np.int64]"
    part_scripts: pa.DictionaryArray
    parts: "NDArray[np.float64]"


class Scorer:
    """A model, and the labels of it that compete; it can be pickled.

    Args:
        model: What was learned.
        only: The labels that compete, besides zxx; None for all.
        prior: Logarithm of the prior probability of each label, float32; None for even ones.
    """

    def __init__(
        self,
        model: LinearModel,
        *,
        only: frozenset[str] | None = None,
        prior: "NDArray[np.float32] | None" = None,
    ) -> None:
        self.model, self.only, self.prior = model, only, prior
        bias = model.bias.astype(np.float32)
        self._bias = bias if prior is None else bias + prior
        self._weights = model.weights.astype(np.float32)
        self._scales = model.scales.astype(np.float32)
        self._rows = _aligned(model.rows)
        self._by_script: dict[str, NDArray[np.bool_]] = {}

    def __call__(self, texts: pa.Array, *, most_parts: int = 1) -> Measured:
        """Measure texts, and parts of them.

        Args:
            texts: Strings, `large_string`; null counts as empty.
            most_parts: In how many parts a text is measured at most, besides as a whole.

        Returns:
            What was measured.
        """
        from emma500.languages.identification.linear.kernel import cut_parts
        from emma500.languages.identification.linear.scoring_kernel import measure

        looked_at = self._sampled(texts)
        data, offsets = buffers(looked_at)
        bounds, counts = (
            np.empty(len(texts) * most_parts + 1, np.int64),
            np.empty(len(texts), np.int64),
        )
        n_parts = cut_parts(data, offsets, most_parts, LEAST_CHARACTERS, bounds, counts)
        bounds = bounds[: n_parts + 1]
        written = scripts(looked_at)[0]
        if n_parts > len(texts):
            pieces = pa.LargeStringArray.from_buffers(
                n_parts, pa.py_buffer(bounds), pa.py_buffer(data)
            )
            written = pa.concat_arrays([written, scripts(pieces)[0]])
        written = written.dictionary_encode()
        names = written.dictionary.to_pylist()
        barred = np.array([self._barred(name) for name in names], bool).reshape(-1, len(self._bias))
        number = np.array(
            [-1 if name == COMMON else place for place, name in enumerate(names)] + [-1]
        )
        number = number[pc.fill_null(written.indices, -1).to_numpy(zero_copy_only=False)]
        out, parts = np.empty((len(texts), 8)), np.empty((n_parts, 8))
        model = self.model
        measure(
            data, bounds, counts, model.folding, model.table, self._rows, self._scales,
            self._weights, self._bias, _spans(barred), barred, number[:len(texts)], number[len(texts):],
            model.seen, model.sampling, model.twins.arrays, out, parts,
        )  # fmt: skip
        is_part = np.repeat(counts > 1, counts)
        return Measured(
            written[:len(texts)], out, np.where(counts > 1, counts, 0),
            written[len(texts):].filter(pa.array(is_part)) if n_parts > len(texts) else written[:0],
            parts[is_part],
        )  # fmt: skip

    def _sampled(self, texts: pa.Array) -> pa.Array:
        from emma500.languages.identification.linear.kernel import sample_windows

        data, offsets = buffers(texts)
        lengths = np.diff(offsets)
        if not (lengths > SAMPLE_BYTES).any():
            return texts
        most = np.where(lengths > SAMPLE_BYTES, SAMPLE_BYTES + 128 * WINDOWS, lengths)
        out = np.empty(int(most.sum()), np.uint8)
        ends = np.empty(len(offsets), np.int64)
        sample_windows(data, offsets, SAMPLE_BYTES, WINDOWS, out, ends)
        return pa.LargeStringArray.from_buffers(
            len(texts), pa.py_buffer(ends), pa.py_buffer(out), _validity(texts)
        )

    def _barred(self, script: str) -> "NDArray[np.bool_]":
        """Return which labels cannot be the answer for a text in a script."""
        if script not in self._by_script:
            self._by_script[script] = np.array(
                [
                    not compatible(script, label[4:])
                    or (self.only is not None and label not in self.only and label[:3] != "zxx")
                    for label in self.model.labels
                ]
            )
        return self._by_script[script]


def _aligned(rows: "NDArray[np.int8]") -> "NDArray[np.int8]":
    """Copy rows to where each begins a cache line if it fills one: half as many lines are read."""
    held = np.empty(rows.nbytes + _CACHE_LINE, np.uint8)
    start = -held.ctypes.data % _CACHE_LINE
    copy: NDArray[np.int8] = held[start : start + rows.nbytes].view(np.int8).reshape(rows.shape)
    copy[...] = rows
    return copy


def _spans(barred: "NDArray[np.bool_]") -> "NDArray[np.int64]":
    """Return the first label that is not barred, and the last and one more, for each script."""
    open_ = ~barred
    first = open_.argmax(axis=1)
    last = barred.shape[1] - open_[:, ::-1].argmax(axis=1)
    return np.stack([first, np.where(open_.any(axis=1), last, first)], axis=1).astype(np.int64)


def _validity(texts: pa.Array) -> pa.Buffer | None:
    if not texts.null_count:
        return None
    return pa.array(texts.is_valid().to_numpy(zero_copy_only=False)).buffers()[1]
