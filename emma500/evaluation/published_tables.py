"""The published tables by language, from a copy of the authors' `evaluation_results` folder."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from emma500.errors import SourceError
from emma500.evaluation.published import PublishedMetric, published_metrics
from emma500.tables import read_table

_NO_LANGUAGE = ("stderr", "acc_norm")


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultTable:
    """Results by model and language, whatever their origin.

    Attributes:
        name: What it is called in messages.
        metric: As "rouge_l".
        labels: The languages, as they are named there.
        values: One number a language, by model; None where there is none.
        averages: The average that is stated of a model.
        tolerance: By how much rounding alone may move an average.
        n_items: Items a language, if they are as many for all.
    """

    name: str
    metric: str
    labels: tuple[str, ...]
    values: dict[str, tuple[float | None, ...]]
    averages: dict[str, float]
    tolerance: float = 0.0
    n_items: int | None = None


def read_published(folder: str | Path) -> list[ResultTable]:
    """Read the published tables by language.

    Args:
        folder: The authors' `evaluation_results`, with its sub-folders.

    Returns:
        The tables, in the order of `published_metrics`, models under their names in `published.tsv`.

    Raises:
        SourceError: If a file is not there or is not as published.
    """
    return [_read(Path(folder) / metric.file, metric) for metric in published_metrics()]


def _read(path: Path, metric: PublishedMetric) -> ResultTable:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = csv.reader(lines)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise SourceError(f"{path} is not there as it was published: {error}") from error
    places = [place for place, head in enumerate(header) if place > 1 and _is_language(head)]
    if len(places) != metric.n_labels:
        raise SourceError(f"{path} must have {metric.n_labels} languages, and has {len(places)}")
    names = _names()
    averages = {names.get(row[0], row[0]): row[1] for row in rows}
    cells = [row[place] for row in rows for place in places]
    return ResultTable(
        name=metric.column,
        metric=metric.metric,
        labels=tuple(header[place].removesuffix("-acc") for place in places),
        values={
            names.get(row[0], row[0]): tuple(_number(row[place], metric.scale) for place in places)
            for row in rows
        },
        averages={name: float(text) * metric.scale for name, text in averages.items()},
        tolerance=(_rounding(averages.values()) + _rounding(cells)) * metric.scale,
        n_items=metric.n_items,
    )


def _is_language(head: str) -> bool:
    return bool(head) and head != "acc" and not any(part in head for part in _NO_LANGUAGE)


def _number(cell: str, scale: float) -> float | None:
    return float(cell) * scale if cell else None


def _rounding(cells: Iterable[str]) -> float:
    """Return half a unit of the last decimal that numbers are written with."""
    decimals = max((len(cell.partition(".")[2]) for cell in cells), default=0)
    return float(0.5 * 10.0 ** -min(decimals, 9))


@cache
def _names() -> dict[str, str]:
    """Return the name of a model by each of its names."""
    return {
        also: row["model"]
        for row in read_table("published")
        for also in row["also"].split("|")
        if also
    }
