"""The subcommands that look at corpora and learn from them."""

from dataclasses import dataclass
from typing import Any, Literal

from emma500.cli.command import Command, required, types
from emma500.configuration import option


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusArguments:
    """What `emma500 corpus` takes."""

    folder: str = option("mala", "the corpus: a folder, or a dataset of the Hub")


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainArguments:
    """What `emma500 corpus explain` takes."""

    id: str = option("", "id of the document, 32 hexadecimal digits")
    folder: str = option("mala", "the corpus")
    label: str | None = option(None, "its label, where known: only its files are opened then")


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleArguments:
    """What `emma500 corpus sample` takes."""

    label: str = option("", "a label, a pair of labels, or code-<language>")
    folder: str = option("mala", "the corpus")
    n: int = option(5, "how many documents")
    seed: int = option(0, "seed of the draw")


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareArguments:
    """What `emma500 corpus compare` takes."""

    before: str = option("", "the corpus before")
    folder: str = option("mala", "the corpus after")


@dataclass(frozen=True, kw_only=True, slots=True)
class StageArguments:
    """What `emma500 corpus stage` takes."""

    stage: str = option("", "integration, filter, dedup or decontaminate")
    folder: str = option("mala", "the corpus, built with --keep_excluded")
    output: str = option("", "folder of the corpus as it was after the stage (<folder>-<stage>)")


@dataclass(frozen=True, kw_only=True, slots=True)
class FitArguments:
    """What `emma500 thresholds fit` takes."""

    corpus: list[str] = option([], "trusted text: what `build` takes, or a built corpus")
    output: str = option("thresholds.tsv", "the table, for `build --thresholds`")
    preset: Literal["mala", "fineweb2"] = option(
        "fineweb2", "whose general limits bound the learned ones"
    )
    method: Literal["quantile", "deviation"] = option(
        "quantile", "all but `tail` of the documents, or three standard deviations"
    )
    tail: float = option(0.01, "share of the documents beyond each limit")
    languages: list[str] | None = option(None, "these languages only, in any code")


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemsArguments:
    """What `emma500 corpus items` takes."""

    folder: str = option("mala", "the corpus: a folder, or a dataset of the Hub")
    benchmarks: list[str] = option(["sib200"], "benchmarks, as `evaluate` takes them")
    data_dir: str | None = option(None, "folder of benchmark files")
    output: str = option("items.parquet", "the table, for `evaluate --contamination`")


def _show(arguments: CorpusArguments) -> str:
    from emma500 import Corpus

    found = Corpus(arguments.folder)
    by = (("stage",), ("stage", "reason"), ("component", "source"), ("component", "label"))
    parts = [found, *(found.stats.by(*keys) for keys in by)]
    return "\n\n".join(map(repr, parts))


def _explain(arguments: ExplainArguments) -> Any:
    from emma500 import Corpus

    found = Corpus(arguments.folder)
    return found.explain(required(arguments.id, "id"), label=arguments.label)


def _sample(arguments: SampleArguments) -> str:
    from emma500 import Corpus

    rows = Corpus(arguments.folder).sample(
        required(arguments.label, "label"), arguments.n, seed=arguments.seed
    )
    names = [name for name in ("source_text", "target_text", "text") if name in rows]
    told = (
        "\n".join([f"# {row['id']} ({row['source']})", *(row[name] for name in names)])
        for row in rows.to_dict("records")
    )
    return "\n\n".join(told)


def _compare(arguments: CompareArguments) -> Any:
    from emma500 import Corpus

    return Corpus(arguments.folder).compare(Corpus(required(arguments.before, "before")))


def _items(arguments: ItemsArguments) -> str:
    from pathlib import Path

    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from emma500.corpus.decontamination.items import find_items
    from emma500.progress import Bars
    from emma500.storage import atomic_file

    found = find_items(
        arguments.folder, arguments.benchmarks, data_dir=arguments.data_dir, progress=Bars()
    )
    with atomic_file(Path(arguments.output)) as temporary:
        pq.write_table(found, temporary)
    counts = {
        each["values"]: each["counts"] for each in pc.value_counts(found["status"]).to_pylist()
    }
    told = ", ".join(f"{n:,} {status}" for status, n in sorted(counts.items()))
    return f"{arguments.output}: {len(found):,} items: {told}"


def _stage(arguments: StageArguments) -> Any:
    from pathlib import Path

    from emma500 import Corpus
    from emma500.corpus.output.stage_view import write_stage

    stage = required(arguments.stage, "stage")
    output = arguments.output or f"{arguments.folder.rstrip('/')}-{stage}"
    return write_stage(Corpus(arguments.folder), stage, Path(output))


def _fit(arguments: FitArguments) -> str:
    from emma500.corpus.filtering.threshold_fitting import fit_thresholds
    from emma500.errors import UsageError

    if not arguments.corpus:
        raise UsageError("--corpus is required: trusted text, as `build` takes it, or a corpus")
    table = fit_thresholds(
        arguments.corpus,
        arguments.output,
        preset=arguments.preset,
        method=arguments.method,
        tail=arguments.tail,
        languages=arguments.languages,
    )
    return f"{arguments.output}: the limits of {len(table):,} labels"


CORPUS_COMMANDS: dict[str, Command] = {
    "corpus": Command(
        "Show a corpus by stage, source and label.",
        "emma500 corpus mala",
        types(CorpusArguments),
        _show,
        "folder",
    ),
    "corpus explain": Command(
        "Tell the path of one document through the stages, and why it is in or out.",
        "emma500 corpus explain 00e7999f142ee570da49e8b8a308aecf --folder mala",
        types(ExplainArguments),
        _explain,
        "id",
    ),
    "corpus sample": Command(
        "Read some documents of a language.",
        "emma500 corpus sample yor_Latn --folder mala --n 3",
        types(SampleArguments),
        _sample,
        "label",
    ),
    "corpus compare": Command(
        "Tell what changed from one corpus to another.",
        "emma500 corpus compare mala-old --folder mala",
        types(CompareArguments),
        _compare,
        "before",
    ),
    "corpus items": Command(
        "Tell which items of benchmarks stand in the training text, for `evaluate --contamination`.",
        "emma500 corpus items mala --benchmarks sib200 xcopa --output items.parquet",
        types(ItemsArguments),
        _items,
        "folder",
    ),
    "corpus stage": Command(
        "Write a corpus as it was after a stage, as MaLA publishes them.",
        "emma500 corpus stage filter --folder mala --output mala-filter",
        types(StageArguments),
        _stage,
        "stage",
    ),
    "thresholds fit": Command(
        "Learn the limits of each language from trusted text, for `build --thresholds`.",
        "emma500 thresholds fit --corpus trusted/ --output thresholds.tsv",
        types(FitArguments),
        _fit,
    ),
}
