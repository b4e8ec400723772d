"""Which examples an item is shown."""

import hashlib
import random
from collections.abc import Sequence

import numpy as np

from emma500.benchmarks.base import Example
from emma500.errors import ConfigError
from emma500.evaluation.tasks.practice import Practice

_PAPER_SEED = 42


def shots_of(
    pool: Sequence[Example],
    n_items: int,
    n: int,
    *,
    practice: Practice,
    shape: str,
    seed: int,
) -> list[list[Example]]:
    """Choose the examples of each item of a language.

    Args:
        pool: What is chosen from.
        n_items: How many items the benchmark has in the language.
        n: Examples an item.
        practice: "shot_choice" per_item draws them as the paper's scripts did; else all items share them: those with
            the smallest hashes of seed and parallel id, so that all languages show the same ones, or the first ones.
        shape: The benchmark's shape; the paper drew examples of translations in another way.
        seed: Seed of a shared draw.

    Returns:
        The examples of each item: the first `n` of them but for the item itself, which may be among the pool
        (`without_itself`).

    Raises:
        ConfigError: If there are not as many in the pool.
    """
    if n == 0:
        return [[] for _ in range(n_items)]
    if len(pool) < n:
        raise ConfigError(
            f"there are {len(pool)} examples to show, not {n}: give their file too, or take shots={len(pool)}"
        )
    if practice["shot_choice"] == "per_item":
        places = _paper_places(len(pool), n_items, n, shape)
        return [[pool[place] for place in each] for each in places]
    if practice["shot_position"] == "first":
        return [list(pool[: n + 1])] * n_items
    ranked = sorted(
        pool, key=lambda each: hashlib.sha256(f"{seed}:{each.parallel_id}".encode()).digest()
    )
    return [ranked[: n + 1]] * n_items


def without_itself(shots: Sequence[Example], example: Example, n: int) -> list[Example]:
    """Return n examples, none of them the item."""
    others = [
        each
        for each in shots
        if (each.id, each.fields["text"]) != (example.id, example.fields["text"])
    ]
    return others[:n]


def _paper_places(n_pool: int, n_items: int, n: int, shape: str) -> list[list[int]]:
    """Return the places that the paper's scripts drew, and of the same draw those that stand in for the item itself.

    Classification: a seed an item, `DataFrame.sample` without replacement. Translation: one seed for all items of a
    language, with replacement.
    """
    generator = random.Random(_PAPER_SEED)
    if shape == "translation":
        own = random.Random(generator.randint(0, 1000))
        drawn = [own.randint(0, n_pool - 1) for _ in range(n)]
        while n_pool > 1 and any(len(drawn) - drawn.count(place) < n for place in drawn):
            drawn.append(own.randint(0, n_pool - 1))
        return [drawn] * n_items
    seeds = [generator.randint(0, 1000) for _ in range(n_items)]
    return [
        np.random.RandomState(each).choice(n_pool, size=min(n + 1, n_pool), replace=False).tolist()
        for each in seeds
    ]
