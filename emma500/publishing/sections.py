"""What a report is made of: sections with paragraphs, tables and figures, and the numbers that head it."""

import base64
from dataclasses import dataclass
from pathlib import Path

from emma500.publishing.tables import Table


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One piece of a section: a paragraph, a table with its caption, or a figure with its description."""

    text: str
    table: Table | None = None
    figure: Path | None = None

    @property
    def data_uri(self) -> str:
        """The figure itself, as an address that needs no file."""
        if self.figure is None:
            return ""
        return "data:image/svg+xml;base64," + base64.b64encode(self.figure.read_bytes()).decode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """A number that heads the report, what it counts, and a note."""

    value: str
    name: str
    note: str = ""
