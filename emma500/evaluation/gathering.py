"""Benchmarks and languages -> the documents to score, and what identifies them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from emma500.benchmarks.base import Benchmark, Example, Item
from emma500.benchmarks.registry import Selection, select
from emma500.errors import LanguageError, SourceError
from emma500.evaluation.identity import ModelIdentity
from emma500.manifest import fingerprint

Sampled = TypeVar("Sampled", Item, Example)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """Documents to score, by benchmark and label, and where they come from.

    `revisions` says by (benchmark, label) which data it is: the version that the benchmark has,
    else 16 digits of the digest of the label's texts. `digests` identify the texts by benchmark.
    """

    benchmarks: tuple[Benchmark, ...]
    selections: tuple[Selection, ...]
    items: tuple[tuple[str, Item], ...]
    revisions: dict[tuple[str, str], str]
    digests: dict[str, str]

    @property
    def names(self) -> list[str]:
        """The names of the benchmarks."""
        return [benchmark.name for benchmark in self.benchmarks]

    @property
    def matched(self) -> list[dict[str, str]]:
        """Which label was used for another one that was asked for."""
        return [row for selection in self.selections for row in selection.matched]

    @property
    def missing(self) -> list[dict[str, str]]:
        """Which labels were asked for and have no data."""
        return [row for selection in self.selections for row in selection.missing]

    def rows(self, identity: ModelIdentity, details: pa.Table) -> list[dict[str, Any]]:
        """Return what the manifest says about the benchmarks, one row each."""
        rows = []
        for benchmark in self.benchmarks:
            part = details.filter(pc.equal(details["benchmark"], benchmark.name))
            rows.append(
                {
                    "name": benchmark.name,
                    "note": benchmark.note,
                    "license": benchmark.license,
                    "revision": benchmark.data.revision,
                    "digest": self.digests[benchmark.name],
                    "n_labels": len(pc.unique(part["label"])),
                    "n_documents": len(part),
                    "n_tokens": pc.sum(part["n_tokens"], min_count=0).as_py(),
                    "n_unknown_tokens": pc.sum(part["n_unknown"], min_count=0).as_py(),
                    "contaminated": is_contaminated(benchmark, identity),
                }
            )
        return rows


def gather(
    benchmarks: Sequence[Benchmark],
    languages: Sequence[str] | None,
    *,
    limit: int | None = None,
    seed: int = 42,
) -> Gathered:
    """Read the documents of benchmarks in some languages.

    Args:
        benchmarks: The benchmarks.
        languages: Codes in any convention; None for all.
        limit: Documents a label at most; None for all.
        seed: Seed of the choice of documents.

    Returns:
        The documents, in the order of the benchmarks and labels.

    Raises:
        LanguageError: If no benchmark has text in any of the languages.
        SourceError: If there is no text at all, or two documents of a label have one id.
    """
    selections = tuple(select(benchmark, languages) for benchmark in benchmarks)
    items: list[tuple[str, Item]] = []
    revisions, digests = {}, {}
    for benchmark, selection in zip(benchmarks, selections, strict=True):
        found = {}
        for label in selection.labels:
            chosen = sample(list(benchmark.data.read(label)), limit, seed)
            _check_ids(chosen, benchmark.name, label)
            found[label] = fingerprint([(item.id, item.text) for item in chosen])
            revisions[benchmark.name, label] = benchmark.data.revision or found[label][:16]
            items += [(benchmark.name, item) for item in chosen]
        digests[benchmark.name] = fingerprint(found)
    if not items:
        _refuse(benchmarks, selections, languages)
    return Gathered(
        benchmarks=tuple(benchmarks),
        selections=selections,
        items=tuple(items),
        revisions=revisions,
        digests=digests,
    )


def sample(items: list[Sampled], n: int | None, seed: int) -> list[Sampled]:
    """Choose n items by the hash of seed and parallel id, so that every language keeps the same documents.

    Args:
        items: The items of one label.
        n: How many; None for all.
        seed: The seed.

    Returns:
        The chosen items, in their order.
    """
    if n is None or len(items) <= n:
        return items
    ranks = {
        item.id: hashlib.sha256(f"{seed}:{item.parallel_id}".encode()).digest() for item in items
    }
    last = sorted(ranks.values())[n - 1]
    return [item for item in items if ranks[item.id] <= last][:n]


def is_contaminated(benchmark: Benchmark, identity: ModelIdentity) -> bool:
    """Tell whether a model was trained on a source of a benchmark's text, in any language.

    The validation split of the very corpus the model was trained on is held out: it does not count.

    Returns:
        True if a source of the benchmark is among those the model was trained on.
    """
    revision = benchmark.data.revision
    if identity.corpus_digest and revision and identity.corpus_digest.startswith(revision):
        return False
    return bool(benchmark.sources & identity.trained_sources)


def _check_ids(items: Iterable[Item], benchmark: str, label: str) -> None:
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise SourceError(
                f"{benchmark} has two documents with the id {item.id!r} in {label}: ids must differ within a label"
            )
        seen.add(item.id)


def _refuse(
    benchmarks: Sequence[Benchmark],
    selections: Sequence[Selection],
    languages: Sequence[str] | None,
) -> None:
    names = ", ".join(benchmark.name for benchmark in benchmarks)
    if languages is None:
        raise SourceError(f"there is no text to evaluate on in {names}")
    close = "; ".join(
        f"{row['benchmark']} for {row['label']}: {row['nearest'] or 'none'}"
        for selection in selections
        for row in selection.missing[:3]
    )
    raise LanguageError(f"{names} has no text in {', '.join(languages)}; nearest: {close}")
