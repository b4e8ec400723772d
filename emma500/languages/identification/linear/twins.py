"""Twins: pairs of labels that are told apart by weights of their own, learned from what both have text of.

What a source writes about must not tell its languages apart: of a pair only sources count that have text of both, and
each of the two is drawn as often from each of them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from emma500.languages.identification.linear.selection import Streams

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emma500.languages.identification.linear.corpus import Corpus

TWINS = (
    ("arb_Arab", "arz_Arab"), ("ast_Latn", "spa_Latn"), ("bam_Latn", "dyu_Latn"), ("ban_Latn", "jav_Latn"),
    ("bci_Latn", "dyu_Latn"), ("bho_Deva", "hin_Deva"), ("bjn_Latn", "ind_Latn"), ("bjn_Latn", "zsm_Latn"),
    ("bos_Latn", "hrv_Latn"), ("bug_Latn", "jav_Latn"), ("cat_Latn", "lmo_Latn"), ("cat_Latn", "oci_Latn"),
    ("cjk_Latn", "lue_Latn"), ("crh_Latn", "tur_Latn"), ("dan_Latn", "nob_Latn"), ("dyu_Latn", "hat_Latn"),
    ("dyu_Latn", "mfe_Latn"), ("dyu_Latn", "plt_Latn"), ("fao_Latn", "isl_Latn"), ("fuf_Latn", "fuv_Latn"),
    ("glg_Latn", "por_Latn"), ("ind_Latn", "zsm_Latn"), ("ita_Latn", "vec_Latn"),
    ("kon_Latn", "lin_Latn"), ("lad_Latn", "pap_Latn"), ("lmo_Latn", "pms_Latn"),
    ("lmo_Latn", "roh_Latn"), ("nno_Latn", "nob_Latn"), ("nya_Latn", "yao_Latn"), ("pes_Arab", "prs_Arab"),
    ("xho_Latn", "zul_Latn"),
)  # fmt: skip
"""The pairs that are learned where a corpus has both: those that gained on the dev and train splits of SIB-200."""
_WEIGHTS = 1 << 14
"""Of a pair; features whose hashes begin alike share one."""
_STEPS = 100_000
_RATES = (0.1, 0.003)
_LENGTHS = (40, 800)
_DROPOUT = 0.2
_MOST = 4  # times the smaller text of a source, in how often it is drawn


@dataclass(frozen=True, kw_only=True, slots=True)
class Twins:
    """What tells pairs of labels apart.

    Attributes:
        pairs: The numbers of the labels, int64 (n_pairs, 2).
        weights: The weight of a feature for the first against the second, by the highest bits of its hash, int8
            (n_pairs, 16,384).
        scales: What a pair's weights are multiplied by, float32.
    """

    pairs: "NDArray[np.int64]"
    weights: "NDArray[np.int8]"
    scales: "NDArray[np.float32]"

    @property
    def arrays(self) -> "tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.float32]]":
        """What the kernel takes."""
        return self.pairs, self.weights, self.scales


def told_apart(corpus: "Corpus", hashed: Streams, seed: int) -> Twins:
    """Learn what tells twins apart.

    Args:
        corpus: Labelled texts.
        hashed: Their hashed features.
        seed: Seed of every random choice.

    Returns:
        The pairs both of whose labels have text from one source.
    """
    numbers = {label: number for number, label in enumerate(corpus.labels)}
    pairs, weights = [], []
    for one, two in TWINS:
        if one in numbers and two in numbers:
            learned = _learned(corpus, hashed, (numbers[one], numbers[two]), seed)
            if learned is not None:
                pairs.append((numbers[one], numbers[two]))
                weights.append(learned)
    found = np.array(weights, np.float32).reshape(-1, _WEIGHTS)
    scales = np.maximum(np.abs(found).max(axis=1, initial=0), 1e-6) / 127
    return Twins(
        pairs=np.array(pairs, np.int64).reshape(-1, 2),
        weights=np.rint(found / scales[:, None]).astype(np.int8),
        scales=scales.astype(np.float32),
    )


def _learned(
    corpus: "Corpus", hashed: Streams, pair: tuple[int, int], seed: int
) -> "NDArray[np.float32] | None":
    from emma500.languages.identification.linear.twins_kernel import contrast

    texts = [np.flatnonzero(corpus.owner == label) for label in pair]
    runs: list[NDArray[np.uint32]] = []
    bounds = []
    for source in np.intersect1d(corpus.source[texts[0]], corpus.source[texts[1]]):
        own = [_features(hashed, each[corpus.source[each] == source]) for each in texts]
        if min(map(len, own)):
            start = sum(map(len, runs))
            middle = start + len(own[0])
            bounds.append(((start, middle), (middle, middle + len(own[1]))))
            runs += own
    if not bounds:
        return None
    sizes = np.diff(np.array(bounds), axis=2)[:, :, 0]
    often = np.minimum(sizes.max(axis=1), _MOST * sizes.min(axis=1))
    weights = np.zeros(_WEIGHTS, np.float32)
    shift = np.uint32(32 - (_WEIGHTS - 1).bit_length())
    contrast(
        (np.concatenate(runs) >> shift).astype(np.int32), np.array(bounds, np.int64),
        np.cumsum(often / often.sum()), weights, _RATES, _LENGTHS, _DROPOUT, _STEPS, seed,
    )  # fmt: skip
    return weights


def _features(hashed: Streams, texts: "NDArray[np.int64]") -> "NDArray[np.uint32]":
    """Return the features of some texts, one text behind the other."""
    found = [hashed.features[hashed.bounds[each] : hashed.bounds[each + 1]] for each in texts]
    return np.concatenate(found).astype(np.uint32)
