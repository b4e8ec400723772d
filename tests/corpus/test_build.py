"""build_mala: what goes in, what comes out, and what it says of bad input."""

import gzip
import json

import pytest

from emma500.corpus.build import BuildConfig, build_mala
from emma500.corpus.staging import STAGES
from emma500.errors import LanguageError, OutputError, SourceError
from emma500.records import document_schema
from tests.corpus.results import excluded, read

FAST = BuildConfig(identify="off")


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_file_of_texts_becomes_a_corpus_that_counts_every_stage(jsonl, tmp_path):
    corpus = build_mala(jsonl, tmp_path / "mala")
    assert corpus.labels == ("swh_Latn", "tha_Thai", "yor_Latn")
    manifest = corpus.manifest
    assert next(iter(manifest)) == "kind"
    assert corpus.kept_share == 1
    assert manifest["stages"] == list(STAGES)
    by_stage = {(row["stage"], row["label"]): row["n_documents"] for row in manifest["counts"]}
    assert {by_stage[stage, "swh_Latn"] for stage in manifest["stages"]} == {30}
    splits = {(row["label"], row["split"]): row["n_documents"] for row in manifest["splits"]}
    assert splits == {
        ("swh_Latn", "train"): 29, ("swh_Latn", "validation"): 1, ("tha_Thai", "train"): 2,
        ("tha_Thai", "validation"): 1, ("yor_Latn", "train"): 11, ("yor_Latn", "validation"): 1,
    }  # fmt: skip
    info = manifest["labels"]["swh_Latn"]
    assert (info["name"], info["iso639_3"], info["macrolanguage"], info["sources"]) == (
        "Swahili (individual language)", "swh", "swa", ["texts.jsonl"],
    )  # fmt: skip
    assert manifest["sources"][0]["n_documents"] == 45


def test_shards_hold_the_record_sorted_by_id_with_the_counts_of_the_manifest(jsonl, tmp_path):
    corpus = build_mala(jsonl, tmp_path / "mala", config=FAST)
    table = read(corpus, "monolingual", "swh_Latn")
    assert table.schema.equals(document_schema())
    assert table["id"].to_pylist() == sorted(table["id"].to_pylist())
    row = next(
        row
        for row in corpus.manifest["splits"]
        if row["label"] == "swh_Latn" and row["split"] == "train"
    )
    texts = table["text"].to_pylist()
    assert row["n_documents"] == len(texts)
    assert row["n_words"] == sum(len(text.split()) for text in texts)
    assert row["n_chars"] == sum(map(len, texts))
    assert row["n_bytes"] == sum(len(text.encode()) for text in texts)
    assert set(table["cluster_size"].to_pylist()) == {1}
    assert set(table["original_code"].to_pylist()) == {"swh"}


def test_many_shards_hold_the_same_rows_as_one(jsonl, tmp_path):
    one = build_mala(jsonl, tmp_path / "one", config=FAST)
    many = build_mala(
        jsonl, tmp_path / "many", config=BuildConfig(identify="off", shard_bytes=1000)
    )
    assert len(many.files("monolingual", "swh_Latn", "train")) > 3
    assert read(many, "monolingual", "swh_Latn").equals(read(one, "monolingual", "swh_Latn"))


def test_the_same_input_gives_the_same_bytes_whatever_the_order_and_form_of_its_lines(
    jsonl, tmp_path
):
    lines = jsonl.read_text(encoding="utf-8").splitlines(keepends=True)
    build_mala(jsonl, tmp_path / "first", config=FAST)
    build_mala(jsonl, tmp_path / "again", config=FAST)
    assert files_of(tmp_path / "first") == files_of(tmp_path / "again")
    other = tmp_path / "other" / "texts.jsonl"
    other.parent.mkdir()
    other.write_text("".join(reversed(lines)), encoding="utf-8")
    build_mala(other, tmp_path / "third", config=FAST)
    first, third = files_of(tmp_path / "first"), files_of(tmp_path / "third")
    data = [name for name in first if name.endswith(".parquet")]
    assert len(data) == 7
    assert {name: first[name] for name in data} == {name: third[name] for name in data}


def test_a_finished_corpus_is_opened_not_built_again_and_replaced_only_when_told(jsonl, tmp_path):
    build_mala(jsonl, tmp_path / "mala", config=FAST)
    inode = (tmp_path / "mala" / "README.md").stat().st_ino
    build_mala(jsonl, tmp_path / "mala", config=FAST)
    assert (tmp_path / "mala" / "README.md").stat().st_ino == inode
    with pytest.raises(
        OutputError, match=r"holds another result of this kind \(corpus\).*overwrite=True"
    ):
        build_mala(jsonl, tmp_path / "mala", config=BuildConfig(identify="off", seed=7))
    assert (tmp_path / "mala" / "README.md").stat().st_ino == inode
    build_mala(jsonl, tmp_path / "mala", config=BuildConfig(identify="off", seed=7, overwrite=True))
    assert (tmp_path / "mala" / "README.md").stat().st_ino != inode
    assert not list(tmp_path.glob("*.work")) + list(tmp_path.glob("*.tmp"))


