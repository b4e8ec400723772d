"""What benchmarks there are, as a table to read."""

from collections.abc import Sequence

from emma500.benchmarks.files import HUB
from emma500.benchmarks.registry import local_names
from emma500.tables import read_table


def listing(data_dir: str | None = None) -> list[dict[str, str]]:
    """Describe the benchmarks.

    Args:
        data_dir: A folder of benchmark files; those that have a folder in it are said to be there.

    Returns:
        One row a benchmark: name, shape, shots, metrics, where its data are and at which revision, and what it is.
    """
    local = local_names(data_dir)
    return [
        {
            "name": row["name"],
            "shape": row["shape"],
            "shots": row["shots"],
            "metrics": row["metrics"] or "bits_per_byte",
            "data": "data_dir" if row["name"] in local else _where(row["place"], row["reader"]),
            "revision": "" if row["name"] in local else _short(row["revision"]),
            "note": row["note"],
        }
        for row in read_table("benchmarks")
    ]


def shown(rows: Sequence[dict[str, str]]) -> str:
    """Return rows as aligned lines, the head first."""
    cells = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _where(place: str, reader: str) -> str:
    if place:
        return place.removeprefix(HUB)
    return {"gflanguages": "emma500[demo]", "corpus": "corpus", "pairs": "corpus"}.get(
        reader, "NAME=FOLDER"
    )


def _short(revision: str) -> str:
    """Return a branch, or the first seven digits of a commit, as the Hub shows it."""
    return revision if "/" in revision else revision[:7]
