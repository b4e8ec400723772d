import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from emma500.mixture.tokenizing.rehydration import repetitions
from emma500.mixture.tokenizing.tokens import Encoder, TokenDocuments, tokenize
from tests.mixture.byte_tokenizers import Characters, byte_tokenizer

TEXTS = ["Ọmọ ilé", "", "a  b\n\nc</s>", "და არის", "x"]


def lists(documents):
    return [each.tolist() for each in documents]


def test_tokens_keep_their_documents_apart():
    tokens = tokenize(["ab", "", "c"], Characters())
    assert lists(tokens) == [[97, 98], [], [99]]
    assert tokens.sizes.tolist() == [2, 0, 1]
    assert tokens.ids.dtype == np.uint16


def test_a_large_vocabulary_gets_larger_numbers():
    tokens = tokenize(["😀"], Characters(size=200_000))
    assert tokens.ids.tolist() == [0x1F600]


@pytest.mark.parametrize(("n_more", "dtype"), [(65_536 - 258, "u2"), (65_537 - 258, "u4")])
def test_two_bytes_hold_the_ids_of_a_vocabulary_of_65536(n_more, dtype):
    assert Encoder(byte_tokenizer(n_more=n_more)).dtype == np.dtype(f"<{dtype}")


def test_no_text_has_no_tokens():
    assert len(tokenize([], Characters())) == 0


def test_the_fast_path_says_what_the_tokenizer_says():
    tokenizer = byte_tokenizer()
    expected = tokenizer(TEXTS * 700, add_special_tokens=False)["input_ids"]
    assert lists(tokenize(TEXTS * 700, tokenizer)) == expected


def test_a_tokenizer_set_to_cut_and_to_pad_cuts_and_pads_nothing_here():
    tokenizer = byte_tokenizer()
    expected = tokenizer(TEXTS, add_special_tokens=False)["input_ids"]
    tokenizer.backend_tokenizer.enable_truncation(3)
    tokenizer.backend_tokenizer.enable_padding(length=50)
    assert lists(tokenize(TEXTS, tokenizer)) == expected


def test_special_tokens_in_the_text_are_split_where_the_tokenizer_splits_them():
    tokenizer = byte_tokenizer()
    tokenizer.split_special_tokens = True
    assert lists(tokenize(["</s>"], tokenizer)) == [
        tokenizer("</s>", add_special_tokens=False)["input_ids"]
    ]
    assert len(tokenize(["</s>"], tokenizer)[0]) == 4


def test_a_tokenizer_whose_call_says_something_else_is_asked_by_its_call():
    class Backwards(PreTrainedTokenizerFast):
        def __call__(self, texts, **options):
            return {
                "input_ids": [ids[::-1] for ids in super().__call__(texts, **options)["input_ids"]]
            }

    tokenizer = Backwards(tokenizer_object=byte_tokenizer().backend_tokenizer)
    assert lists(tokenize(["ab"], tokenizer)) == [
        lists(tokenize(["ab"], byte_tokenizer()))[0][::-1]
    ]


def test_batches_come_in_their_order_with_the_sizes_of_their_texts():
    batches = [["a" * n, "b"] for n in range(40)]
    sizes = [sizes.tolist() for _, sizes in Encoder(byte_tokenizer()).encode(batches)]
    assert sizes == [[n, 1] for n in range(40)]


def test_tokenizers_are_told_apart_by_what_they_do_and_not_by_their_settings():
    same = byte_tokenizer()
    same.backend_tokenizer.enable_truncation(3)
    assert Encoder(same).identity == Encoder(byte_tokenizer()).identity
    assert Encoder(byte_tokenizer("<end>")).identity != Encoder(byte_tokenizer()).identity


def test_documents_are_found_in_several_arrays():
    ids = [np.array([1, 2]), np.array([3], np.int64), np.array([], np.int64), np.array([4])]
    tokens = TokenDocuments(ids, np.array([0, 0, 2, 2, 3, 4, 4]))
    assert lists(tokens) == [[], [1, 2], [], [3], [4], []]
    assert tokens.epoch() == (6, 10)


def test_near_duplicates_are_read_by_the_weights_of_fineweb2():
    sizes = np.array([0, 1, 2, 3, 4, 5, 99, 100, 999, 1000, 50_000])
    assert repetitions(sizes).tolist() == [1, 1, 2, 3, 3, 5, 5, 8, 8, 1, 1]


def test_an_epoch_counts_what_is_read_again():
    tokens = tokenize(["abc", "d", ""], Characters())
    again = tokens.rehydrated(np.array([2, 1, 7]))
    assert again.repeats is not None
    assert again.repeats.tolist() == [2, 1, 5]
    assert again.epoch() == (8, 2 * 4 + 2 + 5)
    assert tokens.epoch() == (3, 7)
