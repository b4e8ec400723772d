"""Limits learned from trusted text, label by label: what FineWeb2 does for each language, in one call.

A limit is the value that all but a small share of a label's trusted documents stay within. Stop words are the most
frequent words. The table is in the form of those that ship, and a build reads it (`BuildConfig.thresholds`).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from unicodedata import category

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from emma500.corpus.filtering.decisions import LIMITS
from emma500.corpus.filtering.thresholds import Thresholds
from emma500.corpus.labelled import labelled_texts
from emma500.corpus.signals.measures import CHARACTER_NGRAM, SHARES, WORD_NGRAM, Lists, measure
from emma500.corpus.text.tokens import Tokens, tokenise
from emma500.errors import UsageError
from emma500.languages.codes import Language
from emma500.languages.families import family_name, lineage
from emma500.languages.writing.characters import SPACE, SPECIAL, character_classes
from emma500.storage import write_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

STOP_WORD_SHARE = 0.008
"""A stop word is at least this share of a label's words (FineWeb2)."""

LEAST_STOP_WORDS, MOST_STOP_WORDS = 8, 24
"""A label has at least this many stop words, if it has as many words, and at most that many."""

LEAST_WORDS = 1000
"""Stop words are learned from at least this many words."""

LEAST_LABELS = 3
"""A family has a row where so many of its labels in one script have one."""

_KEPT = ("min_words", "max_words", "min_lid_score", "character_ngram", "word_ngram")
_LEARNED = frozenset(SHARES) - {"flagged_word_share", "perplexity"}
_STRICTEST = 0.5  # of the general limit: trusted text is cleaner than any that is worth keeping
_SHARE_OF_TEXTS_WITH_STOP_WORDS = 0.99
_DEVIATIONS = 3.0


def fit_thresholds(
    corpus: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    preset: str = "fineweb2",
    method: Literal["quantile", "deviation"] = "quantile",
    tail: float = 0.01,
    languages: Sequence[str] | None = None,
    max_texts: int = 2000,
    min_texts: int = 100,
    **options: Any,
) -> pa.Table:
    """Learn the limits of each label from trusted text and write them as a table.

    Args:
        corpus: Trusted text: what a build takes as sources, or the folder of a built corpus, or several of these.
        output: The TSV file to write; `BuildConfig(thresholds=...)` reads it.
        preset: Whose general limits bound the learned ones, and whose sizes and scores are taken over.
        method: "quantile": all but `tail` of the documents stay within each limit; "deviation": the limit is three
            standard deviations from the mean.
        tail: Share of the documents beyond each limit.
        languages: Only these languages, as codes, names or labels; None for all.
        max_texts: The most documents of a label.
        min_texts: A label with fewer has no row: its macrolanguage's, its family's, its script's or the general one
            holds for it.
        **options: For `labelled_texts`: text_column, language_column, language, ...

    Returns:
        The table: label, limits, stop_words, and a note with the number of documents and the share of them that all
        limits together keep. Families of which three or more labels in a script were learned have a row, too: the
        medians of theirs.

    Raises:
        UsageError: If `tail` is not between 0 and .5, or no label has enough documents.
    """
    if not 0 <= tail < 0.5:
        raise UsageError(f"tail must be from 0 to .5, as .01, not {tail}")
    texts = labelled_texts(corpus, languages, max_texts=max_texts, **options)
    general = Thresholds.of(preset)
    rows = [
        _row(label, part, general, method=method, tail=tail)
        for label, part in by_label(texts)
        if len(part) >= min_texts
    ]
    rows += family_rows(rows, general)
    if not rows:
        raise UsageError(
            f"no label in {corpus} has {min_texts} documents: give more text, or a smaller min_texts"
        )
    table = pa.Table.from_pylist(rows)
    write_text(Path(output), "\n".join(_lines(table, corpus, method, tail)) + "\n")
    return table


