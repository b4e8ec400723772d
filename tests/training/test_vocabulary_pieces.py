"""New pieces: reached by merges, made of the old tokens that spell them, and no trouble to other text."""

import json

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from emma500.errors import ConfigError
from emma500.training.vocabulary.extend import _with_backend
from emma500.training.vocabulary.pieces import learn_pieces

ENGLISH = [
    "The old man and the sea were there in the morning, and the boy was with them then.",
    "There is nothing more than this: the other others gather here, weather or not.",
] * 20
NEW = [
    "Ọmọ ilé wa ní ọ̀rọ̀ tí ó dára púpọ̀, àti ọmọdé náà sọ ọ̀rọ̀ náà fún àwọn ènìyàn gbogbo.",
    "ქართული ენა არის ქართველი ხალხის ენა, და ქართული სიტყვა 2024 წელს.",
] * 10
OTHER = [
    "The boy: 13579 [more]; {there}\n\t= x[1] + 1  # than that",
    "ένα ελληνικό κείμενο, 日本語のテキスト и русский язык.",
]


def byte_level(*, ignore_merges=False):
    """A byte-level BPE with special tokens behind its vocabulary, as that of Llama 3."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(
                Regex(r" ?\p{L}[\p{L}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+|\s+"), "isolated"
            ),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(ENGLISH, trainer)
    tokenizer.add_special_tokens([AddedToken("<|begin|>", special=True), AddedToken("<|end|>")])
    return tokenizer


def sentencepiece(*, pre_tokenized=False):
    """A BPE over characters with byte fallback, as that of Llama 2: words are not cut before it merges."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=True)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    tokenizer.train_from_iterator(ENGLISH, trainer)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = state["added_tokens"][:3]
    state["pre_tokenizer"]["split"] = pre_tokenized
    state["decoder"] = {
        "type": "Sequence",
        "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ],
    }
    return Tokenizer.from_str(json.dumps(state))


KINDS = {
    "byte-level": byte_level,
    "byte-level that takes whole words": lambda: byte_level(ignore_merges=True),
    "characters": sentencepiece,
    "characters, cut into words": lambda: sentencepiece(pre_tokenized=True),
}


@pytest.fixture(scope="module", params=KINDS)
def base(request):
    return KINDS[request.param]()


@pytest.fixture(scope="module")
def pieces(base):
    return learn_pieces(base, NEW, n_pieces=80, min_frequency=3, max_piece_length=16)


@pytest.fixture(scope="module")
def extended(pieces):
    return Tokenizer.from_str(pieces.backend)


def ids(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


def test_every_new_piece_is_what_its_own_spelling_is_cut_into(pieces, extended):
    assert len(pieces.names) == 80
    for name, number in zip(pieces.names, pieces.ids, strict=True):
        assert [(each.value, each.id) for each in extended.model.tokenize(name)] == [(name, number)]


def test_every_long_piece_is_used_in_the_text_it_comes_from(pieces, extended):
    used = {each for text in NEW for each in ids(extended, text)}
    inner = set().union(*(set(_halves(extended, name)) for name in pieces.names))
    ends = {n for n, name in zip(pieces.ids, pieces.names, strict=True) if name not in inner}
    assert len(ends) > 10
    assert ends <= used


def _halves(tokenizer, piece):
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [side for sides in merges if "".join(sides) == piece for side in sides]


def test_new_text_needs_far_fewer_tokens_and_is_read_back_as_before(base, extended):
    for text in NEW[:2]:
        old, new = ids(base, text), ids(extended, text)
        assert len(new) < len(old) / 2
        assert extended.decode(new) == base.decode(old) == text


def test_text_without_a_new_pair_keeps_its_tokens(base, extended):
    for text in [*OTHER, *ENGLISH[:2]]:
        assert ids(extended, text) == ids(base, text)
        assert extended.encode(text).tokens == base.encode(text).tokens


def test_a_piece_is_made_of_the_old_tokens_that_spell_it(base, pieces):
    names = {number: name for name, number in base.get_vocab().items()}
    for place, name in enumerate(pieces.names):
        parts = pieces.parts[pieces.offsets[place] : pieces.offsets[place + 1]]
        spelled = [names[part] for part in parts]
        assert all(part < pieces.ids[0] for part in parts)
        assert "".join(_bytes_together(spelled)) == name


def _bytes_together(tokens):
    """Put characters in place of the bytes that stand for them."""
    found, held = [], b""
    for token in tokens:
        if not token.startswith("<0x"):
            found.append(token)
            continue
        held += bytes([int(token[3:5], 16)])
        try:
            found.append(held.decode())
        except UnicodeDecodeError:
            continue
        held = b""
    return found


def test_special_tokens_keep_their_ids_and_the_new_ones_follow_all_others(base, pieces, extended):
    old = base.get_vocab(with_added_tokens=True)
    new = extended.get_vocab(with_added_tokens=True)
    assert {name: new[name] for name in old} == old
    assert pieces.ids.tolist() == list(range(max(old.values()) + 1, max(old.values()) + 81))
    for token in base.get_added_tokens_decoder().values():
        assert extended.encode(f"a{token.content}b", add_special_tokens=False).ids.count(
            old[token.content]
        )


def test_a_tokenizer_that_is_saved_and_loaded_says_the_same(base, pieces, extended, tmp_path):
    specials = [each.content for each in base.get_added_tokens_decoder().values()]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=base, bos_token=specials[-2], eos_token=specials[-1]
    )
    _with_backend(tokenizer, pieces).save_pretrained(tmp_path)
    read = AutoTokenizer.from_pretrained(tmp_path)
    assert len(read) == len(tokenizer) + len(pieces.names)
    assert (read.bos_token_id, read.eos_token_id) == (
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
    )
    assert read.convert_tokens_to_ids(list(pieces.names)) == pieces.ids.tolist()
    for text in [*NEW[:2], *OTHER, f"a{specials[-1]}b"]:
        assert read(text, add_special_tokens=False)["input_ids"] == ids(extended, text)


