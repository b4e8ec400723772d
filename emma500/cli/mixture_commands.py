"""The subcommands that look ahead: what a run would read, and what a tokenizer makes of each language."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emma500.cli.command import Command, required, train_preset, types
from emma500.configuration import as_dict, option
from emma500.progress import Bars
from emma500.storage import write_text


@dataclass(frozen=True, kw_only=True, slots=True)
class MixtureArguments:
    """What `emma500 train mixture` takes beside the fields of TrainConfig."""

    model_name_or_path: str = option(
        "", "model whose tokenizer estimates tokens; without it words are counted"
    )
    dataset_name: str = option("mala", "corpus folder or Hub id")
    output: str = option("", "folder of mixture.csv and the figure; none without it")
    preset: str = option(
        "", "emma500-llama2, single-gpu-lora, cpu-demo, …; other flags override it"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class FertilityArguments:
    """What `emma500 corpus fertility` takes."""

    model_name_or_path: str = option("", "Hub id, folder or .gguf file of the model")
    dataset_name: str = option("mala", "corpus folder or Hub id")
    languages: list[str] = option([], "labels or codes; empty: all of the components")
    components: list[str] = option(["monolingual"], "where the text comes from")
    max_bytes: int = option(100_000, "bytes of text a language")
    output: str = option("", "folder of fertility.csv and the figure; none without it")


def _mixture(arguments: MixtureArguments, config: Any) -> Any:
    from emma500 import plan_mixture
    from emma500.publishing.mixture_figures import mixture_figure

    found = plan_mixture(
        arguments.dataset_name,
        config,
        model=arguments.model_name_or_path or None,
        progress=Bars(),
    )
    if arguments.output:
        folder = Path(arguments.output)
        write_text(folder / "mixture.csv", found.to_pandas().to_csv(index=False))
        mixture_figure(found.rows(), folder)
    return found


def _fertility(arguments: FertilityArguments) -> Any:
    from emma500 import fertility
    from emma500.publishing.mixture_figures import fertility_figure

    found = fertility(
        required(arguments.model_name_or_path, "model_name_or_path"),
        arguments.dataset_name,
        languages=arguments.languages,
        components=arguments.components,
        max_bytes=arguments.max_bytes,
        progress=Bars(),
    )
    if arguments.output:
        folder = Path(arguments.output)
        write_text(folder / "fertility.csv", found.to_pandas().to_csv(index=False))
        fertility_figure([as_dict(row) for row in found.rows], folder)
    return found


MIXTURE_COMMANDS = {
    "train mixture": Command(
        "Show what a training run would read how often, before it starts.",
        "emma500 train mixture --dataset_name mala --model_name_or_path Qwen/Qwen3-0.6B --mixture unimax",
        types(MixtureArguments, "TrainConfig"),
        _mixture,
        preset=train_preset,
    ),
    "corpus fertility": Command(
        "Measure how many tokens a model's tokenizer needs for each language.",
        "emma500 corpus fertility --model_name_or_path Qwen/Qwen3-0.6B --dataset_name mala --languages yo ka",
        types(FertilityArguments),
        _fertility,
    ),
}
