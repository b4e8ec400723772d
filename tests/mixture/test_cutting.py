"""A very long text is tokenized in parts, and its tokens are those of the whole."""

import random

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from emma500.mixture.tokenizing import tokens
from emma500.mixture.tokenizing.tokens import Encoder
from tests.mixture.byte_tokenizers import Characters, byte_tokenizer

PROSE = (
    "the boy and the sea, weather or not (gathered) 1954! ní àwọn ọ̀rọ̀ ilé ქართული ენა წელს भाषा में किताब है "
    "ภาษาไทยไม่มีช่องว่าง 日本語のテキスト。 def f(x): return x[1]+2 </s> <unk> a_b ▁ Ġ naïve don't …"
)
GAPS = [" "] * 12 + ["\n", "  ", "\n\n", "\t", "\u00a0", " \n "]


def text(seed, n_words=400):
    draw = random.Random(seed)
    return "".join(draw.choice(PROSE.split()) + draw.choice(GAPS) for _ in range(n_words))


def trained(model, trainer, pre_tokenizer=None, normalizer=None):
    backend = Tokenizer(model)
    if pre_tokenizer is not None:
        backend.pre_tokenizer = pre_tokenizer
    if normalizer is not None:
        backend.normalizer = normalizer
    backend.train_from_iterator([text(seed) for seed in range(20)], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", eos_token="</s>")


def bpe(pre_tokenizer=None, normalizer=None, **options):
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<unk>", "</s>"], show_progress=False, **options
    )
    return trained(models.BPE(unk_token="<unk>"), trainer, pre_tokenizer, normalizer)


def byte_level():
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return bpe(pre_tokenizers.ByteLevel(add_prefix_space=False), initial_alphabet=alphabet)


def with_a_space_before_each_text():
    return bpe(pre_tokenizers.Metaspace(prepend_scheme="first"))


def whole_words_only_by_vocabulary():
    """As Llama 2's: nothing is split before merging; no piece runs across a space."""
    split = bpe(pre_tokenizers.Metaspace(prepend_scheme="first"))
    split.backend_tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
        prepend_scheme="first", split=False
    )
    return split


def unigram():
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    return trained(
        models.Unigram(), trainer, pre_tokenizers.Metaspace(), normalizers.Sequence([normalizers.NFKC()])
    )  # fmt: skip


def word_piece():
    trainer = trainers.WordPieceTrainer(
        vocab_size=400, special_tokens=["<unk>", "</s>"], show_progress=False
    )
    return trained(
        models.WordPiece(unk_token="<unk>"), trainer, pre_tokenizers.BertPreTokenizer(),
        normalizers.BertNormalizer(),
    )  # fmt: skip


KINDS = (
    byte_level, with_a_space_before_each_text, whole_words_only_by_vocabulary, unigram, word_piece, byte_tokenizer,
    Characters,
)  # fmt: skip


@pytest.mark.parametrize("make", KINDS)
def test_the_tokens_of_the_parts_are_those_of_the_whole_text(make, monkeypatch):
    tokenizer = make()
    texts = [text(seed) for seed in range(40)]
    whole = tokenizer(texts, add_special_tokens=False)["input_ids"]
    monkeypatch.setattr(tokens, "LONGEST", 100)
    encoder = Encoder(tokenizer)
    asked: list[int] = []
    encode = encoder._plain if encoder._backend is None else encoder._encoded

    def counted(some):
        asked.extend(map(len, some))
        return encode(some)

    monkeypatch.setattr(encoder, encode.__name__, counted)
    batches = [["short"], texts[:3], ["short", "", *texts[3:]], ["short"]]
    found = list(encoder.encode(batches))
    ids = np.concatenate([each for each, _ in found]).tolist()
    sizes = np.concatenate([each for _, each in found]).tolist()
    (short,) = tokenizer(["short"], add_special_tokens=False)["input_ids"]
    expected = [short, *whole[:3], short, [], *whole[3:], short]
    assert sizes == [len(each) for each in expected]
    assert ids == [each for some in expected for each in some]
    n_parts = sum(size > 25 for size in asked)
    assert n_parts > 40 * len(texts[0]) / 100 / 2


def test_a_text_is_not_cut_where_tokens_run_across_spaces(monkeypatch):
    tokenizer = bpe(normalizer=normalizers.Replace(" ", "▁"))
    assert any("e▁" in each for each in tokenizer.get_vocab())
    encoder = Encoder(tokenizer)
    plain = " ".join(["the boy and the sea"] * 50)
    assert list(encoder._cutter.parts(plain, 100)) == [plain]


def test_a_text_without_spaces_stays_whole():
    encoder = Encoder(byte_level())
    assert list(encoder._cutter.parts("語" * 1000, 100)) == ["語" * 1000]
