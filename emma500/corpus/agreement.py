"""Who is right about the language of a document: its source, the script it is written in, or what identified it.

The rule, for documents (code is no language):

1. The label is the source's, completed by the script (labelling). An identifier's label beside it gives the verdict:

   agrees        the same language
   related       its macrolanguage, a member of it, or a sibling in it: too near to tell apart
   undecided     the identifier does not say (`und`), or there was none
   unknown       the identifier does not know the label's language in this script, so its vote is not counted
   no_language   it takes the text for code, numbers or noise (`zxx`)
   differs       it names another language
   identified    the source named no known language: the label is the identifier's

2. `relabel` says when the identifier's label replaces the source's: "unknown" where the source names no known language,
   "confident" also where it differs with at least the score its own label asks for (`min_lid_score` of the thresholds),
   "never".
3. The filter leaves out what differs or is no language, if the text is long enough to be identified and the score is at
   least that threshold; and a document in several languages, by the share of its parts that agree with the whole
   (`lid_consistency`; only where the identifier knows the document's language, or its parts mean nothing). What is
   no language as a whole stays if its parts are in the language of its label: prose among code is prose. The parts are
   those of what an identifier looks at, where it can name them with the whole (our own can); else sentences.

Of a pair, each side of at least `LEAST_STRING` characters is identified; the pair differs if a side does, surely.

Everything else stays, with the verdict in the record (`lid_verdict`), so that a reader can decide otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.corpus.filtering.thresholds import least_score
from emma500.corpus.labelling import label_of
from emma500.corpus.verdicts import verdict
from emma500.languages.identification.identifiers import Parting
from emma500.languages.writing.segmentation import sentences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emma500.languages.identification.identifiers import Identifier

MOST_PARTS = 8
LEAST_PARTS = 4
"""With fewer parts in a language, nothing is said of a document."""

LEAST_CHARACTERS = 60
"""Shorter sentences are too often taken for a neighbouring language."""

LEAST_STRING = 100
"""Shorter strings of a pair are not identified."""

_SEVERITY = ("differs", "no_language", "unknown", "undecided", "related", "agrees")

_PARTS = ("label", "iso639_3", "script", "macrolanguage")


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """Identifies documents and settles their labels; it can be pickled.

    Attributes:
        identifier: What names the language of documents.
        relabel: When the identifier's label replaces the source's: "unknown", "confident" or "never".
    """

    identifier: "Identifier"
    relabel: str

    def settle(self, columns: dict[str, Any], is_prose: pa.Array) -> dict[str, Any]:
        """Identify the documents whose label depends on it, and relabel them.

        Args:
            columns: `text`, the columns of `labelling.label_columns`.
            is_prose: True for the rows that may be identified.

        Returns:
            The label columns, and `lid_label`, `lid_score` (null where not identified yet) and `lid_verdict`
            ("identified" where the label is the identifier's, else null).
        """
        unnamed = pc.invert(columns["is_known"])
        asked = {"never": pa.scalar(False), "unknown": unnamed, "confident": pa.scalar(True)}
        found = self.identify(columns, pc.and_(is_prose, asked[self.relabel]))
        label, score = found["lid_label"], found["lid_score"]
        least = _mapped(label, least_score, pa.float32())
        is_named = pc.invert(pc.or_(pc.starts_with(label, "und_"), pc.starts_with(label, "zxx_")))
        is_sure = pc.and_(is_named, pc.greater_equal(score, least))
        differs = pc.equal(self.verdicts(columns["label"], label), "differs")
        wins = pc.fill_null(pc.and_(is_sure, pc.or_(unnamed, differs)), False)
        parts = {
            name: pc.if_else(wins, _mapped(label, _part(name), pa.string()), columns[name])
            for name in _PARTS
        }
        nothing = pa.scalar(None, pa.string())
        return {
            **parts,
            **found,
            "is_known": pc.or_(columns["is_known"], wins),
            "lid_verdict": pc.if_else(wins, "identified", nothing),
        }

    def identify(self, columns: dict[str, Any], wanted: pa.Array) -> dict[str, Any]:
        """Return `lid_label`, `lid_score` and `lid_parts` of the wanted texts, null for the others.

        `lid_parts` is null where the identifier names wholes alone.
        """
        wanted_texts = pc.if_else(wanted, columns["text"], None)
        if isinstance(self.identifier, Parting):
            label, score, parts = self.identifier.identify_parts(wanted_texts, MOST_PARTS)
        else:
            label, score = self.identifier.identify(wanted_texts)
            parts = pa.nulls(len(label), pa.list_(pa.string()))
        return {"lid_label": label, "lid_score": score, "lid_parts": parts}

    def complete(self, columns: dict[str, Any], kept: pa.Array) -> dict[str, Any]:
        """Identify the kept documents that are not identified yet, and give every one its verdict.

        Args:
            columns: What `settle` returned, with `text`.
            kept: True for the documents that go on.

        Returns:
            `lid_label`, `lid_score`, `lid_verdict` and `lid_consistency`.
        """
        rest = self.identify(columns, pc.and_(kept, pc.is_null(columns["lid_label"])))
        label = pc.coalesce(columns["lid_label"], rest["lid_label"])
        verdicts = pc.coalesce(
            columns["lid_verdict"], pc.if_else(kept, self.verdicts(columns["label"], label), None)
        )
        is_code = pc.fill_null(pc.equal(verdicts, "no_language"), False)
        is_known = pc.or_(
            is_code, pc.is_in(verdicts, pa.array(["agrees", "related", "identified"]))
        )
        of_whole = pc.if_else(is_code, columns["label"], label)
        of_whole = pc.if_else(pc.and_(kept, is_known), of_whole, None)
        parts = pc.if_else(
            pc.is_null(columns["lid_label"]), rest["lid_parts"], columns["lid_parts"]
        )
        return {
            "lid_label": label,
            "lid_score": pc.coalesce(columns["lid_score"], rest["lid_score"]),
            "lid_verdict": verdicts,
            "lid_consistency": self.consistency(columns["text"], parts, of_whole),
        }

    def of_pairs(self, columns: dict[str, Any], kept: pa.Array) -> dict[str, Any]:
        """Identify both sides of pairs.

        Args:
            columns: `text`, `target_text`, `source_label`, `target_label`, and what `complete` returned.
            kept: True for the pairs that go on.

        Returns:
            `source_lid_label`, `source_lid_score`, and with the pairs filled in `lid_label`, `lid_score` (of the target
            side) and `lid_verdict`, that of the side with more against it; a side that differs, but not surely, is
            undecided.
        """
        found: dict[str, Any] = {}
        verdicts = []
        for side, text, label in (
            ("source_", "text", "source_label"),
            ("", "target_text", "target_label"),
        ):
            is_long = pc.greater_equal(pc.utf8_length(columns[text]), LEAST_STRING)
            is_wanted = pc.and_(kept, pc.fill_null(is_long, False))
            names = self.identifier.identify(pc.if_else(is_wanted, columns[text], None))
            said = dict(zip(("lid_label", "lid_score"), names, strict=True))
            verdicts.append(self._severity(columns[label], **said))
            found |= {f"{side}{name}": values for name, values in said.items()}
        worst = pa.array(_SEVERITY).take(pc.min_element_wise(*verdicts))
        found["lid_verdict"] = pc.if_else(kept, worst, columns["lid_verdict"])
        for name in ("lid_label", "lid_score"):
            found[name] = pc.coalesce(columns[name], found[name])
        return found

    def _severity(self, labels: pa.Array, lid_label: pa.Array, lid_score: pa.Array) -> pa.Array:
        """Return the place among `_SEVERITY` of what is said of strings."""
        least = _mapped(lid_label, least_score, pa.float32())
        is_sure = pc.fill_null(pc.greater_equal(lid_score, least), False)
        said = pc.fill_null(self.verdicts(labels, lid_label), "undecided")
        is_against = pc.is_in(said, pa.array(_SEVERITY[:2]))
        return pc.index_in(
            pc.if_else(pc.and_not(is_against, is_sure), "undecided", said), pa.array(_SEVERITY)
        )

    def consistency(self, texts: pa.Array, parts: pa.Array, labels: pa.Array) -> pa.Array:
        """Measure how much of each document is in the language of the whole.

        Args:
            texts: Documents.
            parts: The labels of parts of each, as `identify` has them.
            labels: The language of each as a whole; null for what is not measured.

        Returns:
            Of up to `MOST_PARTS` parts spread over the document, the share of those with a language that have the
            document's, or one near it (`float32`); null for a document with fewer than `LEAST_PARTS` of them.
        """
        if isinstance(self.identifier, Parting):
            parents, found = pc.list_parent_indices(parts).to_numpy(), pc.list_flatten(parts)
        else:
            parents, each = _sentences(pc.if_else(pc.is_valid(labels), texts, None))
            found = self.identifier.identify(each)[0]
        said = self.verdicts(labels.take(pa.array(parents)), found)
        counts = {
            name: np.bincount(parents[np.array(pc.equal(said, name).fill_null(False), bool)], minlength=len(texts))
            for name in ("agrees", "related", "differs")
        }  # fmt: skip
        same, total = counts["agrees"] + counts["related"], sum(counts.values())
        share = (same / np.maximum(total, 1)).astype(np.float32)
        return pa.array(share, mask=total < LEAST_PARTS)

    def verdicts(self, labels: pa.Array, lid_labels: pa.Array) -> pa.Array:
        """Return the verdict of each pair of labels; null where the source's is null."""
        both = pc.binary_join_element_wise(
            labels.cast(pa.string()), pc.fill_null(lid_labels, ""), "\t"
        )
        known = self.identifier.labels

        def of(pair: str) -> str:
            label, _, lid_label = pair.partition("\t")
            return verdict(label, lid_label, known)

        return _mapped(both, of, pa.string())


def _sentences(texts: pa.Array) -> "tuple[NDArray[np.int64], pa.Array]":
    """Return up to `MOST_PARTS` long sentences of each document that has at least `LEAST_PARTS`, and whose they are."""
    found = sentences(texts)
    parents = pc.list_parent_indices(found)
    each = pc.list_flatten(found)
    is_long = pc.greater_equal(pc.utf8_length(each), LEAST_CHARACTERS)
    places = np.nonzero(is_long.to_numpy(zero_copy_only=False))[0]
    parents = parents.to_numpy()[places]
    is_enough = np.bincount(parents, minlength=len(texts))[parents] >= LEAST_PARTS
    parents, places = parents[is_enough], places[is_enough]
    chosen = _spread(parents, len(texts))
    return parents[chosen], each.take(pa.array(places[chosen]))


def _spread(parents: "NDArray[np.int64]", n: int) -> "NDArray[np.int64]":
    """Return the places of up to MOST_PARTS entries of each parent, evenly spread, given sorted parents."""
    counts = np.bincount(parents, minlength=n)
    first = np.concatenate([[0], np.cumsum(counts)])[parents]
    step = np.maximum(1.0, counts / MOST_PARTS)[parents]
    place = np.arange(len(parents)) - first
    # Entry k is taken if a multiple of the step lies in (k - 1, k].
    return np.nonzero(np.floor(place / step) != np.floor((place - 1) / step))[0]


def _part(name: str) -> Callable[[str], str]:
    return lambda label: getattr(label_of(label), name)


def _mapped(values: pa.Array, function: Any, kind: pa.DataType) -> pa.Array:
    """Apply a function to the distinct values of an array; null stays null."""
    encoded = values.dictionary_encode()
    results = [function(each) for each in encoded.dictionary.to_pylist()]
    return pa.array(results, kind).take(encoded.indices)
