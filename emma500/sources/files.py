"""Files as a source: JSON Lines, JSON arrays, Parquet and plain text, alone or in a folder.

All but Parquet may be .gz, .xz or .zst. The language code of a row is

1. what its language column holds: the one named, else the first of `LANGUAGE_COLUMNS` there is;
2. else the language given for all;
3. else the code that names the file or a folder above it: `yor_Latn.jsonl`, `yor_Latn/1.txt`;
4. else "und".

A column that is asked for and is in no row of a file is an error that names the columns there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from emma500.errors import SourceError
from emma500.manifest import fingerprint
from emma500.sources.base import SourceInfo, Task
from emma500.sources.jsonlines import JsonArrayTask, JsonLinesTask, decode, is_one_value, read_array
from emma500.sources.lines import (
    COMPRESSIONS,
    Range,
    Survey,
    open_bytes,
    runs,
    split_lines,
    survey,
)
from emma500.sources.listing import code_in_path, kind_of, readable_files
from emma500.sources.parquet import ParquetTask, column_types, is_text, row_groups
from emma500.sources.reading import Columns, Options, Reading, choose
from emma500.sources.text import TextTask

_RECORDS_TO_LOOK_AT = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    path: Path
    name: str
    kind: str
    columns: Columns


class FileSource:
    """The readable files of a folder, or one file."""

    def __init__(self, info: SourceInfo, files: tuple[_File, ...], options: Options) -> None:
        self.info = info
        self._files = files
        self._options = options

    @classmethod
    def open(cls, path: Path, info: SourceInfo, options: Options) -> "FileSource":
        """Look at a path: which files it holds, and which columns they have.

        Args:
            path: A file, or a folder that is searched with all its folders.
            info: What to call it.
            options: How to read it.

        Returns:
            The source; files without any record are left out.

        Raises:
            SourceError: If there is no readable file or no record, or a file lacks a column.
        """
        root = path if path.is_dir() else path.parent
        paths = readable_files(path)
        found = [_looked_at(each, each.relative_to(root).as_posix(), options) for each in paths]
        files = tuple(each for each in found if each is not None)
        if not files:
            raise SourceError(f"{path} holds no record: {len(paths)} readable file(s), all empty")
        return cls(info, files, options)

    @cached_property
    def _surveys(self) -> tuple[Survey, ...]:
        return tuple(survey(each.path, self._options.task_bytes) for each in self._files)

    def tasks(self) -> list[Task]:
        """Return its parts: ranges of plain JSON Lines, row groups of Parquet, else whole files."""
        pairs = zip(self._files, self._surveys, strict=True)
        return [task for file, seen in pairs for task in self._tasks_of(file, seen)]

    def _tasks_of(self, file: _File, seen: Survey) -> Iterator[Task]:
        reading = Reading(
            info=self.info,
            path=file.path,
            name=file.name,
            columns=file.columns,
            max_bytes=self._options.max_document_bytes,
        )
        if file.kind == "parquet":
            row = 1
            for group, n_rows in enumerate(row_groups(file.path)):
                yield ParquetTask(reading=reading, group=group, first_row=row)
                row += n_rows
        elif file.kind == "text":
            yield TextTask(reading=reading)
        elif file.kind == "array":
            yield JsonArrayTask(reading=reading)
        else:
            is_plain = file.path.suffix not in COMPRESSIONS
            for part in seen.ranges if is_plain else (Range(),):
                yield JsonLinesTask(reading=reading, part=part)

    def fingerprint(self) -> str:
        """Return what identifies its files' bytes and how they are read, not where they lie."""
        pairs = zip(self._files, self._surveys, strict=True)
        content = [
            [file.name, file.kind, file.columns, seen.size, seen.digest] for file, seen in pairs
        ]
        return fingerprint(self.info, content, self._options.max_document_bytes)

    def __repr__(self) -> str:
        return f"FileSource({self.info.name!r}: {len(self._files)} file(s))"


def _looked_at(path: Path, name: str, options: Options) -> _File | None:
    """Find out a file's columns; None if it has no record."""
    kind = kind_of(path) or ""
    if kind == "json":
        kind = "array" if is_one_value(path) else "lines"
    seen = _columns_seen(path, kind, options)
    if seen is None:
        return None
    columns = choose(str(path), *seen, options)
    if not options.language:
        # Of a source of one file, the folder it lies in counts too.
        parts = Path(name).parts if "/" in name else (path.absolute().parent.name, name)
        columns = replace(columns, fallback=code_in_path(parts))
    return _File(path=path, name=name, kind=kind, columns=columns)


def _columns_seen(path: Path, kind: str, options: Options) -> tuple[list[str], set[str]] | None:
    """Return a file's columns and those that hold strings; None if it has no record."""
    if kind == "text":
        return ([], set()) if _has_text(path) else None
    if kind == "parquet":
        types = column_types(path)
        strings = {name for name, its in types.items() if is_text(its)}
        return (list(types), strings) if sum(row_groups(path)) else None
    return _columns_of_records(_records(path, kind, options.max_document_bytes), options)


def _columns_of_records(
    records: Iterator[Any], options: Options
) -> tuple[list[str], set[str]] | None:
    """Look at the first records, and on only while a column asked for has not come up."""
    known: dict[str, None] = {}
    strings: set[str] = set()
    wanted = {each for each in (options.text_column, options.language_column) if each}
    number = 0
    for number, record in enumerate(records, start=1):
        if isinstance(record, dict):
            known.update(dict.fromkeys(record))
            strings.update(key for key, value in record.items() if isinstance(value, str))
        if number >= _RECORDS_TO_LOOK_AT and wanted <= strings:
            break
    return (list(known), strings) if number else None


def _records(path: Path, kind: str, limit: int) -> Iterator[Any]:
    """Yield the records; one that cannot be read is None."""
    if kind == "array":
        yield from read_array(path)
        return
    with open_bytes(path) as stream:
        for run in runs(stream, limit):
            for _, line in split_lines(run, limit):
                if line is None or line.strip():
                    yield _decoded(line)


def _decoded(line: bytes | None) -> Any:
    try:
        return None if line is None else decode(line)
    except (ValueError, RecursionError):
        return None


def _has_text(path: Path) -> bool:
    with open_bytes(path) as stream:
        while part := stream.read(2**20):
            if part.strip():
                return True
    return False
