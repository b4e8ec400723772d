"""How fast documents are packed, and how much of the rows they fill; a plain loop over rows stands beside it.

python tests/speed/packing.py [documents] [length]
"""

import sys
import time

import numpy as np

from emma500.mixture.packing import best_fit, place


def first_fit(sizes: np.ndarray, capacity: int) -> int:
    """Pack by asking every open row; returns the number of rows."""
    room: list[int] = []
    for size in sizes.tolist():
        for row, free in enumerate(room):
            if free >= size:
                room[row] -= size
                break
        else:
            room.append(capacity - size)
    return len(room)


def main() -> None:
    """Pack documents of log-normal sizes, as those of web text are."""
    n_documents, length = (
        int(each) for each in (*sys.argv[1:], *("1000000", "4096")[len(sys.argv) - 1 :])
    )
    sizes = np.random.default_rng(0).lognormal(5.5, 1.2, n_documents).astype(np.int64) + 1
    start = time.process_time()
    pieces = place(sizes, length)
    seconds = time.process_time() - start
    fill = pieces.size.sum() / (pieces.n_rows * length)
    print(
        f"{n_documents:,} documents, {sizes.sum():,} tokens -> {pieces.n_rows:,} rows of {length:,}"
    )
    print(
        f"place: {seconds:.2f} CPU s, {sizes.sum() / seconds / 1e6:.0f} million tokens a second, {fill:.2%} filled"
    )
    few = -np.sort(-pieces.size[: min(20_000, len(pieces.size))])
    start = time.process_time()
    ours = int(best_fit(few, length).max()) + 1
    middle = time.process_time()
    theirs = first_fit(few, length)
    end = time.process_time()
    print(f"{len(few):,} pieces, best fit: {middle - start:.3f} s, {ours:,} rows")
    print(f"{len(few):,} pieces, plain first fit: {end - middle:.3f} s, {theirs:,} rows")


if __name__ == "__main__":
    main()
