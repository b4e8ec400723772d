"""Evaluate: a model and benchmarks -> scores.

scores = evaluate("out", ["gflanguages", "sib200=texts/sib200"], languages=["yo", "swh_Latn"])
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from emma500._version import __version__
from emma500.benchmarks.base import Benchmark
from emma500.benchmarks.registry import as_text, default_names, directions, open_benchmark
from emma500.configuration import as_dict, option, require
from emma500.errors import ConfigError, SourceError
from emma500.evaluation.aggregation import MODE
from emma500.evaluation.clean import Contamination
from emma500.evaluation.identity import ModelIdentity, identify
from emma500.evaluation.loaded import Loaded
from emma500.evaluation.metrics.bertscore import encoder_of
from emma500.evaluation.scores import KIND, Scores
from emma500.evaluation.tasks.practice import practices
from emma500.evaluation.wanted import gather_wanted, score_wanted
from emma500.manifest import fingerprint, read_manifest, versions
from emma500.models import model_identity
from emma500.processes import is_first_process, process_state
from emma500.progress import Progress
from emma500.storage import recover_folder, refuse_foreign

BITS_PER_BYTE = "bits-per-byte"
"""Stands for all benchmarks of text there are: `EvalConfig.data`, or what is installed and the corpus."""

_NOT_RECORDED = {
    "bertscore", "cache", "contamination", "corpus", "data", "data_dir", "device", "identifier", "overwrite",
    "revision",
}  # fmt: skip
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
    limit: int | None = option(
        None,
        "documents or items a language at most, the same ones in parallel data; all by default",
    )
    max_length: int = option(
        1024, "tokens a row; longer documents are scored in windows of this length"
    )
    batch_size: int = option(1, "rows a forward pass")
    mode: str = option(
        "fixed",
        "fixed, faithful (the paper's, defects included), lm-eval, or both of the first two",
    )
    switches: list[str] = option(
        [],
        "what differs from the mode, as label_scoring=last_piece (docs/evaluation.md lists them)",
    )
    shots: int | None = option(None, "examples an item; as each benchmark has it by default")
    max_prompt: int = option(
        4096, "tokens of a prompt with its answer at most, and never more than the model takes"
    )
    max_new_tokens: int | None = option(
        None, "tokens of an output at most; as each benchmark has it by default"
    )
    run_code: bool = option(
        False, "run the programs a model writes, in a sandbox; without it they are not evaluated"
    )
    identifier: str | None = option(
        None, "identifier for the share of outputs in the right language, as emma500"
    )
    bertscore: str | None = option(
        None,
        "encoder for the BERTScore of summaries, as google-bert/bert-base-multilingual-cased or NAME:LAYER",
    )
    backend: Literal["transformers", "vllm"] = option(
        "transformers", "what generates outputs; vllm comes with emma500[vllm]"
    )
    contamination: str | None = option(
        None, "Parquet file of the items that the training text holds: scores on the others too"
    )
    cache: str | None = option(
        None, "file of responses, by model and tokens, that later runs take up"
    )
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
        for name in ("batch_size", "limit"):
            require(self, name, lambda value: value is None or value >= 1, "at least 1")
        for name in ("max_length", "max_prompt"):
            require(self, name, lambda value: value >= 2, "at least 2 tokens")
        require(self, "shots", lambda value: value is None or value >= 0, "0 or more")
        require(self, "max_new_tokens", lambda value: value is None or value >= 1, "at least 1")
        practices(self.mode, self.switches)


def evaluate(
    model: Any,
    benchmarks: Sequence[str] = (BITS_PER_BYTE,),
    languages: Sequence[str] | None = None,
    config: EvalConfig | None = None,
    *,
    output: str | Path | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Score a model on text and tasks in many languages.

    Started by `accelerate launch`, each process scores its share of the rows; the first one writes the scores.

    Args:
        model: A Hub id, a folder, a `.gguf` file, or a TrainingRun.
        benchmarks: Names of benchmarks (`emma500 evaluate list`), `name=folder`, folders of text,
            or "bits-per-byte" for all text there is.
        languages: Codes in any convention; None for all labels the benchmarks have.
        config: How to evaluate.
        output: A folder for the scores. Finished scores of the same model, data and configuration
            there are returned as they are.
        progress: Called as rows are scored.

    Returns:
        The scores.

    Raises:
        ConfigError: If a benchmark is unknown or lacks its folder or examples, a label has no
            tokens, or rows are longer than the model takes.
        LanguageError: If a code names no language, or none of the languages has data.
        SourceError: If the model, the data or what the configuration names is not there.
        OutputError: If the output folder holds something else.
    """
    config = config or EvalConfig()
    identity = identify(model, config.revision)
    wanted = gather_wanted(_open(benchmarks, languages, config), languages, config)
    contamination = (
        None if config.contamination is None else Contamination.read(config.contamination)
    )
    settings = _settings(config, wanted.names, languages, contamination)
    identifier = fingerprint(
        __version__, MODE, identity.as_row(), settings, wanted.digests, wanted.revisions
    )
    if output is not None:
        recover_folder(Path(output))
        if _is_finished(Path(output), identifier):
            return Scores.load(output)
        overwrite = config.overwrite
        refuse_foreign(Path(output), kind=KIND, overwrite=overwrite, fingerprint=identifier)
    found = score_wanted(wanted, _load(identity, config), progress)
    manifest = {
        "kind": KIND,
        "fingerprint": identifier,
        "model": identity.as_row(),
        "config": settings,
        "versions": versions(),
        "benchmarks": wanted.rows(identity, found),
        "results": found.rows(wanted, identity, config),
        "aggregates": found.means(),
        "matched": wanted.matched,
        "missing": wanted.missing,
    }
    if contamination is not None:
        manifest["clean"] = contamination.rows(found.details, found.answered)
    scores = Scores(manifest, found.details, samples=found.samples, measures=found.measures)
    if output is not None and is_first_process():
        scores.save(output, overwrite=config.overwrite)
    return scores


