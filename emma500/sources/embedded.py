"""Text that comes with what pip installs: enough to build a small corpus offline.

gflanguages   monolingual   passages in 745 language_Script combinations
django        bilingual     English messages and their translations in about 98 locales
stdlib        code          the top-level modules of the running Python
python-docs   monolingual   the topics of Python's help(), English
"""

import gettext
import importlib.util
import platform
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

from emma500.configuration import need
from emma500.errors import SourceError
from emma500.manifest import fingerprint
from emma500.sources.base import SourceInfo, Task, rows
from emma500.sources.catalogue import catalogue

_PASSAGES = ("tester", "specimen_48", "specimen_36", "specimen_32", "specimen_21", "specimen_16")
_ENGLISH = "eng"
_ROWS_AT_ONCE = 8192
# The build's own settings, with paths of the machine it was built on.
_GENERATED = "_sysconfigdata"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One document or pair; `text` is null if its bytes are no UTF-8."""

    text: str | None
    code: str
    origin: str
    target: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedTask:
    """Some rows of an embedded source; `part` is what its reader takes, "" for all."""

    info: SourceInfo
    part: str = ""

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            Batches of up to 8,192 rows.
        """
        found = _READERS[self.info.name].read(self.part)
        for start in range(0, len(found), _ROWS_AT_ONCE):
            yield self._batch(found[start : start + _ROWS_AT_ONCE])

    def _batch(self, found: list[Row]) -> pa.RecordBatch:
        is_pair = self.info.component == "bilingual"
        reasons = [None if row.text is not None else "invalid_utf8" for row in found]
        return rows(
            self.info,
            pa.array([row.text for row in found], pa.large_string()),
            codes=pa.array([row.code for row in found], pa.string()),
            origins=pa.array([row.origin for row in found], pa.string()),
            reasons=pa.array(reasons, pa.string()),
            targets=pa.array([row.target for row in found], pa.large_string()) if is_pair else None,
            target_codes=self.part if is_pair else None,
        )


class EmbeddedSource:
    """A source whose text came with an installed package."""

    def __init__(self, info: SourceInfo) -> None:
        self.info = info

    def tasks(self) -> list[Task]:
        """Return its parts: of django, one a locale; else one."""
        return [
            EmbeddedTask(info=self.info, part=part) for part in _READERS[self.info.name].parts()
        ]

    def fingerprint(self) -> str:
        """Return what identifies the installed version."""
        return fingerprint(self.info)

    def __repr__(self) -> str:
        return f"EmbeddedSource({self.info.name!r} {self.info.revision})"


def embedded_names() -> tuple[str, ...]:
    """Return the names of the embedded sources, in their order."""
    return tuple(each.name for each in catalogue(status="embedded"))


def embedded_source(name: str) -> EmbeddedSource:
    """Open an embedded source.

    Args:
        name: One of `embedded_names`.

    Returns:
        The source, with the installed version as its revision.

    Raises:
        SourceError: If there is no such source.
        MissingExtraError: If its package is not installed.
    """
    entry = next((each for each in catalogue(status="embedded") if each.name == name), None)
    if entry is None:
        raise SourceError(f"no embedded source {name!r}; there are: {', '.join(embedded_names())}")
    package = entry.package
    if package and importlib.util.find_spec(package) is None:
        need(package, "demo")
    revision = version(package) if package else platform.python_version()
    return EmbeddedSource(
        SourceInfo(
            name=name,
            component=entry.component,
            revision=revision,
            license=entry.license,
            url=entry.url,
        )
    )


def gflanguages_passages(part: str = "") -> list[Row]:
    """Return the passages of gflanguages, each once: one that stands inside another of its language is left out."""
    del part
    languages = need("gflanguages", "demo").LoadLanguages()
    return [
        Row(text=text, code=code, origin=f"{code}:{field}")
        for code in sorted(languages)
        for field, text in _passages(languages[code].sample_text)
    ]


def _passages(sample: object) -> list[tuple[str, str]]:
    texts = {field: str(getattr(sample, field)).strip() for field in _PASSAGES}
    kept: dict[str, str] = {}
    for field in sorted(_PASSAGES, key=lambda each: (-len(texts[each]), _PASSAGES.index(each))):
        if texts[field] and not any(texts[field] in other for other in kept.values()):
            kept[field] = texts[field]
    return [(field, kept[field]) for field in _PASSAGES if field in kept]


def _locales() -> list[str]:
    """Return the locales of Django's catalogues but English ones."""
    return sorted(each for each in _catalogues() if each.split("_")[0] != "en")


@cache
def _catalogues() -> dict[str, list[Path]]:
    """Return the catalogues of each locale, as paths inside Django."""
    found: dict[str, list[Path]] = {}
    root = _django()
    for path in sorted(root.rglob("*.mo")):
        found.setdefault(path.parent.parent.name, []).append(path.relative_to(root))
    return found


def _django() -> Path:
    # Found, not imported: its catalogues are all that is wanted.
    spec = importlib.util.find_spec("django")
    if spec is None or spec.origin is None:
        return Path(str(need("django", "demo").__file__)).parent
    return Path(spec.origin).parent


def _messages(locale: str) -> list[Row]:
    """Return the pairs of one locale; of a message with a plural, the singular and the first form."""
    found = []
    for path in _catalogues()[locale]:
        # contrib/admin/locale/yo/LC_MESSAGES/djangojs.mo
        application = ".".join(path.parts[:-4])
        domain = application if path.stem == "django" else f"{application}.{path.stem}"
        for number, (source, target) in enumerate(_catalogue(_django() / path), start=1):
            origin = f"{locale}/{domain}:{number}"
            found.append(Row(text=source, code=_ENGLISH, target=target, origin=origin))
    return found


def _catalogue(path: Path) -> list[tuple[str, str]]:
    with path.open("rb") as file:
        messages = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    pairs = []
    for key, target in messages.items():
        message, form = key if isinstance(key, tuple) else (key, 0)
        source = message.split("\x04")[-1]  # what stands before is the message's context
        if form == 0 and source.strip() and target.strip():
            pairs.append((source, target))
    return pairs


def _modules(part: str) -> list[Row]:
    del part
    folder = Path(sysconfig.get_path("stdlib"))
    paths = sorted(path for path in folder.glob("*.py") if not path.name.startswith(_GENERATED))
    return [
        Row(text=_decoded(path.read_bytes()), code="python", origin=path.name) for path in paths
    ]


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _topics(part: str) -> list[Row]:
    del part
    topics: dict[str, str] = import_module("pydoc_data.topics").topics
    return [Row(text=text, code=_ENGLISH, origin=name) for name, text in sorted(topics.items())]


@dataclass(frozen=True, slots=True)
class _Reader:
    read: Callable[[str], list[Row]]
    parts: Callable[[], list[str]]


@cache
def _one_part() -> list[str]:
    return [""]


_READERS = {
    "gflanguages": _Reader(gflanguages_passages, _one_part),
    "django": _Reader(_messages, _locales),
    "stdlib": _Reader(_modules, _one_part),
    "python-docs": _Reader(_topics, _one_part),
}
