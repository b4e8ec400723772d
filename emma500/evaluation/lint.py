"""Faults that results show by themselves: what to look at before anyone believes them.

None of them proves an error; each names what was found, where and why it is suspicious.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from emma500.evaluation.metrics.outputs import empty_rate, right_language_rate
from emma500.evaluation.published_tables import ResultTable

KINDS = {
    "identical": "two models have the same numbers in every language: one model was scored twice, or a cache answered",
    "constant": "the values vary less over languages than chance: the same answer to everything",
    "average": "a stated average is not that of its columns",
    "unsegmented": "ROUGE of a script without spaces is next to nothing: whole sentences were taken for words",
    "predictions": "nearly all predictions of a language are one label",
    "labels": "labels share the token that is scored, so they cannot be told apart",
    "empty": "many outputs are empty",
    "language": "many outputs are in another language",
}
"""What each kind of fault is."""

MOST_OF_ONE_LABEL = 0.95
"""A larger share of predictions of one label is suspicious, where the references are not as uneven."""

MOST_EMPTY = 0.05
MOST_WRONG_LANGUAGE = 0.2

_FEWEST_LABELS = 10  # of languages, to tell a constant row from a short one
_FEWEST_OUTPUTS = 20
_CONSTANT = 0.5  # standard deviations, in standard errors of one language's value
_NOTHING = 0.2  # of a model's median language


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something suspicious: its kind (of `KINDS`), where it is, the models it concerns, and what was found."""

    kind: str
    where: str
    models: tuple[str, ...]
    detail: str

    def __str__(self) -> str:
        models = f" {' = '.join(self.models)}:" if self.models else ""
        return f"[{self.kind}] {self.where}:{models} {self.detail}"


def shown_findings(findings: Sequence[Finding]) -> str:
    """Return what was found as lines to read, a kind after the other, with how many there are of each."""
    if not findings:
        return "no faults found"
    by_kind: dict[str, list[Finding]] = {}
    for each in findings:
        by_kind.setdefault(each.kind, []).append(each)
    lines = []
    for kind, found in by_kind.items():
        lines.append(f"{kind} ({len(found):,}): {KINDS[kind]}")
        for each in found:
            models = f" {' = '.join(each.models)}:" if each.models else ""
            lines.append(f"  {each.where}:{models} {each.detail}")
    return "\n".join(lines)


def lint_tables(tables: Iterable[ResultTable]) -> list[Finding]:
    """Look for faults in tables of results by model and language.

    Args:
        tables: The tables, as `published.read_published` gives them.

    Returns:
        What was found, table by table.
    """
    checks = (_identical, _constant, _averages, _unsegmented)
    return [finding for table in tables for check in checks for finding in check(table)]


def lint_predictions(
    predictions: Mapping[str, Sequence[object]],
    references: Mapping[str, Sequence[object]],
    *,
    where: str = "predictions",
) -> list[Finding]:
    """Look for languages in which nearly every prediction is the same.

    Args:
        predictions: The labels that were predicted, by language.
        references: The right ones.
        where: What to call them.

    Returns:
        What was found.
    """
    findings = []
    for language, found in predictions.items():
        if len(found) < _FEWEST_OUTPUTS:
            continue
        label, count = Counter(found).most_common(1)[0]
        share = count / len(found)
        wanted = Counter(references[language])[label] / max(len(references[language]), 1)
        if share >= MOST_OF_ONE_LABEL and wanted < MOST_OF_ONE_LABEL:
            detail = f"{share:.0%} of {len(found):,} predictions are {label!r}; of the references, {wanted:.0%}"
            findings.append(
                Finding(kind="predictions", where=f"{where}, {language}", models=(), detail=detail)
            )
    return findings


def lint_labels(
    labels: Sequence[str], encode: Callable[[str], Sequence[int]], *, scored: str = "all"
) -> list[Finding]:
    """Look for labels that the scored tokens do not tell apart.

    Args:
        labels: The labels, with the space before them where one is written.
        encode: Text to tokens, without special ones.
        scored: "first" or "last" token of a label, as harnesses that look at one token do, or "all".

    Returns:
        What was found.
    """
    by_tokens: dict[tuple[int, ...], list[str]] = {}
    for label in labels:
        tokens = tuple(encode(label))
        chosen = {"first": tokens[:1], "last": tokens[-1:]}.get(scored, tokens)
        by_tokens.setdefault(chosen, []).append(label)
    findings = []
    for tokens, same in by_tokens.items():
        if len(same) == 1 and tokens:
            continue
        what = "has no tokens" if not tokens else f"share the {scored} token {list(tokens)}"
        detail = f"{', '.join(map(repr, same))} {what}: score whole labels"
        findings.append(Finding(kind="labels", where="labels", models=(), detail=detail))
    return findings


