"""Bits per byte and negative log-likelihood of documents."""

from collections.abc import Sequence

import numpy as np

from emma500.evaluation.metrics.measured import Measured, mean_of, quotient


def bits_per_byte(nats: Sequence[float], texts: Sequence[str]) -> Measured:
    """Return the bits a model needs for each UTF-8 byte of the texts.

    Args:
        nats: Negative log-likelihood of each text.
        texts: The texts.

    Returns:
        Its statistics: (bits, bytes) a text.
    """
    sizes = np.array([len(text.encode()) for text in texts], dtype=np.float64)
    bits = np.asarray(nats, dtype=np.float64) / np.log(2)
    rows = np.stack([bits, sizes], axis=-1)
    return Measured(name="bits_per_byte", rows=rows, score=quotient, unit="bits per UTF-8 byte")


def nll(nats: Sequence[float]) -> Measured:
    """Return the mean negative log-likelihood of documents, in nats."""
    return mean_of("nll", nats, unit="nats per document")
