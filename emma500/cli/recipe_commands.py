"""The subcommand that makes a published model again: its plan, or its whole way at any scale."""

from dataclasses import dataclass
from typing import Any

from emma500.cli.command import Command, types
from emma500.configuration import option
from emma500.errors import UsageError
from emma500.progress import Bars


@dataclass(frozen=True, kw_only=True, slots=True)
class ReproduceArguments:
    """What `emma500 reproduce` takes."""

    recipe: str = option("", "the model: emma-500-llama2, emma-500-llama3-bi, …")
    output: str | None = option(None, "folder of everything that is made (the recipe's name)")
    plan: bool = option(False, "print what it takes and what is missing, instead of doing it")
    scale: float | None = option(
        None, "part of the published tokens: 1 for all, 1e-6 runs on two cores"
    )
    devices: list[str] = option([], "with --plan: on these devices, as A100-80GB or H100-80GB:64")
    sources: list[str] | None = option(
        None, "build of these, instead of the recipe's (embedded ones below scale 1)"
    )
    model_name_or_path: str | None = option(
        None, "train this, instead of the recipe's base model (SmolLM2-135M below scale 1)"
    )
    benchmarks: list[str] | None = option(
        None, "evaluate on these, instead of the recipe's (held-out text below scale 1)"
    )
    repo_id: str | None = option(
        None, "publish to the Hub as USER/NAME; without it repositories are only laid out"
    )
    overwrite: bool = option(False, "replace what another recipe, scale or version made")


def _reproduce(arguments: ReproduceArguments) -> Any:
    from emma500 import plan_recipe, reproduce

    if not arguments.recipe:
        from emma500.recipes.recipe import recipe_names

        raise UsageError(f"--recipe is required: one of {', '.join(recipe_names())}")
    if arguments.plan:
        scale = 1.0 if arguments.scale is None else arguments.scale
        return plan_recipe(arguments.recipe, scale=scale, devices=arguments.devices)
    if arguments.scale is None:
        raise UsageError(
            "--scale is required, or --plan: 1 is the published run on terabytes of text, 1e-6 runs on two cores"
        )
    return reproduce(
        arguments.recipe,
        arguments.output or arguments.recipe,
        scale=arguments.scale,
        sources=arguments.sources,
        model=arguments.model_name_or_path,
        benchmarks=arguments.benchmarks,
        repo_id=arguments.repo_id,
        overwrite=arguments.overwrite,
        progress=Bars(),
    )


RECIPE_COMMANDS = {
    "reproduce": Command(
        "Make a published model again: its plan, or the whole way at any scale.",
        "emma500 reproduce emma-500-llama2 --scale 1e-6 --output out",
        types(ReproduceArguments),
        _reproduce,
        "recipe",
    ),
}
