"""Text files as a benchmark, on a disk, on the Hub or at any fsspec address.

A file's label is the first part of its path that names a language: `yor_Latn.txt`,
`yor_Latn/test.tsv`, `sw.jsonl.gz`.

- `.txt`: a document a line.
- `.jsonl`: the text is under `text`; `.tsv`: a header, the text in the column `text`, quoted as CSV
  is.

A column `parallel_id` or `index_id` (as in SIB-200) aligns the translations of a document; a column
`id` names it.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from emma500.benchmarks.base import Item, likely_label
from emma500.errors import LanguageError, SourceError

SUFFIXES = (".txt", ".jsonl", ".tsv")
COMPRESSED = (".gz", ".xz", ".zst", ".bz2")
HUB = "hf://datasets/"
_LABEL = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
_NO_LABEL = {"data", "dev", "devtest", "test", "train", "validation"}


class TextFiles:
    """Files of text by label.

    Args:
        place: A folder, or an fsspec address such as `hf://datasets/Davlan/sib200`. Files of the Hub are downloaded to
            its cache, at the newest commit or at `hf://datasets/owner/name@revision`, and read there from then on.
        pattern: Which files under it, as a glob over their relative paths.

    Raises:
        SourceError: If there is no such file, or two files have one label.
    """

    sources: frozenset[str] = frozenset()

    def __init__(self, place: str | Path, pattern: str = "*") -> None:
        self.place = str(place)
        local, self.revision = local_copy(self.place, [pattern])
        self._system, base = open_place(local)
        self._files = self._labelled(
            [
                (path, path[len(base) :].lstrip("/") or Path(path).name)
                for path in sorted(_found(self._system, base, self.place))
            ],
            pattern,
        )
        if not self._files:
            raise SourceError(
                f"{self.place} holds no text by language: no file {pattern} named after a language "
                f"and ending in {', '.join(SUFFIXES)}"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it has, sorted."""
        return tuple(sorted(self._files))

    def read(self, label: str) -> Iterator[Item]:
        """Yield the documents of one label, in the order of its file; empty ones are left out.

        Raises:
            SourceError: If the file is not UTF-8, or its rows have no text.
        """
        path = self._files[label]
        with self._system.open(path, "rb", compression="infer") as file:
            content = file.read()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise SourceError(f"{Path(path).name}:{line} is not valid UTF-8") from error
        for number, row in enumerate(_rows(path, text), start=1):
            if not isinstance(row.get("text"), str):
                raise SourceError(
                    f"{Path(path).name}, row {number}, has no column 'text'; "
                    f"it has: {', '.join(map(str, row))}"
                )
            if document := row["text"].strip():
                parallel = row.get("parallel_id", row.get("index_id"))
                name = str(row.get("id", parallel if parallel is not None else number))
                yield Item(
                    id=name,
                    label=label,
                    text=document,
                    parallel_id=str(parallel) if parallel is not None else f"{label}:{name}",
                )

    def _labelled(self, files: list[tuple[str, str]], pattern: str) -> dict[str, str]:
        found = []
        for path, relative in files:
            if _suffix(path) in SUFFIXES and fnmatch(
                "/" + relative, f"*/{pattern.removeprefix('*/')}"
            ):
                found += [(label, written, path) for label, written in _label(relative)]
        labelled: dict[str, str] = {}
        # A file named exactly so goes first: a retired code and its heir (ajp_Arab, apc_Arab) stay.
        for label, written, path in sorted(found, key=lambda each: each[0] != each[1]):
            free = written if label in labelled and _LABEL.fullmatch(written) else label
            if free in labelled:
                raise SourceError(
                    f"{self.place} holds two files of {free}: {labelled[free]} and {path}; keep one"
                )
            labelled[free] = path
        return labelled


def _label(relative: str) -> list[tuple[str, str]]:
    """Return the label of a file and how its path writes it; nothing if it names no language."""
    parts = Path(relative).parts
    for part in (*parts[:-1], parts[-1].split(".")[0]):
        if part in _NO_LABEL:
            continue
        try:
            return [(likely_label(part), part)]
        except LanguageError:
            continue
    return []


def _suffix(path: str) -> str:
    file = Path(path)
    return (file.with_suffix("") if file.suffix in COMPRESSED else file).suffix


def _rows(path: str, text: str) -> Iterator[dict[str, Any]]:
    if _suffix(path) == ".txt":
        yield from ({"text": line} for line in text.split("\n"))
    elif _suffix(path) == ".tsv":
        yield from csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")
    else:
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise SourceError(
                    f"{Path(path).name}:{number} is not valid JSON: {error}"
                ) from error
            if not isinstance(row, dict):
                raise SourceError(
                    f"{Path(path).name}:{number} must hold a JSON object, not {line[:40]}"
                )
            yield row


def local_copy(place: str, patterns: Sequence[str]) -> tuple[str, str]:
    """Download what is on the Hub.

    Args:
        place: Where it is: `hf://datasets/owner/name`, perhaps with `@revision`, or anything else, which stays there.
        patterns: Which files, as globs.

    Returns:
        Where the files are, and the commit they are of; "" for what is not of the Hub.

    Raises:
        SourceError: If the Hub does not have it or cannot be reached.
    """
    if not place.startswith(HUB):
        return place, ""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError
    from tqdm.auto import tqdm

    class Quiet(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "disable": True})

    if place.removeprefix(HUB).count("/") < 1:
        raise SourceError(f"{place} names no data set of the Hub: {HUB}OWNER/NAME is one")
    owner, name, *under = place.removeprefix(HUB).split("/")
    name, _, revision = unquote(name).partition("@")
    try:
        folder = snapshot_download(
            f"{owner}/{name}",
            repo_type="dataset",
            revision=revision or None,
            allow_patterns=[
                script_of(place),
                *(
                    each
                    for pattern in patterns
                    for each in ("/".join([*under, pattern]), f"*{pattern.removeprefix('*/')}")
                ),
            ],
            tqdm_class=Quiet,
        )
    except LocalEntryNotFoundError as error:
        raise SourceError(
            f"{place} is not in the cache and the Hub cannot be reached: check the network and "
            "HF_HUB_OFFLINE, or give a folder as NAME=FOLDER"
        ) from error
    except OSError as error:
        raise SourceError(f"{place} cannot be read: {error}") from error
    return str(Path(folder, *under)), Path(folder).name


def script_of(place: str) -> str:
    """Return the name that a script has which makes the data of a place on the Hub; datasets 4 and later run none."""
    name = unquote(place.removeprefix(HUB).split("/")[1]).partition("@")[0]
    return f"{name}.py"


def open_place(place: str) -> tuple[Any, str]:
    """Return the file system of a folder or address, and its path there."""
    import fsspec

    return fsspec.core.url_to_fs(str(Path(place).expanduser()) if "://" not in place else place)


def _found(system: Any, base: str, place: str) -> list[str]:
    try:
        files: list[str] = system.find(base)
    except OSError as error:
        raise SourceError(f"{place} cannot be read: {error}") from error
    if not files:
        raise SourceError(
            f"{place} is not there or holds no file; give a folder of text as NAME=FOLDER"
        )
    return files
