"""Tasks and a model -> answers with their metrics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from emma500.benchmarks.base import Example
from emma500.evaluation.tasks.choices import Asked, Scorer, ask, measure
from emma500.evaluation.tasks.generation import Generated, Generator, Sampling, Wanted
from emma500.evaluation.tasks.outputs import measure as measure_outputs
from emma500.evaluation.tasks.outputs import measure_code
from emma500.evaluation.tasks.parts import Part, Tasks
from emma500.evaluation.tasks.results import Answered
from emma500.progress import Progress

ITEMS_AT_ONCE = 4096
"""Items that are encoded and answered together: bounds the memory of their tokens."""

CHOICES = ("choice", "classification")
"""Shapes that are scored by log-likelihood."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Engines:
    """What answers: log-likelihoods and outputs of one model.

    Attributes:
        scorer: For choices.
        generator: For everything else.
        tokenizer: The model's tokenizer.
        max_new_tokens: Tokens of an output at most; as each benchmark has it where None.
        run_code: Whether programs of the model may be run.
        identifier: What tells the language of outputs; None for not at all.
        seed: Seed of sampled outputs.
    """

    scorer: Scorer
    generator: Generator
    tokenizer: Any
    max_new_tokens: int | None = None
    run_code: bool = False
    identifier: str | None = None
    seed: int = 42


def answer(tasks: Tasks, engines: Engines, *, progress: Progress | None = None) -> list[Answered]:
    """Answer the items of tasks.

    Args:
        tasks: The items.
        engines: What answers.
        progress: Called as items are done, with the name of the benchmark.

    Returns:
        The answers, one a part, in their order.
    """
    answered: list[Answered] = []
    for (name, mode), parts in groupby(
        tasks.parts, lambda part: (part.benchmark.name, part.practice.name)
    ):
        for members in _batches(list(parts)):
            ends = dict.fromkeys([members[0].label, members[-1].label])
            shown = _named(progress, f"{name} ({mode}) {' to '.join(ends)}")
            answers = _chosen if members[0].benchmark.shape in CHOICES else _generated
            answered += answers(members, engines, shown)
    return answered


def _batches(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Yield whole languages that are answered together: few enough that their tokens fit into memory."""
    batch: list[Part] = []
    for part in parts:
        if batch and sum(len(each.examples) for each in [*batch, part]) > ITEMS_AT_ONCE:
            yield batch
            batch = []
        batch.append(part)
    yield batch


def _chosen(
    parts: Sequence[Part], engines: Engines, progress: Progress | None
) -> Iterator[Answered]:
    asked = [ask(part, engines.tokenizer, engines.scorer.max_length) for part in parts]
    flat = [each for items in asked for each in items]
    names = [
        f"{part.benchmark.name} {part.label} {each.example.id}, option {option}"
        for part, items in zip(parts, asked, strict=True)
        for each in items
        for option in each.options
    ]
    scored = iter(
        engines.scorer.score(
            [request for each in flat for request in each.requests], names=names, progress=progress
        )
    )
    for part, items in zip(parts, asked, strict=True):
        logliks = [[next(scored).loglikelihood for _ in each.requests] for each in items]
        yield Answered(
            part=part,
            measured=tuple(measure(part, items, logliks)),
            samples=tuple(map(_choice_sample, items, logliks)),
        )


def _choice_sample(asked: Asked, logliks: list[float]) -> dict[str, Any]:
    return {
        "prompt": asked.context,
        "n_shots": asked.n_shots,
        "is_truncated": asked.is_truncated,
        "options": list(asked.options),
        "logliks": logliks,
        "gold": asked.gold,
        "targets": list(asked.example.targets),
        "outputs": None,
    }


def _generated(
    parts: Sequence[Part], engines: Engines, progress: Progress | None
) -> Iterator[Answered]:
    jobs = [_wanted(part, engines) for part in parts]
    practice, is_code = parts[0].practice, parts[0].benchmark.shape == "code"
    n = int(practice["samples"]) if is_code else 1
    is_sampled = practice["decoding"] == "sampled" or n > 1
    sampling = Sampling(seed=engines.seed) if is_sampled else None
    if sampling is not None and is_code:
        sampling = replace(sampling, temperature=0.1, top_p=0.95)
    flat = [each for items in jobs for each in items for _ in range(n)]
    outputs = iter(_shared(engines.generator, flat, sampling, progress))
    for part, items in zip(parts, jobs, strict=True):
        found = [[next(outputs) for _ in range(n)] for _ in items]
        texts = [[each.text for each in group] for group in found]
        if is_code:
            measured, note = measure_code(part, texts, allow=engines.run_code)
        else:
            stripped = [group[0].strip() for group in texts]
            measured, note = (
                measure_outputs(part, stripped, identifier=engines.identifier),
                "",
            )
        yield Answered(
            part=part,
            measured=tuple(measured),
            samples=tuple(map(_output_sample, part.examples, items, part.shots, found)),
            note=note,
        )


def _output_sample(
    example: Example, wanted: Wanted, shots: Sequence[Example], found: Sequence[Generated]
) -> dict[str, Any]:
    return {
        "prompt": wanted.prompt,
        "n_shots": len(shots),
        "is_truncated": any(each.is_truncated for each in found),
        "options": None,
        "logliks": None,
        "gold": None,
        "targets": list(example.targets),
        "outputs": [each.text for each in found],
    }


def _wanted(part: Part, engines: Engines) -> list[Wanted]:
    max_tokens = engines.max_new_tokens or int(part.benchmark.row["max_tokens"])
    return [
        Wanted(
            prompt=part.prompt.context(example, shots),
            stops=part.prompt.stops(example),
            max_tokens=max_tokens,
        )
        for example, shots in zip(part.examples, part.shots, strict=True)
    ]


def _shared(
    generator: Generator,
    wanted: Sequence[Wanted],
    sampling: Sampling | None,
    progress: Progress | None,
) -> list[Generated]:
    """Generate, each process of `accelerate launch` its part of the prompts; all get all outputs."""
    from accelerate import PartialState
    from accelerate.utils import gather_object

    state = PartialState()
    n = state.num_processes
    if n == 1:
        return generator.generate(wanted, sampling, progress=progress)
    own = generator.generate(
        wanted[state.process_index :: n],
        sampling,
        progress=progress if state.is_main_process else None,
    )
    every: list[list[Generated]] = gather_object([own])
    return [every[place % n][place // n] for place in range(len(wanted))]


def _named(progress: Progress | None, name: str) -> Progress | None:
    if progress is None:
        return None
    return lambda _, done, total: progress(name, done, total)
