"""Two models beside each other, texts and tasks in one table: by language, with what many tests at once leave."""

from collections import Counter
from collections.abc import Collection
from math import erfc, sqrt
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from emma500.errors import UsageError
from emma500.evaluation.comparison import MEAN
from emma500.evaluation.headline import first_metrics
from emma500.evaluation.lines import table_lines
from emma500.evaluation.measures import compare_measures
from emma500.evaluation.metrics import LOWER_IS_BETTER
from emma500.evaluation.significance import OVERALL, benjamini_hochberg, holm
from emma500.languages.labels import resource_group

if TYPE_CHECKING:
    import pandas as pd

    from emma500.evaluation.scores import Scores

LEVEL = 0.05
"""Adjusted p-values below it count as a difference."""

_NORMAL = 1.96
_SETTINGS = (
    "shots",
    "seed",
    "max_length",
    "max_prompt",
    "max_new_tokens",
    "dtype",
    "bf16",
    "bertscore",
)
"""What decides a score beside model, data and mode."""

_COLUMNS = (
    "benchmark", "mode", "metric", "label", "resource_group", "n", "before", "after", "difference", "low", "high",
    "p_value", "p_holm", "p_fdr", "better",
)  # fmt: skip


def compare_scores(
    after: "Scores", before: "Scores", *, metrics: Collection[str] | None = None
) -> "pd.DataFrame":
    """Compare two models on all documents and items that both scored.

    Args:
        after: The scores of the model in question.
        before: Those of the other one.
        metrics: Only these; None for the first metric of each benchmark.

    Returns:
        One row a benchmark, mode, metric and language, then one of the mean over languages ("all"). `difference` is
        after minus before, `low` and `high` bound it with 95%; `p_value` is McNemar's exact one where items are right
        or wrong, that of a permutation test elsewhere, of texts that of a paired normal test; `p_holm` and `p_fdr` are
        adjusted for the number of languages. `better` says which is, where `p_fdr` is below 0.05.
        `frame.attrs["unlike"]` says what is not the same in both (`unlike`).

    Raises:
        UsageError: If they share neither a document nor an item.
    """
    import pandas as pd

    wanted: Collection[str | tuple[str, str]] = (
        first_metrics(after.manifest) if metrics is None else metrics
    )
    rows: list[dict[str, Any]] = []
    if len(after.details) and len(before.details):
        rows += _texts(after, before)
    if len(after.measures) and len(before.measures):
        rows += _tasks(after, before, wanted)
    rows = [
        row for row in rows if row["metric"] in wanted or (row["benchmark"], row["metric"]) in wanted
    ]  # fmt: skip
    if not rows:
        raise UsageError(
            "the two scores share neither a document nor an item of these metrics: evaluate both models on the same "
            "benchmarks, languages and mode"
        )
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    frame.attrs["unlike"] = unlike(after, before)
    return frame


def unlike(after: "Scores", before: "Scores") -> list[str]:
    """Return what two scores do not have in common beside the model, which may be why they differ.

    Args:
        after: The scores of the model in question.
        before: Those of the other one.

    Returns:
        A line a setting, as "shots: 3 after, none given before"; and one a benchmark whose data or prompts are others.
    """
    one, other = after.manifest["config"], before.manifest["config"]
    lines = [
        f"{name}: {_given(one.get(name))} after, {_given(other.get(name))} before"
        for name in _SETTINGS
        if one.get(name) != other.get(name)
    ]
    if lines or one.get("limit") != other.get("limit"):  # what data are known by depends on them
        return lines
    mine, theirs = (
        {(row["benchmark"], row["mode"], row["label"]): row["data_revision"] for row in each.rows}
        for each in (after, before)
    )
    changed = [key for key, revision in mine.items() if theirs.get(key, revision) != revision]
    counts = Counter(f"{benchmark} ({mode})" for benchmark, mode, _ in changed)
    return [f"{name}: other data or prompts in {n:,} languages" for name, n in counts.items()]


def _given(value: Any) -> str:
    return "none given" if value is None else str(value)


def shown_comparison(frame: "pd.DataFrame", names: tuple[str, str], *, most: int = 20) -> str:
    """Return a comparison as lines to read: the means, then the languages that differ.

    Args:
        frame: That of `compare_scores`.
        names: What the two models are called: after, before.
        most: How many languages of a benchmark are shown at most, those with the largest differences.
    """
    rows = frame.to_dict("records")
    means = [row for row in rows if row["label"] == OVERALL]
    lines = [f"{names[0]} against {names[1]}: difference [95%], means over languages"]
    lines += [f"  not the same in both: {each}" for each in frame.attrs.get("unlike", ())]
    lines += table_lines(
        ("benchmark", "mode", "metric", "before", "after", "difference", "p", "items"),
        [[*_named(row), *_values(row), _p(row["p_value"]), f"{row['n']:,}"] for row in means],
    )
    for mean in means:
        key = _named(mean)
        own = [row for row in rows if _named(row) == key and row["label"] != OVERALL]
        lines += ["", *_languages(own, mean, most=most)]
    return "\n".join(lines)