def test_digits_stay_alone_and_no_piece_runs_across_words(pieces, extended):
    assert not any(map(str.isdigit, "".join(name for name in pieces.names if len(name) > 1)))
    for name in pieces.names:
        text = extended.decoder.decode([name])
        assert " " not in text.strip()


def test_the_same_text_gives_the_same_bytes(base, pieces):
    again = learn_pieces(base, NEW, n_pieces=80, min_frequency=3, max_piece_length=16)
    assert again.backend == pieces.backend
    assert again.parts.tolist() == pieces.parts.tolist()


def test_fewer_pieces_are_the_first_of_more(base, pieces):
    fewer = learn_pieces(base, NEW, n_pieces=40, min_frequency=3, max_piece_length=16)
    assert fewer.names == pieces.names[:40]


def test_a_piece_is_made_of_no_more_old_tokens_than_asked():
    found = learn_pieces(byte_level(), NEW, n_pieces=500, min_frequency=3, max_piece_length=4)
    assert (found.offsets[1:] - found.offsets[:-1]).max() == 4


def test_text_with_no_repeated_pair_gives_no_piece_and_says_so():
    with pytest.raises(ConfigError, match="no piece that occurs 5000 times: lower min_frequency"):
        learn_pieces(byte_level(), NEW[:2], n_pieces=10, min_frequency=5000, max_piece_length=8)


def test_a_tokenizer_that_is_no_bpe_is_refused():
    unigram = Tokenizer(models.Unigram([("<unk>", 0.0), ("a", -1.0)], unk_id=0))
    with pytest.raises(
        ConfigError, match="the vocabulary of a Unigram tokenizer cannot be extended"
    ):
        learn_pieces(unigram, NEW, n_pieces=10, min_frequency=2, max_piece_length=8)


def test_a_bpe_with_marked_ends_of_words_is_refused():
    marked = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    with pytest.raises(ConfigError, match="with affixes or dropout"):
        learn_pieces(marked, NEW, n_pieces=10, min_frequency=2, max_piece_length=8)


def test_real_sentencepiece_tokenizers_take_new_pieces(tmp_path):
    common = pytest.importorskip("mistral_common", reason="pip install --no-deps mistral-common")
    pytest.importorskip("sentencepiece")
    from pathlib import Path
    from shutil import copyfile

    from transformers import LlamaTokenizer

    source = Path(common.__file__).parent / "data" / "tokenizer.model.v1"
    copyfile(source, tmp_path / "tokenizer.model")
    tokenizer = LlamaTokenizer.from_pretrained(tmp_path)
    backend = tokenizer.backend_tokenizer
    pieces = learn_pieces(backend, NEW, n_pieces=80, min_frequency=3, max_piece_length=16)
    extended = _with_backend(tokenizer, pieces)
    extended.save_pretrained(tmp_path / "out")
    read = AutoTokenizer.from_pretrained(tmp_path / "out")
    for name, number in zip(pieces.names, pieces.ids, strict=True):
        assert [each.id for each in read.backend_tokenizer.model.tokenize(name)] == [number]
    for text in [*OTHER, *ENGLISH[:2]]:
        assert read(text)["input_ids"] == tokenizer(text)["input_ids"]
    for text in NEW[:2]:
        assert len(read(text)["input_ids"]) < len(tokenizer(text)["input_ids"]) / 2
        assert read.decode(read(text)["input_ids"], skip_special_tokens=True) == text
