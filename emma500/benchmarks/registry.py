"""Find benchmarks by name, and the labels of a benchmark by any language code."""

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from emma500.benchmarks.base import INTRINSIC, Benchmark, Data, Examples, likely_label
from emma500.benchmarks.files import TextFiles
from emma500.benchmarks.passages import Passages
from emma500.benchmarks.records import LazyRecords, Records
from emma500.benchmarks.splits import HeldOutPairs, ValidationSplit
from emma500.benchmarks.translation import ANY, Translation
from emma500.errors import ConfigError
from emma500.folder import nearest
from emma500.languages.codes import UNKNOWN_SCRIPT, Language
from emma500.languages.labels import matching
from emma500.tables import read_table

TEXT = "text"
"""The variant of a benchmark whose texts are scored as they are."""


def names() -> tuple[str, ...]:
    """Return the names of the benchmarks there are, in the table's order."""
    return tuple(row["name"] for row in read_table("benchmarks"))


def default_names(*, corpus: str | None = None) -> tuple[str, ...]:
    """Return the benchmarks that need no more than what is installed and, if given, a corpus."""
    found = ("gflanguages",) if importlib.util.find_spec("gflanguages") or not corpus else ()
    return (*found, "validation") if corpus else found


def local_names(data_dir: str | None) -> tuple[str, ...]:
    """Return the benchmarks that have a folder of their own in a folder of benchmark files."""
    if data_dir is None:
        return ()
    return tuple(name for name in names() if (Path(data_dir) / name).is_dir())


def base_name(name: str) -> str:
    """Return the name of the table that a benchmark's is made of, or the name itself.

    >>> base_name("flores200-eng-x"), base_name("xcopa-text"), base_name("verses")
    ('flores200', 'xcopa', 'verses')
    """
    return _parts(name).name


def as_text(wanted: str) -> str:
    """Return the name of a benchmark's texts, to be scored as they are."""
    asked = _parts(wanted)
    row = next((each for each in read_table("benchmarks") if each["name"] == asked.name), None)
    if row is None or asked.variant or row["shape"] == INTRINSIC:
        return wanted
    return f"{asked.name}-{TEXT}{asked.end}"


def directions(wanted: str, languages: Sequence[str] | None) -> list[str]:
    """Return the benchmarks that a name stands for.

    Args:
        wanted: As `open_benchmark` takes it. A translation benchmark without a direction stands for both with English,
            `name-x-x` for all pairs of the languages.
        languages: The languages asked for.

    Returns:
        The names; of other benchmarks, the one name.

    Raises:
        ConfigError: If all pairs are asked for without languages.
    """
    asked = _parts(wanted)
    name, variant, end = asked.name, asked.variant, asked.end
    row = next((each for each in read_table("benchmarks") if each["name"] == name), None)
    if row is None or row["shape"] != "translation":
        return [wanted]
    if variant == f"{ANY}-{ANY}":
        if not languages:
            raise ConfigError(f"{name}-{variant} needs languages to go through (languages=[…])")
        return [f"{name}-{source}-{ANY}{end}" for source in languages]
    return [wanted] if variant else [f"{name}-eng-{ANY}{end}", f"{name}-{ANY}-eng{end}"]


