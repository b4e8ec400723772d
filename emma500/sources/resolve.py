"""What a user names as sources -> sources."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from itertools import count
from pathlib import Path
from typing import Any

from emma500.errors import EmmaError, SourceError
from emma500.sources.base import Source, SourceInfo
from emma500.sources.catalogue import source as entry_of
from emma500.sources.embedded import EmbeddedSource, embedded_names, embedded_source
from emma500.sources.entry import CatalogueEntry
from emma500.sources.failures import FailedSource, TolerantSource, told
from emma500.sources.files import FileSource
from emma500.sources.hub import Address, open_hub
from emma500.sources.known import open_entry
from emma500.sources.listing import kind_of
from emma500.sources.options import Options

EMBEDDED = "embedded"

Given = str | Path | Source
"""What may be given as a source: a name, an address, a path, or a source that is open."""


def resolve(
    sources: Given | Sequence[Given],
    *,
    languages: Sequence[str] | None = None,
    strict: bool = True,
    **options: Any,
) -> list[Source]:
    """Open sources.

    Args:
        sources: "embedded" (all that is embedded) or the name of one such source; the name of a source
            of the catalogue, with a language if need be (`fineweb2`, `wikipedia:sw`, `nllb:en-sw`); a
            file or a folder (formats.FORMATS); a data set of the Hub (`user/name`,
            `user/name@revision:config`); a source that is open already, which is taken as it is; or several of these.
        languages: Of the catalogue's sources and data sets of the Hub, only the configurations and
            files of these languages, in any code.
        strict: False lets a source that cannot be opened, or read to its end, leave one row that says
            why (`failures`) instead of raising an error.
        **options: How files and data sets are read: the fields of `Options`, where None is the default.

    Returns:
        The sources, in the order given; their names differ.

    Raises:
        SourceError: If nothing is given, something is not found, empty, or lacks a column asked for,
            or an option is unknown; where `strict` is False, if nothing could be opened.
        EmmaError: The first of the errors, where none of the sources could be opened; else, if `strict`
            is True, a HubError where the Hub refuses or cannot be reached.
    """
    is_one = isinstance(sources, str) or not isinstance(sources, Sequence)
    given: list[Given] = [sources] if is_one else list(sources)  # type: ignore[list-item,arg-type]
    if not given:
        raise SourceError(
            'no source is given: name files, folders, data sets of the Hub, or "embedded"'
        )
    wanted = replace(_options(tuple(languages or ()), options), strict=strict)
    found: list[Source] = []
    roots: list[str] = []
    errors: list[EmmaError] = []
    for each in given:
        root = _root(each)
        try:
            found += _opened(each, wanted)
        except EmmaError as error:
            if strict:
                raise
            errors.append(error)
            name = str(each).replace(root, "") if root else str(each)
            found.append(FailedSource(info=_info(name, wanted), reason=told(error, root)))
        roots += [root] * (len(found) - len(roots))
    if len(errors) == len(found):
        raise errors[0]
    named = _with_names_of_their_own(found)
    if strict:
        return named
    return [TolerantSource(*each) for each in zip(named, roots, strict=True)]


def _root(given: Given) -> str:
    """Return the folder a file or a folder lies in, with its slash, or "" for what is neither."""
    if not isinstance(given, str | Path):
        return ""
    path = Path(given).expanduser()
    is_path = path.exists() or isinstance(given, Path) or path.is_absolute()
    return f"{path.parent}/" if is_path and path.parent != Path() else ""


def _options(languages: tuple[str, ...], given: dict[str, Any]) -> Options:
    known = {field.name for field in fields(Options)} - {"strict"}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise SourceError(f"unknown option {unknown[0]!r}; there are: {', '.join(sorted(known))}")
    said = {name: value for name, value in given.items() if value is not None}
    return Options(languages=languages, **said)


def _info(name: str, options: Options) -> SourceInfo:
    return SourceInfo(
        name=name,
        component=options.component or "monolingual",
        revision="",
        license=options.license or "unknown",
        url="",
        convention=options.convention,
    )


def _opened(given: Given, options: Options) -> Iterator[Source]:
    if not isinstance(given, str | Path):
        yield given
        return
    if given == EMBEDDED:
        yield from (embedded_source(name) for name in embedded_names())
        return
    if given in embedded_names():
        yield embedded_source(str(given))
        return
    path = Path(given).expanduser()
    if path.exists():
        yield FileSource.open(path, _info(path.absolute().name, options), options)
        return
    entry, _, said = str(given).partition(":")
    known = _entry(entry) if isinstance(given, str) else None
    if known is not None:
        yield open_entry(known, said, options)
        return
    address = Address.parse(given) if isinstance(given, str) and kind_of(given) is None else None
    if address is None:
        raise SourceError(
            f"{str(given)!r} is not found: a source is a file, a folder, a data set of the Hub (user/name), "
            f'"{EMBEDDED}", one of {", ".join(embedded_names())}, or one of the catalogue (`emma500 sources`)'
        )
    name = address.id if address.config is None else f"{address.id}:{address.config}"
    url = f"https://huggingface.co/datasets/{address.id}"
    yield open_hub(address, replace(_info(name, options), url=url), options)


def _entry(name: str) -> CatalogueEntry | None:
    """Return the entry of the catalogue, if it is called so; an id of the Hub is read as it is asked for."""
    if not name or "/" in name:
        return None
    try:
        return entry_of(name)
    except SourceError:
        return None


def _with_names_of_their_own(sources: list[Source]) -> list[Source]:
    """Number the sources of one name: `texts`, `texts-2`; what is named twice stands twice.

    Embedded sources keep their names; others are numbered by what they hold, whatever the order they are given in.

    Returns:
        The same sources, in the same order.

    Raises:
        SourceError: If an embedded source is given twice.
    """
    named: dict[str, list[FileSource]] = {}
    taken = set()
    for source in sources:
        if isinstance(source, FileSource):
            named.setdefault(source.info.name, []).append(source)
        elif isinstance(source, EmbeddedSource) and source.info.name in taken:
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
