"""A plan as a tree for a terminal: component, group, label; long lists are cut, the largest first."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from emma500.mixture.planning.presets import GROUPS

if TYPE_CHECKING:
    from emma500.mixture.planning.plan import MixPlan, Part
    from emma500.mixture.planning.presets import Stage

_MOST_LABELS = 8
"""Labels that are named of a group; a ninth is named, not counted."""

_Branch = tuple[str, str]


def tree(plan: "MixPlan") -> Iterator[str]:
    """Yield the lines of a plan.

    Args:
        plan: The plan.

    Yields:
        What is to be filled, the stages if there are several, then a line a component, group and label.
    """
    yield (
        f"MixPlan: {plan.n_steps:,} steps x {plan.tokens_per_step:,} tokens = {plan.n_tokens:,} {plan.unit}, "
        f"{_rule(plan.stages[0]) if len(plan.stages) == 1 else f'{len(plan.stages)} stages'}"
    )
    if len(plan.stages) > 1:
        starts = (0, *plan.stage_steps)
        for number, (stage, start, end) in enumerate(
            zip(plan.stages, starts, plan.stage_steps, strict=False), start=1
        ):
            yield f"stage {number}: steps {start + 1:,} to {end:,}, {_rule(stage)}"
    components = _grouped(plan.parts, "component")
    for number, (name, parts) in enumerate(components.items(), start=1):
        here, below = _branch("", last=number == len(components))
        yield f"{here} {name} {_sums(plan, parts)}{_counted(parts)}"
        yield from _groups(plan, parts, below)
    if plan.left_out:
        n_tokens = sum(each.n_tokens for each in plan.left_out)
        yield f"left out with weight 0: {_labels(len(plan.left_out))}, {n_tokens:,} {plan.unit}"


def _groups(plan: "MixPlan", parts: Sequence["Part"], indent: str) -> Iterator[str]:
    groups = _grouped(parts, "group")
    if len(groups) == 1:
        yield from _leaves(plan, parts, indent)
        return
    for number, (name, members) in enumerate(groups.items(), start=1):
        here, below = _branch(indent, last=number == len(groups))
        yield f"{here} {name or 'no group'} {_sums(plan, members)}{_counted(members)}"
        yield from _leaves(plan, members, below)


def _leaves(plan: "MixPlan", parts: Sequence["Part"], indent: str) -> Iterator[str]:
    ordered = sorted(parts, key=lambda part: -part.share)
    named = ordered if len(ordered) <= _MOST_LABELS + 1 else ordered[:_MOST_LABELS]
    more = ordered[len(named) :]
    for number, part in enumerate(named, start=1):
        here, _ = _branch(indent, last=number == len(named) and not more)
        sources = f" ({', '.join(part.available.sources)})" if part.available.sources else ""
        yield (
            f"{here} {part.available.chosen.label} {_shares(part)}: {part.epochs:.2f} epochs "
            f"of {part.available.n_tokens:,} {plan.unit}{sources}"
        )
    if more:
        yield f"{indent}└─ … {len(more):,} more {_sums(plan, more)}"


def _sums(plan: "MixPlan", parts: Sequence["Part"]) -> str:
    """Return what labels have together: share, how often they are read, how much there is of them."""
    if len(parts) == 1:
        return _percent(parts[0].share)
    epochs = sorted(part.epochs for part in parts)
    low, high = (f"{each:.2f}" for each in (epochs[0], epochs[-1]))
    spread = low if low == high else f"{low} to {high}"
    n_tokens = sum(part.available.n_tokens for part in parts)
    return f"{_percent(sum(part.share for part in parts))}: {spread} epochs of {n_tokens:,} {plan.unit}"


def _counted(parts: Sequence["Part"]) -> str:
    return f", {_labels(len(parts))}" if len(parts) > 1 else ""


def _shares(part: "Part") -> str:
    if len(part.stage_shares) == 1:
        return _percent(part.share)
    return f"{_percent(part.share)} [{' > '.join(_percent(each) for each in part.stage_shares)}]"


def _percent(share: float) -> str:
    """Write a share with one decimal, or with two figures where that would be nothing."""
    return f"{share:.1%}" if share >= 0.001 or not share else f"{100 * share:.2g}%"


def _rule(stage: "Stage") -> str:
    """Return a stage's mixture with what was changed of it."""
    told = [stage.mixture]
    if stage.mixture == "temperature":
        told.append(f"{stage.temperature:g}")
    for name, values in (("weights", stage.weights), ("shares", stage.shares)):
        if values:
            told.append(f"{name} {', '.join(f'{key} {value:g}' for key, value in values.items())}")
    return " ".join(told)


def _grouped(parts: Sequence["Part"], by: str) -> dict[str, list["Part"]]:
    """Return the parts by component, in the order they come, or by group, in the order of the groups."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(getattr(part.available, by), []).append(part)
    order = {name: place for place, name in enumerate(GROUPS)}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], -1)))


def _branch(indent: str, *, last: bool) -> _Branch:
    """Return the beginning of a line of the tree, and of the lines below it."""
    return (f"{indent}└─", f"{indent}   ") if last else (f"{indent}├─", f"{indent}│  ")


def _labels(n: int) -> str:
    return f"{n:,} label{'' if n == 1 else 's'}"
