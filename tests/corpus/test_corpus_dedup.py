"""Deduplication: exact copies, and near-duplicates verified by exact Jaccard similarity, a part at a time."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.corpus.deduplication import stage as dedup
from emma500.corpus.deduplication.paragraphs import PARAGRAPHS, WithoutRepeats, paragraph_hashes
from emma500.corpus.deduplication.parts import Grouping
from emma500.corpus.staging import decision_schema, id_numbers
from tests.corpus.deduplicator import (
    Deduplicator,
    band_lists,
    changed,
    decisions_of,
    jaccard,
    owners,
    router_of,
    vocabulary,
    write,
)


@pytest.fixture
def deduplicated(tmp_path):
    return Deduplicator(tmp_path)


def test_of_exact_copies_the_one_with_the_smallest_key_stays_and_labels_are_apart(deduplicated):
    labels = ["a_Latn", "a_Latn", "b_Latn", "a_Latn", "a_Latn"]
    rows, clusters = deduplicated(["one two"] * 4 + ["three"], labels)
    assert owners(rows) == [0, 0, 2, 0, 4]
    assert [row["reason"] for row in rows] == [
        None,
        "exact_duplicate",
        None,
        "exact_duplicate",
        None,
    ]
    assert [row["cluster_size"] for row in rows] == [3, None, 1, None, 1]
    line = {"kept_id": rows[0]["id"], "id": rows[0]["id"], "component": "monolingual",
            "label": "a_Latn", "kind": "exact", "jaccard": 1.0}  # fmt: skip
    assert clusters == [line, line]


def test_documents_are_compared_across_labels_on_request_and_pairs_never(deduplicated):
    texts, labels = ["one two three"] * 4, ["a_Latn", "b_Latn", "a_Latn-b_Latn", "a_Latn-c_Latn"]
    components = ["monolingual"] * 2 + ["bilingual"] * 2
    rows, _ = deduplicated(texts, labels, components=components)
    assert owners(rows) == [0, 1, 2, 3]
    rows, clusters = deduplicated(texts, labels, components=components, across_labels=True)
    assert sorted(owners(rows)[:2]) in ([0, 0], [1, 1])
    assert owners(rows)[2:] == [2, 3]
    assert [line["kind"] for line in clusters] == ["exact"]


def test_near_duplicates_fold_into_the_longest_and_unrelated_texts_stay(deduplicated):
    generator = np.random.default_rng(1)
    base = generator.choice(vocabulary(5000), 200)
    texts = [
        " ".join(base),
        " ".join([*base, "and", "more"]),
        " ".join(base[:195]),
        " ".join(generator.choice(vocabulary(5000), 200)),
        " ".join(base),
    ]
    rows, clusters = deduplicated(texts)
    assert owners(rows) == [1, 1, 1, 3, 1]
    assert rows[1]["cluster_size"] == 4
    assert [row["reason"] for row in rows] == [
        "near_duplicate", None, "near_duplicate", None, "exact_duplicate",
    ]  # fmt: skip
    found = {line["id"]: line for line in clusters}
    assert len(clusters) == 3
    for place in (0, 2):
        line = found[rows[place]["id"]]
        assert line["kept_id"] == rows[1]["id"]
        assert line["jaccard"] == pytest.approx(jaccard(texts[place], texts[1]))
    rows, _ = deduplicated(texts[:4], ["a_Latn", "b_Latn", "a_Latn", "a_Latn"])
    assert owners(rows) == [0, 1, 0, 3]
    rows, _ = deduplicated(texts[:4], ["a_Latn", "b_Latn", "a_Latn", "a_Latn"], across_labels=True)
    assert owners(rows) == [1, 1, 1, 3]


def chains(generator, n_chains, n_words, shares):
    """Return texts, each made from the one before it."""
    texts = []
    for _ in range(n_chains):
        words = generator.choice(vocabulary(20000), n_words)
        texts.append(" ".join(words))
        for share in shares:
            words = changed(words, generator, share)[: len(words) - int(generator.integers(3))]
            texts.append(" ".join(words))
    return texts


@pytest.mark.parametrize("seed", range(12))
def test_what_is_removed_resembles_what_stays_and_no_two_that_stay_resemble_each_other(
    seed, deduplicated
):
    generator = np.random.default_rng(seed)
    texts = chains(generator, 4, 60, [0.005, 0.01, 0.02, 0.03, 0.02, 0.01, 0.02])
    texts += [texts[place] for place in generator.integers(len(texts), size=4)]
    labels = [f"{each}_Latn" for each in generator.choice(["a", "b"], len(texts), p=[0.8, 0.2])]
    # Few buckets, and most of them of texts that have nothing in common.
    bands = generator.integers(0, 6, (len(texts), 3)) + np.array([0, 10, 20])
    rows, clusters = deduplicated(texts, labels, bands=bands.tolist(), threshold=0.7)
    kept_for = owners(rows)
    near = [place for place, row in enumerate(rows) if row["reason"] == "near_duplicate"]
    assert len(near) > 3
    for place in near:
        assert rows[kept_for[place]]["label"] == rows[place]["label"]
        assert jaccard(texts[place], texts[kept_for[place]]) >= 0.7
        assert len(texts[kept_for[place]]) >= len(texts[place])
    kept = [place for place, row in enumerate(rows) if row["reason"] is None]
    for one, two in itertools.combinations(kept, 2):
        if rows[one]["label"] == rows[two]["label"] and (bands[one] == bands[two]).any():
            assert jaccard(texts[one], texts[two]) < 0.7
    sizes = np.bincount(kept_for, minlength=len(rows))
    assert [rows[place]["cluster_size"] for place in kept] == sizes[kept].tolist()
    assert len(clusters) == len(rows) - len(kept)


def test_a_text_is_compared_with_what_a_text_of_its_bucket_was_folded_into(deduplicated):
    words = vocabulary(100).tolist()
    texts = [" ".join(words), " ".join(words[:98]), " ".join(words[:96])]
    rows, _ = deduplicated(
        texts, bands=[[1, 2], [1, 3], [4, 3]]
    )  # the first and the last share none
    assert owners(rows) == [0, 0, 0]


@pytest.mark.parametrize("memory_rows", [9, 25])
def test_neither_the_memory_nor_the_order_of_rows_changes_a_byte(
    memory_rows, deduplicated, monkeypatch
):
    generator = np.random.default_rng(5)
    texts = chains(generator, 10, 80, [0, 0.01, 0.02, 0.04])
    labels = generator.choice(
        ["a_Latn", "b_Latn", "c_Latn"], len(texts), p=[0.8, 0.15, 0.05]
    ).tolist()
    urls = [f"http://a.org/{number}" for number in generator.integers(35, size=len(texts))]
    for rules in ({}, {"across_labels": True}, {"by_url": True}):
        _, clusters = deduplicated(texts, labels, urls=urls, **rules)
        decided = deduplicated.in_order
        assert deduplicated.n_parts == 1
        order = generator.permutation(len(texts))
        with monkeypatch.context() as patch:
            patch.setattr("emma500.corpus.deduplication.near.PACK_BYTES", 2000)
            found = deduplicated(
                texts, labels, urls=urls, order=order, memory_rows=memory_rows, **rules
            )
        assert deduplicated.n_parts > 1
        assert found[1] == clusters
        assert deduplicated.in_order == decided


def test_of_one_url_the_longest_document_stays_whatever_it_says(deduplicated):
    texts = ["short", "a longer text", "something else", "short", "no address", "nor has this"]
    urls = [
        "https://www.a.org/x/",
        "http://A.org/x#top",
        "http://a.org/y",
        "http://a.org/z",
        None,
        "",
    ]
    rows, clusters = deduplicated(texts, urls=urls, by_url=True)
    assert [row["reason"] for row in rows] == ["duplicate_url", *[None] * 5]
    assert [row["cluster_size"] for row in rows] == [None, 1, 1, 1, 1, 1]
    assert [(line["kept_id"], line["kind"], line["jaccard"]) for line in clusters] == [
        (rows[1]["id"], "url", None)
    ]
    rows, _ = deduplicated(texts, urls=urls)
    assert [row["reason"] for row in rows] == [None, None, None, "exact_duplicate", None, None]


def test_rows_left_out_before_stay_as_they_were(deduplicated, tmp_path):
    texts = ["one two"] * 3
    table = decisions_of(texts, ["a_Latn"] * 3, [None] * 3, ["monolingual"] * 3, band_lists(texts))
    gone = pa.array(["too_few_words", None, None]), pa.array(["filter", None, None])
    for name, values in zip(("reason", "stage"), gone, strict=True):
        table = table.set_column(table.schema.get_field_index(name), name, values)
    write(tmp_path / "filter", table, np.arange(3))
    (tmp_path / "dedup").mkdir()
    dedup.deduplicate(
        tmp_path / "dedup", tmp_path / "filter", router_of(texts, table), rules=dedup.Rules()
    )
    rows = pq.read_table(tmp_path / "dedup" / "decided").to_pylist()
    rows.sort(key=lambda row: row["key"])
    assert [row["reason"] for row in rows] == ["too_few_words", None, "exact_duplicate"]
    assert [row["stage"] for row in rows] == ["filter", None, "dedup"]
    assert [row["cluster"] for row in rows] == [None, rows[1]["id"], rows[1]["id"]]
    assert [row["cluster_size"] for row in rows] == [None, 2, None]


def test_nearly_all_pairs_over_point_nine_are_found_and_none_under_point_seven(deduplicated):
    generator = np.random.default_rng(3)
    texts = []
    for _ in range(150):
        words = generator.choice(vocabulary(20000), 200)
        texts += [" ".join(words), " ".join(changed(words, generator, 0.01))]
    planted = range(0, len(texts), 2)
    high = [row for row in planted if jaccard(texts[row], texts[row + 1]) >= 0.9]
    rows, _ = deduplicated(texts)
    found = sum(rows[row]["cluster"] == rows[row + 1]["cluster"] for row in high)
    assert len(high) > 100
    assert found / len(high) >= 0.98
    far = [" ".join(changed(np.array(texts[0].split()), generator, 0.2)) for _ in range(20)]
    assert owners(deduplicated([texts[0], *far])[0]) == list(range(21))


def test_short_texts_are_never_near_duplicates(deduplicated):
    texts = ["open the file", "open the file!", "Open the File now please"]
    assert owners(deduplicated(texts)[0]) == [0, 1, 2]


def test_texts_without_spaces_are_compared_by_characters(deduplicated):
    text = "".join(
        chr(0x4E00 + int(each)) for each in np.random.default_rng(7).integers(2000, size=300)
    )
    rows, _ = deduplicated([text, text[:290], text[::-1]])
    assert owners(rows) == [0, 0, 2]


def test_paragraphs_are_counted_of_the_documents_that_stay(tmp_path, monkeypatch):
    schema = decision_schema()
    if "paragraphs" not in schema.names:
        schema = schema.append(pa.field("paragraphs", pa.large_list(pa.uint64())))
        monkeypatch.setattr(dedup, "decision_schema", lambda: schema)
    notice, n = "All rights reserved, whatever they are: ask us before you copy it.", 6
    texts = [f"number {min(number, 4)}\n{notice}" for number in range(n)]  # the last is a copy
    labels = ["a_Latn"] * 3 + ["b_Latn"] * 3
    table = decisions_of(texts, labels, [None] * n, ["monolingual"] * n, band_lists(texts))
    array = pa.array(texts, pa.large_string())
    lists = paragraph_hashes(array)
    if "paragraphs" in table.column_names:
        table = table.drop_columns("paragraphs")
    table = table.append_column("paragraphs", lists).select(schema.names).cast(schema)
    write(tmp_path / "filter", table, np.arange(n))
    (tmp_path / "dedup").mkdir()
    rules, route = dedup.Rules(paragraphs=2), router_of(texts, table)
    dedup.deduplicate(tmp_path / "dedup", tmp_path / "filter", route, rules=rules)
    clean = WithoutRepeats(tmp_path / "dedup" / PARAGRAPHS)
    found = clean(array, Grouping(across_labels=False).hashes(table), id_numbers(table["id"]))
    changed = [one != two for one, two in zip(found.to_pylist(), texts, strict=True)]
    assert sum(changed[:3]) == 2  # of three, the first by id keeps it; of two, both do
    assert not any(changed[3:])
