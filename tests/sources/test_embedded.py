"""What comes with pip: real passages, real catalogues, the running Python."""

import platform
import re
import sys

import pyarrow as pa
import pytest

from emma500.errors import MissingExtraError, SourceError
from emma500.languages.codes import Language
from emma500.records import raw_schema
from emma500.sources.embedded import embedded_names, embedded_source
from emma500.sources.resolve import resolve


def read(name):
    batches = [batch for task in embedded_source(name).tasks() for batch in task.read()]
    return pa.Table.from_batches(batches, raw_schema())


@pytest.fixture(scope="module")
def passages():
    pytest.importorskip("gflanguages", reason="gflanguages is not installed (extra demo)")
    return read("gflanguages").to_pylist()


@pytest.fixture(scope="module")
def pairs():
    pytest.importorskip("django", reason="Django is not installed (extra demo)")
    return read("django").to_pylist()


def test_gflanguages_holds_more_than_700_languages_and_scripts(passages):
    codes = {row["original_code"] for row in passages}
    labels = {Language.parse(code).label for code in codes if not code.startswith(("mis", "bhk"))}
    assert len(labels) > 700
    assert len({label.split("_")[1] for label in labels}) > 140


def test_each_passage_of_gflanguages_stands_once(passages):
    by_code: dict[str, list[str]] = {}
    for row in passages:
        by_code.setdefault(row["original_code"], []).append(row["text"])
    for texts in by_code.values():
        assert not [one for one in texts if sum(one in other for other in texts) > 1]
    assert all(
        text.strip() == text and len(text) > 1 for texts in by_code.values() for text in texts
    )


def test_the_passages_say_where_they_stand(passages):
    yoruba = [row for row in passages if row["original_code"] == "yo_Latn"]
    assert {row["origin"] for row in yoruba} >= {"yo_Latn:specimen_48", "yo_Latn:specimen_16"}
    assert yoruba[0]["source_license"] == "Apache-2.0"
    assert any(row["text"].startswith("Gbogbo ènìyàn ni a bí ní òmìnira") for row in yoruba)


def test_django_holds_pairs_in_more_than_90_locales_and_none_is_english(pairs):
    locales = {row["target_original_code"] for row in pairs}
    assert len(locales) > 90
    assert len(pairs) > 50_000
    assert not [each for each in locales if Language.parse(each).iso639_3 == "eng"]
    assert {row["original_code"] for row in pairs} == {"eng"}


def test_a_pair_of_django_is_a_translation(pairs):
    french = {
        row["text"]: row["target_text"] for row in pairs if row["target_original_code"] == "fr"
    }
    assert french["Monday"] == "lundi"
    assert french["%(num)d year"] == "%(num)d année"


def test_no_pair_of_django_holds_a_context_or_nothing(pairs):
    assert not [row for row in pairs if "\x04" in row["text"]]
    assert all(row["text"].strip() and row["target_text"].strip() for row in pairs)
    assert all(re.fullmatch(r"\w+/[\w.]+:\d+", row["origin"]) for row in pairs)
    assert len({row["origin"] for row in pairs}) == len(pairs)


def test_the_standard_library_is_code_of_the_running_version():
    rows = read("stdlib").to_pylist()
    assert len(rows) > 100
    assert {row["original_code"] for row in rows} == {"python"}
    assert embedded_source("stdlib").info.revision == platform.python_version()
    json_free = {row["origin"]: row["text"] for row in rows}
    assert "def reduce(" in json_free["functools.py"]


def test_the_standard_library_holds_no_path_of_this_machine():
    assert not [
        row["origin"] for row in read("stdlib").to_pylist() if sys.prefix in (row["text"] or "")
    ]


def test_the_manual_is_english_prose():
    rows = read("python-docs").to_pylist()
    assert len(rows) > 70
    assert {row["original_code"] for row in rows} == {"eng"}
    assert sum(len(row["text"]) for row in rows) > 300_000


@pytest.mark.parametrize("name", ["gflanguages", "stdlib", "python-docs"])
def test_an_embedded_source_is_the_same_at_every_reading(name):
    assert read(name).equals(read(name))
    assert embedded_source(name).fingerprint() == embedded_source(name).fingerprint()


def test_embedded_means_all_of_them():
    assert [each.info.name for each in resolve("embedded")] == list(embedded_names())
    assert {each.info.component for each in resolve("embedded")} == {
        "monolingual",
        "bilingual",
        "code",
    }


def test_an_unknown_embedded_source_lists_those_there_are():
    with pytest.raises(
        SourceError,
        match="no embedded source 'x'; there are: gflanguages, django, stdlib, python-docs",
    ):
        embedded_source("x")


@pytest.mark.parametrize("name", ["gflanguages", "django"])
def test_a_missing_package_names_the_pip_command(monkeypatch, name):
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emma500\[demo\]'"):
        embedded_source(name)
