"""Tables of finished cells, and how a number is written in them.

A table is made once and rendered twice: as Markdown on cards and in `report.md`, as HTML in `report.html`.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NO_DATA = "n/a"
"""What a cell says where there is no number: missing is not zero."""

_CODE = re.compile(r"(?<![`\\])(`+)(?!`).+?(?<!`)\1(?!`)")
_OPENING = re.compile(r"(?<!\\)((?:\\\\)*)<")


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A heading, an alignment and the cells, all of them text.

    `align` holds one letter a column: "l" for text, "r" for numbers, "t" for text in the row's own language.
    """

    columns: tuple[str, ...]
    align: str
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def text(self) -> str:
        """Return the table for a terminal: its caption, then aligned columns."""
        cells = [self.columns, *self.rows]
        cells = [tuple(cell.replace("`", "").replace("**", "") for cell in row) for row in cells]
        widths = [max(len(row[place]) for row in cells) for place in range(len(self.columns))]
        lines = [
            "  ".join(
                cell.rjust(width) if letter == "r" else cell.ljust(width)
                for cell, width, letter in zip(row, widths, self.align, strict=True)
            ).rstrip()
            for row in cells
        ]
        return "\n".join([self.caption, *lines] if self.caption else lines)

    def markdown(self) -> str:
        """Return the table as GitHub-flavoured Markdown, without a final newline."""
        rules = ["---:" if letter == "r" else "---" for letter in self.align]
        lines = [self.columns, rules, *self.rows]
        return "\n".join("| " + " | ".join(_escaped(cells)) + " |" for cells in lines)


def table(columns: Sequence[str], align: str, rows: Iterable[Sequence[str]]) -> Table:
    """Make a table of rows of finished cells."""
    return Table(columns=tuple(columns), align=align, rows=tuple(tuple(row) for row in rows))


def count(value: float | None) -> str:
    """Write a count with commas: 1234567 is "1,234,567"."""
    return NO_DATA if _missing(value) else f"{value:,.0f}"


def counted(value: int, noun: str) -> str:
    """Write a count with its noun in the right number: "1 label", "1,234 labels"."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def size(n_bytes: float | None) -> str:
    """Write a size in decimal units: 1234567 bytes is "1.2 MB"."""
    if n_bytes is None or _missing(n_bytes):
        return NO_DATA
    value, unit = float(n_bytes), "B"
    for each in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, each
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"


def short(value: int) -> str:
    """Write a number for a figure, in at most four characters and a unit: 1234567 is "1.2M"."""
    size, unit = float(value), ""
    for each in ("k", "M", "B", "T"):
        if size < 999.5:
            break
        size, unit = size / 1000, each
    return f"{size:.0f}{unit}" if not unit or size >= 9.95 else f"{size:.1f}{unit}"


def decimal(value: float | None, digits: int = 3) -> str:
    """Write a number with a fixed number of decimals."""
    return NO_DATA if _missing(value) else f"{value:.{digits}f}"


def percent(value: float | None, digits: int = 1, *, sign: bool = False) -> str:
    """Write a ratio as a percentage; with `sign`, a gain carries its plus."""
    return NO_DATA if _missing(value) else f"{value:{'+' if sign else ''}.{digits}%}"


def significant(value: float | None, digits: int = 3) -> str:
    """Write a number that may be of any size with so many digits: 0.000123, 12.3, 1,234,567."""
    if value is None or _missing(value):
        return NO_DATA
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


def duration(seconds: float | None) -> str:
    """Write a time in its two largest units: "0.4 s", "12 min 05 s", "3 h 07 min", "12 d 4 h"."""
    if seconds is None or _missing(seconds):
        return NO_DATA
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def literal(text: str) -> str:
    """Return text that Markdown shows as it is: a name of a folder may hold what looks like markup."""
    return re.sub(r"([\\`*<\[\]])", r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """Return text between backticks; text that holds some, which would end the code, is shown as it is."""
    return literal(text) if "`" in text else f"`{text}`"


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as CSV under the names of the first one's fields."""
    text = io.StringIO()
    names = list(rows[0]) if rows else ["label"]
    writer = csv.DictWriter(text, fieldnames=names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def with_error(
    value: float | None, stderr: float | None, digits: int = 3, *, sign: bool = False
) -> str:
    """Write a value with its standard error: "1.234 ± 0.012"."""
    if _missing(value):
        return NO_DATA
    text = f"{value:{'+' if sign else ''}.{digits}f}"
    return text if _missing(stderr) else f"{text} ± {stderr:.{digits}f}"


def plain(value: object) -> str:
    """Write a configuration value as a reader expects it: lists by commas, no value as "none"."""
    if value is None or value == [] or value == {} or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        between = "; " if any(isinstance(each, dict) for each in value) else ", "
        return between.join(plain(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}={plain(each)}" for name, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)


def _escaped(cells: Iterable[str]) -> list[str]:
    return [_without_tags(" ".join(cell.split())).replace("|", "\\|") for cell in cells]


def _without_tags(cell: str) -> str:
    """Escape what would be HTML; what stands between as many backticks on both sides is shown as it is anyway."""
    parts, end = [], 0
    for match in _CODE.finditer(cell):
        parts += [_tagless(cell[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*parts, _tagless(cell[end:])])


def _tagless(text: str) -> str:
    return _OPENING.sub(r"\1\\<", text)
