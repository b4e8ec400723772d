"""The subcommands: what each says, what it takes, and which public function it calls."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emma500.cli.command import Command, confirmed, required, train_preset, types
from emma500.cli.corpus_commands import CORPUS_COMMANDS
from emma500.cli.evaluation_commands import EVALUATION_COMMANDS
from emma500.cli.language_commands import LANGUAGE_COMMANDS
from emma500.cli.mixture_commands import MIXTURE_COMMANDS
from emma500.cli.model_commands import MODEL_COMMANDS
from emma500.cli.recipe_commands import RECIPE_COMMANDS
from emma500.configuration import option
from emma500.errors import FailureError
from emma500.progress import Bars


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildArguments:
    """What `emma500 build` takes beside the fields of BuildConfig."""

    sources: list[str] = option(
        ["embedded"], "files, folders, Hub ids, or `embedded` (what pip installed)"
    )
    output: str = option("mala", "folder of the finished corpus")
    languages: list[str] | None = option(None, "keep these languages only, in any code")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainArguments:
    """What `emma500 train` takes beside the fields of TrainConfig."""

    model_name_or_path: str = option("", "Hub id, folder or .gguf file of the base model")
    dataset_name: str = option("mala", "corpus folder or Hub id")
    output: str = option("", "folder of the trained model")
    preset: str = option(
        "", "emma500-llama2, single-gpu-lora, cpu-demo, …; other flags override it"
    )
    plan: bool = option(False, "print memory, tokens and days instead of training")
    devices: list[str] = option([], "with --plan: on these devices, as A100-80GB or H100-80GB:8")
    launch_config: str = option(
        "", "print the path of a file for accelerate launch, as 8gpu-fsdp2, instead of training"
    )
    checkpoint_repo_id: str = option(
        "", "private repository of the Hub, USER/NAME, that keeps the checkpoints of this run"
    )
    push_every: int = option(500, "with checkpoint_repo_id: steps between two that are pushed")


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateArguments:
    """What `emma500 evaluate` takes beside the fields of EvalConfig."""

    model_name_or_path: str = option("", "Hub id, folder or .gguf file of the model")
    benchmarks: list[str] = option(["bits-per-byte"], "what to evaluate on")
    languages: list[str] | None = option(None, "these languages only, in any code")
    output: str = option("", "folder of the scores")
    baseline: str | None = option(None, "folder of earlier scores to compare with")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishArguments:
    """What `emma500 publish` takes beside the fields of PublishConfig."""

    folder: str = option("", "a corpus, model or scores made by emma500")
    repo_id: str = option("", "name of the repository, USER/NAME")
    scores: list[str] = option(
        [],
        "folders of scores for the card: before and after; of scores, those they are ranked with",
    )
    directory: str | None = option(None, "write the repository under this folder, not to the Hub")
    yes: bool = option(False, "upload without asking, once the plan was shown")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportArguments:
    """What `emma500 report` takes."""

    run: str = option("", "folder of the model, of a corpus or of scores, or one that holds them")
    corpus: str = option("", "folder of the corpus; else the one the run names, found beside it")
    before: str = option("", "folder of the scores before training; else found as the corpus is")
    after: str = option("", "folder of the scores after training; else found as the corpus is")
    output: str = option("report", "folder of report.md, report.html and the figures")
    excerpts: bool = option(True, "show how a document of each language begins")


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoArguments:
    """What `emma500 demo` takes."""

    output: str = option("demo", "folder of everything the demo makes")
    repo_prefix: str | None = option(
        None, "publish to the Hub as USER/… (with a token), not to a folder"
    )
    overwrite: bool = option(
        False, "make everything anew where an earlier demo was made with other versions"
    )


def _build(arguments: BuildArguments, config: Any) -> Any:
    from emma500 import build_mala

    corpus = build_mala(
        arguments.sources, arguments.output, arguments.languages, config, progress=Bars()
    )
    failed = corpus.manifest.get("failed") or []
    if failed:
        told = "; ".join(f"{each['source']}: {each['reason']}" for each in failed)
        raise FailureError(
            f"{arguments.output} was built, but not all sources could be read ({told}); "
            "the same command tries again"
        )
    return corpus


def _train(arguments: TrainArguments, config: Any) -> Any:
    from emma500 import continue_pretrain

    if arguments.launch_config:
        from emma500.training.planning.launching import launch_config

        return launch_config(arguments.launch_config)
    model = required(arguments.model_name_or_path, "model_name_or_path")
    if arguments.plan:
        return _plan(model, arguments, config)
    output = required(arguments.output, "output")
    checkpoints = None
    if arguments.checkpoint_repo_id:
        from emma500 import HubCheckpoints

        checkpoints = HubCheckpoints(arguments.checkpoint_repo_id, arguments.push_every)
    return continue_pretrain(
        model, arguments.dataset_name, output, config, progress=Bars(), checkpoints=checkpoints
    )


def _plan(model: str, arguments: TrainArguments, config: Any) -> Any:
    from emma500 import plan_mixture, plan_training
    from emma500.training.planning.planner import DEVICES

    mixture = None
    if Path(arguments.dataset_name).is_dir():
        mixture = plan_mixture(arguments.dataset_name, config, model=model)
    plan = plan_training(
        model,
        config,
        devices=arguments.devices or DEVICES,
        n_steps=mixture.n_steps if mixture else None,
        revision=config.model_revision,
    )
    return f"{plan}\n{mixture}" if mixture else plan


def _evaluate(arguments: EvaluateArguments, config: Any) -> Any:
    from emma500 import Scores, evaluate

    baseline = None if arguments.baseline is None else Scores.load(arguments.baseline)
    scores = evaluate(
        required(arguments.model_name_or_path, "model_name_or_path"),
        arguments.benchmarks,
        arguments.languages,
        config,
        output=arguments.output or None,
        progress=Bars(),
    )
    if baseline is None:
        return scores
    parts = [str(scores)]
    if len(scores.details) and len(baseline.details):
        parts.append(scores.compare(baseline).to_string(index=False))
    if len(scores.measures) and len(baseline.measures):
        parts.append(scores.compare_tasks(baseline).to_string(index=False))
    return "\n\n".join(parts)


def _publish(arguments: PublishArguments, config: Any) -> Any:
    from emma500 import publish

    return publish(
        required(arguments.folder, "folder"),
        required(arguments.repo_id, "repo_id"),
        config,
        scores=arguments.scores,
        directory=arguments.directory,
        progress=Bars(),
        confirm=lambda plan: confirmed(f"{plan}\n", arguments.yes),
    )


def _report(arguments: ReportArguments) -> Any:
    from emma500.publishing.report import report
    from emma500.publishing.reporting.finding import find_results

    found = find_results(
        arguments.run or None,
        corpus=arguments.corpus,
        before=arguments.before,
        after=arguments.after,
    )
    return report(
        found.corpus,
        found.run,
        found.before,
        found.after,
        arguments.output,
        excerpts=arguments.excerpts,
    )


def _demo(arguments: DemoArguments) -> Any:
    from emma500.demo import run_demo

    return run_demo(
        arguments.output,
        repo_prefix=arguments.repo_prefix,
        overwrite=arguments.overwrite,
        progress=Bars(),
    )


COMMANDS: dict[str, Command] = (
    {
        "build": Command(
            "Build a MaLA corpus: text in any language code and script -> one clean folder.",
            "emma500 build --sources texts/ --output mala --languages sw se nqo",
            types(BuildArguments, "BuildConfig"),
            _build,
        ),
        "train": Command(
            "Continue pre-training of a causal language model on a corpus.",
            "emma500 train --model_name_or_path Qwen/Qwen3-0.6B --dataset_name mala --output out",
            types(TrainArguments, "TrainConfig"),
            _train,
            preset=train_preset,
        ),
        "evaluate": Command(
            "Score a model by language.",
            "emma500 evaluate out --benchmarks sib200 xcopa --languages swh fin --shots 3 --output scores",
            types(EvaluateArguments, "EvalConfig"),
            _evaluate,
            "model_name_or_path",
        ),
        "publish": Command(
            "Publish a corpus, a model or scores, with its card, to the Hub or to a folder.",
            "emma500 publish --folder mala --repo_id USER/mala",
            types(PublishArguments, "PublishConfig"),
            _publish,
        ),
        "report": Command(
            "Write one page with the tables and figures of a whole run.",
            "emma500 report out --output report/",
            types(ReportArguments),
            _report,
            "run",
        ),
        "demo": Command(
            "Go the whole way on real text in minutes: corpus, training, scores, cards, report.",
            "emma500 demo --output demo/",
            types(DemoArguments),
            _demo,
        ),
    }
    | RECIPE_COMMANDS
    | CORPUS_COMMANDS
    | EVALUATION_COMMANDS
    | LANGUAGE_COMMANDS
    | MIXTURE_COMMANDS
    | MODEL_COMMANDS
)
