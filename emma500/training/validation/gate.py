"""What validation decides: whether a language is being forgotten, which step is best, and what the trackers are told.

All are functions of the validation results alone, so that a resumed run decides as the uninterrupted one did.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from emma500.errors import LanguageError
from emma500.folder import Corpus
from emma500.languages.labels import RESOURCE_GROUPS, resource_group
from emma500.mixture.planning.selection import resolve

Row = Mapping[str, Any]

PREFIX = "eval_bits_per_byte"
"""Trackers show what begins with eval_ apart from training."""


def base_languages(corpus: Corpus, codes: Sequence[str], usual: Collection[str]) -> list[str]:
    """Return the labels that a corpus has of the languages a base model knows.

    Args:
        corpus: The corpus.
        codes: Labels or codes.
        usual: Those that may be missing without a word, since nobody asked for them.

    Returns:
        The labels, sorted.

    Raises:
        LanguageError: If the corpus lacks a language that was asked for.
    """
    found = set()
    for code in codes:
        try:
            found.add(resolve(code, corpus.labels, corpus.name))
        except LanguageError:
            if code not in usual:
                raise
    return sorted(found)


def forgotten(
    rows: Sequence[Row], step: int, labels: Collection[str], limit: float
) -> dict[str, float]:
    """Return the languages that lost more than they may.

    Args:
        rows: Validation results, as the manifest holds them.
        step: The step that is judged against step 0.
        labels: Which languages are watched.
        limit: The share of bits per byte that may be lost.

    Returns:
        The share that each of them lost, the largest first; 0.1 is 10% more bits per byte.
    """
    value = {(row["step"], row["label"]): row["bits_per_byte"] for row in rows}
    lost = {
        label: value[step, label] / value[0, label] - 1
        for label in labels
        if (step, label) in value and (0, label) in value
    }
    worst_first = sorted(lost.items(), key=lambda item: -item[1])
    return {label: share for label, share in worst_first if share > limit}


def best_step(rows: Sequence[Row], last: int, labels: Collection[str]) -> int:
    """Return the step with the lowest mean of bits per byte over labels; the earlier one of two alike.

    Args:
        rows: Validation results.
        last: Steps after it are not looked at; nor is step 0, which is the base model.
        labels: The labels that count.

    Returns:
        The step, or `last` if none was validated.
    """
    values: dict[int, list[float]] = {}
    for row in rows:
        if 0 < row["step"] <= last and row["label"] in labels:
            values.setdefault(row["step"], []).append(row["bits_per_byte"])
    return min(sorted(values), key=lambda step: sum(values[step]) / len(values[step]), default=last)


def tracked_values(rows: Sequence[Row]) -> dict[str, float]:
    """Return what the trackers are told of one step's validation.

    Args:
        rows: The results of one step.

    Returns:
        Bits per byte by name: `eval_bits_per_byte/<label>`, and the means over the labels of each resource group and of
        all as `eval_bits_per_byte/group/<group>`.
    """
    values = {row["label"]: float(row["bits_per_byte"]) for row in rows}
    groups: dict[str, list[float]] = {}
    for label, value in values.items():
        groups.setdefault(resource_group(label), []).append(value)
    named = {group: groups[group] for group in RESOURCE_GROUPS if group in groups}
    if values:
        named["all"] = list(values.values())
    return {f"{PREFIX}/{label}": value for label, value in values.items()} | {
        f"{PREFIX}/group/{group}": sum(each) / len(each) for group, each in named.items()
    }


def told(lost: Mapping[str, float]) -> str:
    """Return a list of losses as words, as "eng_Latn +6.1%"."""
    return ", ".join(f"{label} {share:+.1%}" for label, share in lost.items())
