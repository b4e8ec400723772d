"""The subcommands that make a model of others: a larger vocabulary, instructions, a merge."""

from dataclasses import dataclass
from typing import Any

from emma500.cli.command import Command, required, types
from emma500.configuration import option
from emma500.progress import Bars


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelArguments:
    """What `emma500 extend` and `emma500 instruct` take beside the fields of their configuration."""

    model_name_or_path: str = option("", "Hub id, folder or .gguf file of the model")
    dataset_name: str = option("mala", "corpus folder or Hub id")
    output: str = option("", "folder of the new model")


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeArguments:
    """What `emma500 merge` takes beside the fields of MergeConfig."""

    models: list[str] = option([], "Hub ids, folders or .gguf files of models of one shape")
    output: str = option("", "folder of the merged model")


def _extend(arguments: ModelArguments, config: Any) -> Any:
    from emma500 import extend_vocabulary

    return extend_vocabulary(*_places(arguments), config, progress=Bars())


def _instruct(arguments: ModelArguments, config: Any) -> Any:
    from emma500 import instruct

    return instruct(*_places(arguments), config, progress=Bars())


def _places(arguments: ModelArguments) -> tuple[str, str, str]:
    return (
        required(arguments.model_name_or_path, "model_name_or_path"),
        arguments.dataset_name,
        required(arguments.output, "output"),
    )


def _merge(arguments: MergeArguments, config: Any) -> Any:
    from emma500 import merge_models

    output = required(arguments.output, "output")
    return merge_models(arguments.models, output, config, progress=Bars())


MODEL_COMMANDS = {
    "extend": Command(
        "Extend a model's vocabulary by pieces for the languages of a corpus.",
        "emma500 extend --model_name_or_path Qwen/Qwen3-0.6B --dataset_name mala --output out",
        types(ModelArguments, "VocabularyConfig"),
        _extend,
    ),
    "instruct": Command(
        "Tune a model on the conversations of a corpus, with TRL.",
        "emma500 instruct --model_name_or_path out --dataset_name mala --output tuned",
        types(ModelArguments, "InstructConfig"),
        _instruct,
    ),
    "merge": Command(
        "Merge models of one shape, such as a base and what it became.",
        "emma500 merge --models Qwen/Qwen3-0.6B out --weights 1 3 --output merged",
        types(MergeArguments, "MergeConfig"),
        _merge,
        "models",
    ),
}
