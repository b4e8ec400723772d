"""Limits learned from text whose distribution is known."""

import json

import numpy as np
import pyarrow as pa
import pytest

from emma500.corpus.filtering.threshold_fitting import fit_thresholds, frequent_words
from emma500.corpus.filtering.thresholds import Thresholds
from emma500.corpus.signals.measures import measure
from emma500.corpus.text.tokens import tokenise
from emma500.errors import UsageError

COMMON = ["ya", "na", "wa", "kwa", "katika", "ni", "la", "za"]
SYLLABLES = [a + b for a in "bdfgjklmnprstvwz" for b in "aeiou"]


def documents(count, seed):
    """Return documents of common words and of many rare ones, ended by a full stop."""
    generator = np.random.default_rng(seed)
    rare = ["".join(generator.choice(SYLLABLES, 3)) for _ in range(800)]
    texts = []
    for _ in range(count):
        words = [
            str(generator.choice(COMMON))
            if generator.random() < 0.4
            else str(generator.choice(rare))
            for _ in range(120)
        ]
        texts.append(". ".join(" ".join(words[at : at + 12]) for at in range(0, 120, 12)) + ".")
    return texts


@pytest.fixture(scope="module")
def trusted(tmp_path_factory):
    path = tmp_path_factory.mktemp("trusted") / "text.jsonl"
    rows = [{"text": text, "lang": "swh"} for text in documents(160, 1)]
    rows += [{"text": text, "lang": "yor"} for text in documents(20, 2)]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_a_learned_row_keeps_trusted_text_and_refuses_what_is_unlike_it(trusted, tmp_path):
    table = fit_thresholds(trusted, tmp_path / "limits.tsv")
    assert table["label"].to_pylist() == ["swh_Latn"]  # 20 documents are too few
    assert set(table["stop_words"][0].as_py().split()) >= set(COMMON)
    thresholds = Thresholds.of("fineweb2", tmp_path / "limits.tsv")
    row = thresholds.row("monolingual", "swh_Latn", "swa")
    assert row["min_stop_words"] == 2
    texts = [*documents(50, 3), "mojakwambilitatu " * 100, "Kk 12, (3) 9! " * 50]
    array = pa.array(texts, pa.large_string())
    found = measure(
        array, tokenise(array), np.ones(len(texts), bool), pa.array(["swh_Latn"] * len(texts)),
        thresholds.lists(),
    )  # fmt: skip
    share = found["mean_word_length"].to_numpy()
    assert (share[:50] <= row["max_mean_word_length"]).mean() > 0.9
    assert share[50] > row["max_mean_word_length"]
    assert share[51] < row["min_mean_word_length"]


def test_the_note_says_how_much_of_the_trusted_text_stays(trusted, tmp_path):
    loose = fit_thresholds(trusted, tmp_path / "a.tsv", tail=0.0)
    tight = fit_thresholds(trusted, tmp_path / "b.tsv", tail=0.2)
    assert loose["note"][0].as_py() == "160 documents, 100.0% kept"
    assert float(tight["note"][0].as_py().split()[2].rstrip("%")) < 80
    by_deviation = fit_thresholds(trusted, tmp_path / "c.tsv", method="deviation")
    assert float(by_deviation["note"][0].as_py().split()[2].rstrip("%")) > 90


def test_a_learned_limit_is_never_much_stricter_than_the_general_one(trusted, tmp_path):
    row = fit_thresholds(trusted, tmp_path / "limits.tsv").to_pylist()[0]
    assert (
        float(row["max_duplicate_line_share"]) == 0.214
    )  # half of the general .428; no line is repeated
    assert row["min_punctuated_line_share"] == ""  # one line a document says nothing


def test_fitting_twice_writes_the_same_bytes(trusted, tmp_path):
    for name in ("a.tsv", "b.tsv"):
        fit_thresholds(trusted, tmp_path / name)
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()


def test_a_family_of_three_learned_labels_has_the_medians_of_their_limits(tmp_path):
    path = tmp_path / "text.jsonl"
    rows = [
        {"text": text, "lang": code}
        for seed, code in enumerate(("swh", "zul", "lug", "yor"))
        for text in documents(100, seed)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    found = {row["label"]: row for row in fit_thresholds(path, tmp_path / "limits.tsv").to_pylist()}
    # Atlantic-Congo is the widest family of all four, Bantoid of three of them.
    own = ["lug_Latn", "swh_Latn", "yor_Latn", "zul_Latn"]
    assert sorted(found) == ["atla1278_Latn", "bant1294_Latn", *own]
    bantu = [float(found[label]["max_mean_word_length"]) for label in own if label != "yor_Latn"]
    assert float(found["bant1294_Latn"]["max_mean_word_length"]) == sorted(bantu)[1]
    assert found["bant1294_Latn"]["note"] == "Bantoid: the medians of 3 labels"
    limits = Thresholds.of("fineweb2", tmp_path / "limits.tsv")
    xhosa = limits.row("monolingual", "xho_Latn", "")
    assert xhosa["max_mean_word_length"] == sorted(bantu)[1]


def test_too_little_text_and_an_impossible_tail_are_refused(trusted, tmp_path):
    with pytest.raises(UsageError, match="1000 documents"):
        fit_thresholds(trusted, tmp_path / "limits.tsv", min_texts=1000)
    with pytest.raises(UsageError, match="tail"):
        fit_thresholds(trusted, tmp_path / "limits.tsv", tail=0.7)
    assert not (tmp_path / "limits.tsv").exists()


def test_frequent_words_are_words_without_signs_and_none_where_units_are_characters():
    texts = pa.array(["“Ya!” na 12, ya wa; (ya) na 12 — kwa"] * 200, pa.large_string())
    assert frequent_words(texts, tokenise(texts)) == ["ya", "na", "kwa", "wa"]
    tibetan = pa.array(["དང་ལ་དང་ཡོད་དང་ལ"] * 300, pa.large_string())
    assert frequent_words(tibetan, tokenise(tibetan))[:2] == ["དང", "ལ"]
    thai = pa.array(["มนุษย์ทั้งหลายเกิดมามีอิสระ"] * 300, pa.large_string())
    assert frequent_words(thai, tokenise(thai)) == []
    short = pa.array(["ya na wa"], pa.large_string())
    assert frequent_words(short, tokenise(short)) == []
