"""Reproduce a published model: its recipe, run to the end at any scale.

reproduce("emma-500-llama2", "out", scale=1e-6)  # two cores: embedded text, SmolLM2-135M
reproduce("emma-500-llama2", "out", scale=1, repo_id="user/emma")  # the sources and the base model of the paper
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from emma500.configuration import as_dict
from emma500.errors import ConfigError
from emma500.mixture.planning.presets import components_of
from emma500.models import packaged_model
from emma500.progress import Progress
from emma500.recipes.pipeline import CORPUS, MODEL, PAIRS, Pipeline, PipelineResult, run_pipeline
from emma500.recipes.planning import place_of
from emma500.recipes.recipe import Recipe, recipe
from emma500.recipes.scaling import BASE_LICENSE, BASE_MODEL, BASE_PACKAGE, check_scale, scaled
from emma500.storage import write_text

_REPO_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def reproduce(
    name: str,
    output: str | Path,
    *,
    scale: float,
    sources: str | Sequence[str] | None = None,
    model: str | Path | None = None,
    benchmarks: Sequence[str] | None = None,
    repo_id: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> PipelineResult:
    """Go the whole way of a published model: corpus, scores, training, scores, publishing, report.

    The same call again goes on where a killed one was. At scale 1 `<output>` also gets `build.yaml`, `train.yaml` and
    `evaluate.yaml`, with which `emma500 build`, `train` and `evaluate` do a step apart, on other machines, into the
    same folders.

    Args:
        name: The recipe, as "emma-500-llama2".
        output: The folder of everything that is made.
        scale: The part of the published tokens, above 0 and at most 1. Below 1, what is embedded stands in for the
            sources, SmolLM2-135M for the base model and held-out text for the benchmarks, where nothing else is named.
        sources: What the corpus is built of, as for `build_mala`; by default the recipe's.
        model: The base model; by default the recipe's.
        benchmarks: What is evaluated, as for `evaluate`; by default those of the recipe whose data can be fetched.
        repo_id: Publish the model to the Hub as `user/name`, the corpus as `user/name-corpus` and the scores as
            `user/name-scores`. Without it nothing leaves the machine: the repositories are laid out under
            `<output>/hub/local/`.
        overwrite: Replace what another recipe, scale or version made in the folder.
        progress: Called as the steps advance.

    Returns:
        What was made, with a summary to print.

    Raises:
        ConfigError: If there is no such recipe, the scale is none, `repo_id` is no `user/name`, or there is too little
            text for the tokens.
        SourceError: If a source or the base model is not there.
        OutputError: If the folder holds what others made, and `overwrite` is not set.
    """
    found = recipe(name)
    check_scale(scale)
    repo = f"local/{found.name}" if repo_id is None else repo_id
    if not _REPO_ID.fullmatch(repo):  # before hours of work, not after them
        raise ConfigError(f"repo_id must be user/name, not {repo_id!r}")
    pipeline = _chosen(_pipeline(found, scale, repo), sources, model, benchmarks)
    if scale == 1:
        _write_configurations(pipeline, Path(output))
    return run_pipeline(
        pipeline, output, to_hub=repo_id is not None, overwrite=overwrite, progress=progress
    )


def _pipeline(found: Recipe, scale: float, repo: str) -> Pipeline:
    """Return the recipe as it was published, or at a scale below 1 with what stands in."""
    whole = Pipeline(
        sources=found.named("sources", "read"),
        build=found.build,
        model=found.value("model", "base"),
        training=scaled(found.training, scale),
        benchmarks=[each for each in found.named("benchmarks", "run") if place_of(each)],
        evaluation=found.evaluation,
        base_model=found.value("model", "base"),
        license=found.value("model", "license"),
        corpus_repo=f"{repo}-corpus",
        model_repo=repo,
    )
    if scale == 1:
        return whole
    pairs = "bilingual" in components_of(whole.training.mix_stages(0.0))
    return replace(
        whole,
        sources="embedded",
        model="",
        any_components=True,
        benchmarks=["validation", *([PAIRS] if pairs else [])],
        evaluation=replace(found.evaluation, bf16=True, max_length=512, limit=8),
    )


def _chosen(
    pipeline: Pipeline,
    sources: str | Sequence[str] | None,
    model: str | Path | None,
    benchmarks: Sequence[str] | None,
) -> Pipeline:
    """Put what was named into its place, and the base model of the stand-ins where none was."""
    if sources:
        pipeline = replace(pipeline, sources=sources)
    if benchmarks:
        pipeline = replace(pipeline, benchmarks=benchmarks)
    if model:
        hub_id = None if Path(model).exists() else str(model)
        return replace(pipeline, model=model, license=None, base_model=hub_id)
    if pipeline.model:
        return pipeline
    own = packaged_model(BASE_PACKAGE)
    return replace(pipeline, model=own, base_model=BASE_MODEL, license=BASE_LICENSE)


def _write_configurations(pipeline: Pipeline, output: Path) -> None:
    """Write what `emma500 build`, `train` and `evaluate` take by `--config` to do a step apart."""
    import yaml

    given = pipeline.sources
    corpus = str(output / CORPUS)
    steps: dict[str, tuple[Any, dict[str, Any]]] = {
        "build": (
            pipeline.build,
            {"sources": [given] if isinstance(given, str) else list(given), "output": corpus},
        ),
        "train": (
            pipeline.training,
            {
                "model_name_or_path": str(pipeline.model),
                "dataset_name": corpus,
                "output": str(output / MODEL),
            },
        ),
        "evaluate": (
            replace(pipeline.evaluation, corpus=corpus),
            {
                "model_name_or_path": str(output / MODEL),
                "benchmarks": list(pipeline.benchmarks),
                "output": str(output / "scores" / "after"),
            },
        ),
    }
    for name, (config, arguments) in steps.items():
        default = as_dict(type(config)())
        changed = {key: value for key, value in as_dict(config).items() if value != default[key]}
        text = yaml.safe_dump(arguments | changed, sort_keys=False, allow_unicode=True)
        write_text(output / f"{name}.yaml", text)
