"""What every configuration shares: options that explain themselves, and a dictionary form.

A configuration is a frozen, keyword-only, slotted dataclass. Each field is an `option`, whose help text is at once its
documentation and the command line's help; `__post_init__` validates it.
"""

import importlib
import os
from collections.abc import Callable
from dataclasses import field, fields
from types import ModuleType
from typing import Any

from emma500.errors import ConfigError, MissingExtraError


def option(default: Any, help_text: str) -> Any:
    """Declare a configuration field with its default and its help text.

    Args:
        default: The default value; a list or a dict is copied for each instance.
        help_text: One sentence with units, shown by `--help` and in the documentation.

    Returns:
        A dataclass field.
    """
    metadata = {"help": help_text}
    if isinstance(default, list | dict):
        return field(default_factory=lambda: type(default)(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def as_dict(config: Any) -> dict[str, Any]:
    """Return the fields of a configuration by name, in their order."""
    return {each.name: getattr(config, each.name) for each in fields(config)}


def require(config: Any, name: str, rule: Callable[[Any], bool], wanted: str) -> None:
    """Check one field of a configuration.

    Args:
        config: The configuration that holds the field.
        name: The field's name.
        rule: True for a good value.
        wanted: What a good value is, completing "must be ...".

    Raises:
        ConfigError: If the value breaks the rule.
    """
    value = getattr(config, name)
    if not rule(value):
        raise ConfigError(f"{type(config).__name__}.{name} must be {wanted}, not {value!r}")


def need(module: str, extra: str) -> ModuleType:
    """Import a module that an optional extra brings.

    Args:
        module: The module's import name, as "gflanguages".
        extra: The extra of emma500 that installs it, as "demo".

    Returns:
        The imported module.

    Raises:
        MissingExtraError: If it is not installed; the message names the pip command.
        ModuleNotFoundError: If it is installed but lacks a package of its own.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.split(".")[0]:
            raise
        raise MissingExtraError(
            f"{module} is not installed; it comes with: pip install 'emma500[{extra}]'"
        ) from error


def n_cores() -> int:
    """Return how many cores this process may use; where the system does not say, how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
