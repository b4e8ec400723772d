"""Evaluate: a model and benchmarks -> scores.

scores = evaluate("out", ["gflanguages", "sib200=texts/sib200"], languages=["yo", "swh_Latn"])
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from emma500._version import __version__
from emma500.benchmarks.base import Benchmark
from emma500.benchmarks.registry import default_names, open_benchmark
from emma500.configuration import as_dict, option, require
from emma500.errors import ConfigError, SourceError
from emma500.evaluation.aggregation import MODE, aggregate_rows, label_rows
from emma500.evaluation.gathering import Gathered, gather
from emma500.evaluation.identity import ModelIdentity, identify
from emma500.evaluation.scores import KIND, Scores
from emma500.evaluation.scoring import is_main_process, score_items
from emma500.manifest import fingerprint, read_manifest, versions
from emma500.progress import Progress
from emma500.storage import recover_folder, refuse_foreign

BITS_PER_BYTE = "bits-per-byte"
"""Stands for all benchmarks of text there are: `EvalConfig.data`, or what is installed and the corpus."""

_NOT_RECORDED = {"corpus", "data", "data_dir", "device", "overwrite", "revision"}
"""Options that are paths of the machine, or stand elsewhere in the manifest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvalConfig:
    """How to evaluate."""

    data: list[str] = option(
        [],
        "benchmarks that bits-per-byte stands for (default: gflanguages; validation with a corpus)",
    )
    corpus: str | None = option(
        None, "corpus whose held-out text is `validation` and `validation-pairs`"
    )
    data_dir: str | None = option(
        None, "folder of benchmark files, as <data_dir>/sib200/<label>/test.tsv"
    )
    revision: str | None = option(None, "branch, tag or commit of the model on the Hub")
    max_documents: int | None = option(
        None, "documents a label at most, the same ones in parallel data; all by default"
    )
    max_length: int = option(
        1024, "tokens a row; longer documents are scored in windows of this length"
    )
    batch_size: int = option(1, "rows a forward pass")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = option(
        "auto", "type of the weights; as stored by default"
    )
    bf16: bool = option(False, "matrix products in bfloat16: faster, equal to about three digits")
    device: str | None = option(
        None, "device, as cuda or cpu; the accelerator if there is one by default"
    )
    seed: int = option(42, "seed of the choice of documents")
    overwrite: bool = option(False, "replace whatever the output folder holds")

    def __post_init__(self) -> None:
        for name in ("batch_size", "max_documents"):
            require(self, name, lambda value: value is None or value >= 1, "at least 1")
        require(self, "max_length", lambda value: value >= 2, "at least 2 tokens")


def evaluate(
    model: Any,
    benchmarks: Sequence[str] = (BITS_PER_BYTE,),
    languages: Sequence[str] | None = None,
    config: EvalConfig | None = None,
    *,
    output: str | Path | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Score a model on text in many languages.

    Started by `accelerate launch`, each process scores its share of the rows; the first one writes the scores.

    Args:
        model: A Hub id, a folder, a `.gguf` file, or a TrainingRun.
        benchmarks: Names of benchmarks, `name=folder`, folders of text, or "bits-per-byte" for all
            there are.
        languages: Codes in any convention; None for all labels the benchmarks have.
        config: How to evaluate.
        output: A folder for the scores. Finished scores of the same model, data and configuration
            there are returned as they are.
        progress: Called as rows are scored.

    Returns:
        The scores.

    Raises:
        ConfigError: If a benchmark is unknown or lacks its folder, or rows are longer than the
            model takes.
        LanguageError: If a code names no language, or none of the languages has data.
        SourceError: If the model or the data is not there.
        OutputError: If the output folder holds something else.
    """
    config = config or EvalConfig()
    identity = identify(model, config.revision)
    gathered = gather(
        _open(benchmarks, config), languages, max_documents=config.max_documents, seed=config.seed
    )
    settings = {name: value for name, value in as_dict(config).items() if name not in _NOT_RECORDED}
    settings |= {
        "benchmarks": gathered.names,
        "languages": None if languages is None else list(languages),
    }
    identifier = fingerprint(__version__, MODE, identity.as_row(), settings, gathered.digests)
    if output is not None:
        recover_folder(Path(output))
        if _is_finished(Path(output), identifier):
            return Scores.load(output)
        overwrite = config.overwrite
        refuse_foreign(Path(output), kind=KIND, overwrite=overwrite, fingerprint=identifier)
    details = score_items(
        *_load(identity, config),
        gathered.items,
        max_length=config.max_length,
        batch_size=config.batch_size,
        bf16=config.bf16,
        progress=progress,
    )
    scores = Scores(
        _manifest(identifier, identity, gathered, settings=settings, details=details), details
    )
    if output is not None and is_main_process():
        scores.save(output, overwrite=config.overwrite)
    return scores


def _open(benchmarks: Sequence[str], config: EvalConfig) -> list[Benchmark]:
    wanted: list[str] = []
    for name in [benchmarks] if isinstance(benchmarks, str) else benchmarks:
        wanted += (
            (config.data or default_names(corpus=config.corpus))
            if name == BITS_PER_BYTE
            else [name]
        )
    opened = [
        open_benchmark(name, corpus=config.corpus, data_dir=config.data_dir)
        for name in dict.fromkeys(wanted)
    ]
    names = [benchmark.name for benchmark in opened]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise ConfigError(
            f"each benchmark must have a name of its own, and there must be one; twice: {twice}"
        )
    return opened


def _is_finished(output: Path, identifier: str) -> bool:
    try:
        manifest = read_manifest(output)
    except SourceError:
        return False
    return (manifest.get("kind"), manifest.get("fingerprint")) == (KIND, identifier)


def _load(identity: ModelIdentity, config: EvalConfig) -> tuple[Any, Any]:
    from accelerate import PartialState

    from emma500.models import load_model, load_tokenizer

    device = config.device or PartialState().device
    model = load_model(identity.path, identity.commit, config.dtype)
    return model.to(device), load_tokenizer(identity.path, identity.commit)


def _manifest(
    identifier: str,
    identity: ModelIdentity,
    gathered: Gathered,
    *,
    settings: dict[str, Any],
    details: Any,
) -> dict[str, Any]:
    provenance = {
        "model": identity.name,
        "model_revision": identity.revision,
        "data_revisions": gathered.revisions,
        "seed": settings["seed"],
    }
    return {
        "kind": KIND,
        "fingerprint": identifier,
        "model": identity.as_row(),
        "config": settings,
        "versions": versions(),
        "benchmarks": gathered.rows(identity, details),
        "results": label_rows(details, provenance),
        "aggregates": aggregate_rows(details),
        "matched": gathered.matched,
        "missing": gathered.missing,
    }