def _open(
    benchmarks: Sequence[str], languages: Sequence[str] | None, config: EvalConfig
) -> list[Benchmark]:
    wanted: list[str] = []
    for name in [benchmarks] if isinstance(benchmarks, str) else benchmarks:
        if name == BITS_PER_BYTE:
            wanted += map(as_text, config.data or default_names(corpus=config.corpus))
        else:
            wanted += directions(name, languages)
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


def _settings(
    config: EvalConfig,
    names: list[str],
    languages: Sequence[str] | None,
    contamination: Contamination | None,
) -> dict[str, Any]:
    """Return what the manifest says of the configuration: what decides the scores, free of the machine's paths."""
    own = {name: value for name, value in as_dict(config).items() if name not in _NOT_RECORDED}
    return own | {
        "benchmarks": names,
        "languages": None if languages is None else list(languages),
        "bertscore": _encoder(config.bertscore),
        "identifier": _identifier(config.identifier),
        "contamination": contamination and contamination.digest,
    }


def _encoder(bertscore: str | None) -> str | None:
    """Return which encoder and layer this is, free of the machine's paths; SourceError if it is not there."""
    if bertscore is None:
        return None
    name, layer = encoder_of(bertscore)
    return "{}@{}:{}".format(*model_identity(name), layer)


def _identifier(name: str | None) -> str | None:
    """Return which identifier of languages this is, free of the machine's paths; refused here if there is none."""
    if name is None:
        return None
    from emma500.languages.identification.identifiers import load_identifier

    found = load_identifier(name)
    return f"{Path(found.name).name}@{found.fingerprint()[:16]}"


def _is_finished(output: Path, identifier: str) -> bool:
    try:
        manifest = read_manifest(output)
    except SourceError:
        return False
    return (manifest.get("kind"), manifest.get("fingerprint")) == (KIND, identifier)


def _load(identity: ModelIdentity, config: EvalConfig) -> Loaded:
    from emma500.models import load_model, load_tokenizer

    device = config.device or process_state().device
    model = load_model(identity.path, identity.commit, config.dtype)
    tokenizer = load_tokenizer(identity.path, identity.commit)
    return Loaded(model=model.to(device), tokenizer=tokenizer, identity=identity, config=config)
