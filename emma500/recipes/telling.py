"""A recipe's plan as a page for a terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from emma500.evaluation.published import published_averages, published_metrics
from emma500.publishing.tables import count, counted, percent, significant, size, table
from emma500.tables import read_table

if TYPE_CHECKING:
    from emma500.recipes.planning import RecipePlan

_MOST = 60
"""Characters of a cell that may be long."""


def told(plan: "RecipePlan") -> str:
    """Return the lines of a plan: sources, disk, tokens, steps and days, evaluation, values, and what is missing."""
    parts = (_head, _sources, _disk, _tokens, _run, _evaluation, _values, _missing)
    return "\n\n".join("\n".join(part(plan)) for part in parts)


def _head(plan: "RecipePlan") -> Iterator[str]:
    found = plan.recipe
    yield (
        f"{found.name}: {found.value('model', 'title')} ({found.value('model', 'paper')}), "
        f"from {found.value('model', 'base')}"
    )
    yield f"values: {found.counts()}"
    if plan.scale < 1:
        yield (
            f"scale {plan.scale:g}: embedded sources, SmolLM2-135M and held-out text stand in for the sources, the "
            "base model and the benchmarks below, unless others are named; sources, disk and evaluation are the paper's"
        )


def _sources(plan: "RecipePlan") -> Iterator[str]:
    rows = [
        (
            each.entry.name, each.entry.component, each.role, each.grade, each.entry.license,
            each.entry.commercial, each.entry.size[:_MOST], each.entry.status,
        )
        for each in plan.sources
    ]  # fmt: skip
    columns = ("source", "component", "role", "grade", "licence", "commercial", "size", "checked")
    yield "sources"
    yield table(columns, "llllllll", rows).text()


def _disk(plan: "RecipePlan") -> Iterator[str]:
    rows = [(each.what, size(each.n_bytes), each.how) for each in plan.disk]
    rows.append(("all", size(sum(each.n_bytes for each in plan.disk)), ""))
    yield "disk"
    yield table(("what", "size", "how"), "lrl", rows).text()
    stages = (f"{each.key} {int(each.text):,}" for each in plan.recipe.section("documents"))
    yield f"monolingual documents after each stage, as published: {', '.join(stages)}"


def _tokens(plan: "RecipePlan") -> Iterator[str]:
    yield f"tokens by component, at {plan.tokens_per_word:g} tokens a word"
    found = plan.rows()
    rows = [
        (
            f"  {each.group}" if each.group else each.component,
            count(each.n_labels), count(each.n_words), percent(each.share), count(each.n_tokens), _times(each.epochs),
        )
        for each in found
    ]  # fmt: skip
    whole = [each for each in found if not each.group]
    n_words = sum(each.n_words for each in whole)
    n_labels, n_tokens = sum(each.n_labels for each in whole), plan.mixture.n_tokens
    rows.append(("all", count(n_labels), count(n_words), percent(1.0), count(n_tokens), ""))
    columns = ("component", "labels", "words there are", "share", "tokens read", "times read")
    yield table(columns, "lrrrrr", rows).text()
    yield f"left out: {counted(len(plan.mixture.left_out), 'label')} of less than 100,000 words"
    read, one_pass = (
        n_tokens / plan.tokens_per_word, float(plan.recipe.value("words", "one pass"))
    )  # fmt: skip
    yield f"the run reads {count(read)} words, {read / one_pass:.2g} of one pass of {count(one_pass)}"


def _times(epochs: tuple[float, float]) -> str:
    low, high = (significant(each) for each in epochs)
    return low if low == high else f"{low} to {high}"


def _run(plan: "RecipePlan") -> Iterator[str]:
    yield "training"
    yield repr(plan.training)
    for device, days in plan.gpu_days.items():
        yield f"  {device.partition(':')[0]}: {significant(days)} GPU-days ({significant(24 * days)} GPU-hours)"


def _evaluation(plan: "RecipePlan") -> Iterator[str]:
    title = plan.recipe.value("model", "title")
    known = {row["name"]: row for row in read_table("benchmarks")}
    rows = []
    for value in plan.recipe.section("benchmarks"):
        row = known[value.key]
        place = row["place"].removeprefix("hf://datasets/").partition("@")[0]
        rows.append(
            (value.key, row["shape"], row["shots"] or "-", row["license"] or "unknown",
             place or "on request", ", ".join(_published(value.key, title)))
        )  # fmt: skip
    yield f"evaluation, mode {plan.recipe.evaluation.mode}"
    columns = ("benchmark", "shape", "shots", "licence", "where", "published average")
    yield table(columns, "llrlll", rows).text()


def _published(benchmark: str, title: str) -> Iterator[str]:
    """Yield what the model scored, of translation in both directions."""
    for metric in published_metrics():
        if metric.benchmark in (benchmark, f"{benchmark}-eng-x", f"{benchmark}-x-eng"):
            found = published_averages(metric.benchmark, metric.metric).get(title)
            side = metric.benchmark.removeprefix(benchmark).lstrip("-")
            if found is not None:
                yield " ".join(filter(None, (side, metric.metric, f"{found:.2f}")))


def _values(plan: "RecipePlan") -> Iterator[str]:
    rows = [
        (each.section, each.key, each.text, each.grade, each.source)
        for each in plan.recipe.settings
        if each.grade != "missing" and each.section != "shape"
    ]
    yield "values, with how sure they are"
    yield table(("section", "key", "value", "grade", "why"), "lllll", rows).text()


def _missing(plan: "RecipePlan") -> Iterator[str]:
    yield "missing"
    yield from (f"  {each}" for each in plan.missing)
