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
   least that threshold; and a document in several languages, by the share of its sentences that agree with the whole
   (`lid_consistency`; only where the identifier knows the document's language, or its sentences mean nothing). What is
   no language as a whole stays if its sentences are in the language of its label: prose among code is prose.

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
from emma500.languages.writing.segmentation import sentences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emma500.languages.identification.identifiers import Identifier

MOST_SENTENCES = 8
LEAST_SENTENCES = 4
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
        """Return `lid_label` and `lid_score` of the wanted texts, null for the others."""
        label, score = self.identifier.identify(pc.if_else(wanted, columns["text"], None))
        return {"lid_label": label, "lid_score": score}

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
        passages = pc.if_else(pc.and_(kept, is_known), columns["text"], None)
        of_whole = pc.if_else(is_code, columns["label"], label)
        return {
            "lid_label": label,
            "lid_score": pc.coalesce(columns["lid_score"], rest["lid_score"]),
            "lid_verdict": verdicts,
            "lid_consistency": self.consistency(passages, of_whole),
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
            said = self.identify(
                {"text": columns[text]}, pc.and_(kept, pc.fill_null(is_long, False))
            )
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

    def consistency(self, texts: pa.Array, labels: pa.Array) -> pa.Array:
        """Measure how much of each document is in the language of the whole.

        Args:
            texts: Documents.
            labels: The language of each as a whole.

        Returns:
            Of up to `MOST_SENTENCES` sentences of at least `LEAST_CHARACTERS` characters, spread over the document,
            the share of those with a language that have the document's, or one near it (`float32`); null for a
            document with fewer than `LEAST_SENTENCES` of them, or none of its own.
        """
        found = sentences(texts)
        parents = pc.list_parent_indices(found)
        each = pc.list_flatten(found)
        is_long = pc.greater_equal(pc.utf8_length(each), LEAST_CHARACTERS)
        places = np.nonzero(is_long.to_numpy(zero_copy_only=False))[0]
        parents = parents.to_numpy()[places]
        is_enough = np.bincount(parents, minlength=len(texts))[parents] >= LEAST_SENTENCES
        parents, places = parents[is_enough], places[is_enough]
        chosen = _spread(parents, len(texts))
        parents, each = parents[chosen], each.take(pa.array(places[chosen]))
        own = labels.take(pa.array(parents))
        said = self.verdicts(own, self.identifier.identify(each)[0])
        counts = {
            name: np.bincount(parents[np.array(pc.equal(said, name), bool)], minlength=len(texts))
            for name in ("agrees", "related", "differs")
        }
        same, total = counts["agrees"] + counts["related"], sum(counts.values())
        share = (same / np.maximum(total, 1)).astype(np.float32)
        return pa.array(share, mask=total < LEAST_SENTENCES)

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


def _spread(parents: "NDArray[np.int64]", n: int) -> "NDArray[np.int64]":
    """Return the places of up to MOST_SENTENCES entries of each parent, evenly spread, given sorted parents."""
    counts = np.bincount(parents, minlength=n)
    first = np.concatenate([[0], np.cumsum(counts)])[parents]
    step = np.maximum(1.0, counts / MOST_SENTENCES)[parents]
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
