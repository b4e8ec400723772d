"""The subcommands beside `emma500 evaluate`: what there is to evaluate on, and what is done with scores."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from emma500.cli.command import Command, required, types
from emma500.configuration import option
from emma500.errors import UsageError
from emma500.progress import Bars

Form = Literal["table", "csv", "json"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListArguments:
    """What `emma500 evaluate list` takes."""

    data_dir: str | None = option(None, "folder of benchmark files; says which are there")


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareArguments:
    """What `emma500 evaluate compare` takes."""

    scores: list[str] = option(
        [], "two folders of scores: of the model in question, and of another"
    )
    metrics: list[str] | None = option(
        None, "these metrics; the first of each benchmark by default"
    )
    most: int = option(20, "languages shown of a benchmark; csv and json have all")
    form: Form = option("table", "what is printed")


@dataclass(frozen=True, kw_only=True, slots=True)
class LintArguments:
    """What `emma500 evaluate lint` takes."""

    scores: list[str] = option([], "folders of scores, or of published tables by language")
    identifier: str = option("emma500", "identifier for the language of outputs; '' for none")
    form: Form = option("table", "what is printed")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedArguments:
    """What `emma500 evaluate published` takes."""

    scores: str = option("", "folder of scores")
    mode: str | None = option(None, "mode of the scores; faithful where there is one")
    form: Form = option("table", "what is printed")


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptsArguments:
    """What `emma500 evaluate prompts` takes."""

    scores: str = option("", "folder of scores with several prompts (--switches prompt=all)")
    form: Form = option("table", "what is printed")


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportArguments:
    """What `emma500 evaluate export` takes."""

    scores: str = option("", "folder of scores")
    output: str = option("", "folder of the results in the form of lm-evaluation-harness")


@dataclass(frozen=True, kw_only=True, slots=True)
class FiguresArguments:
    """What `emma500 evaluate figures` takes."""

    scores: list[str] = option([], "folders of scores, one or several")
    output: str = option("figures", "folder of the figures, as SVG and PNG")


@dataclass(frozen=True, kw_only=True, slots=True)
class PolyWriteArguments:
    """What `emma500 evaluate polywrite` takes beside the fields of PolyWriteConfig."""

    translator: str = option("", "Hub id or folder of a model that translates")
    languages: list[str] = option([], "languages to translate into, in any code")
    output: str = option("polywrite", "folder of the prompts")


def _list(arguments: ListArguments) -> Any:
    from emma500.benchmarks.listing import listing, shown

    return shown(listing(arguments.data_dir))


def _compare(arguments: CompareArguments) -> Any:
    from emma500 import Scores, compare_scores
    from emma500.evaluation.model_comparison import shown_comparison

    if len(arguments.scores) != 2:
        raise UsageError(
            f"two folders of scores are compared, not {len(arguments.scores)}: emma500 evaluate compare AFTER BEFORE"
        )
    after, before = map(Scores.load, arguments.scores)
    frame = compare_scores(after, before, metrics=arguments.metrics)
    if arguments.form != "table":
        return _printed(frame, arguments.form)
    names = tuple(str(each.manifest["model"]["name"]) for each in (after, before))
    if names[0] == names[1]:
        names = tuple(arguments.scores)
    return shown_comparison(frame, (names[0], names[1]), most=arguments.most)


def _lint(arguments: LintArguments) -> Any:
    from emma500 import Scores, lint_scores
    from emma500.evaluation.lint import lint_tables, shown_findings
    from emma500.evaluation.published_tables import read_published
    from emma500.manifest import MANIFEST

    if not arguments.scores:
        raise UsageError("no scores: emma500 evaluate lint FOLDER [FOLDER ...]")
    own = [each for each in arguments.scores if (Path(each) / MANIFEST).is_file()]
    findings = lint_scores(*map(Scores.load, own), identifier=arguments.identifier) if own else []
    for folder in arguments.scores:
        if folder not in own:
            findings += lint_tables(read_published(folder))
    if arguments.form == "table":
        return shown_findings(findings)
    import pandas as pd

    rows = [[each.kind, each.where, " ".join(each.models), each.detail] for each in findings]
    return _printed(
        pd.DataFrame(rows, columns=["kind", "where", "models", "detail"]), arguments.form
    )


def _published(arguments: PublishedArguments) -> Any:
    from emma500 import Scores, compare_with_published
    from emma500.evaluation.published import shown_beside

    scores = Scores.load(required(arguments.scores, "scores"))
    frame = compare_with_published(scores, mode=arguments.mode)
    return shown_beside(frame) if arguments.form == "table" else _printed(frame, arguments.form)


def _prompts(arguments: PromptsArguments) -> Any:
    from emma500 import Scores, prompt_spread
    from emma500.evaluation.prompt_spread import shown_prompts

    frame = prompt_spread(Scores.load(required(arguments.scores, "scores")))
    return shown_prompts(frame) if arguments.form == "table" else _printed(frame, arguments.form)


def _export(arguments: ExportArguments) -> Any:
    from emma500 import export_lm_eval

    folder = required(arguments.scores, "scores")
    return export_lm_eval(folder, required(arguments.output, "output"))


def _figures(arguments: FiguresArguments) -> Any:
    from emma500 import Scores
    from emma500.publishing.scores_figures import scores_figures

    if not arguments.scores:
        raise UsageError("no scores: emma500 evaluate figures FOLDER [FOLDER ...]")
    drawn = scores_figures(list(map(Scores.load, arguments.scores)), Path(arguments.output))
    return "\n".join(f"{path}: {about}" for path, about in drawn.items())


def _polywrite(arguments: PolyWriteArguments, config: Any) -> Any:
    from emma500 import build_polywrite

    return build_polywrite(
        required(arguments.translator, "translator"),
        arguments.languages,
        arguments.output,
        config,
        progress=Bars(),
    )


def _printed(frame: Any, form: Form) -> str:
    if form == "csv":
        return str(frame.to_csv(index=False)).rstrip("\n")
    rows = json.loads(frame.to_json(orient="records", double_precision=15))
    return json.dumps(rows, indent=1, ensure_ascii=False)


EVALUATION_COMMANDS: dict[str, Command] = {
    "evaluate list": Command(
        "List the benchmarks: shape, shots, metrics, where the data are.",
        "emma500 evaluate list",
        types(ListArguments),
        _list,
    ),
    "evaluate compare": Command(
        "Compare the scores of two models by language, with tests.",
        "emma500 evaluate compare scores/after scores/before",
        types(CompareArguments),
        _compare,
        "scores",
    ),
    "evaluate lint": Command(
        "Look for faults that scores show by themselves, of one or several models.",
        "emma500 evaluate lint scores/after scores/before",
        types(LintArguments),
        _lint,
        "scores",
    ),
    "evaluate published": Command(
        "Lay scores beside the published results of EMMA-500 and 58 other models.",
        "emma500 evaluate published scores/after",
        types(PublishedArguments),
        _published,
        "scores",
    ),
    "evaluate prompts": Command(
        "Show how far the prompts of a benchmark are apart.",
        "emma500 evaluate prompts scores/prompts",
        types(PromptsArguments),
        _prompts,
        "scores",
    ),
    "evaluate figures": Command(
        "Draw scores: every language, two models, values against n, wins.",
        "emma500 evaluate figures scores/after scores/before --output figures",
        types(FiguresArguments),
        _figures,
        "scores",
    ),
    "evaluate export": Command(
        "Write scores in the form of lm-evaluation-harness' results.",
        "emma500 evaluate export scores/after --output results",
        types(ExportArguments),
        _export,
        "scores",
    ),
    "evaluate polywrite": Command(
        "Translate prompts to write something into many languages, as PolyWrite.",
        "emma500 evaluate polywrite facebook/nllb-200-distilled-600M --languages sw fi hy",
        types(PolyWriteArguments, "PolyWriteConfig"),
        _polywrite,
        "translator",
    ),
}
