"""Flags and files: trl's parser, with a help of one line a flag and errors that name the way out."""

import argparse
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, get_origin

from emma500.cli.command import Command
from emma500.cli.commands import COMMANDS
from emma500.errors import EmmaError, UsageError


def command_of(words: list[str]) -> tuple[str, list[str]]:
    """Split the words of a call into the command's name, of one word or two, and the rest.

    Args:
        words: As ["sources", "show", "fineweb2"].

    Returns:
        The name, as "sources show", and what follows it.

    Raises:
        UsageError: If no command has this name.
    """
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in COMMANDS:
            return name, words[length:]
    raise UsageError(f"unknown command {words[0]!r}; it is one of: {', '.join(COMMANDS)}")


def parse(name: str, command: Command, words: list[str]) -> tuple[Any, ...]:
    """Read a subcommand's flags and its configuration file.

    Args:
        name: The subcommand's name.
        command: The subcommand.
        words: The words after its name.

    Returns:
        One configuration for each of the command's types.

    Raises:
        UsageError: If a flag or a key is unknown, or a value has the wrong form.
        EmmaError: If a value breaks the rule of its configuration.
    """
    import yaml
    from trl import TrlParser

    operand = f"[{command.operand.upper()} ...] " if command.operand else ""
    parser = TrlParser(
        command.types(),
        prog=f"emma500 {name}",
        usage=f"emma500 {name} {operand}[--config FILE.yaml] [--FLAG VALUE ...]",
        description=command.summary,
        epilog=f"example: {command.example}",
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    for action in parser._actions:
        if get_origin(action.type) is dict:
            action.type = _mapping
    words = [part for word in words for part in _split_config(word)]
    if command.operand and words and not words[0].startswith("-"):
        words = [f"--{command.operand}", *words]
    try:
        chosen = _chosen_preset(words) if command.preset else ""
        if command.preset and chosen:
            parser.set_defaults_with_config(**command.preset(chosen))
        *parsed, unknown = parser.parse_args_and_config(words, return_remaining_strings=True)
    except EmmaError:
        raise
    except (ValueError, TypeError, OSError, IndexError, yaml.YAMLError) as error:
        raise UsageError(f"{name}: {error}") from error
    if unknown:
        flags = [flag for action in parser._actions for flag in action.option_strings[:1]]
        close = get_close_matches(unknown[0], flags, n=1)
        hint = f"did you mean {close[0]}?" if close else f"see: emma500 {name} --help"
        raise UsageError(f"{name}: unknown flag or key {unknown[0]!r}; {hint}")
    return tuple(parsed)


def _chosen_preset(words: list[str]) -> str:
    """Return the value of `--preset`, or of `preset` in the file that `--config` names; "" without one."""
    import yaml

    values = dict(pairwise(words))
    if "--preset" in values:
        return values["--preset"]
    if "--config" not in values:
        return ""
    found = yaml.safe_load(Path(values["--config"]).read_text(encoding="utf-8"))
    return str(found.get("preset", "")) if isinstance(found, dict) else ""


def _mapping(text: str) -> dict[str, Any]:
    """Read the value of a flag whose field is a dictionary; ArgumentTypeError if it is none."""
    import yaml

    found = yaml.safe_load(text)
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is no mapping such as {{low: 2, papers: 0.5}}")
    return found


def _split_config(word: str) -> list[str]:
    return word.split("=", 1) if word.startswith(("--config=", "--preset=")) else [word]


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """One line a flag: its name, what it is, its default."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=36, width=118)

    def add_argument(self, action: argparse.Action) -> None:
        """Leave out `--help` itself, and the `--no_…` twins of flags that are on by default."""
        if action.dest != "help" and not action.option_strings[0].startswith("--no_"):
            super().add_argument(action)

    def start_section(self, heading: str | None) -> None:
        """Leave out the headings: there is one section."""
        super().start_section(None)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        flag = action.option_strings[0]
        kinds = {int: "N", float: "X"}
        if action.choices is not None:
            return f"{flag} CHOICE"
        if action.nargs in {"?", 0}:
            return flag.replace("--", "--[no_]") if action.default is True else flag
        value = kinds.get(action.type, "VALUE") if isinstance(action.type, type) else "VALUE"
        return f"{flag} {value}{' ...' if action.nargs == '+' else ''}"

    def _get_help_string(self, action: argparse.Action) -> str:
        text = (action.help or "").replace("%", "%%")
        if action.choices is not None:
            text += f" [{'|'.join(map(str, action.choices))}]"
        default = action.default
        if (
            default is None
            or isinstance(default, bool)
            or default in ("", [], {}, argparse.SUPPRESS)
        ):
            return text
        shown = " ".join(map(str, default)) if isinstance(default, list) else default
        return f"{text} ({shown})".replace("%%", "%").replace("%", "%%")
