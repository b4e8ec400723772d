"""Records of published benchmarks by label and split: files of a folder or of a data set on the Hub.

A row of `tables/benchmarks.tsv` says which files there are, as `{code}/{split}.tsv`, and which form their records have
(forms.py). Endings: .jsonl, .json, .tsv, .csv, .parquet and .txt, all but Parquet perhaps compressed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from emma500.benchmarks.base import Example, Item, likely_label
from emma500.benchmarks.files import COMPRESSED, HUB, local_copy, open_place, script_of
from emma500.benchmarks.forms import FORMS, Form
from emma500.benchmarks.rows import rows_of
from emma500.errors import LanguageError, SourceError
from emma500.languages.codes import UNKNOWN_SCRIPT, Language
from emma500.tables import read_table

LAYOUTS = (
    "{code}/{split}.tsv", "{code}/{split}.csv", "{code}/{split}.jsonl", "{code}/{split}.json",
    "{code}/{split}-*.parquet", "{code}/{split}/*.parquet", "{split}/{code}.jsonl", "{split}/{code}.parquet",
    "{code}_{split}.jsonl", "{code}_{split}.json", "{code}.{split}.jsonl",
)  # fmt: skip
"""Where records are if the table does not say: the ways of the Hub, its Parquet branch among them."""
_LOOKED_AT = 50  # records, to tell a script
_LABEL = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")


class Records:
    """The records of a benchmark.

    Args:
        name: The benchmark's name.
        place: A folder, or an fsspec address such as `hf://datasets/cambridgeltl/xcopa`.
        row: Its row of the table: `records`, `splits`, `form` and `codes`.

    Raises:
        SourceError: If there is no such file.
    """

    def __init__(self, name: str, place: str, row: Mapping[str, str]) -> None:
        self.name, self.place = name, place
        self.sources: frozenset[str] = frozenset()
        self._form: Form = FORMS[row["form"]]
        self._layouts = row["records"].split() or list(LAYOUTS)
        self._splits = dict(each.split("=") for each in row["splits"].split())
        self._columns = row["codes"].split()
        local, self.revision = local_copy(place, _globs(self._layouts, self._splits.values()))
        self._system, base = open_place(local)
        self._files = self._found(base)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels that have test records, sorted."""
        return tuple(sorted({label for label, split in self._labelled if split == "test"}))

    def examples(self, label: str, split: str) -> list[Example]:
        """Return the records of one label, in the order of their files.

        Args:
            label: The label.
            split: "test" or "shots".

        Raises:
            SourceError: If a record lacks a column, or two have one id.
        """
        found = [
            self._example(path, number, row, label)
            for path, number, row in self._labelled.get((label, split), ())
        ]
        seen: set[str] = set()
        for example in found:
            if example.id in seen:
                raise SourceError(
                    f"{self.name} has two records with the id {example.id!r} in {label} ({split}): ids must differ "
                    "within a label; remove one, or number them"
                )
            seen.add(example.id)
        return found

    def read(self, label: str) -> Iterator[Item]:
        """Yield the texts of the test records of one label, as the search for contamination takes them."""
        for each in self.examples(label, "test"):
            if text := each.fields["text"].strip():
                yield Item(id=each.id, label=label, text=text, parallel_id=each.parallel_id)

    def _example(self, path: str, number: int, row: Mapping[str, Any], label: str) -> Example:
        try:
            parts = self._form.read(row, number)
        except KeyError as error:
            raise SourceError(
                f"{Path(path).name}, record {number}, has no column {error}, which {self.name} needs; "
                f"it has: {', '.join(map(str, row))}"
            ) from error
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            raise SourceError(
                f"{Path(path).name}, record {number}, is not of the form that {self.name} has: {error}"
            ) from error
        name = parts.pop("id", str(number))
        parallel = parts.pop("parallel_id", name)
        return Example(id=name, label=label, parallel_id=parallel, **parts)

    @cached_property
    def _labelled(self) -> dict[tuple[str, str], Iterable[tuple[str, int, dict[str, Any]]]]:
        """The records of each label and split; read when asked for, at once where a file holds many labels."""
        found: dict[tuple[str, str], Any] = {}
        # A file named exactly so goes first: a retired code and its heir (ajp_Arab, apc_Arab) stay.
        files = sorted(self._files.items(), key=lambda each: each[0][0] != self._label(each[0][0]))
        for (code, split), paths in files:
            if not self._columns:
                label = self._with_script(self._label(code), paths)
                free = code if (label, split) in found and _LABEL.fullmatch(code) else label
                if free and (free, split) not in found:
                    found[free, split] = _Lazy(self, paths)
                continue
            for path, number, row in self._rows(paths):
                label = _label_of(*(str(row.get(each) or "") for each in self._columns))
                if label:
                    found.setdefault((label, split), []).append((path, number, row))
        return found

    def _label(self, code: str) -> str:
        if code in _codes().get(self.name, {}):
            return _codes()[self.name][code]
        if self._form.is_code:
            return code
        try:
            sides = code.split("-") if self._form.is_pair else [code]
            return "-".join(map(likely_label, sides))
        except LanguageError:
            return ""

    def _with_script(self, label: str, paths: list[str]) -> str:
        """Return a label with the script of its first records, where the code says none and none is usual."""
        if not label.endswith(f"_{UNKNOWN_SCRIPT}") or self._form.is_pair:
            return label
        from emma500.languages.writing.script_detection import scripts

        texts = []
        for _, number, row in islice(self._rows(paths), _LOOKED_AT):
            try:
                texts.append(self._form.read(row, number)["fields"]["text"])
            except (KeyError, ValueError, TypeError):
                continue  # told when the records are read
        found = scripts([" ".join(texts)])[0][0].as_py()
        return f"{label.partition('_')[0]}_{found}" if found else label

    def _found(self, base: str) -> dict[tuple[str, str], list[str]]:
        try:
            paths = sorted(self._system.find(base))
        except OSError as error:
            raise SourceError(f"{self.place} cannot be read: {error}") from error
        for layout in self._layouts:
            found: dict[tuple[str, str], list[str]] = {}
            for split, names in self._splits.items():
                if "{split}" not in layout and names != self._splits["test"]:
                    continue
                pattern = _pattern(layout, names)
                for path in paths:
                    if match := pattern.fullmatch(path[len(base) :].lstrip("/") or path):
                        code = match.groupdict().get("code", "")
                        found.setdefault((code, split), []).append(path)
            if any(split == "test" for _, split in found):
                return found
        if self.place.startswith(HUB) and any(
            Path(path).name == script_of(self.place) for path in paths
        ):
            raise SourceError(
                f"{self.name} is made by a script at {self.place} ({script_of(self.place)}), which is not run: read "
                f"the Hub's Parquet branch of it, {self.name}@refs/convert/parquet, or give its folder as "
                f"{self.name}=FOLDER"
            )
        raise SourceError(
            f"{self.name} is not in {self.place}: no file {' or '.join(self._layouts[:4])} with split "
            f"{self._splits['test'].replace('|', ' or ')}; give its folder as {self.name}=FOLDER"
        )

    def _rows(self, paths: Iterable[str]) -> Iterator[tuple[str, int, dict[str, Any]]]:
        number = 0
        for path in paths:
            for row in self._rows_of(path):
                number += 1
                yield path, number, row

    def _rows_of(self, path: str) -> Iterator[dict[str, Any]]:
        compression = None if path.endswith(".parquet") else "infer"
        with self._system.open(path, "rb", compression=compression) as file:
            content = file.read()
        try:
            yield from rows_of(path, content, self._form)
        except ValueError as error:
            raise SourceError(
                f"{Path(path).name} cannot be read: {error}; fetch {self.name} again"
            ) from error


