"""The two pages of a report: Markdown, and one HTML file that holds its figures, its style and its search in itself.

Whatever a manifest or a text says is shown as it is and never as markup: the templates escape, the page forbids what is
not its own script and style (a content security policy with their hashes), and `cards.render` leaves out characters
that turn the direction of what follows.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emma500.publishing.cards import render
from emma500.publishing.reporting.sections import Fact, Section
from emma500.storage import write_text

if TYPE_CHECKING:
    from markupsafe import Markup

_TEMPLATES = Path(__file__).parents[1] / "templates"
_LONGEST = 4000  # characters of a cell or paragraph that are shown
_INLINE = re.compile(
    r"\\(?P<literal>[\\`*<\[\]|])"
    r"|`(?P<code>[^`]+)`"
    r"|\*\*(?P<strong>.+?)\*\*"
    r"|\[(?P<link>(?:\\.|[^\]\\])+)\]\((?P<address>https?://[^)\s]+)\)"
)
_DARK = {
    "#ffffff": "#0d1117", "#222222": "#e6edf3", "#000000": "#e6edf3", "#888888": "#7d8590", "#e4e4e4": "#2a3038",
    "#f0f0f0": "#1c2128", "#eeeeee": "#1c2128", "#bbbbbb": "#484f58", "#7f7f7f": "#9198a1",
    "#0072b2": "#3d8fe0", "#56b4e9": "#a5dcff", "#d55e00": "#ff8a4c", "#009e73": "#2fc39a", "#cc79a7": "#e59ac3",
}  # fmt: skip
"""What the colours of figures are where the reader wants a dark page; others serve on both."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What a report says, before it is written down."""

    title: str
    summary: Sequence[str]
    facts: Sequence[Fact]
    sections: Sequence[Section]
    maker: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """A figure as an address that needs no file, with its size in CSS pixels."""

    address: str
    width: int
    height: int


def write_pages(page: Page, folder: Path) -> Path:
    """Write `report.html` and `report.md`.

    Args:
        page: What to write.
        folder: The folder, which holds the figures in `figures/`.

    Returns:
        The Markdown file.
    """
    style, script = (_own(f"report.{ending}") for ending in ("css", "js"))
    context = {
        "page": page,
        "inline": inline_html,
        "image": image,
        "points": points,
        "style": style,
        "script": script,
        "policy": _policy(style, script),
    }
    for name in ("report.html", "report.md"):
        write_text(folder / name, render(f"{name}.j2", context))
    return folder / "report.md"


def inline_html(text: str) -> "Markup":
    """Return one line of Markdown (code, strong, links, escapes by backslash) as HTML; all else is shown as it is."""
    from markupsafe import Markup, escape

    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    parts, end = [], 0
    for match in _INLINE.finditer(text):
        parts += [escape(text[end : match.start()]), _marked_up(match.groupdict())]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def _marked_up(found: Mapping[str, str | None]) -> "Markup":
    from markupsafe import Markup, escape

    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["strong"]:
        return Markup("<strong>{}</strong>").format(inline_html(found["strong"]))
    if found["link"]:
        return Markup('<a href="{}">{}</a>').format(found["address"], inline_html(found["link"]))
    return escape(found["literal"])


def image(figure: Path) -> Image:
    """Return a figure whose colours follow the reader's preference for light or dark."""
    svg = figure.read_text(encoding="utf-8")
    found = re.search(r'<svg[^>]*?\bviewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    width, height = (round(float(each) * 4 / 3) for each in found.groups()) if found else (0, 0)
    svg = re.sub(
        r"(<svg\b[^>]*>)", lambda match: f"{match[1]}<style>{_dark_style()}</style>", svg, count=1
    )
    svg = re.sub(r"\s*\n\s*", " ", svg)
    encoded = base64.b64encode(svg.encode()).decode()
    return Image(address=f"data:image/svg+xml;base64,{encoded}", width=width, height=height)


def _dark_style() -> str:
    rules = [
        f'[style*="{name}: {light}"]{{{name}:{dark}!important}}'
        for light, dark in _DARK.items()
        for name in ("fill", "stroke")
    ]
    rules.append(f"svg{{fill:{_DARK['#000000']}}}image{{filter:invert(1) hue-rotate(180deg)}}")
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"


def points(values: Sequence[float], width: int = 72, height: int = 18) -> str:
    """Return values over time as the points of an SVG polyline, the largest on top."""
    low, high = min(values), max(values)
    across, down = width - 4, height - 4
    places = []
    for place, value in enumerate(values):
        x = 2 + across * place / max(1, len(values) - 1)
        y = 2 + down * ((high - value) / (high - low) if high > low else 0.5)
        places.append(f"{x:.1f},{y:.1f}")
    return " ".join(places)


def _own(name: str) -> "Markup":
    from markupsafe import Markup

    return Markup((_TEMPLATES / name).read_text(encoding="utf-8").strip())


def _policy(style: str, script: str) -> str:
    hashes = [
        base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()
        for each in (style, script)
    ]
    return (
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; "
        "base-uri 'none'; form-action 'none'"
    ).format(*hashes)
