"""How a mode scores: the switches of `tables/eval_modes.tsv`, which name each defect of the reference evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emma500.benchmarks.prompt_variants import OWN, most_variants
from emma500.benchmarks.prompts import MODES
from emma500.errors import ConfigError
from emma500.folder import nearest
from emma500.tables import read_table

BOTH = "both"
"""Stands for `faithful` and `fixed`, side by side."""

PROMPT = "prompt"
"""The switch that says which prompt; `prompt=all` stands for each in turn."""

_EVERY = "all"
_NUMBERS = {"rounding", "samples"}


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
        One practice a mode; with "prompt=all", one a mode and prompt.

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
    every = [str(n) for n in range(1, most_variants() + 1)]
    prompts = every if changed.get(PROMPT) == _EVERY else [changed.get(PROMPT)]
    return [
        _practice(each, changed | ({} if prompt is None else {PROMPT: prompt}))
        for each in (("faithful", "fixed") if mode == BOTH else (mode,))
        for prompt in prompts
    ]


def split_prompt(name: str) -> tuple[str, str]:
    """Return the name of a practice without its prompt, and which prompt that is.

    >>> split_prompt("fixed+prompt=2+ties=first"), split_prompt("fixed")
    (('fixed+ties=first', '2'), ('fixed', '1'))
    """
    parts = name.split("+")
    own = [part for part in parts if part.startswith(f"{PROMPT}=")]
    rest = "+".join(part for part in parts if part not in own)
    return rest, own[0].partition("=")[2] if own else OWN


def _practice(mode: str, changed: Mapping[str, str]) -> Practice:
    own = {row["switch"]: row[mode] for row in read_table("eval_modes")}
    differs = {key: value for key, value in changed.items() if own[key] != value}
    name = "+".join([mode, *(f"{key}={value}" for key, value in sorted(differs.items()))])
    return Practice(name, mode, own | dict(changed))


def _change(text: str) -> tuple[str, str]:
    switch, _, value = text.partition("=")
    rows = {row["switch"]: row for row in read_table("eval_modes")}
    if switch not in rows:
        raise ConfigError(
            f"unknown switch {switch!r}; they are {', '.join(rows)}; nearest: {nearest(switch, list(rows)) or 'none'}"
        )
    known = {rows[switch][mode] for mode in MODES}
    if switch == PROMPT and (value == _EVERY or value in map(str, range(1, most_variants() + 1))):
        return switch, value
    if value not in known and not _is_number(switch, value):
        values = ", ".join(sorted(known))
        raise ConfigError(
            f"{switch} must be one of {values}, not {value!r}: {rows[switch]['meaning']}"
        )
    return switch, value


def _is_number(switch: str, value: str) -> bool:
    """Tell whether a switch takes any number, and this is one."""
    if switch == "temperature":
        return value.replace(".", "", 1).isdecimal() and float(value) > 0
    return switch in _NUMBERS and value.isdecimal()