def open_benchmark(
    wanted: str, *, corpus: str | None = None, data_dir: str | None = None
) -> Benchmark:
    """Open a benchmark.

    Args:
        wanted: A name of the table, `name=place` with a folder or address of its files, or a folder
            of text. `name-text` takes the texts of a task as they are, `name-eng-x` the sentences of
            any benchmark that has translations as a task of translation. `name@revision` reads that branch, tag
            or commit of the Hub in the place of the table's.
        corpus: The corpus whose held-out text "validation" and "validation-pairs" are.
        data_dir: Where the files of benchmarks are: `<data_dir>/<name>`, or the folder itself.

    Returns:
        The benchmark. One of your own text is named after its folder.

    Raises:
        ConfigError: If there is no such benchmark, or it needs a corpus or a folder that is not
            given, or a revision of what is not on the Hub is asked for.
        SourceError: If its files are not there.
    """
    asked = _parts(wanted)
    if asked.name not in names() and not asked.place and Path(wanted).is_dir():
        asked = _Asked("text", place=wanted)
    name, variant = asked.name, asked.variant
    if name not in names():
        raise ConfigError(
            f"unknown benchmark {name!r}; it is one of {', '.join(names())}, or a folder of text; "
            f"nearest: {nearest(name, names()) or 'none'}"
        )
    row = next(row for row in read_table("benchmarks") if row["name"] == name)
    place = _place(asked, row, data_dir)
    if row["reader"] in {"files", "records"} and not place:
        raise ConfigError(
            f"benchmark {name!r} needs a folder: {name}=FOLDER, or data_dir (--data_dir)"
        )
    if row["reader"] in {"corpus", "pairs"} and not (place or corpus):
        raise ConfigError(f"benchmark {name!r} needs a corpus: config corpus=... (--corpus)")
    data = _data(row, place, corpus)
    shape, task = _task(row, place, data, variant)
    return Benchmark(
        name=Path(place).name if name == "text" else f"{name}-{variant}" if variant else name,
        license=row["license"],
        note=row["note"],
        sources=frozenset(row["sources"].split()) | data.sources,
        data=data,
        shape=shape,
        task=task,
        row=row if shape == row["shape"] else _translation_row(),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What `name-variant@revision=place` asks for."""

    name: str
    variant: str = ""
    revision: str = ""
    place: str = ""

    @property
    def end(self) -> str:
        """Revision and place, as they were written."""
        revision = f"@{self.revision}" if self.revision else ""
        return revision + (f"={self.place}" if self.place else "")


def _parts(wanted: str) -> _Asked:
    given, _, place = wanted.partition("=")
    given, _, revision = given.partition("@")
    for name in sorted(names(), key=len, reverse=True):
        if given == name or given.startswith(f"{name}-"):
            return _Asked(name, given[len(name) + 1 :], revision, place)
    return _Asked(given, "", revision, place)


def _data(row: Mapping[str, str], place: str, corpus: str | None) -> Data:
    match row["reader"]:
        case "gflanguages":
            return Passages()
        case "corpus":
            return ValidationSplit(place or corpus or "")
        case "pairs":
            return HeldOutPairs(place or corpus or "")
        case "records":
            return Records(row["name"], place, row)
        case _:
            return TextFiles(place, row["files"])


def _task(
    row: Mapping[str, str], place: str, data: Data, variant: str
) -> tuple[str, Examples | None]:
    """Return the shape and the items of a benchmark: its own, or those of a variant."""
    if variant == TEXT or (row["shape"] == INTRINSIC and not variant):
        return INTRINSIC, None
    if not row["form"] or (variant and "-" not in variant):
        raise ConfigError(
            f"benchmark {row['name']!r} has no {variant!r}; a benchmark with translations has eng-x, x-eng or fra-deu, "
            "and any has text"
        )
    task = data if isinstance(data, Records) else LazyRecords(row["name"], place, row)
    if row["shape"] == "translation" or variant:
        return "translation", Translation(task, variant or f"eng-{ANY}")
    return row["shape"], task


def _translation_row() -> Mapping[str, str]:
    return next(row for row in read_table("benchmarks") if row["shape"] == "translation")


def _place(asked: _Asked, row: Mapping[str, str], data_dir: str | None) -> str:
    """Return where a benchmark's files are: as asked for, in the folder of its name or its family's (mgsm), or the Hub.

    A folder that holds those of other benchmarks is not the one of this.

    Raises:
        ConfigError: If a revision is asked for of what is not on the Hub.
    """
    if asked.revision and (asked.place or not row["place"]):
        raise ConfigError(
            f"benchmark {asked.name!r} is not read from its place on the Hub, so it has no revision "
            f"{asked.revision!r}: leave out @{asked.revision}, or give {asked.name}=hf://datasets/OWNER/NAME@REVISION"
        )
    revision = asked.revision or row["revision"]
    default = asked.place or row["place"] + (f"@{quote(revision, safe='')}" if revision else "")
    if asked.place or asked.revision or data_dir is None:
        return default
    for folder in (asked.name, asked.name.partition("-")[0]):
        if (Path(data_dir) / folder).is_dir():
            return str(Path(data_dir) / folder)
    return default if local_names(data_dir) else data_dir


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
    available = (benchmark.task or benchmark.data).labels
    if benchmark.shape == "code":
        return Selection(
            tuple(each for each in available if each in (languages or ())) or available
        )
    if languages is None:
        return Selection(available)
    chosen: dict[str, None] = {}
    matched, missing = [], []
    for asked in dict.fromkeys(languages):
        label = asked if asked in available else likely_label(asked)
        found = matching(label, available) or matching(Language.parse(asked).label, available)
        if found is None:
            if isinstance(benchmark.task, Translation) and matching(label, benchmark.task.fixed):
                continue  # the side that all languages share
            close = nearest(label, available)
            missing.append({"benchmark": benchmark.name, "label": label, "nearest": close})
            continue
        chosen[found[0]] = None
        if found[0] != label.replace(UNKNOWN_SCRIPT, found[0].partition("_")[2]):
            matched.append({"benchmark": benchmark.name, "asked": asked, "label": found[0]})
    return Selection(tuple(sorted(chosen)), tuple(matched), tuple(missing))