def test_a_manifest_holds_no_path_and_no_clock_time(jsonl, tmp_path):
    build_mala(jsonl, tmp_path / "mala", config=FAST)
    text = (tmp_path / "mala" / "manifest.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert "runner" not in json.loads(text)["config"]


def test_copies_and_near_copies_are_folded_and_counted(tmp_path, rows, write_jsonl):
    documents = list(rows("swh", 9))
    near = {"text": documents[0]["text"] + " zaidi", "lang": "swh"}
    other_label = {"text": documents[0]["text"], "lang": "sna"}
    corpus = build_mala(
        write_jsonl(tmp_path / "a.jsonl", [*documents, *documents[:3], near, other_label]),
        tmp_path / "mala",
        config=FAST,
    )
    assert excluded(corpus) == {"exact_duplicate": 3, "near_duplicate": 1}
    table = read(corpus, "monolingual", "swh_Latn")
    sizes = dict(zip(table["text"].to_pylist(), table["cluster_size"].to_pylist(), strict=True))
    assert sizes[near["text"]] == 3
    assert sorted(sizes.values(), reverse=True)[:4] == [3, 2, 2, 1]
    off = build_mala(
        tmp_path / "a.jsonl", tmp_path / "off", config=BuildConfig(identify="off", near_dedup=False)
    )
    assert excluded(off) == {"exact_duplicate": 3}


def test_bad_records_among_good_ones_are_quarantined_with_file_line_and_reason(tmp_path, rows):
    good = [json.dumps(row, ensure_ascii=False).encode() for row in rows("swh", 11)]
    lines = [
        good[0],
        b'{"text": "caf\xe9", "lang": "swh"}',
        good[1],
        b'{"text": ',
        b'{"lang": "swh"}',
        b'{"text": 7}',
        *good[2:],
    ]
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    corpus = build_mala(folder, tmp_path / "mala", config=FAST)
    records = [
        json.loads(line)
        for line in (tmp_path / "mala" / "quarantine.jsonl").read_text().splitlines()
    ]
    assert [(record["file"], record["line"], record["reason"]) for record in records] == [
        ("a.jsonl.gz", 2, "invalid_utf8"), ("a.jsonl.gz", 4, "invalid_json"), ("a.jsonl.gz", 5, "no_text"),
        ("a.jsonl.gz", 6, "no_text"),
    ]  # fmt: skip
    assert corpus.manifest["quarantine"] == {"n_records": 4, "file": "quarantine.jsonl"}
    assert corpus.manifest["sources"][0]["n_quarantined"] == 4
    assert corpus.n_documents == 11


def test_one_record_is_enough(tmp_path, rows, write_jsonl):
    corpus = build_mala(
        write_jsonl(tmp_path / "a.jsonl", rows("yo", 1)), tmp_path / "mala", config=FAST
    )
    assert (corpus.n_documents, corpus.labels) == (1, ("yor_Latn",))


def test_an_empty_source_and_a_missing_column_are_errors_that_leave_nothing_behind(jsonl, tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(SourceError, match="empty"):
        build_mala(tmp_path / "empty.jsonl", tmp_path / "mala")
    with pytest.raises(SourceError, match=r"content.*text|lang.*text"):
        build_mala(jsonl, tmp_path / "mala", config=BuildConfig(text_column="content"))
    assert not (tmp_path / "mala").exists()
    assert not (tmp_path / "mala.work").exists()


def test_if_nothing_is_left_the_error_says_where_everything_went(tmp_path, write_jsonl):
    path = write_jsonl(
        tmp_path / "a.jsonl",
        [{"text": "too short", "lang": "en"}, {"text": "Привет", "lang": "en"}],
    )
    with pytest.raises(
        SourceError, match=r"nothing is left of 2 records \(.*too_few_words: 1.*filters"
    ):
        build_mala(path, tmp_path / "mala", config=FAST)
    assert not (tmp_path / "mala.work").exists()
    corpus = build_mala(path, tmp_path / "mala", config=BuildConfig(identify="off", filters="off"))
    assert excluded(corpus) == {"script_mismatch": 1}


def test_unknown_codes_are_kept_as_und_or_refused_and_counted(tmp_path, rows, write_jsonl):
    path = write_jsonl(tmp_path / "a.jsonl", [*rows("xx-none", 2), *rows("yo", 2)])
    kept = build_mala(path, tmp_path / "kept", config=FAST)
    assert kept.labels == ("und_Latn", "yor_Latn")
    refused = build_mala(
        path, tmp_path / "refused", config=BuildConfig(identify="off", unknown_language="refuse")
    )
    assert refused.labels == ("yor_Latn",)
    assert excluded(refused) == {"unknown_language": 2}


def test_languages_asked_for_in_any_code_are_all_there_is(jsonl, tmp_path):
    corpus = build_mala(jsonl, tmp_path / "mala", ["Yoruba", "sw"], FAST)
    assert corpus.labels == ("swh_Latn", "yor_Latn")
    assert excluded(corpus) == {"not_requested": 3}


def test_a_language_that_is_not_there_is_an_error_that_lists_the_nearest(jsonl, tmp_path):
    with pytest.raises(LanguageError, match=r"'swc'.*nearest: .*swh_Latn"):
        build_mala(jsonl, tmp_path / "mala", ["yo", "swc"], FAST)
    assert not (tmp_path / "mala").exists()
    corpus = build_mala(jsonl, tmp_path / "mala", config=FAST)
    with pytest.raises(LanguageError, match="swh_Latn"):
        corpus.read("monolingual", "swh_Arab", "train")
