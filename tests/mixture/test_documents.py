import numpy as np
import pytest

from emma500.mixture.documents import Chosen, load_tokens, read_texts, save_tokens, tokenize

YORUBA = Chosen(component="monolingual", label="yor_Latn", language="yor_Latn")
PAIR = Chosen(component="bilingual", label="eng_Latn-yor_Latn", language="yor_Latn")


class Characters:
    """A tokenizer of one token a character."""

    def __init__(self, size=300):
        self.size = size

    def __len__(self):
        return self.size

    def __call__(self, texts, *, add_special_tokens, **_):
        assert not add_special_tokens
        return {"input_ids": [[ord(each) for each in text] for text in texts]}


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


def test_tokens_keep_their_documents_apart():
    tokens = tokenize(["ab", "", "c"], Characters())
    assert [each.tolist() for each in tokens] == [[97, 98], [], [99]]
    assert tokens.sizes.tolist() == [2, 0, 1]
    assert tokens.ids.dtype == np.uint16


def test_a_large_vocabulary_gets_larger_numbers():
    tokens = tokenize(["😀"], Characters(size=200_000))
    assert tokens.ids.tolist() == [0x1F600]


def test_no_text_has_no_tokens():
    assert len(tokenize([], Characters())) == 0


@pytest.mark.parametrize("texts", [["ab", "", "c"], [""], []])
def test_kept_tokens_are_read_again(tmp_path, texts):
    tokens = tokenize(texts, Characters())
    save_tokens(tokens, tmp_path / "tokens" / "yor")
    again = load_tokens(tmp_path / "tokens" / "yor")
    assert again is not None
    assert [each.tolist() for each in again] == [each.tolist() for each in tokens]


def test_tokens_that_were_not_kept_are_none(tmp_path):
    assert load_tokens(tmp_path / "yor") is None