def _languages(own: list[dict[str, Any]], mean: dict[str, Any], *, most: int) -> list[str]:
    better, worse = (sum(row["better"] == which for row in own) for which in ("after", "before"))
    shown = sorted(own, key=lambda row: -abs(_gap(row)))[:most]
    shown.sort(key=lambda row: (-_gap(row), row["label"]))
    rest = f"; the {most} largest" if len(own) > most else ""
    return [
        f"{mean['benchmark']} ({mean['mode']}), {mean['metric']}: better in {better:,} and worse in {worse:,} of "
        f"{len(own):,} languages (p_fdr < {LEVEL}){rest}",
        *table_lines(
            ("label", "group", "before", "after", "difference", "p", "p_fdr", "items", ""),
            [
                [row["label"], row["resource_group"], *_values(row), _p(row["p_value"]), _p(row["p_fdr"]),
                 f"{row['n']:,}", {"after": "better", "before": "worse"}.get(row["better"], "")]
                for row in shown
            ],
        ),
    ]  # fmt: skip


def _tasks(
    after: "Scores", before: "Scores", wanted: Collection[str | tuple[str, str]]
) -> list[dict[str, Any]]:
    pairs = zip(
        *(after.measures[name].to_pylist() for name in ("benchmark", "metric")), strict=True
    )
    measures = after.measures.filter(
        pa.array([each in wanted or each[1] in wanted for each in pairs])
    )
    try:
        found = compare_measures(measures, before.measures).to_dict("records")
    except UsageError:
        return []
    rows = []
    for row in found:
        p = row["p_value"] if _missing(row["p_exact"]) else row["p_exact"]
        is_code = row["label"] != OVERALL and "_" not in row["label"]
        group = "" if row["label"] == OVERALL or is_code else resource_group(row["label"])
        rows.append(_judged({**row, "p_value": p, "resource_group": group}))
    return rows


def _texts(after: "Scores", before: "Scores") -> list[dict[str, Any]]:
    try:
        found = after.compare(before).to_dict("records")
    except UsageError:
        return []
    rows: list[dict[str, Any]] = []
    for benchmark in dict.fromkeys(row["benchmark"] for row in found):
        own = [row for row in found if row["benchmark"] == benchmark]
        labels = [row for row in own if row["label"] != MEAN]
        tests = [_normal_p(row) for row in labels]
        rows += [
            _text_row(row, *found)
            for row, *found in zip(
                labels, tests, holm(tests), benjamini_hochberg(tests), strict=True
            )
        ]
        mean = next(row for row in own if (row["label"], row["resource_group"]) == (MEAN, "all"))
        rows.append(
            _text_row({**mean, "label": OVERALL, "resource_group": ""}, *[_normal_p(mean)] * 3)
        )
    return rows


def _text_row(row: dict[str, Any], p: float | None, *adjusted: float | None) -> dict[str, Any]:
    reach = _NORMAL * row["stderr"]
    found = {"mode": "fixed", "metric": "bits_per_byte", "p_value": p}
    found |= {"low": row["difference"] - reach, "high": row["difference"] + reach}
    return _judged({**row, **found, **dict(zip(("p_holm", "p_fdr"), adjusted, strict=True))})


def _judged(row: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a row, with which model is better where that is more than chance."""
    gain = row["difference"]
    if row["metric"] in LOWER_IS_BETTER and not _missing(gain):
        gain = -gain
    is_found = not _missing(row["p_fdr"]) and row["p_fdr"] < LEVEL and not _missing(gain)
    better = ("after" if gain > 0 else "before") if is_found and gain else ""
    return {name: row[name] for name in _COLUMNS[:-1]} | {"better": better}


def _normal_p(row: dict[str, Any]) -> float | None:
    """Return the two-sided p-value of a difference by its paired standard error."""
    if _missing(row["stderr"]):
        return None
    if row["stderr"] == 0:
        return 1.0 if row["difference"] == 0 else 0.0
    return erfc(abs(row["difference"]) / row["stderr"] / sqrt(2))


def _named(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["benchmark"], row["mode"], row["metric"]


def _values(row: dict[str, Any]) -> list[str]:
    bounds = "" if _missing(row["low"]) else f" [{row['low']:+.3f}, {row['high']:+.3f}]"
    values = ("-" if _missing(row[name]) else f"{row[name]:.3f}" for name in ("before", "after"))
    change = "-" if _missing(row["difference"]) else f"{row['difference']:+.3f}{bounds}"
    return [*values, change]


def _p(value: float | None) -> str:
    if value is None or _missing(value):
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _gap(row: dict[str, Any]) -> float:
    """Return a difference to sort by; 0 where nothing was evaluated, as of programs that were not run."""
    return 0.0 if _missing(row["difference"]) else float(row["difference"])


def _missing(value: Any) -> bool:
    return value is None or value != value
