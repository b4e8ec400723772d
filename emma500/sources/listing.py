"""Which files a path holds, how each is read, and which language its name says."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from emma500.errors import LanguageError, SourceError
from emma500.languages.codes import Language
from emma500.sources.base import UNKNOWN_LANGUAGE
from emma500.sources.lines import COMPRESSIONS

_KINDS = {".jsonl": "lines", ".json": "json", ".parquet": "parquet", ".txt": "text"}
_CODE = re.compile(r"[a-z]{2,3}([-_@][A-Za-z0-9]+)*")

# Words that are also ISO 639-3 codes: a folder `raw` or a file `dev.jsonl` names no language.
_COMMON_WORDS = frozenset(
    {
        "all", "bin", "csv", "dev", "doc", "ext", "gen", "new", "old", "out", "pub", "raw", "run", "set", "src",
        "sub", "tmp", "txt", "val", "var", "web", "zip",
    }
)  # fmt: skip

logger = logging.getLogger(__name__)


def kind_of(path: Path) -> str | None:
    """Return how a file is read by its name: "lines", "json", "parquet", "text", or None."""
    suffixes = path.suffixes
    if suffixes and suffixes[-1] in COMPRESSIONS:
        kind = _KINDS.get(suffixes[-2]) if len(suffixes) > 1 else None
        return None if kind == "parquet" else kind
    return _KINDS.get(path.suffix)


def readable_files(path: Path) -> list[Path]:
    """Return the files a path holds that can be read, by their names.

    Args:
        path: A file, or a folder that is searched with all its folders; names that begin with a
            dot or an underscore are left out.

    Returns:
        The files, sorted by their path inside the folder.

    Raises:
        SourceError: If there is none.
    """
    rule = "a source is .jsonl, .json or .txt (also .gz, .xz, .zst), .parquet, or a folder of them"
    if not path.is_dir():
        if kind_of(path) is None:
            raise SourceError(f"{path} cannot be read: {rule}")
        return [path]
    found = []
    for each in sorted(path.rglob("*"), key=lambda one: one.relative_to(path).as_posix()):
        hidden = any(part.startswith((".", "_")) for part in each.relative_to(path).parts)
        if hidden or not each.is_file():
            continue
        if kind_of(each) is None:
            logger.info("not read, by its name: %s", each)
            continue
        found.append(each)
    if not found:
        raise SourceError(f"{path} holds no readable file: {rule}")
    return found


def code_in_path(parts: Sequence[str]) -> str:
    """Return the language code that a file's name or a folder above it is, or "und".

    Args:
        parts: The names of the folders and of the file, outermost first.

    Returns:
        The code nearest to the file, as it is written: "yor_Latn" for `yor_Latn/part-1.jsonl`. Only codes in lower
        case (but for the script) count, not names of languages, and no word such as "dev" or "raw".
    """
    for part in reversed(parts):
        code = part.split(".")[0]
        if code in _COMMON_WORDS or not _CODE.fullmatch(code):
            continue
        try:
            Language.parse(code)
        except LanguageError:
            continue
        return code
    return UNKNOWN_LANGUAGE
