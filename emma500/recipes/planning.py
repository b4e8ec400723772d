"""What a recipe needs before it starts: sources, disk, tokens by component, steps, days, and what is missing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from emma500.errors import SourceError
from emma500.languages.labels import inventory, pair_inventory
from emma500.mixture.planning.available import Available
from emma500.mixture.planning.plan import MixPlan, Part, plan
from emma500.mixture.planning.presets import GROUPS, components_of
from emma500.mixture.tokenizing.documents import Chosen
from emma500.models import packaged_model
from emma500.recipes.recipe import Recipe, recipe
from emma500.recipes.scaling import BASE_PACKAGE, check_scale, scaled
from emma500.recipes.telling import told
from emma500.sources.catalogue import source
from emma500.sources.entry import CatalogueEntry
from emma500.tables import read_table
from emma500.training.planning.planner import TrainingPlan, plan_training

_ALSO = "H100-80GB:64"
"""Planned for beside the hardware of the paper, where no devices are named."""

_STATE_BYTES, _COPIES = 12, 2
"""Bytes a weight of a checkpoint (float32 and AdamW's two), and checkpoints there are while one replaces the other."""

_WEIGHT_BYTES = 4
_SMALL_VOCABULARY = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedSource:
    """A source of a recipe: `role` is "read", "in <other>" or "published form"; `grade` how sure that is."""

    entry: CatalogueEntry
    role: str
    grade: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Disk:
    """Bytes that something takes, and how that was reckoned."""

    what: str
    n_bytes: float
    how: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedTokens:
    """What is read of a component, or of one resource group of its text.

    Attributes:
        component: One of `records.COMPONENTS`.
        group: The resource group, or "" for all of the component.
        n_labels: How many labels have part.
        n_words: White-space words there are.
        share: Their part of all tokens of the run.
        n_tokens: The tokens that are read.
        epochs: How often text is read: the label that is read least and the one that is read most.
    """

    component: str
    group: str
    n_labels: int
    n_words: int
    share: float
    n_tokens: int
    epochs: tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecipePlan:
    """What a recipe needs; it prints as a page.

    Attributes:
        recipe: The recipe.
        scale: The part of the published tokens.
        mixture: What is read how often, in estimated tokens, from the published counts.
        training: Steps, memory and days by device, for the recipe's own base model.
        sources: Where text comes from, with licences.
        disk: What lies on the disk at the published size.
        missing: What is not known, cannot be fetched or has to be asked for, a sentence each.
    """

    recipe: Recipe
    scale: float
    mixture: MixPlan
    training: TrainingPlan
    sources: tuple[PlannedSource, ...]
    disk: tuple[Disk, ...]
    missing: tuple[str, ...]

    def rows(self) -> list[PlannedTokens]:
        """Return what is read of each component, and of each resource group of monolingual text below it."""
        parts = self.mixture.parts
        found = []
        for component in dict.fromkeys(each.available.component for each in parts):
            own = [each for each in parts if each.available.component == component]
            found.append(self._counted(component, "", own))
            for group in GROUPS:
                members = [each for each in own if each.available.group == group]
                found += [self._counted(component, group, members)] if members else []
        return found

    def _counted(self, component: str, group: str, parts: Sequence[Part]) -> PlannedTokens:
        per_word = self.tokens_per_word
        share = sum(each.share for each in parts)
        epochs = [each.epochs for each in parts]
        return PlannedTokens(
            component=component,
            group=group,
            n_labels=len(parts),
            n_words=sum(round(each.available.n_tokens / per_word) for each in parts),
            share=share,
            n_tokens=round(share * self.mixture.n_tokens),
            epochs=(min(epochs), max(epochs)),
        )

    @property
    def tokens_per_word(self) -> float:
        """Tokens of a white-space word, as the recipe has it."""
        return float(self.recipe.value("words", "tokens a word"))

    @property
    def gpu_days(self) -> dict[str, float]:
        """Days of one device, by the devices planned for, as "A100-80GB:8"."""
        return {
            f"{each.device}:{each.n_devices}": each.n_devices * each.days
            for each in self.training.devices
            if each.days is not None
        }

    def __repr__(self) -> str:
        return told(self)


def plan_recipe(name: str, *, scale: float = 1.0, devices: Sequence[str] = ()) -> RecipePlan:
    """Plan a recipe from tables alone: no text, no weights and no network.

    Args:
        name: As "emma-500-llama2".
        scale: The part of the published tokens, above 0 and at most 1.
        devices: Names of `tables/accelerators.tsv`, as "H100-80GB:8"; by default those of the paper, and 64 H100.

    Returns:
        The plan.

    Raises:
        ConfigError: If there is no such recipe or device, or the scale is none.
    """
    found = recipe(name)
    config = scaled(found.training, check_scale(scale))
    own = f"{found.value('training', 'hardware')}:{found.value('training', 'devices')}"
    training = plan_training(_shape(found), config, devices=devices or (own, _ALSO))
    sources = tuple(_sources(found))
    stages = config.mix_stages(0.0)
    components = components_of(stages)
    mixture = plan(
        list(_available(found, components)),
        tokens_per_step=training.tokens_per_step,
        n_steps=training.n_steps,
        stages=stages,
        max_epochs=config.max_epochs,
        required=components,
        unit="estimated tokens",
    )
    return RecipePlan(
        recipe=found,
        scale=scale,
        mixture=mixture,
        training=training,
        sources=sources,
        disk=tuple(_disk(found, mixture, training)),
        missing=tuple(_missing(found, sources, training, scale)),
    )


def _shape(found: Recipe) -> Any:
    """Return the base model's configuration, which many may not read on the Hub before they agreed to a licence."""
    from transformers import LlamaConfig

    return LlamaConfig(**found.fields("shape"), name_or_path=found.value("model", "base"))


def _sources(found: Recipe) -> Iterator[PlannedSource]:
    for each in found.section("sources"):
        if each.text:
            yield PlannedSource(entry=source(each.key), role=each.text, grade=each.grade)


def _available(found: Recipe, components: Sequence[str]) -> Iterator[Available]:
    """Yield what there is of every label, in tokens: the published counts, the recipe's for the other components."""
    per_word = float(found.value("words", "tokens a word"))
    counts = {
        "monolingual": [(each.label, each.n_texts, each.n_words) for each in inventory()],
        "bilingual": [(each.label, each.n_texts, each.n_words) for each in pair_inventory()],
    }
    for component in components:
        own = [("eng_Latn", 1, int(found.value("words", component) or 0))]
        for label, n_texts, n_words in counts.get(component, own):
            yield Available(
                chosen=Chosen(component=component, label=label, language=label.split("-")[-1]),
                sources=[],
                n_documents=n_texts,
                n_tokens=round(n_words * per_word),
            )


def _disk(found: Recipe, mixture: MixPlan, training: TrainingPlan) -> Iterator[Disk]:
    a_word, per_word = (
        float(found.value("words", name)) for name in ("bytes a word", "tokens a word")
    )
    there = [each.available for each in mixture.parts] + list(mixture.left_out)
    n_tokens = sum(each.n_tokens for each in there)
    text = n_tokens / per_word * a_word
    mono = sum(each.n_tokens for each in there if each.component == "monolingual")
    before, after = (int(found.value("documents", name)) for name in ("integration", "split"))
    added = mono / per_word * a_word * (before / after - 1)
    yield Disk(
        what="text that is read", n_bytes=text + added,
        how=f"words x {a_word:g} bytes; monolingual text x {before / after:.2f}, as documents before cleaning",
    )  # fmt: skip
    yield Disk(what="work of the build", n_bytes=text + added, how="about the size of the text")
    yield Disk(what="corpus", n_bytes=text, how="before compression")
    width = 2 if int(found.value("shape", "vocab_size")) <= _SMALL_VOCABULARY else 4
    yield Disk(
        what="tokens", n_bytes=n_tokens * width, how=f"{per_word:g} tokens a word, {width} bytes"
    )
    yield Disk(
        what="checkpoints", n_bytes=float(training.n_parameters) * _STATE_BYTES * _COPIES,
        how=f"{_STATE_BYTES} bytes a weight, {_COPIES} of them",
    )  # fmt: skip
    yield Disk(
        what="model", n_bytes=float(training.n_parameters) * _WEIGHT_BYTES, how="float32, as published"
    )  # fmt: skip


def _missing(
    found: Recipe, sources: Sequence[PlannedSource], training: TrainingPlan, scale: float
) -> Iterator[str]:
    for value in found.values:
        if value.grade == "missing":
            yield f"not known: {value.key} ({value.source})"
    read = [each for each in sources if each.role == "read"]
    inside = [each for each in sources if each.role.startswith("in ")]
    yield from _named(
        "no licence stated", [each for each in read if each.entry.license == "unknown"]
    )
    yield from _named(
        "no licence stated of what went into them",
        [each for each in inside if each.entry.license == "unknown"],
    )
    yield from _named("fetched by hand", [each for each in read if each.entry.shape == "manual"])
    yield from _named("conditions to accept", [each for each in read if each.entry.gated])
    on_request = [name for name in found.named("benchmarks", "run") if not place_of(name)]
    yield f"benchmarks on request from their makers: {', '.join(on_request)}"
    for device in training.devices:
        if not device.fits:
            yield f"memory: {device.n_devices} x {device.device}: {device.way_out}"
    yield f"conditions to accept: {found.value('model', 'base')}, the base model (as it is remembered)"
    if scale < 1:
        try:
            packaged_model(BASE_PACKAGE)
        except SourceError as error:
            yield str(error)


def _named(why: str, sources: Sequence[PlannedSource]) -> Iterator[str]:
    if sources:
        yield f"{why}: {', '.join(each.entry.name for each in sources)}"


def place_of(benchmark: str) -> str:
    """Return where a benchmark's data lie; "" if its makers have to be asked for them."""
    return next(row["place"] for row in read_table("benchmarks") if row["name"] == benchmark)
