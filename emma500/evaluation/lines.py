"""Tables on a terminal."""

import re
from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"<?[-+]?[\d,.]+%?|-|[-+][\d.]+ \[.*\]")


def table_lines(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return cells as aligned lines, indented by two; numbers to the right.

    Args:
        heads: The names of the columns.
        rows: Their cells.
    """
    cells = [list(heads), *map(list, rows)]
    columns = list(zip(*cells, strict=True))
    widths = [max(map(len, column)) for column in columns]
    is_number = [
        any(column[1:]) and all(_NUMBER.fullmatch(cell) for cell in column[1:] if cell)
        for column in columns
    ]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, is_number, strict=True)
        ).rstrip()
        for row in cells
    ]