def lint_outputs(
    outputs: Mapping[str, Sequence[str]],
    *,
    languages: Mapping[str, str] | None = None,
    identifier: str = "emma500",
    where: str = "outputs",
) -> list[Finding]:
    """Look for languages whose outputs are empty or in another language.

    Args:
        outputs: The outputs by language.
        languages: What language outputs ought to be in, where that is not their own label.
        identifier: What names languages, as `emma500.identify` takes it; "" to ask none.
        where: What to call them.

    Returns:
        What was found.
    """
    findings = []
    for language, texts in outputs.items():
        empty = empty_rate(texts)
        if empty.value is not None and empty.value > MOST_EMPTY:
            detail = f"{empty.value:.0%} of {empty.n:,} outputs are empty"
            findings.append(
                Finding(kind="empty", where=f"{where}, {language}", models=(), detail=detail)
            )
        wanted = (languages or {}).get(language, language)
        right = (
            right_language_rate(texts, [wanted] * len(texts), identifier=identifier)
            if identifier
            else None
        )
        if right is None or right.value is None or right.n < _FEWEST_OUTPUTS:
            continue
        if 1 - right.value > MOST_WRONG_LANGUAGE:
            detail = f"{1 - right.value:.0%} of {right.n:,} outputs are not in {wanted}, says {identifier}"
            findings.append(
                Finding(kind="language", where=f"{where}, {language}", models=(), detail=detail)
            )
    return findings


def _identical(table: ResultTable) -> Iterator[Finding]:
    for one, other in combinations(table.values, 2):
        values = table.values[one]
        if values == table.values[other] and len(set(values)) > 1:
            detail = f"the same numbers in all {len(values)} languages"
            yield Finding(kind="identical", where=table.name, models=(one, other), detail=detail)


def _constant(table: ResultTable) -> Iterator[Finding]:
    """Compare the spread over languages with that of chance, for percentages of right answers."""
    if table.n_items is None or table.metric not in {"accuracy", "acc_norm", "number_match"}:
        return
    for model, row in table.values.items():
        values = np.array([value for value in row if value is not None])
        if len(values) < _FEWEST_LABELS:
            continue
        share, spread = values.mean() / 100, float(values.std(ddof=1))
        chance = 100 * float(np.sqrt(share * (1 - share) / table.n_items))
        if spread < _CONSTANT * chance:
            detail = (
                f"{values.mean():.2f} ± {spread:.2f} over {len(values)} languages, where independent answers to "
                f"{table.n_items:,} items would give ± {chance:.2f}"
            )
            yield Finding(kind="constant", where=table.name, models=(model,), detail=detail)


def _averages(table: ResultTable) -> Iterator[Finding]:
    for model, stated in table.averages.items():
        values = [value for value in table.values[model] if value is not None]
        if values and abs(stated - float(np.mean(values))) > table.tolerance + 1e-9:
            detail = f"the average is stated as {stated:.4f}, and is {np.mean(values):.4f}"
            yield Finding(kind="average", where=table.name, models=(model,), detail=detail)


def _unsegmented(table: ResultTable) -> Iterator[Finding]:
    """Compare, in tables of ROUGE, the best model of a script without spaces with the median of the others' best."""
    if not table.metric.startswith("rouge"):
        return
    best = {
        label: max((row[place] or 0.0 for row in table.values.values()), default=0.0)
        for place, label in enumerate(table.labels)
    }
    spaced = [value for label, value in best.items() if not _is_unspaced(label)]
    if not spaced:
        return
    usual = float(np.median(spaced))
    for label, value in best.items():
        if _is_unspaced(label) and value < _NOTHING * usual:
            detail = f"no model has more than {value:.2f} in {label}; {usual:.2f} is usual: words were cut at spaces"
            yield Finding(kind="unsegmented", where=table.name, models=(), detail=detail)


def _is_unspaced(label: str) -> bool:
    from emma500.languages.writing.characters import UNSPACED_SCRIPTS

    return label[-4:] in UNSPACED_SCRIPTS | {"Hans", "Hant", "Jpan", "Tibt"}
