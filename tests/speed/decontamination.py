"""What decontamination costs: the index of a million sentences, and the share of the build's time its search takes.

    python tests/speed/decontamination.py [documents.jsonl.gz …]

The sentences are runs of 32 words of ../shared/data/bench_open (51 characters where no spaces are written: 20 and 26
n-grams each) and, until there are a million, the same with their words in another order. Beside each stands a short
item, which is found only as a sentence of its own: 6 words of it, or 14 characters. The texts that are searched
are those of a part that no sentence comes from, and of them the clean ones: a match would end the search early. CPU
seconds of one core. The build is `build_mala` on the same texts without identification, the cheapest there is.
Exit status 0 where the index takes less than 1 GB, made or in use, and the search less than 15% of the build's time.
"""

import gzip
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from emma500.corpus.build import BuildConfig, build_mala
from emma500.corpus.decontamination.contamination import Contamination
from emma500.corpus.text.tokens import Tokens, tokenise
from emma500.languages.writing.normalisation import normalise

SENTENCES = 1_000_000
GIGABYTES, SHARE = 1.0, 0.15
_BATCH = 1024
_SEARCHED = 10e6  # bytes


def parts() -> list[Path]:
    shared = Path(os.environ.get("EMMA500_SHARED", Path(__file__).parents[3] / "shared"))
    given = [Path(each) for each in sys.argv[1:]]
    return given or sorted((shared / "data" / "bench_open").glob("part-*.jsonl.gz"))


def texts(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)["text"]


def sentences(paths: list[Path]) -> Iterator[tuple[str, str, str]]:
    """Yield a million sentences as items of ten benchmarks, and as many short items."""
    count, turn = 0, 0
    while count < SENTENCES:
        shuffled = np.random.default_rng(turn)
        for path in paths:
            for text in texts(path):
                words = text.split()
                is_spaced = 12 * len(words) > len(text)
                cut = words if is_spaced else list(text.replace(" ", ""))
                size, glue = (32, " ") if is_spaced else (51, "")
                for first in range(0, len(cut) - size + 1, size):
                    some = cut[first : first + size]
                    if turn:
                        some = [some[place] for place in shuffled.permutation(size)]
                    name, label = f"benchmark{10 * count // SENTENCES}", f"l{count // 10_000}"
                    yield name, label, glue.join(some)
                    yield name, label, glue.join(some[8 : 14 if is_spaced else 22])
                    count += 1
                    if count == SENTENCES:
                        return
        turn += 1


def peak() -> float:
    """Return the most memory this process had so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def batches(texts: list[str]) -> list[Tokens]:
    array = normalise(texts)
    return [tokenise(array.slice(first, _BATCH)) for first in range(0, len(array), _BATCH)]


def search_seconds(contamination: Contamination, tokens: list[Tokens]) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        for each in tokens:
            contamination.find(each)
        times.append(time.process_time() - start)
    return min(times)


def build_seconds(searched: list[str]) -> float:
    """Return the CPU seconds of a whole build of texts, kernels compiled before."""
    seconds = 0.0
    for some in (searched[:50], searched):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "texts.jsonl"
            with path.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps({"text": each, "lang": "und"}) + "\n" for each in some)
            start = time.process_time()
            build_mala(path, Path(folder) / "mala", config=BuildConfig(identify="off"))
            seconds = time.process_time() - start
    return seconds


def main() -> int:
    *indexed, last = [each for each in parts() if each.stat().st_size > 1e6]
    Contamination.build(
        [("warm", "up", text) for _, text in zip(range(100), texts(last), strict=False)]
    )
    before, start = peak(), time.process_time()
    contamination = Contamination.build(sentences(indexed))
    built, grown = time.process_time() - start, peak() - before
    size = contamination.n_bytes / 1e9
    counts = contamination.counts.values()
    print(
        f"items {sum(each.n_items for each in counts):,}, short {sum(each.n_short for each in counts):,}, "
        f"runs {len(contamination.grams):,}"
    )
    print(
        f"index {size:.3f} GB; making it {built:.1f} s (making the items included), {grown:.2f} GB at its peak"
    )

    every = list(texts(last))
    found = contamination.find(tokenise(normalise(every)))
    clean = [text for text, name in zip(every, found.to_pylist(), strict=True) if name is None]
    print(
        f"{len(every) - len(clean):,} of {len(every):,} documents hold a sentence; the others are searched"
    )
    chosen, n_bytes = [], 0
    while clean and n_bytes < _SEARCHED:
        chosen.append(clean.pop())
        n_bytes += len(chosen[-1].encode())
    tokens = batches(chosen)
    search, build = search_seconds(contamination, tokens), build_seconds(chosen)
    print(f"search {n_bytes / search / 1e6:.0f} MB/s; build {n_bytes / build / 1e6:.1f} MB/s")
    print(
        f"decontamination: {max(size, grown):.2f} GB for {SENTENCES:,} sentences (target {GIGABYTES:g}), "
        f"{search / build:.1%} of the build's time (target {SHARE:.0%})"
    )
    return 0 if max(size, grown) < GIGABYTES and search / build < SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
