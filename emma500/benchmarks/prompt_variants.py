"""Other prompts of a benchmark: how much of a score is the prompt's."""

from dataclasses import replace
from functools import cache
from typing import Any

from emma500.benchmarks.prompts import Prompt
from emma500.errors import ConfigError
from emma500.tables import read_table

OWN = "1"
"""The number of a mode's own prompt."""

_PARTS = ("header", "shot", "between", "query", "choice")


def variants(name: str) -> tuple[str, ...]:
    """Return the numbers of the prompts that a row of `tables/prompts.tsv` has: its own, and its variants.

    >>> variants("sib200"), variants("open")
    (('1', '2', '3', '4', '5'), ('1',))
    """
    return (OWN, *_table().get(name, {}))


def most_variants() -> int:
    """Return how many prompts the benchmark with most of them has."""
    return 1 + max(map(len, _table().values()))


def varied(prompt: Prompt, number: str) -> Prompt:
    """Return a variant of a prompt.

    Args:
        prompt: The prompt of a mode, whose delimiter, stops, labels and words stay.
        number: Which one, as "2"; "1" is the prompt itself.

    Returns:
        The variant.

    Raises:
        ConfigError: If it has no such variant.
    """
    if number == OWN:
        return prompt
    found = _table().get(prompt.name, {}).get(number)
    if found is None:
        raise ConfigError(
            f"the prompt {prompt.name} has no variant {number!r}; it has {', '.join(variants(prompt.name))}"
        )
    return replace(prompt, **found)


@cache
def _table() -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in read_table("prompt_variants"):
        parts = {part: row[part].replace("\\n", "\n") for part in _PARTS}
        found.setdefault(row["prompt"], {})[row["variant"]] = parts
    return found
