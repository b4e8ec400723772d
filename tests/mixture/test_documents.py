import pytest

from emma500.mixture.tokenizing.documents import (
    Chosen,
    Wanted,
    read_texts,
    row_groups,
    text_batches,
)

YORUBA = Chosen(component="monolingual", label="yor_Latn", language="yor_Latn")
PAIR = Chosen(component="bilingual", label="eng_Latn-yor_Latn", language="yor_Latn")


@pytest.fixture
def corpus(make_corpus):
    return make_corpus(
        {
            ("monolingual", "yor_Latn"): [
                {"text": "ilé", "source": "bible"},
                {"text": "ọmọ", "source": "news"},
                {"text": "orí", "source": "web"},
            ],
            ("bilingual", "eng_Latn-yor_Latn"): [
                {"source_text": f"line {i}", "target_text": f"ìlà {i}", "source": "catalogue"}
                for i in range(23)
            ],
        }
    )


def test_a_monolingual_row_is_a_document(corpus):
    texts = read_texts(corpus, YORUBA, "train")
    assert texts.texts == ["ilé", "ọmọ", "orí"]
    assert texts.sources == ["bible", "news", "web"]


def test_only_rows_of_the_named_sources_are_read(corpus):
    texts = read_texts(corpus, YORUBA, "train", sources=["web", "bible"])
    assert (texts.texts, texts.sources) == (["ilé", "orí"], ["bible", "web"])


def test_rows_of_excluded_sources_are_not_read(corpus):
    texts = read_texts(corpus, YORUBA, "train", exclude_sources=["bible"])
    assert (texts.texts, texts.sources) == (["ọmọ", "orí"], ["news", "web"])


def test_a_split_that_is_not_there_has_no_documents(corpus):
    assert read_texts(corpus, YORUBA, "validation").texts == []


def test_ten_pairs_make_a_document_and_the_last_has_the_rest(corpus):
    texts = read_texts(corpus, PAIR, "train", pair_format="target").texts
    assert [text.count("\n") + 1 for text in texts] == [10, 10, 3]
    assert texts[2] == "ìlà 20\nìlà 21\nìlà 22"


def test_both_sides_carry_their_labels(corpus):
    texts = read_texts(corpus, PAIR, "train", pair_format="both").texts
    assert texts[2].split("\n")[:2] == ["eng_Latn: line 20", "yor_Latn: ìlà 20"]


def test_the_chosen_side_counts_even_if_it_is_the_source_side(corpus):
    english = Chosen(component="bilingual", label="eng_Latn-yor_Latn", language="eng_Latn")
    assert (
        read_texts(corpus, english, "train", pair_format="target").texts[2].startswith("line 20\n")
    )


def test_pairs_whose_sentence_is_held_out_are_left_out(corpus):
    texts = read_texts(corpus, PAIR, "train", pair_format="target", without={"ìlà 0", "ìlà 22"})
    assert texts.texts[0].startswith("ìlà 1\n")
    assert [text.count("\n") + 1 for text in texts.texts] == [10, 10, 1]


def many(make_corpus, **options):
    rows = [
        {"text": f"document {n}", "source": f"s{n % 3}", "cluster_size": n % 7 or None}
        for n in range(2500)
    ]
    return make_corpus({("monolingual", "yor_Latn"): rows}, **options)


@pytest.mark.parametrize("row_group_size", [None, 300, 1])
def test_documents_are_read_some_at_a_time_and_in_the_same_order(make_corpus, row_group_size):
    if row_group_size == 1:
        corpus = make_corpus(
            {
                ("monolingual", "yor_Latn"): [
                    {"text": f"document {n}", "source": "s"} for n in range(9)
                ]
            },
            row_group_size=1,
        )
    else:
        corpus = many(make_corpus, row_group_size=row_group_size)
    batches = list(text_batches(corpus, YORUBA, row_groups(corpus, YORUBA, "train"), Wanted()))
    assert max(len(each.texts) for each in batches) <= 1000
    texts = [text for each in batches for text in each.texts]
    assert texts == [f"document {n}" for n in range(len(texts))]
    assert len(texts) == (9 if row_group_size == 1 else 2500)


def test_no_more_is_read_than_the_documents_asked_for(make_corpus, monkeypatch):
    corpus = many(make_corpus, row_group_size=300)
    groups = row_groups(corpus, YORUBA, "train")
    assert [each.number for each in groups] == list(range(9))
    opened = []
    open_parquet = corpus.open_parquet

    def counted(file):
        opened.append(file)
        return open_parquet(file)

    monkeypatch.setattr(corpus, "open_parquet", counted)
    next(text_batches(corpus, YORUBA, groups, Wanted()))
    assert len(opened) == 1


def test_one_document_longer_than_a_batch_is_a_batch(make_corpus):
    long = "é" * (2 << 20)
    rows = [{"text": text, "source": "s"} for text in ("a", "b", long, "c", long, long)]
    corpus = make_corpus({("monolingual", "yor_Latn"): rows})
    batches = text_batches(corpus, YORUBA, row_groups(corpus, YORUBA, "train"), Wanted())
    assert [[len(text) for text in each.texts] for each in batches] == [
        [1, 1], [len(long)], [1], [len(long)], [len(long)],
    ]  # fmt: skip


def test_cluster_sizes_come_with_the_documents_and_are_one_where_unknown(make_corpus):
    texts = read_texts(many(make_corpus), YORUBA, "train", sources=["s1"])
    assert texts.sources == ["s1"]
    assert texts.cluster_sizes.tolist() == [n % 7 or 1 for n in range(2500) if n % 3 == 1]


def test_ten_pairs_of_two_row_groups_make_a_document(make_corpus):
    pairs = [{"source_text": f"{n}", "target_text": f"ì{n}", "source": "s"} for n in range(23)]
    corpus = make_corpus({("bilingual", "eng_Latn-yor_Latn"): pairs}, row_group_size=7)
    texts = read_texts(corpus, PAIR, "train", pair_format="target")
    assert texts.texts[0] == "\n".join(f"ì{n}" for n in range(10))
    assert texts.cluster_sizes.tolist() == [1, 1, 1]
