"""Characters by Unicode block: of documents and of pairs, the same in whatever order they are added."""

import pickle

import pyarrow as pa

from emma500.corpus.output.blocks import Blocks, blocks_of
from emma500.languages import block_counts


def test_both_sides_of_a_pair_are_counted():
    pairs = pa.table(
        {"source_text": ["ab"], "target_text": ["да!"], "url": ["https://example.org"]}
    )
    assert blocks_of(pairs) == {"Basic Latin": 3, "Cyrillic": 2}
    assert blocks_of(pa.table({"text": pa.array([], pa.large_string())})) == {}


def test_a_slice_of_a_table_in_chunks_is_counted_alone():
    texts = pa.chunked_array([["да", None, "ok"], ["", "漢字 ẹ̀", "\U000e0fff"]])
    counts = blocks_of(pa.table({"text": texts}).slice(2))
    assert counts == block_counts(["ok", "", "漢字 ẹ̀", "\U000e0fff"])
    assert counts["CJK Unified Ideographs"] == 2
    assert counts["No_Block"] == 1


def test_counts_add_up_in_any_order_and_stand_in_the_order_of_unicode():
    parts = [Blocks(), Blocks()]
    parts[0].add("monolingual", "rus_Cyrl", {"Cyrillic": 5, "Basic Latin": 1})
    parts[1].add("monolingual", "rus_Cyrl", {"Cyrillic": 2})
    parts[1].add("code", "python", {"Basic Latin": 9})
    expected = [
        {"component": "code", "label": "python", "n_chars": {"Basic Latin": 9}},
        {
            "component": "monolingual",
            "label": "rus_Cyrl",
            "n_chars": {"Basic Latin": 1, "Cyrillic": 7},
        },
    ]
    assert Blocks().merge(pickle.loads(pickle.dumps(parts))).rows() == expected
    assert Blocks().merge(parts[::-1]).rows() == expected
    assert list(expected[1]["n_chars"]) == ["Basic Latin", "Cyrillic"]