def by_label(texts: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    """Yield each label of labelled texts and its texts, by label."""
    texts = texts.select(["label", "text"]).sort_by("label").combine_chunks()
    ends = pc.run_end_encode(texts["label"].combine_chunks())
    start = 0
    for label, end in zip(ends.values.to_pylist(), ends.run_ends.to_pylist(), strict=True):
        yield label, texts["text"].slice(start, end - start).combine_chunks()
        start = end


def frequent_words(texts: pa.Array, tokens: Tokens) -> list[str]:
    """Return the stop words of texts in one language: the most frequent words, those without a letter left out.

    Args:
        texts: Normalised texts.
        tokens: Their units.

    Returns:
        The words, in lower case, the most frequent first; none where most units are characters, or there are too few.
    """
    total = len(tokens.units)
    if total < LEAST_WORDS or 2 * tokens.n_unspaced.sum() > total:
        return []
    hashes, counts = np.unique(tokens.units, return_counts=True)
    parted = pc.replace_substring_regex(
        pc.utf8_lower(texts), pattern=_separators(), replacement=" "
    )
    written = pc.value_counts(pc.list_flatten(pc.utf8_split_whitespace(parted)))
    order = np.argsort(-written.field("counts").to_numpy(), kind="stable")[: 20 * MOST_STOP_WORDS]
    bare = [_bare(word) for word in written.field("values").take(pa.array(order)).to_pylist()]
    cut = tokenise(pa.array(bare, pa.large_string()))
    found: dict[str, int] = {}
    for place in np.flatnonzero(cut.n_units == 1):
        unit = cut.units[cut.offsets[place]]
        at = min(np.searchsorted(hashes, unit), len(hashes) - 1)
        if hashes[at] == unit and not any(map(str.isdigit, bare[place])):
            found[bare[place]] = int(counts[at])
    words = sorted(found, key=lambda word: (-found[word], word))
    frequent = [word for word in words if found[word] >= STOP_WORD_SHARE * total]
    return words[: min(MOST_STOP_WORDS, max(LEAST_STOP_WORDS, len(frequent)))]


def _row(
    label: str, texts: pa.Array, general: Thresholds, *, method: str, tail: float
) -> dict[str, Any]:
    """Return the row of a label: its limits as text, empty where there is none."""
    code, _, _ = label.partition("_")
    family = "" if code in {"und", "zxx"} else Language.parse(code).macrolanguage
    usual = general.row("monolingual", label, family)
    tokens = tokenise(texts)
    words = frequent_words(texts, tokens)
    ngrams = (
        int(usual.get("character_ngram", CHARACTER_NGRAM)),
        int(usual.get("word_ngram", WORD_NGRAM)),
    )
    lists = Lists.of({label: words}, None, {label: ngrams})
    found = measure(texts, tokens, np.ones(len(texts), bool), pa.array([label] * len(texts)), lists)
    limits = {name: usual[name] for name in _KEPT if name in usual}
    is_kept = np.ones(len(texts), bool)
    for column, signal, _ in LIMITS:
        if signal not in _LEARNED:
            continue
        values = found[signal].to_numpy(zero_copy_only=False).astype(float)
        limit = _limit(column, values, general.rows["*"], method=method, tail=tail)
        if limit is not None:
            limits[column] = limit
            is_kept &= ~(values < limit if column.startswith("min_") else values > limit)
    if words and (_counts(found) >= 2).mean() >= _SHARE_OF_TEXTS_WITH_STOP_WORDS:
        limits["min_stop_words"] = 2
        is_kept &= _counts(found) >= 2
    columns = dict.fromkeys((*_KEPT, *(column for column, _, _ in LIMITS)), "")
    cells = columns | {name: f"{value:.6g}" for name, value in limits.items()}
    note = f"{len(texts)} documents, {is_kept.mean():.1%} kept"
    return {"label": label, **cells, "stop_words": " ".join(words), "note": note}


def family_rows(rows: Sequence[Mapping[str, str]], general: Thresholds) -> list[dict[str, str]]:
    """Return rows for the families of labels that have rows, in the form of these.

    Args:
        rows: The rows of labels.
        general: Whose sizes, scores and lengths of runs are taken over.

    Returns:
        A row for each family and script of `LEAST_LABELS` or more; of families that hold the same labels the
        widest. A limit is the median of those that the labels have, and none where fewer than half have one.
    """
    members: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        code, _, script = row["label"].partition("_")
        for family in lineage(code):
            members.setdefault(f"{family}_{script}", []).append(row)
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for name, own in members.items():
        if len(own) >= LEAST_LABELS:
            found[tuple(row["label"] for row in own)] = _family_row(name, own, general)
    return sorted(found.values(), key=lambda row: row["label"])


def _family_row(
    name: str, rows: Sequence[Mapping[str, str]], general: Thresholds
) -> dict[str, str]:
    family, _, script = name.partition("_")
    usual = general.row("monolingual", f"und_{script}", "")
    cells = dict.fromkeys(rows[0], "")
    for column in cells.keys() - {"label", "stop_words", "note"}:
        values = [float(row[column]) for row in rows if row[column]]
        if column in _KEPT:
            cells[column] = f"{usual[column]:.6g}" if column in usual else ""
        elif 2 * len(values) >= len(rows):
            cells[column] = f"{np.median(values):.6g}"
    note = f"{family_name(family)}: the medians of {len(rows)} labels"
    return cells | {"label": name, "note": note}


@cache
def _separators() -> str:
    """Return a pattern of the characters that part words without being white space, as the Tibetan tsheg."""
    classes, _ = character_classes()
    points = np.flatnonzero(classes & (SPACE | SPECIAL) == SPACE)
    return "[" + "".join(f"\\x{{{point:x}}}" for point in points) + "]"


def _bare(word: str) -> str:
    """Return a word without the signs before and after it."""
    return word.strip(
        "".join(each for each in word if not (each.isalnum() or category(each)[0] == "M"))
    )


def _counts(found: Mapping[str, pa.Array]) -> "NDArray[np.float64]":
    return found["n_stop_words"].cast(pa.float64()).fill_null(0).to_numpy(zero_copy_only=False)


def _limit(
    column: str, values: "NDArray[np.float64]", general: Mapping[str, float], *, method: str, tail: float
) -> float | None:  # fmt: skip
    """Return the limit that all but the tail of some values keep, but none much stricter than the general one."""
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    is_least = column.startswith("min_")
    if method == "quantile":
        # The outermost document of a hundred or fewer is still inside.
        if is_least:
            limit = float(np.quantile(values, tail, method="lower"))
        else:
            limit = float(np.quantile(values, 1 - tail, method="higher"))
    else:
        sign = -1 if is_least else 1
        limit = float(values.mean() + sign * _DEVIATIONS * values.std())
    if is_least:
        return _down(limit) if limit >= 1e-4 else None  # nothing is below 0
    return _up(max(limit, _STRICTEST * general.get(column, 0.0)))


def _up(value: float) -> float:
    return float(np.ceil(value * 1e4) / 1e4)


def _down(value: float) -> float:
    return float(np.floor(value * 1e4) / 1e4)


def _lines(table: pa.Table, corpus: Any, method: str, tail: float) -> Iterator[str]:
    beyond = f"all but {tail:g} of the documents" if method == "quantile" else "three deviations"
    yield f"# Limits learned from {corpus}: {beyond}. Form: emma500/tables/thresholds.tsv."
    yield "\t".join(table.column_names)
    for row in table.to_pylist():
        yield "\t".join(row.values())
