"""What stands on a figure: names from manifests, benchmarks and models, which may hold anything, drawn as they are.

matplotlib reads what stands between two dollar signs as a formula, which it may not be, gives a name as much room as it
asks for until none is left for the axes, and warns of characters its font lacks.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from emma500.publishing.shown import without_hidden

if TYPE_CHECKING:
    from collections.abc import Callable

FONT = "DejaVu Sans"
_LACKED = "\N{WHITE SQUARE}"
_LONGEST_LINE = 80  # characters of a title, or of what an axis shows
_LONGEST_NAME = 44  # of all else: the name of a row or a column, of a point, in a legend


def plain_texts(canvas: Any) -> None:
    """Make the texts of a figure plain: no formulas, hidden characters or line ends, and no longer than there is room.

    Args:
        canvas: The matplotlib figure, with all that it shows.
    """
    from matplotlib.text import Text
    from matplotlib.ticker import FuncFormatter

    lines = {id(text) for axes in canvas.axes for text in _lines(axes)} | {id(canvas._suptitle)}
    for text in set(canvas.findobj(Text)):
        longest = _LONGEST_LINE if id(text) in lines else _LONGEST_NAME
        text.set_text(plain_text(text.get_text(), longest))
    for axes in canvas.axes:
        for axis in (axes.xaxis, axes.yaxis):
            named = axis.get_major_formatter()
            if isinstance(named, FuncFormatter):  # what `set_yticks(places, names)` leaves
                axis.set_major_formatter(FuncFormatter(_named(named.func)))


def plain_text(text: str, longest: int = _LONGEST_NAME) -> str:
    """Return text as matplotlib draws it without reading anything into it.

    Args:
        text: Any text. One line end is kept: our own names of columns have two lines.
        longest: How many characters to keep; the last is "…" where some are left out.

    Returns:
        The text, with squares for what the font lacks.
    """
    lines = text.split("\n") if text.count("\n") == 1 else [text]
    text = "\n".join(" ".join(without_hidden(line).split()) for line in lines)
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    if not text.isascii():
        text = "".join(each if ord(each) in _glyphs() else _LACKED for each in text)
    return text.replace("$", r"\$")


def _lines(axes: Any) -> list[Any]:
    """Return the texts that run along an axis or above it."""
    titles = [axes.title, axes._left_title, axes._right_title]
    return [*titles, axes.xaxis.label, axes.yaxis.label]


def _named(names: "Callable[[float, int | None], str]") -> "Callable[[float, int | None], str]":
    return lambda value, place: plain_text(names(value, place))


@cache
def _glyphs() -> frozenset[int]:
    """The characters of the font, and the line end, which is no character to it."""
    from matplotlib.font_manager import findfont, get_font

    return frozenset([*get_font(findfont(FONT)).get_charmap(), ord("\n")])
