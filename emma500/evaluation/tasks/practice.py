"""How a mode scores: the switches of `tables/eval_modes.tsv`, which name each defect of the reference evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emma500.benchmarks.prompts import MODES
from emma500.errors import ConfigError
from emma500.folder import nearest
from emma500.tables import read_table

BOTH = "both"
"""Stands for `faithful` and `fixed`, side by side."""


@dataclass(frozen=True, slots=True)
class Practice:
    """One way to score.

    Attributes:
        name: What the results call it: the mode, and the switches that differ from it.
        mode: Whose prompts it takes.
        switches: The value of each switch.
    """

    name: str
    mode: str
    switches: Mapping[str, str]

    def __getitem__(self, switch: str) -> str:
        """Return the value of a switch."""
        return self.switches[switch]


def practices(mode: str, changes: Sequence[str] = ()) -> list[Practice]:
    """Return how a mode scores.

    Args:
        mode: "fixed", "faithful", "lm-eval", or "both" for the first two.
        changes: Switches that differ from the mode, as "label_scoring=last_piece".

    Returns:
        One practice a mode.

    Raises:
        ConfigError: If there is no such mode or switch, or no such value of it.

    >>> [each.name for each in practices("both")]
    ['faithful', 'fixed']
    >>> practices("fixed", ["ties=first"])[0]["ties"]
    'first'
    """
    if mode not in (*MODES, BOTH):
        raise ConfigError(f"unknown mode {mode!r}; it is one of {', '.join(MODES)}, {BOTH}")
    changed = dict(map(_change, changes))
    found = []
    for each in ("faithful", "fixed") if mode == BOTH else (mode,):
        own = {row["switch"]: row[each] for row in read_table("eval_modes")}
        differs = {key: value for key, value in changed.items() if own[key] != value}
        name = "+".join([each, *(f"{key}={value}" for key, value in sorted(differs.items()))])
        found.append(Practice(name, each, own | changed))
    return found


def _change(text: str) -> tuple[str, str]:
    switch, _, value = text.partition("=")
    rows = {row["switch"]: row for row in read_table("eval_modes")}
    if switch not in rows:
        raise ConfigError(
            f"unknown switch {switch!r}; they are {', '.join(rows)}; nearest: {nearest(switch, list(rows)) or 'none'}"
        )
    known = {rows[switch][mode] for mode in MODES}
    if value not in known and not (switch in {"rounding", "samples"} and value.isdecimal()):
        values = ", ".join(sorted(known))
        raise ConfigError(
            f"{switch} must be one of {values}, not {value!r}: {rows[switch]['meaning']}"
        )
    return switch, value
