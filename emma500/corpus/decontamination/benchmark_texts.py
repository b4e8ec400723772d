"""What decontamination looks for: the benchmarks of the evaluation, and data sets a user names."""

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from emma500.benchmarks.base import Benchmark
from emma500.benchmarks.files import COMPRESSED
from emma500.benchmarks.registry import local_names, open_benchmark
from emma500.corpus.decontamination.benchmark_runs import Runs, runs_of
from emma500.errors import EmmaError, SourceError
from emma500.sources.failures import told
from emma500.sources.remote import patience
from emma500.sources.resolve import resolve
from emma500.tables import read_table

READERS = (".txt", ".jsonl", ".json", ".tsv", ".csv", ".parquet")
"""Endings of the files of a data set that are read; all but Parquet may be compressed."""

_OWN_TEXT = {"corpus", "pairs"}  # splits of a corpus: not there before it is built
_DEMO = "gflanguages"
_ALWAYS = "sib200"
_GIVEN = "text"  # the row of the registry that stands for a user's folders


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What was found to look for.

    Attributes:
        runs: Those of each benchmark and data set.
        own_sources: Benchmarks whose text is a source of the corpus, which is left alone.
        not_covered: Benchmarks that could not be read, by name, and why.
    """

    runs: list[Runs] = field(default_factory=list)
    own_sources: list[str] = field(default_factory=list)
    not_covered: dict[str, str] = field(default_factory=dict)


def registered(data_dir: str | None = None) -> tuple[str, ...]:
    """Return the benchmarks that are looked for unless others are named: SIB-200, and those whose files are given.

    The demo's, the Universal Declaration of Human Rights, is none of them: corpora hold it by right, so name it to
    refuse its text.

    Args:
        data_dir: Where files of benchmarks are, as `<data_dir>/xcopa`.
    """
    local = {_ALWAYS, *local_names(data_dir)}
    return tuple(
        row["name"]
        for row in read_table("benchmarks")
        if row["reader"] not in _OWN_TEXT and row["name"] in local - {_GIVEN, _DEMO}
    )


def look(
    benchmarks: Sequence[str] | None,
    datasets: Sequence[str | Path],
    *,
    data_dir: str | None,
    sources: Collection[str],
) -> Looked:
    """Read benchmarks and data sets; `Contamination.of` says what is what.

    Args:
        benchmarks: Names of the registry, `name=place`, or None for all that can be read.
        datasets: Files, folders, data sets of the Hub or sources of the catalogue; `name=…` names one.
        data_dir: Where files of benchmarks are.
        sources: The sources of the corpus.

    Returns:
        Their runs, and what was left out.

    Raises:
        EmmaError: If what is named cannot be read.
    """
    found, own = Looked(), {_plain(each) for each in sources}
    for wanted in registered(data_dir) if benchmarks is None else benchmarks:
        try:
            runs = patience(2, 1.0)(f"benchmark {wanted}", _reader(wanted, data_dir, own))
            if isinstance(runs, EmmaError):
                raise runs
        except EmmaError as error:
            if benchmarks is not None:
                raise
            found.not_covered[wanted] = told(error, f"{data_dir}/" if data_dir else "")
            continue
        if runs is None:
            found.own_sources.append(wanted.partition("=")[0])
        else:
            found.runs.append(runs)
    for dataset in datasets:
        name, place = _named(dataset)
        found.runs.append(runs_of(name, _texts(place)))
    return found


def _reader(
    wanted: str, data_dir: str | None, own: set[str]
) -> Callable[[], Runs | EmmaError | None]:
    """Return what reads a benchmark; it returns None for a source of the corpus, and an error that says all itself."""

    def read() -> Runs | EmmaError | None:
        try:
            benchmark = open_benchmark(wanted, data_dir=data_dir)
            if own & {_plain(each) for each in benchmark.sources}:
                return None
            runs = runs_of(benchmark.name, _items(benchmark))
        except EmmaError as error:
            return error
        return replace(runs, counts=replace(runs.counts, revision=benchmark.data.revision))

    return read


def _items(benchmark: Benchmark) -> Iterator[tuple[str, str]]:
    for label in benchmark.data.labels:
        for item in benchmark.data.read(label):
            yield label, item.text


def _plain(source: str) -> str:
    """Return the name of a source without its owner and configuration: `facebook/flores:eng` is flores."""
    return source.rpartition("/")[2].partition(":")[0].casefold()


def _named(dataset: str | Path) -> tuple[str, str | Path]:
    """Return what a data set is called, and where it is."""
    name, is_named, place = str(dataset).partition("=")
    if is_named and not Path(dataset).expanduser().exists():
        return name, place
    return Path(dataset).name.partition(".")[0] or str(dataset), dataset


def _texts(place: str | Path) -> Iterator[tuple[str, str]]:
    """Yield every text of a data set, with where it is: the columns of a record are texts each.

    Raises:
        SourceError: If nothing is found there.
    """
    path = Path(place).expanduser()
    if not path.exists():
        for source in resolve(str(place)):
            for task in source.tasks():
                for batch in task.read():
                    for column in ("text", "target_text"):
                        for text in batch[column].drop_null().to_pylist():
                            yield source.info.name, text
        return
    files = sorted(each for each in (path.rglob("*") if path.is_dir() else [path]) if _kind(each))
    if not files:
        raise SourceError(
            f"{path.name} holds no file that ends in {', '.join(READERS)} (.txt to .csv also compressed)"
        )
    for file in files:
        for text in _texts_of(file):
            yield file.name, text


def _kind(file: Path) -> str:
    """Return the ending that says how to read a file, or ""."""
    if not file.is_file():
        return ""
    suffix = (file.with_suffix("") if file.suffix in COMPRESSED else file).suffix
    return suffix if suffix in READERS else ""


def _texts_of(file: Path) -> Iterator[str]:
    import fsspec

    kind = _kind(file)
    try:
        with fsspec.open(str(file), "rb", compression="infer").open() as content:
            if kind == ".parquet":
                yield from _of_parquet(content)
                return
            lines = io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
            yield from _of_lines(lines, kind)
    except (UnicodeDecodeError, ValueError, csv.Error, OSError, EOFError) as error:
        raise SourceError(
            f"{file.name} cannot be read as {kind}: {error}; mend it, or leave it out of the data sets"
        ) from error


def _of_parquet(content: BinaryIO) -> Iterator[str]:
    import pyarrow.parquet as pq

    for batch in pq.ParquetFile(content).iter_batches():
        for row in batch.to_pylist():
            yield from _strings(row)


def _of_lines(lines: Iterable[str], kind: str) -> Iterator[str]:
    if kind == ".json":
        yield from _strings(json.loads("".join(lines)))
    elif kind == ".csv":
        for row in csv.reader(lines):
            yield from row
    else:
        for line in lines:
            if kind == ".jsonl":
                yield from _strings(json.loads(line)) if line.strip() else ()
            elif kind == ".tsv":  # whether quoted or not: quotes are no part of a unit
                yield from line.split("\t")
            else:
                yield line


def _strings(value: Any) -> Iterator[str]:
    """Yield the strings in a record, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)
