"""How much of a score is the prompt's: the values of a benchmark under several prompts, and their spread.

evaluate(model, ["sib200"], config=EvalConfig(switches=["prompt=all"])) asks with each prompt that there is.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from emma500.errors import UsageError
from emma500.evaluation.headline import first_metrics
from emma500.evaluation.lines import table_lines
from emma500.evaluation.tasks.practice import split_prompt

if TYPE_CHECKING:
    import pandas as pd

    from emma500.evaluation.scores import Scores

OVERALL = "all"
"""The label of the mean over languages."""


def prompt_spread(scores: "Scores") -> "pd.DataFrame":
    """Return how far the prompts of a benchmark are apart, by language and for the mean over languages.

    Args:
        scores: Scores with several prompts (`EvalConfig(switches=["prompt=all"])`).

    Returns:
        One row a benchmark, mode, metric and label ("all" is the mean over languages, first): n_prompts, mean, stdev
        over prompts, lowest and highest value with the prompts that have them, spread (highest minus lowest), and
        stderr, the mean standard error of one value over items: a spread not much larger may be chance.

    Raises:
        UsageError: If no benchmark was asked with more than one prompt.
    """
    import pandas as pd

    rows = spread_rows(scores.manifest)
    if not rows:
        raise UsageError(
            "no benchmark was asked with several prompts: evaluate with switches=['prompt=all'] (--switches prompt=all)"
        )
    return pd.DataFrame(rows)


def spread_rows(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of `prompt_spread`, of the manifest of scores; none where there is one prompt."""
    means = [row | {"label": OVERALL} for row in manifest["aggregates"] if row["group"] == "all"]
    found: dict[tuple[str, str, str, str], list[tuple[str, Mapping[str, Any]]]] = {}
    for row in [*means, *manifest["results"]]:
        mode, prompt = split_prompt(row.get("mode") or "")
        if row["value"] is not None:
            key = (row["benchmark"], mode, row["metric"], row["label"])
            found.setdefault(key, []).append((prompt, row))
    return [_row(key, members) for key, members in found.items() if len(members) > 1]


def shown_spread(manifest: Mapping[str, Any]) -> Iterable[str]:
    """Yield a line a benchmark with several prompts: where its mean over languages lies."""
    first = first_metrics(manifest)
    for row in spread_rows(manifest):
        if row["label"] == OVERALL and (row["benchmark"], row["metric"]) in first:
            yield (
                f"  {row['benchmark']} ({row['mode']}), {row['metric']} under {row['n_prompts']} prompts: "
                f"{row['lowest']:.3f} (prompt {row['lowest_prompt']}) to {row['highest']:.3f} "
                f"(prompt {row['highest_prompt']}), standard deviation {row['stdev']:.3f}"
            )


def shown_prompts(frame: "pd.DataFrame") -> str:
    """Return the means over languages of `prompt_spread` as lines to read, the prompts' numbers in brackets."""
    heads = (
        "benchmark", "mode", "metric", "prompts", "mean", "stdev", "lowest", "highest", "spread", "stderr",
    )  # fmt: skip
    rows = [
        (row["benchmark"], row["mode"], row["metric"], str(row["n_prompts"]),
         *(f"{row[name]:.3f}" for name in ("mean", "stdev")),
         *(f"{row[name]:.3f} ({row[f'{name}_prompt']})" for name in ("lowest", "highest")),
         f"{row['spread']:.3f}", "-" if row["stderr"] != row["stderr"] else f"{row['stderr']:.3f}")
        for row in frame[frame["label"] == OVERALL].to_dict("records")
    ]  # fmt: skip
    return "\n".join(table_lines(heads, rows))


def _row(
    key: tuple[str, str, str, str], members: list[tuple[str, Mapping[str, Any]]]
) -> dict[str, Any]:
    benchmark, mode, metric, label = key
    values = [float(row["value"]) for _, row in members]
    errors = [row["stderr"] for _, row in members if row["stderr"] is not None]
    lowest, highest = int(np.argmin(values)), int(np.argmax(values))
    return {
        "benchmark": benchmark,
        "mode": mode,
        "metric": metric,
        "label": label,
        "n_prompts": len(members),
        "mean": float(np.mean(values)),
        "stdev": float(np.std(values, ddof=1)),
        "lowest": values[lowest],
        "lowest_prompt": members[lowest][0],
        "highest": values[highest],
        "highest_prompt": members[highest][0],
        "spread": values[highest] - values[lowest],
        "stderr": float(np.mean(errors)) if errors else float("nan"),
    }
