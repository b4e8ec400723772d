"""The whole way with fixed settings: corpus, scores, training, scores, publishing, report.

The demo and every recipe are such a pipeline; a second run reuses what is finished, and one that was killed goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500.errors import FailureError
from emma500.folder import Corpus
from emma500.models import local_model
from emma500.progress import Progress, tracked
from emma500.recipes.clock import Clock

if TYPE_CHECKING:
    from emma500.corpus.config import BuildConfig
    from emma500.evaluation.evaluate import EvalConfig
    from emma500.evaluation.scores import Scores
    from emma500.publishing.publish import PublishedRepo
    from emma500.training.config import TrainConfig
    from emma500.training.run import TrainingRun

    Results = tuple[Corpus, TrainingRun, Scores, Scores]

CORPUS, MODEL = "mala", "model"
"""The folders of the corpus and of the trained model."""

PAIRS = "validation-pairs"
"""The benchmark of the corpus's own pairs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pipeline:
    """What is built, trained, evaluated and published.

    Attributes:
        sources: What the corpus is built of, as for `build_mala`.
        build: How it is built.
        model: The base model: a Hub id, a folder or a `.gguf` file.
        training: How it is trained.
        any_components: Train on those components of a published mixture that the corpus has, and evaluate on pairs
            where it has some, instead of refusing a corpus that lacks one.
        benchmarks: What is evaluated before and after, as for `evaluate`.
        languages: The languages evaluated; None for all.
        evaluation: How; its `corpus` is the one that was built.
        base_model: The Hub id of the base model, on the card; None where it is only a folder.
        license: The licence of the trained model, as the Hub calls it; None where it is not known.
        corpus_repo: Where the corpus is published, "user/name".
        model_repo: Where the model is published; its scores go to "<model_repo>-scores".
    """

    sources: str | Sequence[str]
    build: "BuildConfig"
    model: str | Path
    training: "TrainConfig"
    any_components: bool = False
    benchmarks: Sequence[str]
    languages: Sequence[str] | None = None
    evaluation: "EvalConfig"
    base_model: str | None
    license: str | None
    corpus_repo: str
    model_repo: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PipelineResult:
    """What a pipeline made: the folder it is in, and a summary with how long each step of this run took."""

    output: Path
    summary: str

    def __repr__(self) -> str:
        return self.summary


def run_pipeline(
    pipeline: Pipeline,
    output: str | Path,
    *,
    to_hub: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> PipelineResult:
    """Go the whole way.

    A second run reuses what is finished; a run that was killed goes on and ends with the same files.

    Args:
        pipeline: The settings.
        output: The folder of everything that is made.
        to_hub: Publish to the Hub, with the token of the environment; otherwise the repositories are laid out under
            `<output>/hub/`.
        overwrite: Replace what other settings or versions made in the folder.
        progress: Called as the steps advance.

    Returns:
        What was made, with a summary to print.

    Raises:
        OutputError: If the folder holds what others made, and `overwrite` is not set.
    """
    from emma500.publishing.report import summary_tables

    output = Path(output)
    steps = _Steps(
        pipeline=pipeline, output=output, to_hub=to_hub, overwrite=overwrite, progress=progress
    )
    clock = Clock(output / "timings.json")
    corpus = clock.step("build_mala", steps.build)
    clock.step("load_dataset", steps.load, corpus)
    if str(pipeline.model).endswith(".gguf"):
        clock.step("convert the base model", steps.convert)
    before = clock.step("evaluate before", steps.evaluate, pipeline.model, corpus, "before")
    run = clock.step("continue_pretrain", steps.train, corpus)
    after = clock.step("evaluate after", steps.evaluate, run, corpus, "after")
    results = (corpus, run, before, after)
    repos = clock.step("publish", steps.publish, results)
    page = clock.step("report", steps.report, results)
    tables = [
        each.text() for each in summary_tables(corpus.manifest, before, after, run=run.manifest)
    ]
    published = "\n".join(f"  {repo.repo_type:<8}{repo.url}" for repo in repos)
    return PipelineResult(
        output=output,
        summary="\n\n".join(
            [*tables, f"published\n{published}", f"report\n  {page}", clock.table()]
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Steps:
    """What each step calls; a step runs in a process of its own, so this travels there."""

    pipeline: Pipeline
    output: Path
    to_hub: bool
    overwrite: bool
    progress: Progress | None

    def build(self) -> Corpus:
        from emma500.corpus.build import build_mala

        config = replace(self.pipeline.build, overwrite=self.overwrite)
        return build_mala(
            self.pipeline.sources, self.output / CORPUS, config=config, progress=self.progress
        )

    def load(self, corpus: Corpus) -> None:
        """Load one language as any user of `datasets` would, to fail here rather than in their hands."""
        import datasets

        datasets.disable_progress_bars()
        rows = corpus.manifest["splits"]
        there = [row["label"] for row in rows if row["component"] == "monolingual"]
        folder, label = str(corpus.root), [*self.pipeline.training.languages, *there][0]
        for streaming in tracked((False, True), self.progress, "loading with datasets"):
            found = datasets.load_dataset(folder, label, split="train", streaming=streaming)
            if next(iter(found))["label"] != label:
                raise FailureError(f"{folder} gives rows of another language than {label}")

    def convert(self) -> None:
        local_model(self.pipeline.model, progress=self.progress)

    def evaluate(self, model: Any, corpus: Corpus, name: str) -> "Scores":
        from emma500.evaluation.evaluate import evaluate

        pipeline = self.pipeline
        config = replace(pipeline.evaluation, corpus=str(corpus.root), overwrite=self.overwrite)
        lacking = pipeline.any_components and "bilingual" not in _components(corpus)
        return evaluate(
            model,
            [each for each in pipeline.benchmarks if each != PAIRS or not lacking],
            pipeline.languages,
            config,
            output=self.output / "scores" / name,
            progress=self.progress,
        )

    def train(self, corpus: Corpus) -> "TrainingRun":
        from emma500.training.run import continue_pretrain

        pipeline, config = self.pipeline, self.pipeline.training
        if pipeline.any_components:
            config = replace(config, components=_there(config, corpus))
        config = replace(config, overwrite=self.overwrite)
        return continue_pretrain(
            pipeline.model, corpus, self.output / MODEL, config, progress=self.progress
        )

    def publish(self, results: "Results") -> "list[PublishedRepo]":
        from emma500.publishing.publish import PublishConfig, publish

        corpus, run, before, after = results
        name, model = self.pipeline.corpus_repo, self.pipeline.model_repo
        card = PublishConfig(
            base_model=self.pipeline.base_model, datasets=[name], license=self.pipeline.license
        )
        directory = None if self.to_hub else self.output / "hub"
        place: dict[str, Any] = {"directory": directory, "progress": self.progress}
        return [
            publish(corpus, name, **place),
            publish(run, model, card, scores=[before, after], **place),
            publish(after, f"{model}-scores", scores=[before], **place),
        ]

    def report(self, results: "Results") -> Path:
        from emma500.publishing.report import report

        (page,) = (
            report(*results, output)
            for output in tracked([self.output], self.progress, "drawing the report")
        )
        return page


def _there(config: "TrainConfig", corpus: Corpus) -> list[str]:
    """Return the components of the training's mixture that the corpus has."""
    from emma500.mixture.planning.presets import components_of

    return [each for each in components_of(config.mix_stages(0.0)) if each in _components(corpus)]


def _components(corpus: Corpus) -> set[str]:
    return {row["component"] for row in corpus.manifest["splits"]}
