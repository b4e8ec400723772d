"""Our own identifier of languages: a linear classifier over character n-grams that can say it does not know.

    >>> identifier = LanguageIdentifier.load()
    >>> labels, scores = identifier.identify(["Alla människor är födda fria och lika i värde.", "x = {1: 2}", "12 %"])
    >>> labels.to_pylist()
    ['swe_Latn', 'zxx_Latn', 'zxx_Zyyy']

A text of more than 800 bytes is looked at in four windows spread evenly from its begin to its end and cut between
words. Only labels that can be in the text's main script compete, and an answer that has a twin
(`twins.TWINS`) is decided again between the two. The score is the probability that the answer is right,
calibrated for texts of which a fifth are in languages the model does not know; below its label's threshold the answer
is `und_<Script>`. A text's answer depends on that text alone. Texts should be in NFC.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from emma500.errors import LanguageError, SourceError
from emma500.languages.identification.identifiers import knows
from emma500.languages.identification.linear.calibration import probability
from emma500.languages.identification.linear.card import card
from emma500.languages.identification.linear.corpus import TrainingConfig, gathered
from emma500.languages.identification.linear.model import FILE, LinearModel
from emma500.languages.identification.linear.scoring import BEST, Scorer
from emma500.languages.identification.linear.training import trained
from emma500.languages.writing.script_detection import COMMON
from emma500.languages.writing.strings import as_strings
from emma500.manifest import fingerprint
from emma500.storage import atomic_file, write_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROWS_AT_ONCE = 8192
_NO_LABEL = ("und", "zxx")
_VERSION = 3  # of what is done with a model; part of the fingerprint


class LanguageIdentifier:
    """A trained model that names the language of texts; it can be pickled.

    Args:
        model: What training learned.
        name: What it is called in records.
        only: The labels it may answer with; None for all. With these the world is closed: every text is taken to be in
            one of them, and `und` is left for scripts none of them is in.
        prior: Relative prior probability by label; labels not named have 1.
    """

    def __init__(
        self,
        model: LinearModel,
        *,
        name: str = "emma500",
        only: frozenset[str] | None = None,
        prior: Mapping[str, float] | None = None,
    ) -> None:
        self.model, self.name, self._only = model, name, only
        self._prior = dict(sorted((prior or {}).items()))
        self._scorer = Scorer(model, only=only, prior=self._log_prior())

    @classmethod
    def load(cls, path: str | Path | None = None) -> "LanguageIdentifier":
        """Load a model.

        Args:
            path: The folder `save` wrote, or its `.safetensors` file; None for the model that ships with emma500.

        Returns:
            The identifier.

        Raises:
            SourceError: If there is no model of ours.
        """
        if path is None:
            with as_file(
                files("emma500.languages.identification.linear") / "shipped" / FILE
            ) as shipped:
                return cls(LinearModel.from_file(shipped))
        found = Path(path).expanduser()
        found = found / FILE if found.is_dir() else found
        if not found.is_file():
            raise SourceError(f"no model at {found}: give the folder `save` wrote or its {FILE}")
        return cls(LinearModel.from_file(found), name=str(path))

    @classmethod
    def train(
        cls,
        texts: "pa.Table | Iterable[pa.RecordBatch]",
        *,
        config: TrainingConfig | None = None,
    ) -> "LanguageIdentifier":
        """Train an identifier on labelled texts, on one core.

        Args:
            texts: Columns `text`, `label` (`xxx_Xxxx`, `zxx_Xxxx` for no language) and perhaps `source`. A label nine
                tenths of whose text are from one source needs surer answers.
            config: How it is trained.

        Returns:
            The identifier; the same texts in the same order give the same one.

        Raises:
            SourceError: If a column is missing, or fewer than two labels have text.
        """
        config = config or TrainingConfig()
        return cls(trained(gathered(texts, config), config), name="trained")

    def save(self, folder: str | Path) -> Path:
        """Write the model and its card; labels and priors it was confined to are not part of it.

        Args:
            folder: Where `model.safetensors` and `README.md` go; made if need be.

        Returns:
            The folder.
        """
        target = Path(folder).expanduser()
        target.mkdir(parents=True, exist_ok=True)
        with atomic_file(target / FILE) as staged:
            staged.write_bytes(self.model.to_bytes())
        write_text(target / "README.md", card(self.model))
        return target

    @property
    def labels(self) -> frozenset[str]:
        """The labels it can answer with, without `und_Xxxx` and `zxx_Xxxx`."""
        found = frozenset(label for label in self.model.labels if not label.startswith("zxx"))
        return found if self._only is None else found & self._only

    def knows(self, iso639_3: str) -> bool:
        """Tell whether it can answer with this language, its macrolanguage or a member of it."""
        return knows(self._codes, iso639_3)

    def restricted(self, labels: frozenset[str]) -> "LanguageIdentifier":
        """Return the identifier that answers with these labels only.

        Args:
            labels: Labels of it.

        Returns:
            An identifier whose scores are probabilities among them.

        Raises:
            LanguageError: If it has none of them.
        """
        if not self.labels & labels:
            raise LanguageError(f"{self!r} has none of the labels {sorted(labels)[:5]}")
        only = self.labels & labels
        return LanguageIdentifier(self.model, name=self.name, only=only, prior=self._prior)

    def with_priors(self, priors: Mapping[str, float]) -> "LanguageIdentifier":
        """Return the identifier that expects some labels more often than others.

        Args:
            priors: Relative prior probability by label, over 0; labels not named have 1.

        Returns:
            The identifier.

        Raises:
            LanguageError: If a label is not its own, or a prior is not over 0.
        """
        for label, prior in priors.items():
            if label not in self.labels or not prior > 0:
                raise LanguageError(
                    f"a prior is a number over 0 for a label of the identifier, not {label!r}: {prior!r}"
                )
        return LanguageIdentifier(self.model, name=self.name, only=self._only, prior=priors)

    def fingerprint(self) -> str:
        """Return hexadecimal digits that identify the model and what it is confined to."""
        only = None if self._only is None else sorted(self._only)
        return fingerprint("emma500", _VERSION, self.model.digest, only, self._prior)

    def identify(self, texts: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Name the language of each text.

        Args:
            texts: Strings.

        Returns:
            The label (`string`): `xxx_Xxxx`, `und_Xxxx` for none of its languages, `zxx_Xxxx` for no language; and the
            probability that it is right (`float32`; 0 for `und_Xxxx`, 1 for a text without letters). Null for null.
        """
        labels, scores, _ = self._identified_all(texts, 1)
        return labels, scores

    def identify_parts(self, texts: pa.Array, most: int) -> tuple[pa.Array, pa.Array, pa.Array]:
        """Name the language of each text as a whole, and of parts of what is looked at of it, at little more cost.

        Args:
            texts: Strings.
            most: In how many parts a text is cut at most; a part has 60 characters or more.

        Returns:
            What `identify` returns, and the labels of the parts of each text, in their order (`list<string>`; none of
            a text too short for two).
        """
        return self._identified_all(texts, most)

    def _identified_all(self, texts: pa.Array, most: int) -> tuple[pa.Array, pa.Array, pa.Array]:
        array = as_strings(texts)
        found = [
            self._identified(array.slice(start, _ROWS_AT_ONCE), most)
            for start in range(0, max(len(array), 1), _ROWS_AT_ONCE)
        ]
        labels, scores, parts = map(pa.concat_arrays, zip(*found, strict=True))
        return labels, scores, parts

    def _identified(self, texts: pa.Array, most: int) -> tuple[pa.Array, pa.Array, pa.Array]:
        measured = self._scorer(texts, most_parts=most)
        names = measured.scripts.dictionary.to_pylist()
        vocabulary = pa.array(
            [*self.model.labels, *(f"{kind}_{name}" for name in [*names, COMMON] for kind in _NO_LABEL)]
        )  # fmt: skip
        written = measured.scripts.indices.fill_null(len(names)).to_numpy()
        is_blank = np.array([name == COMMON for name in [*names, COMMON]])[written]
        null = texts.is_null().to_numpy(zero_copy_only=False)
        numbers, scores = self._decided(measured.measures, written)
        numbers = np.where(is_blank, self._without(written, "zxx"), numbers)
        scores = np.where(is_blank, np.float32(1), scores)
        parts, _ = self._decided(measured.parts, measured.part_scripts.indices.to_numpy())
        bounds = np.concatenate([[0], np.cumsum(measured.n_parts)]).astype(np.int32)
        return (
            vocabulary.take(pa.array(numbers, mask=null)),
            pa.array(scores, pa.float32(), mask=null),
            pa.ListArray.from_arrays(pa.array(bounds), vocabulary.take(pa.array(parts))),
        )

    def _decided(
        self, measures: "NDArray[np.float64]", written: "NDArray[np.int64]"
    ) -> "tuple[NDArray[np.int64], NDArray[np.float32]]":
        """Return the number of each answer, of a label or `_without` one, and its score."""
        best = measures[:, BEST].astype(np.int64)
        scores = probability(self.model, measures, is_closed=self._only is not None)
        unsure = (best < 0) | ((self._only is None) & (scores < self.model.threshold[best]))
        numbers = np.where(self._is_nothing[best], self._without(written, "zxx"), best)
        numbers = np.where(unsure, self._without(written, "und"), numbers)
        return numbers, np.where(unsure, np.float32(0), scores)

    def _without(self, written: "NDArray[np.int64]", kind: str) -> "NDArray[np.int64]":
        """Return the numbers of the answers without a label, `und` or `zxx` in a script."""
        return len(self.model.labels) + len(_NO_LABEL) * written + _NO_LABEL.index(kind)

    @cached_property
    def _is_nothing(self) -> "NDArray[np.bool_]":
        return np.array([label.startswith("zxx") for label in self.model.labels])

    @cached_property
    def _codes(self) -> frozenset[str]:
        return frozenset(label[:3] for label in self.labels)

    def _log_prior(self) -> "NDArray[np.float32] | None":
        if not self._prior:
            return None
        return np.log(
            np.array([self._prior.get(label, 1.0) for label in self.model.labels])
        ).astype(np.float32)

    def __repr__(self) -> str:
        confined = "" if self._only is None else f", confined to {len(self._only)}"
        codes = len({label[:3] for label in self.model.labels if not label.startswith("zxx")})
        return f"LanguageIdentifier({self.name!r}: {len(self.model.labels)} labels, {codes} languages{confined})"
