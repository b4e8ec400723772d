"""What a user names as sources -> sources."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from emma500.errors import SourceError
from emma500.sources.base import MAX_DOCUMENT_BYTES, Source, SourceInfo
from emma500.sources.embedded import embedded_names, embedded_source
from emma500.sources.files import FileSource
from emma500.sources.hub import Address, HubSource
from emma500.sources.listing import kind_of
from emma500.sources.reading import Options

EMBEDDED = "embedded"


def resolve(
    sources: str | Path | Sequence[str | Path],
    *,
    text_column: str = "text",
    language_column: str | None = None,
    language: str | None = None,
    license: str | None = None,
    convention: str | None = None,
    max_document_bytes: int = MAX_DOCUMENT_BYTES,
) -> list[Source]:
    """Open sources.

    Args:
        sources: "embedded" (all that is embedded) or the name of one such source; a file (.jsonl,
            .json or .txt, plain or .gz, .xz, .zst; .parquet) or a folder of them; a data set of the
            Hub (`user/name`, `user/name@revision:config`); or several of these.
        text_column: The column of the text in files and data sets.
        language_column: The column of the language code; None looks for one
            (files.LANGUAGE_COLUMNS).
        language: The language code of all rows of files and data sets, or of those without one if a
            column is named.
        license: The SPDX identifier of the licence of files and data sets; "unknown" if None.
        convention: Whose language codes files and data sets use, for `Language.parse`; None for the
            standard.
        max_document_bytes: The most bytes a record may have; a longer one becomes a row with the
            reason "too_long".

    Returns:
        The sources, in the order given; their names differ.

    Raises:
        SourceError: If nothing is given, something is not found, empty, or lacks a column asked
            for.
    """
    given = [sources] if isinstance(sources, str | Path) else list(sources)
    if not given:
        raise SourceError(
            'no source is given: name files, folders, data sets of the Hub, or "embedded"'
        )
    options = Options(
        text_column=text_column,
        language_column=language_column,
        language=language,
        max_document_bytes=max_document_bytes,
    )
    info = SourceInfo(
        name="",
        component="monolingual",
        revision="",
        license=license or "unknown",
        url="",
        convention=convention or "",
    )
    found = [one for each in given for one in _opened(each, info, options)]
    return _with_names_of_their_own(found)


def _opened(given: str | Path, info: SourceInfo, options: Options) -> Iterator[Source]:
    if given == EMBEDDED:
        yield from (embedded_source(name) for name in embedded_names())
        return
    if given in embedded_names():
        yield embedded_source(str(given))
        return
    path = Path(given).expanduser()
    if path.exists():
        yield FileSource.open(path, replace(info, name=path.absolute().name), options)
        return
    address = Address.parse(given) if isinstance(given, str) and kind_of(path) is None else None
    if address is None:
        raise SourceError(
            f"{str(given)!r} is not found: a source is a file, a folder, a data set of the Hub (user/name), "
            f'"{EMBEDDED}" or one of {", ".join(embedded_names())}'
        )
    url = f"https://huggingface.co/datasets/{address.id}"
    name = address.id if address.config is None else f"{address.id}:{address.config}"
    yield HubSource(address, replace(info, name=name, url=url), options)


def _with_names_of_their_own(sources: list[Source]) -> list[Source]:
    """Number the sources of one name: `texts`, `texts-2`; what is named twice stands twice.

    Embedded sources keep their names; others are numbered by what they hold, whatever the order they are given in.

    Returns:
        The same sources, in the same order.

    Raises:
        SourceError: If an embedded source is given twice.
    """
    named: dict[str, list[FileSource | HubSource]] = {}
    taken = set()
    for source in sources:
        if isinstance(source, FileSource | HubSource):
            named.setdefault(source.info.name, []).append(source)
        elif source.info.name in taken:
            raise SourceError(f"{source.info.name!r} is given twice: name it once")
        else:
            taken.add(source.info.name)
    of_embedded = set(taken)
    taken |= set(named)
    for name in sorted(named):
        is_only = len(named[name]) == 1
        alike = named[name] if is_only else sorted(named[name], key=lambda each: each.fingerprint())
        for source in alike if name in of_embedded else alike[1:]:
            number = next(each for each in count(2) if f"{name}-{each}" not in taken)
            source.info = replace(source.info, name=f"{name}-{number}")
            taken.add(source.info.name)
    return sources
