"""Find benchmarks by name, and the labels of a benchmark by any language code."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emma500.benchmarks.base import Benchmark, Data, likely_label
from emma500.benchmarks.files import TextFiles
from emma500.benchmarks.passages import Passages
from emma500.benchmarks.splits import HeldOutPairs, ValidationSplit
from emma500.errors import ConfigError
from emma500.folder import nearest
from emma500.languages.codes import UNKNOWN_SCRIPT, Language
from emma500.languages.labels import matching
from emma500.tables import read_table


def names() -> tuple[str, ...]:
    """Return the names of the benchmarks there are, in the table's order."""
    return tuple(row["name"] for row in read_table("benchmarks"))


def default_names(*, corpus: str | None = None) -> tuple[str, ...]:
    """Return the benchmarks that need no more than what is installed and, if given, a corpus."""
    found = ("gflanguages",) if importlib.util.find_spec("gflanguages") or not corpus else ()
    return (*found, "validation") if corpus else found


def open_benchmark(
    wanted: str, *, corpus: str | None = None, data_dir: str | None = None
) -> Benchmark:
    """Open a benchmark.

    Args:
        wanted: A name of the table, `name=place` with a folder or address of its files, or a folder
            of text.
        corpus: The corpus whose held-out text "validation" and "validation-pairs" are.
        data_dir: Where the files of benchmarks are: `<data_dir>/<name>`, or the folder itself.

    Returns:
        The benchmark. One of your own text is named after its folder.

    Raises:
        ConfigError: If there is no such benchmark, or it needs a corpus or a folder that is not
            given.
    """
    name, _, place = wanted.partition("=")
    if name not in names() and not place and Path(wanted).is_dir():
        name, place = "text", wanted
    if name not in names():
        raise ConfigError(
            f"unknown benchmark {name!r}; it is one of {', '.join(names())}, or a folder of text; "
            f"nearest: {nearest(name, names()) or 'none'}"
        )
    row = next(row for row in read_table("benchmarks") if row["name"] == name)
    place = place or _place(name, row["place"], data_dir)
    if row["reader"] == "files" and not place:
        raise ConfigError(
            f"benchmark {name!r} needs a folder: {name}=FOLDER, or data_dir (--data_dir)"
        )
    if row["reader"] in {"corpus", "pairs"} and not (place or corpus):
        raise ConfigError(f"benchmark {name!r} needs a corpus: config corpus=... (--corpus)")
    data: Data
    match row["reader"]:
        case "gflanguages":
            data = Passages()
        case "corpus":
            data = ValidationSplit(place or corpus or "")
        case "pairs":
            data = HeldOutPairs(place or corpus or "")
        case _:
            data = TextFiles(place, row["files"])
    return Benchmark(
        name=Path(place).name if name == "text" else name,
        license=row["license"],
        note=row["note"],
        sources=frozenset(row["sources"].split()) | data.sources,
        data=data,
    )


def _place(name: str, default: str, data_dir: str | None) -> str:
    if data_dir is None:
        return default
    inside = Path(data_dir) / name
    return str(inside) if inside.is_dir() else data_dir


@dataclass(frozen=True, slots=True)
class Selection:
    """The labels of a benchmark that languages asked for stand for.

    `matched` says which asked label another one stands for (macrolanguage and member); `missing`
    lists what has no data.
    """

    labels: tuple[str, ...]
    matched: tuple[dict[str, str], ...] = field(default=())
    missing: tuple[dict[str, str], ...] = field(default=())


def select(benchmark: Benchmark, languages: Sequence[str] | None) -> Selection:
    """Choose the labels of a benchmark.

    Args:
        benchmark: The benchmark.
        languages: Codes or labels of any convention; None for all.

    Returns:
        The labels, what stands for what, and what is missing with the nearest labels.

    Raises:
        LanguageError: If a code names no language.
    """
    available = benchmark.data.labels
    if languages is None:
        return Selection(available)
    chosen: dict[str, None] = {}
    matched, missing = [], []
    for asked in dict.fromkeys(languages):
        label = asked if asked in available else likely_label(asked)
        found = matching(label, available) or matching(Language.parse(asked).label, available)
        if found is None:
            close = nearest(label, available)
            missing.append({"benchmark": benchmark.name, "label": label, "nearest": close})
            continue
        chosen[found[0]] = None
        if found[0] != label.replace(UNKNOWN_SCRIPT, found[0].partition("_")[2]):
            matched.append({"benchmark": benchmark.name, "asked": asked, "label": found[0]})
    return Selection(tuple(sorted(chosen)), tuple(matched), tuple(missing))
