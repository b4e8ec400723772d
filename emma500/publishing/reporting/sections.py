"""What a report is made of: sections with paragraphs, tables and figures, and the numbers that head it."""

from dataclasses import dataclass
from pathlib import Path

from emma500.publishing.tables import Table


@dataclass(frozen=True, kw_only=True, slots=True)
class Aside:
    """What a row of a table has beside its cells.

    Attributes:
        words: What a search finds the row by.
        language: The BCP 47 tag of its cells in the language (`Table.align` "t"); "" if it has none.
        curve: Values over time, drawn in the row on the HTML page; none for no curve.
    """

    words: str
    language: str = ""
    curve: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One piece of a section: a paragraph, a heading, a table with its caption, or a figure with its description.

    Attributes:
        text: The paragraph, the heading, the caption or the description; a line of Markdown.
        table: The table.
        figure: The figure's SVG file.
        asides: One a row of the table, which makes it one that can be searched and sorted on the HTML page.
        is_heading: Whether the text is a heading.
    """

    text: str
    table: Table | None = None
    figure: Path | None = None
    asides: tuple[Aside, ...] = ()
    is_heading: bool = False

    @property
    def has_curves(self) -> bool:
        """Whether a row has a curve."""
        return any(each.curve for each in self.asides)

    @property
    def curve_place(self) -> int:
        """Before which column the curves stand: that of texts, if it is the last."""
        align = self.table.align if self.table else ""
        return len(align) - (align.endswith("t"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A heading and what stands under it.

    Attributes:
        title: The heading.
        parts: What stands under it.
        name: What a link to it ends in, as "languages"; "" for none of its own.
    """

    title: str
    parts: tuple[Part, ...]
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """A number that heads the report, what it counts, and a note."""

    value: str
    name: str
    note: str = ""


def told(*named: tuple[str, Table]) -> list[Part]:
    """Return the tables that have something to say, each under its caption."""
    return [Part(text=text, table=found) for text, found in named if found.rows]


def heading(text: str) -> Part:
    """Return a heading within a section."""
    return Part(text=text, is_heading=True)
