import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.benchmarks.registry import (
    as_text,
    default_names,
    directions,
    names,
    open_benchmark,
    select,
)
from emma500.errors import ConfigError, LanguageError, SourceError


@pytest.fixture
def corpus(tmp_path):
    """A corpus of two labels, one of them held out."""
    root = tmp_path / "mala"
    splits = []
    for label, split, texts in (
        ("yor_Latn", "validation", ["ọ̀kan", "èjì"]),
        ("swa_Latn", "train", ["moja"]),
    ):
        file = f"data/{label}/{split}-00000-of-00001.parquet"
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.table({"id": [f"{label}{n}" for n in range(len(texts))], "text": texts}), root / file
        )
        splits.append(
            {
                "component": "monolingual",
                "label": label,
                "split": split,
                "n_documents": len(texts),
                "files": [file],
            }
        )
    manifest = {
        "kind": "corpus", "name": "mala", "digest": "0123456789abcdef9999", "splits": splits,
        "sources": [{"name": "gflanguages"}],
    }  # fmt: skip
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root


@pytest.fixture
def pairs(tmp_path):
    """A corpus of English-Swahili and English-Yoruba pairs, one English source held out in both."""
    root, splits = tmp_path / "pairs", []
    for target, split, rows in (
        ("swa_Latn", "train", [("one", "moja"), ("unity", "umoja")]),
        ("swa_Latn", "validation", [("two", "mbili"), ("single", "moja")]),
        ("yor_Latn", "validation", [("two", "èjì")]),
    ):
        file = f"bilingual/eng_Latn-{target}/{split}-00000-of-00001.parquet"
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        columns = {"source_text": [a for a, _ in rows], "target_text": [b for _, b in rows]}
        pq.write_table(pa.table(columns), root / file)
        splits.append({"component": "bilingual", "label": f"eng_Latn-{target}", "split": split,
                       "n_documents": len(rows), "files": [file]})  # fmt: skip
    manifest = {"kind": "corpus", "name": "mala", "digest": "0123456789abcdef", "splits": splits,
                "sources": [{"name": "django"}]}  # fmt: skip
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root


@pytest.fixture
def texts(tmp_path):
    folder = tmp_path / "verses"
    folder.mkdir()
    for label in ("swa_Latn", "srp_Cyrl", "srp_Latn", "zho_Hani"):
        (folder / f"{label}.txt").write_text("a\n")
    return folder


def test_the_default_is_what_is_installed_and_the_corpus():
    assert default_names() == ("gflanguages",)
    assert default_names(corpus="mala") == ("gflanguages", "validation")
    assert set(default_names(corpus="mala")) <= set(names())


def test_held_out_pairs_are_read_by_side_and_share_the_id_of_their_source(pairs):
    data = open_benchmark("validation-pairs", corpus=str(pairs)).data
    assert data.labels == ("eng_Latn", "swa_Latn", "yor_Latn")
    sides = {
        label: {item.text: item.parallel_id for item in data.read(label)} for label in data.labels
    }
    assert set(sides["eng_Latn"]) == {"two", "single"}
    assert sides["yor_Latn"]["èjì"] == sides["swa_Latn"]["mbili"] == sides["eng_Latn"]["two"]


def test_a_held_out_sentence_that_training_saw_under_another_source_is_left_out(pairs):
    data = open_benchmark("validation-pairs", corpus=str(pairs)).data
    assert [item.text for item in data.read("swa_Latn")] == ["mbili"]


def test_a_held_out_sentence_that_training_saw_in_another_pair_of_its_label_is_left_out(pairs):
    manifest = json.loads((pairs / "manifest.json").read_text())
    file = "bilingual/fra_Latn-yor_Latn/train-00000-of-00001.parquet"
    (pairs / file).parent.mkdir()
    pq.write_table(pa.table({"source_text": ["deux"], "target_text": ["èjì"]}), pairs / file)
    manifest["splits"].append({"component": "bilingual", "label": "fra_Latn-yor_Latn", "split": "train",
                               "n_documents": 1, "files": [file]})  # fmt: skip
    (pairs / "manifest.json").write_text(json.dumps(manifest))
    data = open_benchmark("validation-pairs", corpus=str(pairs)).data
    assert list(data.read("yor_Latn")) == []
    assert [item.text for item in data.read("swa_Latn")] == ["mbili"]


