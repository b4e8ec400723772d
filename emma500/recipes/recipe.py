"""A recipe: what a paper and its releases say about one model, each value with how sure it is.

    recipe("emma-500-llama2").value("model", "base")    -> 'meta-llama/Llama-2-7b-hf'

The values are rows of tables/recipes.tsv, and of the tables it names: the training's preset (train_presets.tsv) and the
rates and shares of its mix (mixtures.tsv).
"""

import json
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from emma500.errors import ConfigError
from emma500.tables import read_table
from emma500.training.presets import preset_fields

if TYPE_CHECKING:
    from emma500.corpus.config import BuildConfig
    from emma500.evaluation.evaluate import EvalConfig
    from emma500.training.config import TrainConfig

GRADES = ("certain", "derived", "noted", "remembered", "ours", "missing")
"""How sure a value is, the surest first; tables/recipes.tsv says what each means."""

_GRADES_ELSEWHERE = {"website": "certain", "measured": "ours"}

_KEPT_APART = {"sources", "benchmarks", "documents"}
"""Sections of many rows that a plan prints as tables of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """One value of a recipe; `text` is "" where it is not known."""

    section: str
    key: str
    text: str
    grade: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How one published model was made, as far as it is known.

    Attributes:
        name: As "emma-500-llama2".
        values: Its values, section by section.
    """

    name: str
    values: tuple[Value, ...]

    def __repr__(self) -> str:
        return f"Recipe({self.name!r}: {self.value('model', 'title')}, {self.counts()})"

    def section(self, name: str) -> list[Value]:
        """Return the values of a section, as "sources"; none if it has none."""
        return [each for each in self.values if each.section == name]

    def value(self, section: str, key: str) -> str:
        """Return a value as it stands in the table; "" if it is not known."""
        return next((each.text for each in self.section(section) if each.key == key), "")

    def fields(self, section: str) -> dict[str, Any]:
        """Return the known values of a section that are fields of a configuration."""
        return {each.key: json.loads(each.text) for each in self.section(section) if each.text}

    def named(self, section: str, role: str) -> list[str]:
        """Return the keys of a section with one value: the sources that are `read`, the benchmarks to `run`."""
        return [each.key for each in self.section(section) if each.text == role]

    @property
    def preset(self) -> str:
        """The preset of training."""
        return self.value("training", "preset")

    @property
    def training(self) -> "TrainConfig":
        """How it is trained."""
        from emma500.training.config import TrainConfig

        return TrainConfig.preset(self.preset)

    @property
    def build(self) -> "BuildConfig":
        """How its corpus is made."""
        from emma500.corpus.config import BuildConfig

        return BuildConfig(name=self.name, **self.fields("corpus"))

    @property
    def evaluation(self) -> "EvalConfig":
        """How it is evaluated."""
        from emma500.evaluation.evaluate import EvalConfig

        return EvalConfig(**self.fields("evaluation"))

    @property
    def settings(self) -> list[Value]:
        """The values that are no rows of a list, those of the training's preset and of the mix among them."""
        return [each for each in self.values if each.section not in _KEPT_APART]

    def counts(self) -> str:
        """Return how many values there are of each grade, as "9 certain, 4 remembered"."""
        number = Counter(each.grade for each in self.values)
        return ", ".join(f"{number[grade]} {grade}" for grade in GRADES if number[grade])


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes, in the order of the table."""
    return tuple(row["models"] for row in _rows() if row["key"] == "title")


def recipe(name: str) -> Recipe:
    """Find a recipe.

    Args:
        name: As "emma-500-llama2", or the model's own name or id on the Hub.

    Returns:
        The recipe.

    Raises:
        ConfigError: If there is none; the nearest names are named.
    """
    short = name.strip().casefold().rpartition("/")[2].replace("-7b", "").replace("-8b", "")
    names = recipe_names()
    if short not in names:
        near = get_close_matches(short, names, n=3, cutoff=0.6) or names
        raise ConfigError(f"there is no recipe {name!r}; did you mean {' or '.join(near)}?")
    found: dict[tuple[str, str], Value] = {}
    for row in _rows():
        if fnmatchcase(short, row["models"]):
            found[row["section"], row["key"]] = _value(
                row, row["section"], row["key"], row["value"]
            )
    return Recipe(name=short, values=_with_named_tables(tuple(found.values())))


def _rows() -> tuple[dict[str, str], ...]:
    return read_table("recipes")


def _value(row: dict[str, str], section: str, key: str, text: str) -> Value:
    grade = _GRADES_ELSEWHERE.get(row["grade"], row["grade"])
    source = row.get("source", row.get("note", ""))
    return Value(section=section, key=key, text=text, grade=grade, source=source)


def _with_named_tables(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Add the rows of the preset that the values name, and of the mixture that this names."""
    preset = next(each.text for each in values if each.key == "preset")
    mixture = preset_fields(preset)["mixture"]
    trained = (
        _value(row, "preset", row["field"], row["value"])
        for row in read_table("train_presets")
        if row["preset"] == preset
    )
    mixed = (
        _value(row, "mixture", row["key"], _told(row))
        for row in read_table("mixtures")
        if row["mixture"] == mixture
    )
    return (*values, *trained, *mixed)


def _told(row: dict[str, str]) -> str:
    return f"share {float(row['share']):.1%}" if row["share"] else f"rate {row['rate']}"
