"""The command line: a thin shell over the public functions.

Flags are named as in TrainingArguments and trl; `--config run.yaml` gives defaults that flags override, and an unknown
key or flag is an error (trl's parser). Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

import logging
import os
import sys
from collections.abc import Sequence

from emma500._version import __version__
from emma500.cli.commands import COMMANDS
from emma500.cli.parsing import command_of, parse
from emma500.errors import EmmaError, StoppedError, UsageError
from emma500.processes import is_first_process


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The words after the program's name; `sys.argv` by default.

    Returns:
        The exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    Raises:
        EmmaError: Only with `--debug`, so that the traceback shows; as for any other error.
    """
    # On a shared machine threads that spin for long cost tenfold; threads that never spin cost a third on a free one.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(message)s")
    if not words or words[0] in {"-h", "--help", "help"}:
        sys.stdout.write(_screen())
        return 0 if words else 2
    if words[0] == "--version":
        sys.stdout.write(f"emma500 {__version__}\n")
        return 0
    try:
        return _dispatch(words)
    except EmmaError as error:
        if debug:
            raise
        return _fail(str(error), 2 if isinstance(error, UsageError) else 1)
    except StoppedError as error:
        return _fail(str(error), 0)
    except KeyboardInterrupt:
        return _fail("interrupted; run the same command again to go on from here", 130)
    except Exception as error:
        if debug:
            raise
        return _fail(
            f"{type(error).__name__}: {error} (run again with --debug for the traceback)", 1
        )


def run() -> None:
    """Run the command line and leave the process with its exit status."""
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    if "daft" in sys.modules:
        os._exit(status)  # after a failed query the engine's threads may abort an ordinary exit
    sys.exit(status)


def _dispatch(words: list[str]) -> int:
    name, rest = command_of(words)
    result = COMMANDS[name].run(*parse(name, COMMANDS[name], rest))
    if result != "" and is_first_process():
        sys.stdout.write(f"{result}\n")
    return 0


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"emma500: {' '.join(message.split())}\n")
    return status


def _screen() -> str:
    told = {
        name: each.summary
        for name, each in COMMANDS.items()
        if name.split()[0] not in COMMANDS or " " not in name
    }
    more = {
        name: [other.split()[1] for other in COMMANDS if other.startswith(f"{name} ")]
        for name in told
    }
    width = max(map(len, told))
    lines = [
        f"  {name:<{width}}  {summary}" + (f" More: {', '.join(more[name])}." if more[name] else "")
        for name, summary in told.items()
    ]
    return "\n".join(
        [
            "usage: emma500 COMMAND [--config FILE.yaml] [--FLAG VALUE ...]",
            "",
            "Teach existing language models hundreds of languages, and prove it.",
            "",
            *lines,
            "",
            "  emma500 COMMAND --help   its flags and an example",
            "  --debug                  show the traceback of an error",
            "  --version                show the version",
            "",
            f"example: {COMMANDS['build'].example}",
            "",
        ]
    )
