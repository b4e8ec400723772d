"""Fertility by language, with tokenizers whose tokens can be counted by hand."""

import math

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from emma500.cli import main
from emma500.errors import ConfigError, LanguageError
from emma500.mixture.tokenizing.fertility import fertility
from emma500.mixture.tokenizing.pieces import fallback_tokens
from emma500.models import load_tokenizer


@pytest.fixture(scope="module")
def bytes_only(tiny_model):
    """Byte-level BPE without merges: a token a byte."""
    return load_tokenizer(tiny_model)


def sentencepiece():
    """The form of Llama's tokenizer: words after ▁, letters a to z, and bytes for all others."""
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *map(chr, range(97, 123))]
    backend = Tokenizer(
        models.BPE(
            vocab={piece: number for number, piece in enumerate(pieces)},
            merges=[],
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    backend.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback()])
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")


def words_only():
    """A vocabulary of two words; all others are unknown."""
    backend = Tokenizer(models.WordLevel({"<unk>": 0, "ile": 1, "wa": 2}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")


def document(text):
    return {"text": text, "source": "web"}


@pytest.fixture
def corpus(make_corpus):
    return make_corpus(
        {
            ("monolingual", "tha_Thai"): [document("ที่นี่")],
            ("monolingual", "yor_Latn"): [document("ile wa"), document("ọmọ ile")],
            ("bilingual", "eng_Latn-kat_Geor"): [
                {"source_text": "a day", "target_text": "დღე", "source": "web"}
            ],
        }
    )


def test_tokens_are_counted_by_word_character_and_byte(bytes_only, corpus):
    (row,) = fertility(bytes_only, corpus, languages=["yo"]).rows
    assert (row.label, row.resource_group, row.n_documents) == ("yor_Latn", "medium", 2)
    assert (row.n_words, row.n_chars, row.n_bytes, row.n_tokens) == (4, 13, 17, 17)
    assert row.tokens_per_word == 17 / 4
    assert row.tokens_per_char == 17 / 13
    assert row.tokens_per_byte == 1.0


def test_tokens_of_byte_level_bpe_that_are_no_whole_characters_are_pieces(bytes_only, corpus):
    (row,) = fertility(bytes_only, corpus, languages=["yor_Latn"]).rows
    assert row.byte_fallback_share == 6 / 17  # two ọ of three bytes
    assert row.unknown_share == 0.0


def test_bytes_that_sentencepiece_falls_back_to_are_pieces(corpus):
    (row,) = fertility(sentencepiece(), corpus, languages=["yor_Latn"]).rows
    assert row.n_tokens == 17 + 2  # ▁ before each document
    assert row.byte_fallback_share == 6 / 19
    assert row.unknown_share == 0.0


def test_words_the_vocabulary_lacks_are_unknown(corpus):
    (row,) = fertility(words_only(), corpus, languages=["yor_Latn"]).rows
    assert (row.n_tokens, row.unknown_share, row.byte_fallback_share) == (4, 0.25, 0.0)


def test_a_script_without_spaces_is_counted_by_letters(bytes_only, corpus):
    (row,) = fertility(bytes_only, corpus, languages=["tha_Thai"]).rows
    assert row.counts_letters
    assert (row.n_words, row.n_chars, row.n_tokens) == (2, 6, 18)  # two letters with their marks
    assert row.tokens_per_word == 9


def test_a_language_of_pairs_only_is_measured_on_its_own_side(bytes_only, corpus):
    (row,) = fertility(bytes_only, corpus, languages=["kat_Geor"], components=["bilingual"]).rows
    assert (row.n_chars, row.n_bytes) == (3, 9)


def test_without_languages_all_of_the_components_are_measured(bytes_only, corpus):
    found = fertility(bytes_only, corpus, components=["monolingual", "bilingual"])
    assert [row.label for row in found.rows] == ["eng_Latn", "kat_Geor", "tha_Thai", "yor_Latn"]
    assert found.to_pandas()["n_tokens"].tolist() == [5, 9, 18, 17]


def test_the_last_document_is_cut_to_the_budget_between_characters(bytes_only, corpus):
    (row,) = fertility(bytes_only, corpus, languages=["yor_Latn"], max_bytes=8).rows
    assert (row.n_documents, row.n_bytes) == (1, 6)  # "ile wa", then two bytes of ọ, which are none
    (row,) = fertility(bytes_only, corpus, languages=["yor_Latn"], max_bytes=9).rows
    assert (row.n_documents, row.n_bytes) == (2, 9)


def test_the_table_prints_the_most_tokens_a_byte_first(corpus):
    lines = repr(fertility(sentencepiece(), corpus)).split("\n")
    assert lines[0].endswith("in 2 languages, most tokens a byte first")
    assert [line.split()[0] for line in lines[2:4]] == ["yor_Latn", "tha_Thai"]
    assert "9.50*" in lines[3]
    assert lines[-1] == "* a script without spaces: tokens a letter with its marks"


def test_a_language_the_corpus_lacks_lists_the_nearest(bytes_only, corpus):
    with pytest.raises(LanguageError, match="no text in 'yor_Arab'; nearest: yor_Latn"):
        fertility(bytes_only, corpus, languages=["yor_Arab"])


@pytest.mark.parametrize("options", [{"max_bytes": 0}, {"components": ["code"]}])
def test_code_and_an_empty_budget_are_refused(bytes_only, corpus, options):
    with pytest.raises(ConfigError, match="fertility needs max_bytes above 0"):
        fertility(bytes_only, corpus, **options)


def test_a_token_of_whole_characters_with_a_space_is_no_piece():
    vocabulary = {"Ġa": 0, "á»į": 1, "Ġá": 2, "á»": 3, "plain": 4, "<pad>": 5}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<pad>"])
    found = fallback_tokens(PreTrainedTokenizerFast(tokenizer_object=backend))
    assert found.tolist() == [False, False, True, True, False, False]


def test_the_row_has_numbers_only(bytes_only, corpus):
    for row in fertility(bytes_only, corpus).to_pandas().to_dict("records"):
        assert all(not isinstance(value, float) or math.isfinite(value) for value in row.values())


def test_the_command_prints_the_table_and_writes_it_with_its_figure(
    corpus, tiny_model, tmp_path, capsys
):
    out = tmp_path / "out"
    words = ["corpus", "fertility", "--model_name_or_path", str(tiny_model), "--dataset_name", corpus.root,
             "--languages", "yo", "th", "--output", str(out)]  # fmt: skip
    assert main(words) == 0
    assert "Fertility of tiny in 2 languages" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {
        "fertility.csv",
        "fertility.png",
        "fertility.svg",
    }
    assert out.joinpath("fertility.csv").read_text(encoding="utf-8").count("\n") == 3
