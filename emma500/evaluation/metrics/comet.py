"""COMET, read from a file: unbabel-comet cannot be installed beside the current transformers.

Score in an environment of its own, and read what it wrote:

    comet-score -s src.txt -t out.txt -r ref.txt --to_json comet.json
"""

import json
import re
from pathlib import Path

from emma500.errors import SourceError
from emma500.evaluation.metrics.measured import Measured, mean_of

_SEGMENT = re.compile(r"Segment\s+(\d+)\s+score:\s*(-?[\d.]+(?:[eE]-?\d+)?)")


def read_comet(path: str | Path, *, n: int | None = None, column: str = "COMET") -> Measured:
    """Read the COMET scores of segments.

    Args:
        path: The file that `comet-score --to_json` wrote, or its standard output ("... Segment 0 score: 0.8134").
        n: How many segments there must be.
        column: The key of the score in the JSON file.

    Returns:
        One value a segment, in COMET's own scale.

    Raises:
        SourceError: If the file is not there, holds no scores, those of several outputs, or not n of them.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"no COMET scores can be read from {path}: {error}") from error
    values = _from_json(text, column, path) if text.lstrip()[:1] in {"{", "["} else _printed(text)
    if not values or (n is not None and len(values) != n):
        wanted = "scores of segments" if n is None else f"{n:,} scores of segments"
        raise SourceError(
            f"{path} must hold {wanted}, and has {len(values):,}: write it with comet-score --to_json"
        )
    return mean_of("comet", values, unit="COMET")


def _from_json(text: str, column: str, path: str | Path) -> list[float]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise SourceError(f"{path} is no JSON: {error}") from error
    if isinstance(found, dict):
        if len(found) != 1:
            raise SourceError(
                f"{path} holds the scores of {len(found)} outputs ({', '.join(found)}): score one at a time"
            )
        found = next(iter(found.values()))
    try:
        return [float(row[column]) for row in found]
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(
            f"{path}: every segment needs a number under {column!r} ({error!r})"
        ) from error


def _printed(text: str) -> list[float]:
    found = {int(place): float(score) for place, score in _SEGMENT.findall(text)}
    return [found[place] for place in sorted(found)]
