"""Scores of texts with a model of our own identifier: what is looked at of a text, and which labels compete."""

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
        self._by_script: dict[str, NDArray[np.bool_]] = {}

    def __call__(self, texts: pa.Array) -> "tuple[pa.Array, NDArray[np.float64]]":
        """Measure texts.

        Args:
            texts: Strings, `large_string`; null counts as empty.

        Returns:
            The main script of what is looked at of each text (`string`, null for null), and the measures of
            `scoring_kernel.measure`, float64 (n, 8).
        """
        from emma500.languages.identification.linear.scoring_kernel import measure

        looked_at = self._sampled(texts)
        written = scripts(looked_at)[0].dictionary_encode()
        names = written.dictionary.to_pylist()
        barred = np.array([self._barred(name) for name in names], bool).reshape(-1, len(self._bias))
        number = np.array(
            [-1 if name == COMMON else place for place, name in enumerate(names)] + [-1]
        )
        places = pc.fill_null(written.indices, -1).to_numpy(zero_copy_only=False)
        out = np.empty((len(texts), 8))
        model = self.model
        measure(
            *buffers(looked_at), model.folding, model.table, model.rows, self._scales,
            self._weights, self._bias, _spans(barred), barred, number[places], model.seen,
            model.sampling, model.twins.arrays, out,
        )  # fmt: skip
        return written.dictionary_decode(), out

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
