"""Source code: each file is a document, in the language its ending says (tables/programs.tsv)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from emma500.errors import SourceError
from emma500.manifest import fingerprint
from emma500.sources.base import Task
from emma500.sources.lines import MARK, Survey, survey
from emma500.sources.listing import Listed, programs
from emma500.sources.options import Options
from emma500.sources.places import Place, ending, open_bytes
from emma500.sources.reading import Found, Reading
from emma500.sources.types import Types

_FILES_AT_ONCE = 2000
_BATCH_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Programs:
    """Source files, as one place."""

    files: tuple[Listed, ...]
    name: str
    digest: str = ""

    def open(self) -> BinaryIO:
        """Refuse: each of its files is opened alone.

        Raises:
            SourceError: Always.
        """
        raise SourceError(f"{self} is not one file")

    def __str__(self) -> str:
        return f"{self.files[0].place} and {len(self.files) - 1} more"


def grouped(files: Sequence[Listed]) -> tuple[list[Listed], list[Listed]]:
    """Put source files together, up to 2,000 a task, and return them and the other files."""
    found = [each for each in files if ending(each.name).lower() in programs()]
    names = {each.name for each in found}
    starts = range(0, len(found), _FILES_AT_ONCE)
    groups = [tuple(found[start : start + _FILES_AT_ONCE]) for start in starts]
    places = [
        Listed(Programs(group, f"programs-{number}"), f"programs-{number}")
        for number, group in enumerate(groups, start=1)
    ]
    return places, [each for each in files if each.name not in names]


def look(place: Place, options: Options) -> Types | None:
    """Return the columns of source files."""
    del place
    return dict.fromkeys((options.column("text") or options.text_column, "language"), pa.string())


def survey_of(place: Programs) -> Survey:
    """Read all files once to identify their bytes."""
    digests = [
        [each.name, each.place.digest or survey(each.place, 1).digest] for each in place.files
    ]
    return Survey(fingerprint(digests), ())


def tasks(reading: Reading, seen: Survey) -> Iterator[Task]:
    """Yield one task a group of files."""
    del seen
    yield ProgramsTask(reading=reading)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramsTask:
    """Some source files."""

    reading: Reading

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield a row a file.

        Yields:
            One batch a few megabytes; the origin is the file's path in the source.
        """
        place = self.reading.place
        found: list[Found] = []
        size = 0
        for file in place.files if isinstance(place, Programs) else ():
            with open_bytes(file.place) as stream:
                data = stream.read(self.reading.max_bytes + 1)
            found.append(self._found(file.name, data.removeprefix(MARK)))
            size += len(data)
            if size >= _BATCH_BYTES:
                yield self.reading.batch(found)
                found, size = [], 0
        if found:
            yield self.reading.batch(found)

    def _found(self, name: str, data: bytes) -> Found:
        (text,) = self.reading.shape.texts
        language = programs()[ending(name).lower()]
        if len(data) > self.reading.max_bytes:
            return name, {"language": language}, "too_long"
        try:
            return name, {text: data.decode("utf-8"), "language": language}, None
        except UnicodeDecodeError:
            return name, {"language": language}, "invalid_utf8"
