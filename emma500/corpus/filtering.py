"""The filter stage: signals and thresholds -> a reason to leave a row out, or none.

Thresholds are rows of `tables/thresholds.tsv`. The first reason that holds is the one that is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.corpus.staging import decision_schema
from emma500.languages.codes import Language, related
from emma500.languages.scripts import compatible
from emma500.tables import read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emma500.languages.identification import Identifier

_LIMITS = (
    # column of the table, signal, -1 for a lower limit, reason
    ("min_words", "n_units", -1, "too_few_words"),
    ("max_words", "n_units", 1, "too_many_words"),
    ("max_character_repetition", "character_repetition", 1, "character_repetition"),
    ("max_word_repetition", "word_repetition", 1, "word_repetition"),
    ("max_special_share", "special_share", 1, "special_characters"),
)

IDENTIFIABLE_CHARACTERS = 200
"""The identifier is believed about texts at least this long: on shorter ones it takes Zulu for Xhosa."""

FOREIGN_STRING_SHARE = 0.9
"""A string of a pair is refused if this share of its letters is in another script; a name in Latin letters may be half
of a Chinese one."""

COLUMNS = (
    "component", "id", "key", "unit", "label", "target_label", "iso639_3", "script", "macrolanguage", "source",
    "source_license", "lid_label", "lid_score", "script_share", "main_script", "n_words", "n_chars", "n_bytes",
    "n_units", "character_repetition", "word_repetition", "special_share", "is_copy", "bands", "origin", "reason",
)  # fmt: skip
"""What the filter reads of the staged rows: all but their text."""


def thresholds(component: str, label: str, macrolanguage: str) -> Mapping[str, str]:
    """Return the row of the table that holds for a label.

    Args:
        component: "monolingual", "bilingual" or "code".
        label: As "arz_Arab".
        macrolanguage: ISO 639-3 of its macrolanguage, as "ara", or "".

    Returns:
        The row of the label, or of its macrolanguage in the same script, or of its script, or the general one.
    """
    rows = _rows()
    if component != "monolingual":
        return rows[component]
    script = label.partition("_")[2]
    names = (label, f"{macrolanguage}_{script}", f"*_{script}", "*")
    return next(rows[name] for name in names if name in rows)


@cache
def _rows() -> dict[str, dict[str, str]]:
    return {row["label"]: row for row in read_table("thresholds")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Decide:
    """The function the filter sends every batch of signals through; it can be pickled.

    Attributes:
        identifier: Who named the languages, or None if nobody did.
        use_thresholds: False leaves the table out of it.
        min_words: Replaces the table's least number of words for documents, unless None.
        min_script_share: The least share of a text's characters in the script of its label; 0 switches the check off.
    """

    identifier: "Identifier | None"
    use_thresholds: bool
    min_words: int | None
    min_script_share: float

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the decisions on staged rows."""
        masks: list[tuple[str, NDArray[np.bool_]]] = []
        if self.min_script_share:
            masks += self._script_masks(batch)
        if self.use_thresholds:
            masks += self._threshold_masks(batch)
        reason = pa.nulls(len(batch), pa.string())
        for name, mask in reversed(masks):
            reason = pc.if_else(pa.array(mask), name, reason)
        earlier = batch["reason"].cast(pa.string())
        columns = {name: batch[name] for name in batch.schema.names}
        columns["reason"] = pc.coalesce(earlier, reason)
        stage = pc.if_else(pc.is_valid(earlier), "integration", "filter")
        columns["stage"] = pc.if_else(pc.is_valid(columns["reason"]), stage, None)
        schema = decision_schema()
        return pa.RecordBatch.from_arrays(
            [columns[field.name].cast(field.type) for field in schema], schema=schema
        )

    def _script_masks(self, batch: pa.RecordBatch) -> "list[tuple[str, NDArray[np.bool_]]]":
        is_text = np.array(pc.not_equal(batch["component"], "code"))
        written = pc.fill_null(batch["main_script"], "Zyyy")
        pairs = pc.binary_join_element_wise(
            written.cast(pa.string()), pc.fill_null(batch["script"].cast(pa.string()), ""), "\t"
        ).dictionary_encode()
        fits = [compatible(*each.split("\t")) for each in pairs.dictionary.to_pylist()]
        is_fit = np.array(fits, bool)[pairs.indices.to_numpy()]
        share = pc.fill_null(batch["script_share"], 0).to_numpy()
        is_pair = np.array(pc.equal(batch["component"], "bilingual"))
        mismatch = np.where(
            is_pair,
            ~is_fit & (share >= FOREIGN_STRING_SHARE),
            ~(is_fit & (share >= self.min_script_share)),
        )
        no_letters = is_text & np.array(pc.equal(written, "Zyyy"))
        return [
            ("no_letters", no_letters),
            ("script_mismatch", is_text & mismatch),
        ]

    def _threshold_masks(self, batch: pa.RecordBatch) -> "list[tuple[str, NDArray[np.bool_]]]":
        names = pc.binary_join_element_wise(
            *(
                pc.fill_null(batch[each].cast(pa.string()), "")
                for each in ("component", "label", "macrolanguage")
            ),
            "\t",
        ).dictionary_encode()
        rows = [self._row(*each.split("\t")) for each in names.dictionary.to_pylist()]
        places = names.indices.to_numpy()
        is_document = np.array(pc.equal(batch["component"], "monolingual"))
        is_pair = np.array(pc.equal(batch["component"], "bilingual"))
        other = self._other_language(batch)
        other &= batch["n_chars"].to_numpy() >= IDENTIFIABLE_CHARACTERS
        score = pc.fill_null(batch["lid_score"], 0).to_numpy()
        least = np.array([row["min_lid_score"] for row in rows])[places]
        masks = [
            ("untranslated", is_pair & np.array(batch["is_copy"])),
            ("language_mismatch", is_document & other & (score >= least)),
        ]
        for column, signal, sign, reason in _LIMITS:
            limit = np.array([row[column] for row in rows])[places]
            masks.append((reason, sign * batch[signal].to_numpy() > sign * limit))
        return masks

    def _row(self, component: str, label: str, macrolanguage: str) -> dict[str, float]:
        """Return the thresholds of a label as numbers; NaN, which no value exceeds, where there is none."""
        row = thresholds(component, label, macrolanguage)
        numbers = {name: float(row[name] or "nan") for name in row if name not in {"label", "note"}}
        if self.min_words is not None and component == "monolingual":
            numbers["min_words"] = self.min_words
        return numbers

    def _other_language(self, batch: pa.RecordBatch) -> "NDArray[np.bool_]":
        """Tell where the identifier names another language, if it knows the label's language in the label's script."""
        verdicts = pc.binary_join_element_wise(
            *(
                pc.fill_null(batch[each].cast(pa.string()), "")
                for each in ("iso639_3", "script", "lid_label")
            ),
            "\t",
        ).dictionary_encode()
        is_other = [self._is_other(*each.split("\t")) for each in verdicts.dictionary.to_pylist()]
        return np.array(is_other, bool)[verdicts.indices.to_numpy()]

    def _is_other(self, claimed: str, script: str, verdict: str) -> bool:
        if self.identifier is None or not verdict or not self.identifier.knows(claimed):
            return False
        language = Language.parse(claimed)
        usual = language.likely_script
        if usual and not (compatible(usual, script) or compatible(script, usual)):
            return False
        family = language.macrolanguage
        is_sibling = bool(family) and Language.parse(verdict).macrolanguage == family
        return not (is_sibling or related(claimed, verdict))
