"""The build of a corpus against the floor: JSON Lines -> exact deduplication -> Parquet with zstd, in polars.

    python tests/speed/corpus_vs_floor.py [--corpus FOLDER] [--megabytes 210] [--identified 210] [--times 3]

CPU seconds of whole processes on one core, start-up included, the best of some runs; polars is installed into an
environment of its own. Then the wall seconds of the build on one and on two cores. Exit status 0 where the build
without identification costs at most 6 times the floor, with it at most 10 times,
and two cores are at least 1.7 times one.
"""

import os
import tempfile
from pathlib import Path

import corpus_runs  # type: ignore[import-not-found]  # beside this script

POLARS = ("polars==2.1.0",)
FLOOR = """
import sys
import polars
frame = polars.scan_ndjson(sys.argv[1])
frame.unique("text", keep="any").sink_parquet(sys.argv[2], compression="zstd", compression_level=1)
"""
MOST, MOST_IDENTIFIED, LEAST_GAIN = 6.0, 10.0, 1.7


def best(times: int, run):  # type: ignore[no-untyped-def]
    """Return the cheapest of some runs."""
    return min((run(number) for number in range(times)), key=lambda cost: cost.cpu)


def told(name: str, megabytes: float, cost) -> None:  # type: ignore[no-untyped-def]
    """Print a line of the table."""
    print(
        f"{name:<34} {megabytes:7.1f} MB {cost.cpu:8.2f} CPU s {cost.wall:8.2f} s {megabytes / cost.cpu:7.1f} MB/s/core"
        f" {cost.peak / 2**20:7.0f} MiB",
        flush=True,
    )


def main() -> None:
    """Run and compare."""
    options = corpus_runs.arguments(
        "the build against polars' floor",
        megabytes=(210.0, "text to build, MB"),
        identified=(210.0, "text to build with identification, MB; 0 for none"),
        times=(3, "runs of each"),
    )
    python = corpus_runs.environment("polars", POLARS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ratios = {}
        for what, identify, wanted in (
            ("without identification", "off", options.megabytes),
            ("with identification", "emma500", options.identified),
        ):
            if not wanted:
                continue
            source = folder / f"{identify}.jsonl"
            megabytes = corpus_runs.cut(options.corpus, wanted, source)
            floor = best(
                options.times,
                lambda _, source=source: corpus_runs.measured(
                    [str(python), "-c", FLOOR, str(source), str(folder / "floor.parquet")]
                ),
            )
            ours = best(
                options.times,
                lambda number, source=source, identify=identify: corpus_runs.build(
                    [source], folder / f"{identify}{number}", identify=identify
                ),
            )
            told(f"floor (polars), {what}", megabytes, floor)
            told(f"build {what}", megabytes, ours)
            ratios[what] = ours.cpu / floor.cpu
        gain = 0.0
        if len(os.sched_getaffinity(0)) > 1:
            source = folder / "off.jsonl"
            costs = [
                corpus_runs.build([source], folder / f"on{cores}", cores=cores) for cores in (1, 2)
            ]
            for cores, cost in enumerate(costs, start=1):
                told(f"build on {cores} core(s)", options.megabytes, cost)
            gain = costs[0].wall / costs[1].wall
    shown = ", ".join(f"{ratio:.1f} times the floor {what}" for what, ratio in ratios.items())
    limits = {"without identification": MOST, "with identification": MOST_IDENTIFIED}
    holds = all(ratio <= limits[what] for what, ratio in ratios.items()) and gain >= LEAST_GAIN
    corpus_runs.verdict(
        f"{shown} (at most {MOST:.0f} and {MOST_IDENTIFIED:.0f}); "
        f"two cores {gain:.2f} times one (at least {LEAST_GAIN})",
        holds,
    )


if __name__ == "__main__":
    main()