class LazyRecords:
    """The records of a benchmark whose files are looked for when first asked for.

    Args:
        name: As `Records`.
        place: As `Records`.
        row: As `Records`.
    """

    def __init__(self, name: str, place: str, row: Mapping[str, str]) -> None:
        self._given = (name, place, row)

    @cached_property
    def _records(self) -> Records:
        return Records(*self._given)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that have test records, sorted."""
        return self._records.labels

    def examples(self, label: str, split: str) -> list[Example]:
        """Return the records of one label and split."""
        return self._records.examples(label, split)


class _Lazy:
    def __init__(self, records: Records, paths: list[str]) -> None:
        self._records, self._paths = records, paths

    def __iter__(self) -> Iterator[tuple[str, int, dict[str, Any]]]:
        return self._records._rows(self._paths)


def _label_of(language: str, script: str = "") -> str:
    """Return the label of a language, by code or name, and its script; "" if it is none."""
    try:
        return Language.parse(language, script=script).label if script else likely_label(language)
    except LanguageError:
        return ""


def _globs(layouts: Iterable[str], splits: Iterable[str]) -> list[str]:
    """Return what files are looked for, of the wanted splits alone: others may be a thousand times as large."""
    names = [name for each in splits for name in each.split("|")]
    filled = (each.replace("{split}", name) for each in layouts for name in names)
    return list(dict.fromkeys(each.replace("{code}", "*") for each in filled))


def _pattern(layout: str, splits: str) -> re.Pattern[str]:
    """Return what a path under the folder must be, at any depth."""
    parts = re.split(r"(\{code\}|\{split\}|\*)", layout)
    meaning = {"{code}": r"(?P<code>[^/]+?)", "{split}": f"(?:{splits})", "*": "[^/]*"}
    body = "".join(meaning.get(part, re.escape(part)) for part in parts)
    return re.compile(rf"(?:.*/)?{body}(?:{'|'.join(map(re.escape, COMPRESSED))})?")


@cache
def _codes() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in read_table("benchmark_codes"):
        found.setdefault(row["benchmark"], {})[row["code"]] = row["label"]
    return found
