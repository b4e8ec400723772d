"""Tasks and a model -> answers with their metrics."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from emma500.benchmarks.base import Example
from emma500.evaluation.metrics.measured import Measured
from emma500.evaluation.tasks.choices import Asked, Scorer, ask, measure
from emma500.evaluation.tasks.generation import Generated, Generator, Sampling, Wanted, numbered
from emma500.evaluation.tasks.outputs import measure as measure_outputs
from emma500.evaluation.tasks.outputs import measure_code
from emma500.evaluation.tasks.parts import Part, Tasks
from emma500.evaluation.tasks.practice import Practice
from emma500.evaluation.tasks.results import Answered
from emma500.processes import process_state
from emma500.progress import Progress

ITEMS_AT_ONCE = 4096
"""Items that are encoded and answered together: bounds the memory of their tokens."""

CHOICES = ("choice", "classification")
"""Shapes that are scored by log-likelihood."""

_TOP_P = 0.95  # of programs, as Chen et al. 2021


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
        bertscore: Encoder of the BERTScore of summaries, as `bertscore.encoder_of` takes it; None for none.
        device: Where that encoder computes.
        seed: Seed of sampled outputs.
    """

    scorer: Scorer
    generator: Generator
    tokenizer: Any
    max_new_tokens: int | None = None
    run_code: bool = False
    identifier: str | None = None
    bertscore: str | None = None
    device: str = "cpu"
    seed: int = 42


def answer(tasks: Tasks, engines: Engines, *, progress: Progress | None = None) -> list[Answered]:
    """Answer the items of tasks.

    Args:
        tasks: The items.
        engines: What answers.
        progress: Called as items are done, with the name of the benchmark; its `note`, if any, with the languages.

    Returns:
        The answers, one a part, in their order.
    """
    answered: list[Answered] = []
    for (name, mode), group in groupby(
        tasks.parts, lambda part: (part.benchmark.name, part.practice.name)
    ):
        parts = list(group)
        shown = _Shown(progress, f"{name} ({mode})", sum(len(part.examples) for part in parts))
        for members in _batches(parts):
            answers = _answers(members[0])
            answered += answers(members, engines, shown.of(members))
            shown.finish(members)
    return answered


@dataclass(slots=True)
class _Shown:
    """The progress of one benchmark and mode, in items of all languages: so is the time that is left."""

    progress: Progress | None
    title: str
    total: int
    done: int = 0

    def of(self, parts: Sequence[Part]) -> Progress | None:
        """Return the progress of some languages, and name them."""
        if self.progress is None:
            return None
        report, size = self.progress, _n_items(parts)
        report(self.title, self.done, self.total)
        ends = dict.fromkeys([parts[0].label, parts[-1].label])
        getattr(report, "note", lambda _: None)(" to ".join(ends))
        return lambda _, done, total: report(
            self.title,
            min(self.done + size * done // (total or 1), self.total - 1),
            self.total,
        )

    def finish(self, parts: Sequence[Part]) -> None:
        """Count languages as done."""
        self.done += _n_items(parts)
        if self.progress is not None:
            self.progress(self.title, self.done, self.total)


def _n_items(parts: Sequence[Part]) -> int:
    return sum(len(part.examples) for part in parts)


def _answers(part: Part) -> Callable[..., Iterable[Answered]]:
    """Return what answers the items of a shape."""
    if part.benchmark.shape in CHOICES:
        return _chosen
    return _programs if part.benchmark.shape == "code" else _generated


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
    is_sampled = parts[0].practice["decoding"] == "sampled"
    sampling = Sampling(seed=engines.seed) if is_sampled else None
    flat = [each for items in jobs for each in items]
    outputs = iter(_shared(engines.generator, flat, sampling, progress))
    for part, items in zip(parts, jobs, strict=True):
        found = [next(outputs) for _ in items]
        measured = measure_outputs(
            part,
            [each.text.strip() for each in found],
            identifier=engines.identifier,
            encoder=engines.bertscore,
            device=engines.device,
        )
        outs = [[each] for each in found]
        yield Answered(
            part=part,
            measured=tuple(measured),
            samples=tuple(map(_output_sample, part.examples, items, part.shots, outs)),
        )


def _programs(
    parts: Sequence[Part], engines: Engines, progress: Progress | None
) -> Iterator[Answered]:
    """Write programs: the likeliest one of each problem, drawn ones, or both, as the practice says."""
    jobs = [_wanted(part, engines) for part in parts]
    flat = [each for items in jobs for each in items]
    drawn = _drawn(parts[0].practice, engines.seed)
    whole, done, draws = len(flat) * sum(n for n, _ in drawn), 0, []
    for n, sampling in drawn:
        repeated = [each for each in flat for _ in range(n)]
        shown = _shifted(progress, done, whole)
        draws.append((n, sampling, iter(_shared(engines.generator, repeated, sampling, shown))))
        done += len(repeated)
    for part, items in zip(parts, jobs, strict=True):
        measured: list[Measured] = []
        every: list[list[Generated]] = [[] for _ in items]
        note = ""
        for n, sampling, outputs in draws:
            found = [[next(outputs) for _ in range(n)] for _ in items]
            texts = [[each.text for each in group] for group in found]
            temperature = None if sampling is None else sampling.temperature
            some, note = measure_code(part, texts, allow=engines.run_code, temperature=temperature)
            measured += some
            every = [[*before, *group] for before, group in zip(every, found, strict=True)]
        yield Answered(
            part=part,
            measured=tuple(measured),
            samples=tuple(map(_output_sample, part.examples, items, part.shots, every)),
            note=note,
        )


def _drawn(practice: Practice, seed: int) -> list[tuple[int, Sampling | None]]:
    """Return how many programs a problem has, and how they are drawn: greedy ones first."""
    n = int(practice["samples"])
    drawn = Sampling(temperature=float(practice["temperature"]), top_p=_TOP_P, seed=seed)
    if practice["decoding"] == "sampled":
        return [(n, drawn)]
    return [(1, None), (n, drawn)] if n > 1 else [(1, None)]


def _shifted(progress: Progress | None, before: int, whole: int) -> Progress | None:
    """Report some programs as those of several draws."""
    if progress is None:
        return None
    return lambda description, done, _: progress(description, before + done, whole)


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
    from accelerate.utils import gather_object

    state = process_state()
    n = state.num_processes
    wanted = wanted if sampling is None else numbered(wanted)
    if n == 1:
        return generator.generate(wanted, sampling, progress=progress)
    own = generator.generate(
        wanted[state.process_index :: n],
        sampling,
        progress=progress if state.is_main_process else None,
    )
    every: list[list[Generated]] = gather_object([own])
    return [every[place % n][place // n] for place in range(len(wanted))]