def test_validation_is_the_held_out_text_of_the_corpus(corpus):
    benchmark = open_benchmark("validation", corpus=str(corpus))
    assert benchmark.data.labels == ("yor_Latn",)
    assert [item.text for item in benchmark.data.read("yor_Latn")] == ["ọ̀kan", "èjì"]
    assert benchmark.data.revision == "0123456789abcdef"
    assert benchmark.sources == {"gflanguages"}


def test_a_folder_of_text_is_a_benchmark_named_after_it(texts):
    assert open_benchmark(str(texts)).name == "verses"
    assert open_benchmark(f"text={texts}").name == "verses"
    assert open_benchmark("text", data_dir=str(texts)).name == "verses"
    assert open_benchmark("text", data_dir=str(texts)).data.labels[0] == "srp_Cyrl"


def test_data_dir_may_hold_a_folder_for_each_benchmark(tmp_path):
    (tmp_path / "sib200" / "yor_Latn").mkdir(parents=True)
    (tmp_path / "sib200" / "yor_Latn" / "test.tsv").write_text("index_id\ttext\n1\ta\n")
    benchmark = open_benchmark("sib200", data_dir=str(tmp_path))
    assert benchmark.data.labels == ("yor_Latn",)
    assert "flores200" in benchmark.sources


def test_what_cannot_be_opened_says_what_it_needs(tmp_path):
    with pytest.raises(ConfigError, match=r"unknown benchmark 'sib-200'.*nearest: sib200"):
        open_benchmark("sib-200")
    with pytest.raises(ConfigError, match=r"'validation' needs a corpus"):
        open_benchmark("validation")
    with pytest.raises(ConfigError, match=r"'text' needs a folder: text=FOLDER"):
        open_benchmark("text")
    with pytest.raises(SourceError, match="holds no manifest"):
        open_benchmark("validation", corpus=str(tmp_path))


def test_a_revision_goes_with_every_form_of_a_name_and_only_with_a_place_on_the_hub(tmp_path):
    assert directions("flores200@v2", None) == ["flores200-eng-x@v2", "flores200-x-eng@v2"]
    assert directions("flores200-fra-x@v2", None) == ["flores200-fra-x@v2"]
    assert as_text("xcopa@v2") == "xcopa-text@v2"
    for name in (f"xcopa@v2={tmp_path}", "gflanguages@v2", "taxi1500@v2"):
        with pytest.raises(ConfigError, match=r"has no revision 'v2': leave out @v2"):
            open_benchmark(name)
    # not the folder, but the Hub, which these tests do not reach
    (tmp_path / "xcopa").mkdir()
    with pytest.raises(SourceError, match=r"hf://datasets/cambridgeltl/xcopa@v%2F2"):
        open_benchmark("xcopa@v/2", data_dir=str(tmp_path))
    with pytest.raises(SourceError, match=r"hf://datasets/xcopa names no data set of the Hub"):
        open_benchmark("xcopa=hf://datasets/xcopa")


def test_languages_are_found_by_any_code_and_stand_ins_are_named(texts):
    benchmark = open_benchmark(str(texts))
    assert select(benchmark, None).labels == benchmark.data.labels
    chosen = select(benchmark, ["swh", "sr@latin", "sr", "zho_Hans"])
    assert chosen.labels == ("srp_Cyrl", "srp_Latn", "swa_Latn", "zho_Hani")
    assert chosen.matched == (
        {"benchmark": "verses", "asked": "swh", "label": "swa_Latn"},
        {"benchmark": "verses", "asked": "zho_Hans", "label": "zho_Hani"},
    )


def test_a_label_without_text_is_missing_with_the_nearest(texts):
    chosen = select(open_benchmark(str(texts)), ["yor_Latn", "srp_Cyrl"])
    assert chosen.labels == ("srp_Cyrl",)
    assert [(row["label"], row["benchmark"]) for row in chosen.missing] == [("yor_Latn", "verses")]
    with pytest.raises(LanguageError, match="unknown language 'qqqq'"):
        select(open_benchmark(str(texts)), ["qqqq"])
