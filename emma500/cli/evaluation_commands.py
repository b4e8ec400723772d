"""The subcommands beside `emma500 evaluate`."""

from dataclasses import dataclass
from typing import Any

from emma500.cli.command import Command, types
from emma500.configuration import option


@dataclass(frozen=True, kw_only=True, slots=True)
class ListArguments:
    """What `emma500 evaluate list` takes."""

    data_dir: str | None = option(None, "folder of benchmark files; says which are there")


def _list(arguments: ListArguments) -> Any:
    from emma500.benchmarks.listing import listing, shown

    return shown(listing(arguments.data_dir))


EVALUATION_COMMANDS: dict[str, Command] = {
    "evaluate list": Command(
        "List the benchmarks: shape, shots, metrics, where the data are.",
        "emma500 evaluate list",
        types(ListArguments),
        _list,
    ),
}
