"""Benchmarks of both kinds, text and tasks: what is wanted of a model, and what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import pyarrow as pa

from emma500.benchmarks.base import INTRINSIC, Benchmark
from emma500.errors import LanguageError
from emma500.evaluation.aggregation import aggregate_rows, by_label, details_schema, label_rows
from emma500.evaluation.gathering import Gathered, gather, is_contaminated
from emma500.evaluation.identity import ModelIdentity
from emma500.evaluation.loaded import Loaded
from emma500.evaluation.scoring import score_items
from emma500.evaluation.tasks.parts import Tasks, gather_tasks
from emma500.evaluation.tasks.practice import practices, split_prompt
from emma500.evaluation.tasks.results import (
    Answered,
    mean_rows,
    measures_table,
    result_rows,
    samples_table,
)
from emma500.evaluation.tasks.running import Engines, answer
from emma500.evaluation.tasks.windows import WINDOW_SUM, window_means, window_nll
from emma500.manifest import fingerprint
from emma500.progress import Progress, named


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a model is scored on: text, tasks, or both; and the names in the order asked for."""

    names: list[str]
    text: Gathered | None
    tasks: Tasks

    @property
    def digests(self) -> list[Any]:
        """What identifies all texts, items, examples and prompts."""
        return [self.text.digests if self.text else {}, *self.tasks.digests]

    @property
    def revisions(self) -> dict[str, str]:
        """The version of each benchmark's data, where it has one."""
        text = self.text.benchmarks if self.text else ()
        return {each.name: each.data.revision for each in (*text, *self.tasks.benchmarks)}

    @property
    def matched(self) -> list[dict[str, str]]:
        """Which label was used for another one that was asked for."""
        own = self.text.matched if self.text else []
        return own + [row for each in self.tasks.selections for row in each.matched]

    @property
    def missing(self) -> list[dict[str, str]]:
        """Which labels were asked for and have no data."""
        own = self.text.missing if self.text else []
        return own + [row for each in self.tasks.selections for row in each.missing]

    def rows(self, identity: ModelIdentity, found: "Found") -> list[dict[str, Any]]:
        """Return what the manifest says about the benchmarks, one row each."""
        text = self.text.rows(identity, found.details) if self.text else []
        for row in text:
            row |= {"shape": INTRINSIC, "metrics": ["bits_per_byte"], "n_truncated": 0, "notes": []}
        return text + [_task_row(each, found, identity) for each in self.tasks.benchmarks]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a model scored.

    Attributes:
        details: The documents of texts, as `aggregation.details_schema`.
        answered: The answers to tasks.
        windows: (benchmark, label, practice) of texts -> the sum of its windows' losses, and how many there are.
    """

    details: pa.Table
    answered: Sequence[Answered]
    windows: Mapping[tuple[str, str, str], tuple[float, int]] = field(default_factory=dict)

    @cached_property
    def samples(self) -> pa.Table:
        """What was asked and answered."""
        return samples_table(self.answered)

    @cached_property
    def measures(self) -> pa.Table:
        """The statistics of each metric and item."""
        return measures_table(self.answered)

    def rows(self, wanted: Wanted, identity: ModelIdentity, config: Any) -> list[dict[str, Any]]:
        """Return one row a benchmark, mode, label and metric."""
        provenance = {
            "model": identity.name,
            "model_revision": identity.revision,
            "data_revisions": wanted.text.revisions if wanted.text else {},
            "seed": config.seed,
        }
        text = label_rows(self.details, provenance)
        by_key = {(row["benchmark"], row["label"]): row for row in text}
        windows = [
            by_key[benchmark, label]
            | {"metric": WINDOW_SUM, "mode": mode, "value": value, "stderr": None, "n": n}
            for (benchmark, label, mode), (value, n) in self.windows.items()
        ]
        return text + windows + result_rows(self.answered, provenance)

    def means(self) -> list[dict[str, Any]]:
        """Return the means over labels."""
        return aggregate_rows(self.details) + window_means(self.windows) + mean_rows(self.answered)


def gather_wanted(
    benchmarks: Sequence[Benchmark], languages: Sequence[str] | None, config: Any
) -> Wanted:
    """Read what benchmarks hold, before any model is loaded.

    Args:
        benchmarks: The benchmarks.
        languages: Codes in any convention; None for all.
        config: An `EvalConfig`.

    Returns:
        Texts and tasks.

    Raises:
        LanguageError: If none of the benchmarks has data in any of the languages.
        SourceError: If data cannot be read.
    """
    text = [each for each in benchmarks if each.shape == INTRINSIC]
    tasks = gather_tasks(
        [each for each in benchmarks if each.shape != INTRINSIC],
        languages,
        practices(config.mode, config.switches),
        shots=config.shots,
        limit=config.limit,
        seed=config.seed,
    )
    gathered = _gathered(text, tasks, languages, config) if text else None
    if gathered is None and not tasks.parts:
        missing = [row for each in tasks.selections for row in each.missing]
        close = "; ".join(
            f"{row['benchmark']} for {row['label']}: {row['nearest'] or 'none'}"
            for row in missing[:3]
        )
        names = ", ".join(each.name for each in benchmarks)
        raise LanguageError(
            f"{names} has no items in {', '.join(languages or ())}; nearest: {close}"
        )
    return Wanted(names=[each.name for each in benchmarks], text=gathered, tasks=tasks)


def _gathered(
    text: Sequence[Benchmark], tasks: Tasks, languages: Sequence[str] | None, config: Any
) -> Gathered | None:
    """Gather texts; where tasks have data in the languages, texts may have none."""
    try:
        return gather(text, languages, limit=config.limit, seed=config.seed)
    except LanguageError:
        if tasks.parts:
            return None
        raise


def score_wanted(wanted: Wanted, loaded: Loaded, progress: Progress | None = None) -> Found:
    """Score a model on what is wanted.

    Args:
        wanted: Texts and tasks.
        loaded: The model.
        progress: Called as rows and items are done.

    Returns:
        What was found.
    """
    config, details = loaded.config, details_schema().empty_table()
    windows: dict[tuple[str, str, str], tuple[float, int]] = {}
    if wanted.text is not None:
        details = _texts(wanted.text, loaded, progress)
        windows = _windows(wanted.text, details, loaded)
    if not wanted.tasks.parts:
        return Found(details=details, answered=[], windows=windows)
    engines = Engines(
        scorer=loaded.scorer(),
        generator=loaded.generator(),
        tokenizer=loaded.tokenizer,
        max_new_tokens=config.max_new_tokens,
        run_code=config.run_code,
        identifier=config.identifier,
        bertscore=config.bertscore,
        device=loaded.device,
        seed=config.seed,
    )
    answered = answer(wanted.tasks, engines, progress=progress)
    return Found(details=details, answered=answered, windows=windows)


def _texts(text: Gathered, loaded: Loaded, progress: Progress | None) -> pa.Table:
    """Score texts as they are, benchmark by benchmark."""
    tables = [details_schema().empty_table()]
    for name, members in groupby(text.items, lambda each: each[0]):
        tables.append(
            score_items(
                loaded.model,
                loaded.tokenizer,
                list(members),
                max_length=loaded.config.max_length,
                batch_size=loaded.config.batch_size,
                bf16=loaded.config.bf16,
                cache=loaded.texts(),
                progress=named(progress, f"{name} (text)"),
            )
        )
    return pa.concat_tables(tables).combine_chunks()


def _windows(
    text: Gathered, details: pa.Table, loaded: Loaded
) -> dict[tuple[str, str, str], tuple[float, int]]:
    """Score texts in the way of the modes that add up windows, once a mode: texts have no prompts."""
    ways = practices(loaded.config.mode, loaded.config.switches)
    modes = {split_prompt(each.name)[0] for each in ways if each["nll_windows"] == "mean_sum"}
    if not modes:
        return {}
    scorer = loaded.scorer()
    texts: dict[tuple[str, str], list[str]] = {}
    for benchmark, item in text.items:
        texts.setdefault((benchmark, item.label), []).append(item.text)
    return {
        (benchmark, label, mode): window_nll(texts[benchmark, label], loaded.tokenizer, scorer)
        for mode in sorted(modes)
        for benchmark, label, _ in by_label(details)
    }


def _task_row(benchmark: Benchmark, found: Found, identity: ModelIdentity) -> dict[str, Any]:
    own = [each for each in found.answered if each.part.benchmark.name == benchmark.name]
    samples = [sample for each in own for sample in each.samples]
    return {
        "name": benchmark.name,
        "note": benchmark.note,
        "license": benchmark.license,
        "revision": benchmark.data.revision,
        "digest": fingerprint([each.part.digest for each in own]),
        "n_labels": len({each.part.label for each in own}),
        "n_documents": len({(each.part.label, item.id) for each in own for item in each.part.examples}),
        "n_tokens": None,
        "n_unknown_tokens": None,
        "contaminated": is_contaminated(benchmark, identity),
        "shape": benchmark.shape,
        "metrics": list(dict.fromkeys(each.name for one in own for each in one.measured)),
        "n_truncated": sum(bool(each["is_truncated"]) for each in samples),
        "notes": sorted({each.note for each in own if each.note}),
    }  # fmt: skip
