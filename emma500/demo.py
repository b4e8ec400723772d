"""The demonstration: the whole way on real text, in minutes, with what pip installs and nothing else.

It trains on eight languages that SmolLM2-135M is bad at, chosen by a rule that looks at the untrained model alone: of
those with at least 20 kB of Django catalogue and 1 kB of prose in gflanguages, the ones to whose prose it gives the
most bits per byte, at most three of one script (docs/demo.md lists them). Training reads the catalogues of these
languages, and English from the Python documentation as replay; gflanguages' prose is held out.
"""

from pathlib import Path
from typing import Any

from emma500.models import packaged_model
from emma500.progress import Progress
from emma500.recipes.pipeline import Pipeline, PipelineResult, run_pipeline
from emma500.recipes.scaling import BASE_LICENSE, BASE_MODEL, BASE_PACKAGE

LANGUAGES = (
    "est_Latn", "lav_Latn", "epo_Latn", "uig_Arab", "mon_Cyrl", "tgk_Cyrl", "kir_Cyrl", "hye_Armn",
)  # fmt: skip
"""The eight languages, as the rule above ranks them within a script."""

MODEL = "smollm2-135m-mala"

TRAINING: dict[str, Any] = {
    "languages": list(LANGUAGES),
    "components": ["monolingual", "bilingual"],
    "exclude_sources": ["gflanguages"],
    "replay_languages": ["eng_Latn"],
    "replay_share": 0.25,
    "pair_format": "target",
    "mixture": "uniform",
    "max_length": 256,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 4,
    "max_steps": 32,
    "learning_rate": 5e-4,
    "warmup_steps": 5,
    "logging_steps": 4,
    "eval_steps": 16,
    "save_steps": 16,
    "max_validation_bytes": 4_000,
    "bf16": True,
}
"""How the demo trains: what fits two CPU cores and ten minutes."""


def run_demo(
    output: str | Path = "demo",
    *,
    repo_prefix: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> PipelineResult:
    """Go the whole way: corpus, scores, training, scores, publishing, report.

    A second run reuses what is finished; a run that was killed goes on and ends with the same files.

    Args:
        output: The folder of everything the demo makes.
        repo_prefix: Publish to the Hub as `<repo_prefix>/mala` and so on, with the token of the environment; by default
            the repositories are laid out under `<output>/hub/`.
        overwrite: Replace what another version, or something else, made in the folder.
        progress: Called as the steps advance.

    Returns:
        What was made, with a summary to print.

    Raises:
        MissingExtraError: If the demo extra is not installed.
        SourceError: If the package that carries the base model is not installed.
        OutputError: If the folder holds what other versions made, and `overwrite` is not set.
    """
    from emma500.corpus.config import BuildConfig
    from emma500.evaluation.evaluate import EvalConfig
    from emma500.training.config import TrainConfig

    prefix = (repo_prefix or "demo").rstrip("/")
    pipeline = Pipeline(
        sources="embedded",
        build=BuildConfig(validation_share=0.05),
        model=packaged_model(BASE_PACKAGE),
        training=TrainConfig(**TRAINING),
        benchmarks=["gflanguages", "validation-pairs"],
        languages=[*LANGUAGES, "eng_Latn"],
        evaluation=EvalConfig(bf16=True, max_length=512, limit=40),
        base_model=BASE_MODEL,
        license=BASE_LICENSE,
        corpus_repo=f"{prefix}/mala",
        model_repo=f"{prefix}/{MODEL}",
    )
    return run_pipeline(
        pipeline, output, to_hub=bool(repo_prefix), overwrite=overwrite, progress=progress
    )
