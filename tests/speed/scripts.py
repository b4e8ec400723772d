"""Megabytes a second of script detection on real texts in 150 scripts.

    python tests/speed/scripts.py [megabytes]

The texts are the passages of gflanguages, as they are (about 750 bytes) and joined to documents of twenty. Prints CPU
rates, best of three, and the plain Python loop over characters beside them.
"""

import sys
import time
from collections import Counter

import pyarrow as pa

from emma500.languages.scripts import _names, _table, scripts
from emma500.sources.embedded import gflanguages_passages


def seconds(call):
    """Return the fewest CPU seconds of three calls."""
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def python_loop(texts):
    """What one would write without a kernel."""
    table, names = _table(), _names()
    return [
        Counter(names[table[ord(character)]] for character in text).most_common(1) for text in texts
    ]


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    passages = [each.text or "" for each in gflanguages_passages()]
    documents = ["\n".join(passages[at : at + 20]) for at in range(0, len(passages), 20)]
    scripts(pa.array(passages[:1]))  # compiles the kernel
    for name, texts in (("passages", passages), ("documents", documents)):
        size = sum(len(text.encode()) for text in texts)
        repeats = max(1, megabytes * 10**6 // size)
        array = pa.array(texts * repeats)
        taken = seconds(lambda array=array: scripts(array))
        print(
            f"{name:10} {size * repeats / taken / 1e6:8,.0f} MB/s  {len(array) / taken:12,.0f} texts/s"
        )
    sample = passages[::20]
    taken, size = seconds(lambda: python_loop(sample)), sum(len(text.encode()) for text in sample)
    print(f"{'python':10} {size / taken / 1e6:8,.1f} MB/s  {len(sample) / taken:12,.0f} texts/s")


if __name__ == "__main__":
    main()
