"""Benchmarks and languages -> the items to answer, before any model is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass

from emma500.benchmarks.base import Benchmark, Example
from emma500.benchmarks.prompt_variants import variants, varied
from emma500.benchmarks.prompts import Prompt, load_prompt
from emma500.benchmarks.registry import Selection, select
from emma500.errors import ConfigError, EmmaError, SourceError
from emma500.evaluation.gathering import sample
from emma500.evaluation.metrics.translation import require_tokenizer
from emma500.evaluation.tasks.practice import Practice
from emma500.evaluation.tasks.shots import shots_of, without_itself
from emma500.manifest import fingerprint


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The items of one benchmark in one language and mode.

    `shots` are the examples of each item. `digest` identifies items, examples and prompt.
    """

    benchmark: Benchmark
    label: str
    practice: Practice
    prompt: Prompt
    examples: tuple[Example, ...]
    shots: tuple[tuple[Example, ...], ...]
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Tasks:
    """What there is to answer."""

    benchmarks: tuple[Benchmark, ...]
    selections: tuple[Selection, ...]
    parts: tuple[Part, ...]

    @property
    def digests(self) -> list[str]:
        """What identifies the items."""
        return [part.digest for part in self.parts]


def gather_tasks(
    benchmarks: Sequence[Benchmark],
    languages: Sequence[str] | None,
    practices: Sequence[Practice],
    *,
    shots: int | None = None,
    limit: int | None = None,
    seed: int = 42,
) -> Tasks:
    """Read the items of benchmarks in some languages.

    Args:
        benchmarks: The benchmarks, each with a task.
        languages: Codes in any convention; None for all.
        practices: How they are prompted and scored.
        shots: Examples an item; as each benchmark has it by default.
        limit: Items a label at most; None for all.
        seed: Seed of the choice of items and examples.

    Returns:
        The items, in the order of the benchmarks, modes and labels.

    Raises:
        ConfigError: If there are not enough examples, or a prompt lacks a word in a language.
        SourceError: If the items of a benchmark cannot be read.
    """
    selections, parts = [], []
    for benchmark in benchmarks:
        selection = select(benchmark, languages)
        selections.append(selection)
        n = int(benchmark.row["shots"]) if shots is None else shots
        for practice in _with_prompt(benchmark, practices):
            parts += [
                _part(benchmark, label, practice, n=n, limit=limit, seed=seed)
                for label in selection.labels
            ]
    return Tasks(benchmarks=tuple(benchmarks), selections=tuple(selections), parts=tuple(parts))


def _with_prompt(benchmark: Benchmark, practices: Sequence[Practice]) -> Sequence[Practice]:
    """Leave out the prompts that a benchmark does not have, unless it has none of those asked for: that is an error."""
    known = variants(benchmark.row["prompt"])
    return [each for each in practices if each["prompt"] in known] or practices


def _part(
    benchmark: Benchmark,
    label: str,
    practice: Practice,
    *,
    n: int,
    limit: int | None,
    seed: int,
) -> Part:
    if "bleu" in benchmark.row["metrics"].split():
        _check_bleu(benchmark.shape, practice)
    task = benchmark.task
    if task is None:
        raise ConfigError(f"benchmark {benchmark.name!r} is text to score as it is: it has no task")
    examples = task.examples(label, "test")
    if not examples:
        raise SourceError(f"{benchmark.name} has no items in {label}: its file is empty")
    pool = task.examples(label, "shots") if n else []
    try:
        drawn = shots_of(
            pool, len(examples), n, practice=practice, shape=benchmark.shape, seed=seed
        )
    except ConfigError as error:
        raise ConfigError(f"{benchmark.name}, {label}: {error}") from error
    places = {example.id: place for place, example in enumerate(examples)}
    chosen = sample(examples, limit, seed)
    shots = tuple(
        tuple(without_itself(drawn[places[example.id]], example, n)) for example in chosen
    )
    prompt = varied(load_prompt(benchmark.row["prompt"], practice.mode, label), practice["prompt"])
    # The first context is filled in here, so that a missing word is told before a model is loaded.
    contexts = (
        [prompt.context(chosen[0], shots[0])]
        if not prompt.choice
        else prompt.pairs(chosen[0], shots[0])
    )
    digest = fingerprint(
        benchmark.name, label, practice.name, sorted(practice.switches.items()), contexts,
        [(each.id, dict(each.fields), each.options, each.gold, each.targets) for each in chosen],
        [[each.id for each in group] for group in shots],
    )  # fmt: skip
    return Part(
        benchmark=benchmark,
        label=label,
        practice=practice,
        prompt=prompt,
        examples=tuple(chosen),
        shots=shots,
        digest=digest,
    )


def _check_bleu(shape: str, practice: Practice) -> None:
    """Refuse spBLEU without its model now, not after hours of generation."""
    if shape == "translation":
        try:
            require_tokenizer(practice["bleu_units"])
        except EmmaError as error:
            raise type(error)(f"{error}; here: switches=['bleu_units=13a']") from error
