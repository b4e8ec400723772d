"""The corpus folder in the datasets library: with no code of ours, streamed, rebuilt, and through the builder."""

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import yaml

from emma500.corpus.build import BuildConfig, build_mala
from emma500.corpus.builder import Mala, load_mala
from emma500.corpus.output.readme import configurations, render_readme
from emma500.errors import ConfigError, LanguageError, SourceError
from emma500.publishing.checks import check_dataset
from emma500.records import document_schema
from tests.speed.corpus_loading import is_right, loaded, write_corpus, yaml_size

FAST = BuildConfig(identify="off")


_NONE_OF_OURS = "\nimport sys; assert not any(name.startswith('emma500') for name in sys.modules)"


def front_matter(folder):
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


def in_new_process(code, folder, home):
    """Run code that must not need emma500, from another folder; return what it prints."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, "-c", code + _NONE_OF_OURS],
        cwd=folder, capture_output=True, text=True, env=environment | {"HF_HOME": str(home)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


@pytest.fixture
def mala(jsonl, tmp_path):
    return build_mala(jsonl, tmp_path / "mala", config=FAST)


def test_stock_datasets_loads_a_label_streams_it_and_loads_all_of_it(mala, tmp_path):
    printed = in_new_process(
        "from datasets import load_dataset, get_dataset_config_names\n"
        "print(get_dataset_config_names('mala'))\n"
        "d = load_dataset('mala', 'swh_Latn')\n"
        "print({name: len(part) for name, part in d.items()}, d['train'][0]['label'])\n"
        "s = load_dataset('mala', 'yor_Latn', split='train', streaming=True)\n"
        "print(sum(1 for _ in s))\n"
        "print({name: len(part) for name, part in load_dataset('mala').items()})\n",
        tmp_path, tmp_path / "home",
    )  # fmt: skip
    assert printed == [
        "['swh_Latn', 'tha_Thai', 'yor_Latn', 'default']", "{'train': 29, 'validation': 1} swh_Latn", "11",
        "{'train': 42, 'validation': 3}",
    ]  # fmt: skip


def test_a_rebuilt_corpus_loads_its_new_rows_though_datasets_caches_by_readme(
    tmp_path, rows, write_jsonl
):
    code = (
        "from datasets import load_dataset\n"
        "d = load_dataset('mala', 'yor_Latn')\n"
        "print(sorted(text for part in d.values() for text in part['text']))"
    )
    first, second = list(rows("yo", 8))[:4], list(rows("yo", 8))[4:]
    printed = []
    for texts in (first, second):  # as many rows, as many words: only their content differs
        source = write_jsonl(tmp_path / "a.jsonl", texts)
        build_mala(source, tmp_path / "mala", config=replace(FAST, overwrite=True))
        printed += in_new_process(code, tmp_path, tmp_path / "home")
    assert printed == [str(sorted(row["text"] for row in texts)) for texts in (first, second)]


def test_the_card_holds_a_config_a_label_the_digest_in_the_first_and_default_last(mala, tmp_path):
    configs = front_matter(tmp_path / "mala")["configs"]
    assert [config["config_name"] for config in configs] == [
        "swh_Latn",
        "tha_Thai",
        "yor_Latn",
        "default",
    ]
    assert configs[0]["description"] == f"build {mala.manifest['digest']}"
    assert configs[1]["data_files"] == [
        {"split": "train", "path": "data/tha_Thai/t*"},
        {"split": "validation", "path": "data/tha_Thai/v*"},
    ]
    assert [config.get("default") for config in configs] == [None, None, None, True]
    assert front_matter(tmp_path / "mala")["language"] == ["swh", "th", "yo"]
    assert (tmp_path / "mala" / "README.md").read_text(encoding="utf-8") == render_readme(
        mala.manifest
    )


def test_pairs_and_code_have_configs_of_their_own_and_default_is_the_documents():
    manifest: dict[str, Any] = {
        "digest": "d", "labels": {},
        "splits": [
            {"component": "code", "label": "python", "split": "train"},
            {"component": "bilingual", "label": "eng_Latn-yor_Latn", "split": "validation"},
            {"component": "bilingual", "label": "eng_Latn-yor_Latn", "split": "train"},
            {"component": "monolingual", "label": "yor_Latn", "split": "train"},
        ],
    }  # fmt: skip
    assert configurations(manifest) == [
        {
            "config_name": "yor_Latn",
            "data_files": "data/yor_Latn/*.parquet",
            "description": "build d",
        },
        {
            "config_name": "eng_Latn-yor_Latn",
            "data_files": [
                {"split": "train", "path": "bilingual/eng_Latn-yor_Latn/t*"},
                {"split": "validation", "path": "bilingual/eng_Latn-yor_Latn/v*"},
            ],
        },
        {"config_name": "code-python", "data_files": "code/python/*.parquet"},
        {"config_name": "default", "default": True, "data_files": "data/*/*.parquet"},
    ]
    manifest["splits"] = manifest["splits"][:1]
    assert configurations(manifest)[-1]["data_files"] == "code/*/*.parquet"


def test_the_text_after_a_stage_is_the_corpus_and_what_later_stages_left_out():
    part = {"component": "monolingual", "label": "yor_Latn"}
    manifest: dict[str, Any] = {
        "digest": "d", "labels": {}, "stages": ["integration", "filter", "dedup", "split"],
        "splits": [part | {"split": "train"}],
        "excluded_files": [part | {"stage": "filter"}, part | {"stage": "dedup"}],
    }  # fmt: skip
    found = {each["config_name"]: each for each in configurations(manifest)}
    assert list(found) == ["yor_Latn", "integration", "filter", "dedup", "default"]
    kept, filtered, folded = (
        "data/*/*.parquet",
        "excluded/filter/data/*/*.parquet",
        "excluded/dedup/data/*/*.parquet",
    )
    assert found["integration"]["data_files"] == [kept, filtered, folded]
    assert found["filter"]["data_files"] == [kept, folded]
    assert found["dedup"]["data_files"] == [kept]
    assert found["filter"]["columns"] == document_schema().names


def test_one_of_three_hundred_labels_with_three_stages_loads_in_a_fraction_of_a_second(tmp_path):
    manifest = write_corpus(tmp_path / "mala", 300)
    check_dataset(tmp_path / "mala", "user/mala")
    found = loaded(tmp_path / "mala", tmp_path / "home", "filter")
    assert is_right(found, manifest)
    assert max(found["cold"], found["warm"]) < 1
    assert yaml_size(tmp_path / "mala") < 60_000


def test_load_mala_finds_the_corpus_by_argument_environment_or_here(mala, tmp_path, monkeypatch):
    assert len(load_mala("swh_Latn", root=tmp_path / "mala", split="train")) == 29
    monkeypatch.setenv("EMMA500_MALA", str(tmp_path / "mala"))
    assert len(load_mala("tha_Thai", split="train")) == 2
    monkeypatch.delenv("EMMA500_MALA")
    monkeypatch.chdir(tmp_path)
    assert len(load_mala(split="validation")) == 3
    monkeypatch.chdir("/")
    with pytest.raises(ConfigError, match="EMMA500_MALA"):
        load_mala("swh_Latn")
    with pytest.raises(LanguageError, match="swh_Latn"):
        load_mala("swh_Arab", root=tmp_path / "mala")
    with pytest.raises(SourceError, match="user/published cannot be read from the Hub"):
        load_mala("swh_Latn", root="user/published")
    with pytest.raises(SourceError, match="no corpus"):
        load_mala("swh_Latn", root=tmp_path / "nothing")


def test_the_builder_prepares_streams_and_notices_a_rebuilt_corpus(
    mala, tmp_path, rows, write_jsonl
):
    def made():
        return Mala(
            config_name="yor_Latn", corpus=tmp_path / "mala", cache_dir=str(tmp_path / "cache")
        )

    builder = made()
    builder.download_and_prepare()
    rows_of = builder.as_dataset(split="train")
    expected = mala.read("monolingual", "yor_Latn", "train")["text"].to_pylist()
    assert rows_of["text"][:] == expected
    assert [row["text"] for row in made().as_streaming_dataset(split="train")] == expected
    source = write_jsonl(tmp_path / "b.jsonl", rows("yo", 5))
    build_mala(source, tmp_path / "mala", config=replace(FAST, overwrite=True))
    again = made()
    again.download_and_prepare()
    assert sum(len(part) for part in again.as_dataset().values()) == 5
    with pytest.raises(LanguageError, match="yor_Latn"):
        Mala(config_name="yor_Arab", corpus=tmp_path / "mala")
