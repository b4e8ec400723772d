"""A source that fails does not spoil the build: it is reported, and the same call tries it again."""

import gzip
import json

import pytest

from emma500 import BuildConfig, build_mala
from emma500.cli import main
from emma500.errors import SourceError

FAST = BuildConfig(identify="off", near_dedup=False)


def lines(subject):
    rows = [
        {
            "lang": "en",
            "text": f"Everyone has the right to {subject}, says the line of number {place} here, and no one "
            "shall be deprived of it by anybody on earth.",
        }
        for place in range(12)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.jsonl"
    path.write_text(lines("liberty"), encoding="utf-8")
    return path


@pytest.fixture
def bad(tmp_path):
    path = tmp_path / "bad.jsonl.gz"
    path.write_bytes(gzip.compress(lines("education").encode())[:-30])
    return path


def test_the_corpus_is_built_without_it_and_the_manifest_says_why(good, bad, tmp_path):
    corpus = build_mala([good, bad, "nowhere.jsonl"], tmp_path / "mala", config=FAST)
    failed = {each["source"]: each["reason"] for each in corpus.manifest["failed"]}
    assert sorted(failed) == ["bad.jsonl.gz", "nowhere.jsonl"]
    assert "damaged" in failed["bad.jsonl.gz"]
    assert "not found" in failed["nowhere.jsonl"]
    read = {each["name"]: each["n_documents"] for each in corpus.manifest["sources"]}
    assert read["good.jsonl"] == 12
    assert corpus.manifest["quarantine"]["n_records"] == 0
    assert str(tmp_path) not in json.dumps(corpus.manifest)


def test_the_same_call_tries_again_and_replaces_what_lacks_a_source(good, bad, tmp_path):
    assert build_mala([good, bad], tmp_path / "mala", config=FAST).manifest["failed"]
    bad.write_bytes(gzip.compress(lines("education").encode()))
    corpus = build_mala([good, bad], tmp_path / "mala", config=FAST)
    assert corpus.manifest["failed"] == []
    assert [each["n_documents"] for each in corpus.manifest["sources"]] == [12, 12]


def test_another_call_does_not_replace_it(good, bad, tmp_path):
    build_mala([good, bad], tmp_path / "mala", config=FAST)
    bad.write_bytes(gzip.compress(lines("education").encode()))
    other = BuildConfig(identify="off", near_dedup=False, seed=7)
    with pytest.raises(ValueError, match="overwrite"):
        build_mala([good, bad], tmp_path / "mala", config=other)


def test_strict_stops_at_it(good, bad, tmp_path):
    config = BuildConfig(identify="off", strict=True)
    with pytest.raises(SourceError, match="damaged"):
        build_mala([good, bad], tmp_path / "mala", config=config)
    assert not (tmp_path / "mala").exists()


def test_nothing_but_failed_sources_is_an_error(bad, tmp_path):
    with pytest.raises(SourceError):
        build_mala([bad.with_name("nowhere.jsonl")], tmp_path / "mala", config=FAST)


def test_the_command_line_says_so_and_exits_with_1(good, bad, tmp_path, capsys):
    words = ["build", "--sources", str(good), str(bad), "--output", str(tmp_path / "mala")]
    assert main([*words, "--identify", "off"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "bad.jsonl.gz" in error
    assert "tries again" in error
    assert (tmp_path / "mala" / "README.md").is_file()
