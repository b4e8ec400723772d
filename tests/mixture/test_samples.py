"""The first rows of a label, and what is estimated from them."""

import pytest

from emma500.errors import ConfigError
from emma500.mixture.planning.estimates import estimated
from emma500.mixture.tokenizing.documents import Chosen, Wanted
from emma500.mixture.tokenizing.samples import first_rows
from emma500.models import load_tokenizer

CHOSEN = Chosen(component="monolingual", label="yor_Latn", language="yor_Latn")
PAIRS = Chosen(component="bilingual", label="eng_Latn-yor_Latn", language="yor_Latn")


@pytest.fixture
def corpus(make_corpus):
    """200 documents of 10 bytes, a quarter of them from a book by their bytes, and 30 pairs, with their counts."""
    texts = [{"text": f"ile{n:07}", "source": ("web", "book")[n % 2]} for n in range(200)]
    pairs = [
        {"source_text": f"{n:04}", "target_text": f"{n:06}", "source": "web"} for n in range(30)
    ]
    made = make_corpus(
        {("monolingual", "yor_Latn"): texts, ("bilingual", "eng_Latn-yor_Latn"): pairs}
    )
    sizes = {"yor_Latn": (200, 400, 2000), "eng_Latn-yor_Latn": (30, 60, 300)}
    for row in made.manifest["splits"]:
        row["n_documents"], row["n_words"], row["n_bytes"] = sizes[row["label"]]
    counts = [("yor_Latn", "web", 1500), ("yor_Latn", "book", 500), ("eng_Latn-yor_Latn", "web", 9)]
    made.manifest["stages"] = ["integration", "split"]
    made.manifest["counts"] = [
        {"component": "bilingual" if "-" in label else "monolingual", "label": label,
         "source": source, "stage": stage, "n_bytes": n_bytes}
        for label, source, n_bytes in counts
        for stage in ("integration", "split")
    ]  # fmt: skip
    return made


def rows(corpus, **options):
    return first_rows(corpus, "monolingual", "yor_Latn", **options)


def test_rows_are_read_until_the_budget_is_reached(corpus):
    assert rows(corpus, max_bytes=95)["text"].to_pylist() == [f"ile{n:07}" for n in range(10)]
    assert len(rows(corpus, max_bytes=10)) == 1
    assert len(rows(corpus, max_bytes=1005)) == 101
    assert sum(rows(corpus, max_bytes=10**6)["n_bytes"].to_pylist()) == 2000


def test_only_rows_of_the_wanted_sources_count(corpus):
    some = rows(corpus, max_bytes=30, wanted=Wanted(sources=("book",)))
    assert some["text"].to_pylist() == ["ile0000001", "ile0000003", "ile0000005"]
    others = rows(corpus, max_bytes=10, wanted=Wanted(exclude_sources=("web",)))
    assert others["text"].to_pylist() == ["ile0000001"]


def test_a_label_without_wanted_rows_has_none(corpus):
    assert len(rows(corpus, max_bytes=10, wanted=Wanted(sources=("press",)))) == 0


def test_tokens_are_estimated_from_the_bytes_of_the_manifest(corpus, tiny_model):
    found = estimated(corpus, CHOSEN, Wanted(), load_tokenizer(tiny_model))
    assert found.sources == ["book", "web"]
    assert found.n_documents == 200
    assert found.n_tokens == 2000 + 200  # a token a byte, and the ends of documents


def test_an_estimate_counts_the_wanted_sources_only(corpus, tiny_model):
    wanted = Wanted(exclude_sources=("web",))
    found = estimated(corpus, CHOSEN, wanted, load_tokenizer(tiny_model))
    assert (found.sources, found.n_documents, found.n_tokens) == (["book"], 50, 500 + 50)


def test_without_a_tokenizer_words_are_counted(corpus):
    assert estimated(corpus, CHOSEN, Wanted()).n_tokens == 400


@pytest.mark.parametrize("missing", ["stages", "counts"])
def test_a_manifest_that_does_not_count_sources_is_enough_where_all_are_wanted(corpus, missing):
    del corpus.manifest[missing]
    found = estimated(corpus, CHOSEN, Wanted())
    assert (found.sources, found.n_documents, found.n_tokens) == ([], 200, 400)
    with pytest.raises(ConfigError, match=f"the manifest of tiny has no {missing}, .*plan without"):
        estimated(corpus, CHOSEN, Wanted(exclude_sources=("web",)))


def test_tokens_of_pairs_are_those_of_documents_of_ten(corpus, tiny_model):
    found = estimated(corpus, PAIRS, Wanted(), load_tokenizer(tiny_model))
    pair = len("eng_Latn: 0000\nyor_Latn: 000000\n")
    assert found.n_documents == 3
    assert found.n_tokens == 3 * (10 * pair - 1) + 3
