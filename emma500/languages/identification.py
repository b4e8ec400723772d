"""Identification of languages: a second opinion beside the label a source gives.

An identifier knows a closed set of languages and names one of them for any text, also for a text in
none of them. So its verdict counts only for languages it `knows`.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from emma500.languages.codes import Language, related

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Identifier(Protocol):
    """What names the language of texts."""

    @property
    def labels(self) -> frozenset[str]:
        """The ISO 639-3 codes it can answer with."""
        ...

    def identify(self, texts: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Return the ISO 639-3 code of each text (`string`) and its probability (`float32`); null for null."""
        ...

    def knows(self, iso639_3: str) -> bool:
        """Tell whether it can answer with this language, its macrolanguage or a member of it."""
        ...


class LangidIdentifier:
    """The classifier of the package langid: 97 languages, a naive Bayes model in its wheel.

    It gives the answers of `langid.classify`, with a normalised probability, for a batch at a time.
    """

    @property
    def labels(self) -> frozenset[str]:
        """The ISO 639-3 codes it can answer with; macrolanguages (zho, swa, nor) where langid has those."""
        return frozenset(_model().codes)

    def knows(self, iso639_3: str) -> bool:
        """Tell whether it can answer with this language, its macrolanguage or a member of it."""
        return _knows(iso639_3)

    def identify(self, texts: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Name the language of each text.

        Args:
            texts: Strings (`string` or `large_string`).

        Returns:
            The ISO 639-3 code (`string`) and its probability among the 97 (`float32`, 0 to 1). Null
            where the text is null; for a text without any feature, the language with the highest
            prior.
        """
        from emma500.languages.langid_kernel import class_scores

        model = _model()
        texts = texts.cast(pa.large_string())
        _, offsets, data = texts.buffers()
        scores = np.zeros((len(texts), len(model.codes)), np.float64)
        ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
        # Arrow leaves the buffer out where every text is empty.
        raw = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
        class_scores(
            raw, ends, model.moves, model.first, model.features, model.weights, model.prior, scores
        )
        best = scores.argmax(axis=1)
        # exp(-inf) is 0: classes far behind the best one vanish, as they should.
        probability = 1 / np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf)).sum(
            axis=1
        )
        null = texts.is_null().to_numpy(zero_copy_only=False)
        return (
            pa.array(np.array(model.codes, dtype=object)[best], type=pa.string(), mask=null),
            pa.array(probability.astype(np.float32), type=pa.float32(), mask=null),
        )


class _Model:
    """langid's model as arrays."""

    def __init__(self, identifier: Any) -> None:
        self.codes = tuple(Language.parse(code).iso639_3 for code in identifier.nb_classes)
        self.weights: NDArray[np.float64] = np.ascontiguousarray(identifier.nb_ptc, np.float64)
        self.prior: NDArray[np.float64] = np.ascontiguousarray(identifier.nb_pc, np.float64)
        self.moves: NDArray[np.int32] = np.array(identifier.tk_nextmove, np.int32)
        outputs = [identifier.tk_output.get(state, ()) for state in range(len(self.moves) // 256)]
        self.first: NDArray[np.int64] = np.concatenate(
            [[0], np.cumsum([len(each) for each in outputs])]
        )
        self.features: NDArray[np.int32] = np.array(
            [one for each in outputs for one in each], np.int32
        )


@cache
def _model() -> _Model:
    from langid import langid

    return _Model(langid.LanguageIdentifier.from_modelstring(langid.model))


@cache
def _knows(iso639_3: str) -> bool:
    return any(related(iso639_3, each) for each in _model().codes)
