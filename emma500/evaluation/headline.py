"""Which metric stands for a benchmark where one is shown."""

from collections.abc import Mapping
from typing import Any


def first_metrics(manifest: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the metric that stands for each benchmark: the first one, in every mode.

    Modes may measure differently: translations have spBLEU in the paper's and BLEU in the fixed one, programs pass@1
    at one temperature and at another.

    Args:
        manifest: That of scores.

    Returns:
        (benchmark, metric), one or several a benchmark.
    """
    first: dict[tuple[str, str], str] = {}
    for row in manifest["results"]:
        first.setdefault((row["benchmark"], row.get("mode") or ""), row["metric"])
    return {(benchmark, metric) for (benchmark, _), metric in first.items()}
