"""Presets of `TrainConfig`: a table of fields, each with how sure its value is."""

import json
from difflib import get_close_matches
from typing import Any

from emma500.errors import ConfigError
from emma500.tables import read_table


def preset_names() -> tuple[str, ...]:
    """Return the names of the presets, in the order of the table."""
    return tuple(dict.fromkeys(row["preset"] for row in read_table("train_presets")))


def preset_fields(name: str) -> dict[str, Any]:
    """Return the fields of `TrainConfig` that a preset sets.

    Args:
        name: As "emma500-llama2".

    Returns:
        The values by field.

    Raises:
        ConfigError: If there is no such preset.
    """
    names = preset_names()
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it is one of: {', '.join(names)}"
        raise ConfigError(f"there is no preset {name!r} of training; {hint}")
    rows = read_table("train_presets")
    return {row["field"]: json.loads(row["value"]) for row in rows if row["preset"] == name}
