"""The model of our own identifier as arrays, and as one safetensors file.

The file holds 4-bit feature rows with a scale each, so that a model of 100,000 features and a thousand labels takes
about 4 MB. Nothing in it can run: it is arrays and one JSON header.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emma500.errors import SourceError
from emma500.languages.identification.linear.features import lookup_table, packed, unpacked
from emma500.languages.identification.linear.twins import Twins
from emma500.manifest import canonical

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMAT = "emma500-identifier-2"
FILE = "model.safetensors"
_BIAS = 8  # a 4-bit number q stands for q - 8


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearModel:
    """What training learns.

    Attributes:
        labels: `xxx_Xxxx`, sorted by script group.
        folding: Symbol by code point, uint32 (0x110000).
        keys: The hashes of the features, uint32, most frequent first.
        rows: The row of each feature, 4-bit numbers -8 to 7 in int8 (n_features, d).
        scales: What each row is multiplied by, float16.
        weights: float16 (d, n_labels).
        bias: float16 (n_labels).
        seen: Which features each label's texts had: a Bloom filter of one hash function, uint8, a power of 2 long.
        sampling: One in how many features it remembers.
        expected: By label, the mean share of features found, the mean score a feature adds, and the logarithm of the
            bytes of its texts, float32 (n_labels, 3).
        threshold: By label, the score below which the answer is und, float32.
        twins: What tells pairs of labels apart.
        calibration: Coefficients of `calibration.probability`, float64.
        card: What else is known: settings, counts by label and source.
    """

    labels: tuple[str, ...]
    folding: "NDArray[np.uint32]"
    keys: "NDArray[np.uint32]"
    rows: "NDArray[np.int8]"
    scales: "NDArray[np.float16]"
    weights: "NDArray[np.float16]"
    bias: "NDArray[np.float16]"
    seen: "NDArray[np.uint8]"
    sampling: int
    expected: "NDArray[np.float32]"
    threshold: "NDArray[np.float32]"
    twins: Twins
    calibration: "NDArray[np.float64]"
    card: dict[str, Any]

    @cached_property
    def table(self) -> "NDArray[np.uint64]":
        """The open-addressing table of the keys."""
        return lookup_table(self.keys)

    def to_bytes(self) -> bytes:
        """Return the safetensors file; the same model gives the same bytes."""
        from safetensors.numpy import save

        halves = (self.rows + _BIAS).astype(np.uint8)
        tensors = {
            "bias": self.bias,
            "calibration": self.calibration,
            "expected": self.expected,
            "folding": packed(self.folding),
            "keys": self.keys,
            "rows": halves[:, ::2] | (halves[:, 1::2] << 4),
            "scales": self.scales,
            "seen": self.seen,
            "threshold": self.threshold,
            "twin_pairs": self.twins.pairs.astype(np.int16),
            "twin_scales": self.twins.scales,
            "twin_weights": self.twins.weights,
            "weights": self.weights,
        }
        # One string: safetensors keeps its metadata in no order.
        header = canonical(
            {"format": FORMAT, "labels": self.labels, "card": self.card, "sampling": self.sampling}
        )
        tensors = {name: np.ascontiguousarray(each) for name, each in tensors.items()}
        return bytes(save(tensors, metadata={"emma500": header}))

    @classmethod
    def from_file(cls, path: Path) -> "LinearModel":
        """Read a model.

        Args:
            path: The `.safetensors` file.

        Returns:
            The model.

        Raises:
            SourceError: If it is no model of ours.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "np") as file:
                header = json.loads((file.metadata() or {}).get("emma500", "{}"))
                found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, json.JSONDecodeError) as error:
            raise SourceError(f"{path} cannot be read as a model: {error}") from error
        if header.get("format") != FORMAT:
            raise SourceError(
                f"{path} is no identifier of emma500 (format {header.get('format')!r}, not {FORMAT!r}): "
                "train one with `LanguageIdentifier.train`"
            )
        halves = found["rows"]
        rows = np.stack([halves & 15, halves >> 4], axis=2).reshape(len(halves), -1)
        return cls(
            labels=tuple(header["labels"]),
            folding=unpacked(found["folding"]),
            keys=found["keys"],
            rows=rows.astype(np.int8) - np.int8(_BIAS),
            scales=found["scales"],
            weights=found["weights"],
            bias=found["bias"],
            seen=found["seen"],
            sampling=header["sampling"],
            expected=found["expected"],
            threshold=found["threshold"],
            twins=Twins(
                pairs=found["twin_pairs"].astype(np.int64),
                weights=found["twin_weights"],
                scales=found["twin_scales"],
            ),
            calibration=found["calibration"],
            card=header["card"],
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file's bytes, 64 hexadecimal digits."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def quantised(rows: "NDArray[np.float32]") -> "tuple[NDArray[np.int8], NDArray[np.float16]]":
    """Round rows to 4 bits each with a scale of its own, the one of a few with the least squared error.

    Args:
        rows: float32 (n, d).

    Returns:
        Numbers from -8 to 7, and the scales.
    """
    highest = np.abs(rows).max(axis=1, keepdims=True) + 1e-12
    best = np.full((len(rows), 1), np.inf, np.float32)
    chosen = np.zeros((len(rows), 1), np.float16)
    for part in (0.55, 0.65, 0.75, 0.85, 1.0):
        scale = (highest * part / 7.5).astype(np.float16)
        error = np.square(rows - _rounded(rows, scale) * scale).sum(axis=1, keepdims=True)
        chosen = np.where(error < best, scale, chosen)
        best = np.minimum(error, best)
    return _rounded(rows, chosen).astype(np.int8), chosen[:, 0]


def _rounded(rows: "NDArray[np.float32]", scale: "NDArray[np.float16]") -> "NDArray[np.float32]":
    return np.clip(np.rint(rows / np.maximum(scale.astype(np.float32), 1e-7)), -8, 7)
