"""Bootstrap of BLEU and chrF++, and Self-BLEU, against sacreBLEU scoring the text anew; exits with 1 below a target.

    python tests/speed/metrics.py [--sentences 500] [--texts 155]

Both sides run in this process, on the same made text, on one thread; CPU seconds. The bootstrap of the peers is a
resample of sentences and `corpus_score` on it, as lm-evaluation-harness does.
"""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sacrebleu.metrics import BLEU, CHRF

from emma500.evaluation.metrics.self_bleu import self_bleu
from emma500.evaluation.metrics.translation import bleu, chrf
from emma500.evaluation.resampling import bootstrap

TARGETS = {"bleu": 100.0, "chrf": 100.0, "self_bleu": 10.0}
OURS, THEIRS = 1000, 5
"""Resamples of each side; times are by resample."""


def main() -> int:
    """Print a table and the smallest ratio by its target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sentences", type=int, default=500)
    parser.add_argument("--texts", type=int, default=155)
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    references = made(generator, options.sentences, 8, 30)
    outputs = [noisy(generator, text) for text in references]
    rows = [
        bootstrapped("bleu", bleu, BLEU(), outputs, references),
        bootstrapped("chrf", chrf, CHRF(word_order=2), outputs, references),
        alike(made(generator, options.texts, 40, 120)),
    ]
    held = True
    for name, ours, theirs, same in rows:
        ratio = theirs / ours
        held = held and same and ratio >= TARGETS[name]
        print(
            f"{name:10} ours {ours * 1e3:9.3f} ms  sacreBLEU {theirs * 1e3:9.1f} ms"
            f"  {ratio:7.0f} times  same value: {same}"
        )
    ratios = ", ".join(f"{name} {theirs / ours:.0f}" for name, ours, theirs, _ in rows)
    print(f"times as fast as sacreBLEU (targets {TARGETS}): {ratios}")
    return 0 if held else 1


def bootstrapped(
    name: str, measure: Callable[..., Any], metric: Any, outputs: list[str], references: list[str]
) -> tuple[str, float, float, bool]:
    measured = measure(outputs, references)
    ours = seconds(lambda: bootstrap(measured, resamples=OURS)) / OURS
    generator = np.random.default_rng(1)

    def again() -> None:
        for _ in range(THEIRS):
            drawn = generator.integers(0, len(outputs), len(outputs))
            metric.corpus_score([outputs[at] for at in drawn], [[references[at] for at in drawn]])

    theirs = seconds(again) / THEIRS
    expected = metric.corpus_score(outputs, [references]).score
    return name, ours, theirs, abs(measured.value - expected) < 1e-9


def alike(texts: list[str]) -> tuple[str, float, float, bool]:
    found: dict[str, Any] = {}

    def ours() -> None:
        found["ours"] = self_bleu(texts).each

    def theirs() -> None:
        metric = BLEU(effective_order=True)
        found["theirs"] = [
            metric.sentence_score(text, texts[:at] + texts[at + 1 :]).score
            for at, text in enumerate(texts)
        ]

    times = seconds(ours), seconds(theirs)
    return "self_bleu", *times, bool(np.allclose(found["ours"], found["theirs"], atol=1e-9))


def made(generator: np.random.Generator, n: int, fewest: int, most: int) -> list[str]:
    words = np.array([f"w{number}" for number in range(2000)])
    share = 1 / np.arange(1, 2001)
    return [
        " ".join(generator.choice(words, int(generator.integers(fewest, most)), p=share / share.sum()))
        for _ in range(n)
    ]  # fmt: skip


def noisy(generator: np.random.Generator, text: str) -> str:
    return " ".join(word for word in text.split() if generator.random() > 0.2)


def seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main())
