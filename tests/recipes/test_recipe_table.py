"""The recipes: every value says how sure it is, and names things that are there."""

from dataclasses import fields
from fnmatch import fnmatchcase

import pytest

from emma500 import BuildConfig, EvalConfig
from emma500.benchmarks.registry import names
from emma500.errors import ConfigError
from emma500.evaluation.published import published_averages
from emma500.languages.labels import inventory
from emma500.recipes.recipe import GRADES, recipe, recipe_names
from emma500.sources.catalogue import source
from emma500.tables import read_table

NAMES = (
    "emma-500-llama2", "emma-500-llama3-mono", "emma-500-llama3-bi",
    "emma-500-llama3.1-mono", "emma-500-llama3.1-bi",
)  # fmt: skip
each_recipe = pytest.mark.parametrize("name", NAMES)


def test_there_is_a_recipe_of_each_published_model():
    assert recipe_names() == NAMES
    scored = published_averages("sib200", "accuracy", "emma500")
    assert {recipe(name).value("model", "title") for name in NAMES} == set(scored)


def test_every_row_of_the_table_belongs_to_a_recipe_and_has_a_grade():
    for row in read_table("recipes"):
        assert any(fnmatchcase(name, row["models"]) for name in NAMES), row
        assert row["grade"] in GRADES
        assert (row["value"] == "") == (row["grade"] == "missing"), row
        assert row["grade"] not in {"derived", "noted", "missing"} or row["source"], row


@each_recipe
def test_what_a_recipe_names_is_there(name):
    found = recipe(name)
    assert {each.grade for each in found.values} <= set(GRADES)
    for each in found.section("sources"):
        if each.grade == "missing":
            continue
        entry = source(each.key)
        assert entry.name == each.key
        assert each.text != "read" or (entry.shape != "manual" and not entry.evaluation)
        assert each.text.removeprefix("in ") in {"read", "published form", "mala-integration"}
    assert set(found.named("benchmarks", "run")) <= set(names())
    assert set(found.fields("corpus")) <= {each.name for each in fields(BuildConfig)}
    assert set(found.fields("evaluation")) <= {each.name for each in fields(EvalConfig)}
    assert found.build.near_dedup
    assert found.evaluation.mode == "faithful"


@each_recipe
def test_the_components_of_the_mix_have_sources(name):
    found = recipe(name)
    read = {source(each).component for each in found.named("sources", "read")}
    mixed = {each.key for each in found.section("mixture")} & {
        "monolingual", "bilingual", "code", "papers", "books", "instruction",
    }  # fmt: skip
    assert read == mixed
    assert ("bilingual" in read) == name.endswith("-bi")


def test_the_documents_of_the_last_stage_are_those_of_the_939_labels():
    documents = recipe("emma-500-llama2").fields("documents")
    assert documents["split"] == sum(each.n_texts for each in inventory()) == 824_792_579
    assert list(documents.values()) == sorted(documents.values(), reverse=True)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("MaLA-LM/emma-500-llama3.1-8b-bi", "emma-500-llama3.1-bi"),
        ("emma-500-llama2-7b", "emma-500-llama2"),
    ],
)
def test_a_recipe_is_found_by_the_models_id_on_the_hub(given, name):
    assert recipe(given).name == name
    assert recipe(recipe(name).value("model", "hub")).name == name


def test_an_unknown_recipe_is_refused_with_the_nearest():
    with pytest.raises(
        ConfigError, match="no recipe 'emma500-llama2'; did you mean emma-500-llama2 or"
    ):
        recipe("emma500-llama2")
    with pytest.raises(ConfigError, match=r"no recipe 'bloom'; did you mean .*llama3\.1-bi"):
        recipe("bloom")
