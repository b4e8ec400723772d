"""Tables that ship with the package: many of a kind is a row each, never a file or a function each.

A table is a TSV file with a header; lines that start with `#` say where the rows come from.
"""

from functools import cache
from importlib.resources import files


@cache
def read_table(name: str) -> tuple[dict[str, str], ...]:
    """Read one of the package's tables.

    Args:
        name: The file's name without its ending, as "sources".

    Returns:
        One dictionary a row, in the file's order; an empty cell is "".

    Raises:
        ValueError: If a row has not as many cells as the header.
    """
    text = files("emma500.tables").joinpath(f"{name}.tsv").read_text(encoding="utf-8")
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    header = lines[0].split("\t")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) != len(header):
            raise ValueError(f"{name}.tsv, row {number}: {len(cells)} cells, not {len(header)}")
        rows.append(dict(zip(header, cells, strict=True)))
    return tuple(rows)
