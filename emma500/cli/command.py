"""What a subcommand is."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emma500.errors import UsageError


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand: what it says, what it takes and what it runs.

    Words before the first flag are the values of the field named `operand`.
    """

    summary: str
    example: str
    types: Callable[[], list[type]]
    run: Callable[..., Any]
    operand: str = ""
    preset: Callable[[str], dict[str, Any]] | None = None
    """What turns the value of `--preset` into fields that flags and files override; None without presets."""


def required(value: str, flag: str) -> str:
    """Return the value of a flag that has no default; UsageError if it is empty."""
    if not value:
        raise UsageError(f"--{flag} is required")
    return value


def confirmed(plan: str, yes: bool) -> bool:
    """Show what would be done, and ask whether to do it.

    Args:
        plan: What would be done, for standard error.
        yes: Go on without asking.

    Returns:
        Whether to go on.

    Raises:
        UsageError: If there is nobody to ask.
    """
    sys.stderr.write(plan)
    sys.stderr.flush()
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("nothing was done: add --yes to do what is shown above")
    sys.stderr.write("go on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def train_preset(name: str) -> dict[str, Any]:
    """Return the fields of a preset of training, for `Command.preset`."""
    from emma500.training.presets import preset_fields

    return preset_fields(name)


def types(first: type, config: str | None = None) -> Callable[[], list[type]]:
    """Return what loads a subcommand's own arguments and, by its public name, its configuration."""

    def load() -> list[type]:
        if config is None:
            return [first]
        import emma500

        return [first, getattr(emma500, config)]

    return load
