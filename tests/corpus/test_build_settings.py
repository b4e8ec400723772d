"""build_mala: its output folder, pairs, settings, a full disk, sources that are open."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from emma500.corpus.build import BuildConfig, build_mala
from emma500.errors import ConfigError, OutputError, SourceError, StorageError
from emma500.manifest import read_manifest
from emma500.records import pair_schema
from emma500.sources.resolve import resolve
from tests.corpus.results import excluded, read

FAST = BuildConfig(identify="off")


def test_an_output_with_other_content_is_refused_unless_overwritten(jsonl, tmp_path):
    (tmp_path / "mala").mkdir()
    (tmp_path / "mala" / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match="overwrite"):
        build_mala(jsonl, tmp_path / "mala", config=FAST)
    assert (tmp_path / "mala" / "thesis.tex").read_text() == "years of work"
    build_mala(jsonl, tmp_path / "mala", config=BuildConfig(identify="off", overwrite=True))
    assert not (tmp_path / "mala" / "thesis.tex").exists()


def test_a_work_folder_with_other_content_is_refused(jsonl, tmp_path):
    (tmp_path / "mala.work").mkdir()
    (tmp_path / "mala.work" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"mala\.work"):
        build_mala(jsonl, tmp_path / "mala", config=FAST)
    assert (tmp_path / "mala.work" / "notes.txt").read_text() == "mine"


def test_what_was_left_out_is_written_with_its_reason_if_asked(tmp_path, rows, write_jsonl):
    documents = list(rows("swh", 3))
    path = write_jsonl(
        tmp_path / "a.jsonl", [*documents, documents[0], {"text": "fupi", "lang": "swh"}]
    )
    corpus = build_mala(
        path, tmp_path / "mala", config=BuildConfig(identify="off", keep_excluded=True)
    )
    left_out = tmp_path / "mala" / "excluded"
    for stage, reason, text in (
        ("dedup", "exact_duplicate", documents[0]["text"]),
        ("filter", "too_few_words", "fupi"),
    ):
        table = pq.read_table(left_out / stage / "data" / "swh_Latn", partitioning=None)
        assert table.select(["stage", "reason", "text"]).to_pylist() == [
            {"stage": stage, "reason": reason, "text": text}
        ]
    assert corpus.n_documents == 3


def test_english_strings_are_held_out_in_every_language_and_pairs_hold_their_record(tmp_path):
    pytest.importorskip("django", reason="the catalogues come with the demo extra")
    corpus = build_mala("django", tmp_path / "mala", ["sw", "is", "el", "zh", "en"], FAST)
    labels = corpus.labels_of("bilingual")
    assert "eng_Latn-ell_Grek" in labels
    train, held_out = set(), set()
    for label in labels:
        table = read(corpus, "bilingual", label)
        assert table.schema.equals(pair_schema())
        train |= set(table["source_text"].to_pylist())
        validation = corpus.read("bilingual", label, "validation")
        held_out |= set(validation["source_text"].to_pylist()) if validation is not None else set()
    assert held_out
    assert train.isdisjoint(held_out)


def test_what_a_pair_label_may_not_train_on_is_counted_and_written_as_excluded(tmp_path):
    pytest.importorskip("django", reason="the catalogues come with the demo extra")
    config = BuildConfig(
        identify="off", validation_share=0.2, max_validation_documents=20, keep_excluded=True
    )
    corpus = build_mala("django", tmp_path / "mala", ["is", "el"], config)
    sizes = {(row["label"], row["split"]): row["n_documents"] for row in corpus.manifest["splits"]}
    assert all(
        sizes[label, "validation"] <= config.max_validation_documents
        for label in corpus.labels_of("bilingual")
    )
    n_left_out = excluded(corpus)["held_out_elsewhere"]
    table = pq.read_table(tmp_path / "mala" / "excluded" / "split" / "bilingual", partitioning=None)
    assert table["reason"].to_pylist().count("held_out_elsewhere") == n_left_out > 0
    by_stage = {"dedup": 0, "split": 0}
    for row in corpus.manifest["counts"]:
        if row["stage"] in by_stage:
            by_stage[row["stage"]] += row["n_documents"]
    assert by_stage["dedup"] - by_stage["split"] == n_left_out
    assert by_stage["split"] == sum(sizes.values())


def test_configurations_name_the_value_and_the_rule():
    with pytest.raises(
        ConfigError, match=r"BuildConfig\.bands must be a divisor of num_perm \(112\), not 13"
    ):
        BuildConfig(bands=13)
    with pytest.raises(ConfigError, match=r"validation_share must be between 0 and 1, not 2"):
        BuildConfig(validation_share=2)
    with pytest.raises(
        ConfigError, match=r"filters must be one of mala, fineweb2, off, not 'strict'"
    ):
        BuildConfig(filters="strict")  # type: ignore[arg-type]  # what a YAML file may hold
    with pytest.raises(ConfigError, match=r"min_words must be None with filters='off'.*not 3"):
        BuildConfig(min_words=3, filters="off")
    with pytest.raises(ConfigError, match="without a slash"):
        BuildConfig(name="a/b")


def test_an_unknown_runner_is_refused(jsonl, tmp_path, monkeypatch):
    monkeypatch.setenv("EMMA500_RUNNER", "spark")
    with pytest.raises(ConfigError, match="'spark'"):
        build_mala(jsonl, tmp_path / "mala", config=FAST)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs limits on file sizes")
def test_a_full_disk_is_one_clear_error_and_the_same_call_goes_on_once_there_is_space(
    tmp_path, rows, write_jsonl
):
    path = write_jsonl(tmp_path / "a.jsonl", rows("swh", 200))
    script = (
        "import os, resource, signal, sys\n"
        "from emma500.corpus.build import BuildConfig, build_mala\n"
        "from emma500.errors import StorageError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "if sys.argv[3] != '0':\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))\n"
        "try:\n"
        "    build_mala(sys.argv[1], sys.argv[2], config=BuildConfig(identify='off'))\n"
        "except StorageError as error:\n"
        "    print(f'StorageError: {error}', file=sys.stderr, flush=True)\n"
        "    os._exit(1)\n"  # as the command line does: Daft's threads may abort an ordinary exit
    )

    def run(limit):
        command = [sys.executable, "-c", script, str(path), str(tmp_path / "mala"), str(limit)]
        return subprocess.run(
            command, capture_output=True, text=True, env=os.environ | {"NUMBA_DISABLE_JIT": "0"}
        )

    full = run(9_000)
    assert full.returncode == 1
    assert "StorageError: no space left" in full.stderr
    assert not (tmp_path / "mala").exists()
    assert run(0).returncode == 0
    assert read_manifest(tmp_path / "mala")["kind"] == "corpus"


def test_no_error_of_storage_is_taken_for_one_of_usage():
    assert not issubclass(StorageError, (SourceError, OutputError))


def test_a_source_that_is_open_is_read_with_its_own_options_among_others(
    jsonl, rows, write_jsonl, tmp_path
):
    stories = [{"story": row["text"], "lang": "swh"} for row in rows("swh", 3)]
    opened = resolve(
        write_jsonl(tmp_path / "own.jsonl", stories), component="papers", text_column="story"
    )
    corpus = build_mala([*opened, jsonl], tmp_path / "mala", config=FAST)
    assert len(read(corpus, "papers", "swh_Latn")) == 2
    assert len(read(corpus, "monolingual", "yor_Latn")) == 11
    assert corpus.manifest["failed"] == []
    alone = build_mala(opened[0], tmp_path / "alone", config=FAST)
    assert alone.labels_of("papers") == ("swh_Latn",)
