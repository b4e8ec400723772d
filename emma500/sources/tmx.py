"""TMX, the exchange format of translation memories: units (`tu`) with a variant (`tuv`) a language.

A file is streamed, cut at the ends of its units. The units of a few megabytes are parsed at once; where that fails,
each is parsed alone and kept or refused on its own. Entities of a document type are never expanded: units are parsed
without it. Each unit gives one pair with each language but the source's (`srclang`, else English, else the first).
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.etree import ElementTree

import pyarrow as pa

from emma500.sources.base import Task
from emma500.sources.lines import Survey
from emma500.sources.listing import is_english
from emma500.sources.options import Options
from emma500.sources.parallel import COLUMNS
from emma500.sources.places import Place, open_bytes
from emma500.sources.reading import Found, Reading
from emma500.sources.types import Types

_CHUNK_BYTES = 2 * 2**20
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_SOURCE = re.compile(rb"<header\b[^>]*?\bsrclang\s*=\s*[\"']([^\"']*)[\"']")
_ENCODING = re.compile(rb"<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_UNIT = re.compile(rb"<tu[\s>]")
_END = b"</tu>"
_ANY = ("", "*all*")

# What is inside these is mark-up of the document that was translated.
_MARKUP = frozenset({"bpt", "ept", "it", "ph", "ut"})

Variants = list[tuple[str, str]]


def look(place: Place, options: Options) -> Types | None:
    """Return the columns of a file; None if it has no unit."""
    del options
    with open_bytes(place) as stream:
        has_unit = any(_UNIT.search(each) for each in _utf8(stream))
    return dict.fromkeys(COLUMNS, pa.string()) if has_unit else None


def tasks(reading: Reading, seen: Survey) -> Iterator[Task]:
    """Yield one task a file."""
    del seen
    yield TmxTask(reading=reading)


@dataclass(frozen=True, kw_only=True, slots=True)
class TmxTask:
    """A TMX file."""

    reading: Reading

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            One batch a few megabytes; the origin is the unit's number, from 1, and the target's code
            where a unit has several.
        """
        number, source = 1, ""
        with open_bytes(self.reading.place) as stream:
            for head, units in _units(stream, self.reading.max_bytes):
                if found := _SOURCE.search(head):
                    source = found[1].decode("utf-8", "replace").strip().lower()
                records = [
                    record
                    for place, unit in enumerate(_parsed(units), start=number)
                    for record in self._found(place, unit, source)
                ]
                number += len(units)
                if records:
                    yield self.reading.batch(records)

    def _found(self, number: int, variants: Variants | str, source: str) -> Iterator[Found]:
        origin = self.reading.origin(number)
        if isinstance(variants, str):
            yield origin, {}, variants
            return
        ranked = sorted(variants, key=lambda each: _rank(each[0], source))
        if len(ranked) < 2:
            yield origin, {}, "no_text"
            return
        (code, text), *others = ranked
        for other, target in others:
            record = dict(zip(COLUMNS, (text, target, code, other), strict=True))
            yield origin if len(others) == 1 else f"{origin}:{other}", record, None


def _rank(code: str, source: str) -> int:
    """Return the place of a language: the source first; where the file names none, English."""
    if source in _ANY:
        return int(not is_english(code.lower()))
    return 0 if code.lower() == source else 1 if code.lower().split("-")[0] == source[:2] else 2


def _units(stream: BinaryIO, limit: int) -> Iterator[tuple[bytes, list[bytes | None]]]:
    """Cut a stream into units; yields what stands before the first one, and units (None: over the limit)."""
    held = b""
    for chunk in _utf8(stream):
        held += chunk
        cut = held.rfind(_END) + len(_END)
        if cut >= len(_END):
            yield _cut(held[:cut], limit)
            held = held[cut:]
        elif len(held) > limit + _CHUNK_BYTES and (start := _UNIT.search(held)):
            yield held[: start.start()], [None]
            held = _skipped_to_end(held)
    if start := _UNIT.search(held):
        yield held[: start.start()], [held[start.start() :]]


def _skipped_to_end(held: bytes) -> bytes:
    """Keep of a unit over the limit only what its end may begin with."""
    return held[-len(_END) :]


def _cut(data: bytes, limit: int) -> tuple[bytes, list[bytes | None]]:
    head, units = b"", []
    for part in data.split(_END)[:-1]:
        start = _UNIT.search(part)
        if start is None:  # the rest of a unit over the limit
            continue
        head = head or part[: start.start()]
        unit = part[start.start() :]
        units.append(unit + _END if len(unit) <= limit else None)
    return head, units


def _parsed(units: list[bytes | None]) -> list[Variants | str]:
    """Return the variants of each unit, or why it is refused."""
    if None not in units:
        try:
            root = ElementTree.fromstring(b"".join((b"<b>", *filter(None, units), b"</b>")))
        except (ElementTree.ParseError, ValueError):
            pass
        else:
            if len(root) == len(units):
                return [_variants(each) for each in root]
    return [_alone(each) for each in units]


def _alone(unit: bytes | None) -> Variants | str:
    if unit is None:
        return "too_long"
    try:
        unit.decode("utf-8")
        return _variants(ElementTree.fromstring(unit))
    except UnicodeDecodeError:
        return "invalid_utf8"
    except (ElementTree.ParseError, ValueError):
        return "malformed"


def _variants(unit: ElementTree.Element) -> Variants:
    """Return language code and text of each variant; the first where a language has several."""
    found: dict[str, str] = {}
    for variant in unit.iterfind("tuv"):
        code = variant.get(_LANGUAGE) or variant.get("lang") or ""
        segment = variant.find("seg")
        if segment is not None:
            text = segment.text or "" if len(segment) == 0 else "".join(_pieces(segment))
            found.setdefault(code, text.strip())
    return list(found.items())


def _pieces(element: ElementTree.Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag not in _MARKUP:
            yield from _pieces(child)
        yield child.tail or ""


def _utf8(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a stream's bytes as UTF-8, whatever its encoding: by its byte order mark, else as it declares."""
    chunk = stream.read(_CHUNK_BYTES)
    declared = _ENCODING.search(chunk[:200])
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16"
    if name in {"utf-8", "utf8", "us-ascii", "ascii"}:
        chunk = chunk.removeprefix(codecs.BOM_UTF8)
        while chunk:
            yield chunk
            chunk = stream.read(_CHUNK_BYTES)
        return
    decoder = codecs.getincrementaldecoder(name if _is_known(name) else "utf-8")("replace")
    while chunk:
        yield decoder.decode(chunk).encode("utf-8", "replace")
        chunk = stream.read(_CHUNK_BYTES)


def _is_known(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True
