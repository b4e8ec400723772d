"""More replay from a step on, where a language is being forgotten.

Rows are a function of the plan, so a run whose replay is raised has two plans: that of the start until the step, and
one with another stage from there on. The streams of text go on where they were; nothing has to be remembered but the
validation results, from which the raises follow.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from emma500.mixture.packing.rows import PackedRows
from emma500.mixture.planning.plan import MixPlan
from emma500.training.config import TrainConfig
from emma500.training.validation.gate import forgotten

_SHARES = (0.05, 0.1, 0.25, 0.5)
"""What replay is raised to: 5% is enough for a weak shift, 25% for another language (arXiv 2403.08763)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Raise:
    """Replay that was raised: after which step, to which share of the tokens, and what was lost by then."""

    step: int
    share: float
    lost: Mapping[str, float]

    def row(self) -> dict[str, Any]:
        """Return it as the manifest holds it."""
        return {"step": self.step, "replay_share": self.share, "lost": dict(self.lost)}


def raises(
    results: Sequence[Mapping[str, Any]],
    last: int,
    watched: Collection[str],
    *,
    limit: float,
    plan: MixPlan,
) -> list[Raise]:
    """Return where replay is raised: where a language lost more than it may, and more than at the raise before.

    Args:
        results: Validation results.
        last: Steps after it are not looked at.
        watched: Labels of the languages the base knows.
        limit: The share of bits per byte that may be lost.
        plan: The plan of the start.

    Returns:
        The raises, by step; none beyond a share of one half.
    """
    share = sum(each.share for each in plan.parts if each.available.chosen.replay)
    found: list[Raise] = []
    worst = 0.0
    for step in sorted({row["step"] for row in results if 0 < row["step"] <= last}):
        lost = forgotten(results, step, watched, limit)
        larger = [each for each in _SHARES if each > share + 1e-9]
        if lost and larger and max(lost.values()) > worst and step < plan.n_steps:
            share, worst = larger[0], max(lost.values())
            found.append(Raise(step=step, share=share, lost=lost))
    return found


def with_replay(
    config: TrainConfig, plan: MixPlan, trained: Collection[str], raised: Sequence[Raise]
) -> TrainConfig:
    """Return the configuration whose plan has more replay from some steps on.

    Languages that were lost are replayed from there on, beside those that were replayed already, unless they are
    trained on anyway.

    Args:
        config: The configuration of the start.
        plan: Its plan.
        trained: Labels that are trained on, not replayed.
        raised: The raises, by step.

    Returns:
        A configuration with a stage for every stretch between raises.
    """
    replayed = {each.available.chosen.label for each in plan.parts if each.available.chosen.replay}
    added = {label for each in raised for label in each.lost} - set(trained) - replayed
    before = sum(each.share for each in plan.parts if each.available.chosen.replay)
    shares = [before, *(each.share for each in raised)]
    cuts = [each.step / plan.n_steps for each in raised]
    stages = []
    for start, end, stage in _stretches(config.stages or [{"share": 1.0}], cuts):
        part = bisect_right(cuts, start + 1e-12)
        changed = {**stage, "share": end - start}
        if part:
            changed["replay_share"] = max(shares[part], stage.get("replay_share", 0.0))
        else:
            changed["replay_share"] = stage.get("replay_share", before)
            changed["weights"] = {
                **config.weights,
                **stage.get("weights", {}),
                **dict.fromkeys(added, 0.0),
            }
        stages.append(changed)
    return replace(
        config,
        max_steps=plan.n_steps,
        replay_languages=sorted(replayed | added),
        replay_share=config.replay_share or None,
        stages=stages,
    )


def _stretches(
    stages: Sequence[Mapping[str, Any]], cuts: Sequence[float]
) -> list[tuple[float, float, Mapping[str, Any]]]:
    """Return the stages cut at some places, each stretch with its start, its end and its stage."""
    ends = [sum(each["share"] for each in stages[: n + 1]) for n in range(len(stages))]
    places = sorted({0.0, 1.0, *cuts, *ends[:-1]})
    return [
        (start, end, stages[min(bisect_right(ends, start + 1e-12), len(stages) - 1)])
        for start, end in pairwise(places)
    ]


class Switched:
    """Rows of several plans, one after another.

    Args:
        parts: The rows of each plan, all of one length.
        starts: The first row that each gives; the first is 0.
    """

    def __init__(self, parts: Sequence[PackedRows], starts: Sequence[int]) -> None:
        self.parts = parts
        self.starts = starts
        self.plan = parts[-1].plan
        self.packing = parts[-1].packing

    def __len__(self) -> int:
        return len(self.parts[-1])

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """Return row `index`, as `PackedRows` does."""
        return self.parts[bisect_right(self.starts, index) - 1][index]

    def seen(self, first: int, stop: int) -> dict[tuple[str, str], int]:
        """Return how many tokens of each label some rows predict, as `PackedRows.seen` does.

        Args:
            first: The first row.
            stop: The row after the last one.

        Returns:
            Tokens by component and label.
        """
        total: Counter[tuple[str, str]] = Counter()
        ends = [*self.starts[1:], len(self)]
        for part, start, end in zip(self.parts, self.starts, ends, strict=True):
            low, high = max(start, first), min(end, stop)
            if low < high:
                total.update(part.seen(low, high))
        return dict(total)

    @property
    def n_tokens_trained(self) -> list[int]:
        """How many tokens of each part of the last plan all rows predict."""
        seen = self.seen(0, len(self))
        chosen = [each.available.chosen for each in self.plan.parts]
        return [seen.get((each.component, each.label), 0) for each in chosen]
