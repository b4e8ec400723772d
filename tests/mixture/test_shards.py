import json
import os
import resource
import signal

import numpy as np
import pytest

from emma500.errors import ConfigError, SourceError, StorageError
from emma500.folder import Corpus
from emma500.manifest import MANIFEST
from emma500.mixture.tokenizing import shards
from emma500.mixture.tokenizing.documents import Chosen, Wanted, text_batches
from emma500.mixture.tokenizing.shards import TokenStore
from tests.mixture.byte_tokenizers import byte_tokenizer

YORUBA = Chosen(component="monolingual", label="yor_Latn", language="yor_Latn")
PAIR = Chosen(component="bilingual", label="eng_Latn-yor_Latn", language="yor_Latn")
TEXTS = [f"ọmọ {n} " * (n % 5) for n in range(100)]


@pytest.fixture
def corpus(make_corpus):
    documents = [
        {"text": text, "source": f"s{n % 2}", "cluster_size": n % 4} for n, text in enumerate(TEXTS)
    ]
    pairs = [{"source_text": f"{n}", "target_text": f"ì{n}", "source": "s0"} for n in range(23)]
    return make_corpus(
        {("monolingual", "yor_Latn"): documents, ("bilingual", "eng_Latn-yor_Latn"): pairs},
        row_group_size=10,
    )


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(shards, "_SHARD_BYTES", 1)  # a row group a shard


@pytest.fixture
def stored(corpus, tmp_path):
    """The tokens of a label, as a call makes or finds them."""

    def get(chosen=YORUBA, tokenizer=None, **wanted):
        store = TokenStore(tmp_path / "tokens", corpus, tokenizer or byte_tokenizer())
        return store.documents(chosen, Wanted(**wanted))

    return get


def files(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def text_of(ids):
    return byte_tokenizer().decode(ids, skip_special_tokens=False)


def test_the_disk_holds_the_tokens_of_every_document(stored):
    found = stored()
    assert [text_of(each) for each in found.tokens] == TEXTS
    assert found.cluster_sizes.tolist() == [n % 4 for n in range(100)]
    assert found.sources == ["s0", "s1"]


def test_documents_do_not_depend_on_how_they_are_cut_into_shards(stored, small_shards, tmp_path):
    assert [text_of(each) for each in stored().tokens] == TEXTS
    assert len(list((tmp_path / "tokens").glob("monolingual-*/*.ids"))) == 10
    assert [text_of(each) for each in stored(sources=("s1",)).tokens] == TEXTS[1::2]


def test_pairs_and_sources_have_tokens_of_their_own(stored):
    assert [text_of(each).count("\n") for each in stored(PAIR, pair_format="target").tokens] == [
        9,
        9,
        2,
    ]
    assert [text_of(each).count("\n") for each in stored(PAIR).tokens] == [19, 19, 5]
    assert stored(exclude_sources=("s0",)).sources == ["s1"]
    assert len(stored().tokens) == 100


def test_tokens_are_made_once(stored, tmp_path, monkeypatch):
    stored()
    before = files(tmp_path / "tokens")
    monkeypatch.setattr(shards, "text_batches", None)
    assert len(stored().tokens) == 100
    assert files(tmp_path / "tokens") == before


def test_a_finished_shard_is_not_made_again_after_a_kill_and_the_bytes_are_the_same(
    stored, small_shards, tmp_path, monkeypatch
):
    stored()
    expected = files(tmp_path / "tokens")
    shards_read = []
    read = text_batches

    def killed_at(number):
        def batches(corpus, chosen, groups, wanted):
            shards_read.append(groups[0].number)
            if groups[0].number == number:
                raise KeyboardInterrupt
            return read(corpus, chosen, groups, wanted)

        return batches

    (folder,) = (tmp_path / "tokens").glob("monolingual-*")
    for file in folder.iterdir():
        file.unlink()
    monkeypatch.setattr(shards, "text_batches", killed_at(6))
    with pytest.raises(KeyboardInterrupt):
        stored()
    assert not list(folder.glob("*.tmp"))
    monkeypatch.setattr(shards, "text_batches", killed_at(-1))
    stored()
    assert shards_read == [0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9]
    assert files(tmp_path / "tokens") == expected


def make_until_killed(root, folder, number):
    """Tokenize a row group a shard; the process ends without a word in the middle of a shard."""

    def batches(corpus, chosen, groups, wanted):
        for batch in text_batches(corpus, chosen, groups, wanted):
            yield batch
            if groups[0].number == number:
                os.kill(os.getpid(), signal.SIGKILL)

    shards._SHARD_BYTES = 1
    vars(shards)["text_batches"] = batches
    TokenStore(folder, Corpus(root), byte_tokenizer()).documents(YORUBA, Wanted())


def test_a_process_killed_within_a_shard_leaves_what_the_next_goes_on_from(
    stored, small_shards, tmp_path, forkserver
):
    stored()
    expected = files(tmp_path / "tokens")
    arguments = (tmp_path, tmp_path / "again", 6)
    process = forkserver.Process(target=make_until_killed, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(list((tmp_path / "again").rglob("shard-*.json"))) == 6
    TokenStore(tmp_path / "again", Corpus(tmp_path), byte_tokenizer()).documents(YORUBA, Wanted())
    assert files(tmp_path / "again") == expected


def test_a_folder_with_the_tokens_of_another_tokenizer_is_refused(stored):
    stored()
    with pytest.raises(
        ConfigError,
        match=r"does not hold the tokens of this corpus by this tokenizer \(tokenizer .* there, .* here\)",
    ):
        stored(tokenizer=byte_tokenizer("<end>"))


def test_a_folder_with_the_tokens_of_another_corpus_is_refused(stored, corpus):
    stored()
    corpus.manifest["digest"] = "e" * 32
    with pytest.raises(
        ConfigError, match=r"\(corpus tiny \(dddddddd\) there, tiny \(eeeeeeee\) here\)"
    ):
        stored()


def test_a_folder_that_holds_something_else_is_refused(stored, tmp_path):
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / MANIFEST).write_text(json.dumps({"kind": "corpus"}))
    with pytest.raises(ConfigError, match="choose another tokens_folder"):
        stored()


def test_a_full_disk_says_so_and_leaves_nothing_half_written(stored, small_shards, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    stored(PAIR)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400, hard))
    try:
        with pytest.raises(StorageError, match=r"no space left while writing .*shard-0000\d\."):
            stored()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "tokens").rglob("*.tmp"))
    assert [text_of(each) for each in stored().tokens] == TEXTS


@pytest.mark.parametrize("name", ["shard-00000.ids", "offsets", "cluster_sizes"])
def test_a_truncated_file_is_found_when_it_is_opened(stored, tmp_path, name):
    stored()
    (file,) = (tmp_path / "tokens").rglob(name)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StorageError, match=rf"{name} has .* bytes, not .*: remove the folder"):
        stored()


def test_a_label_without_documents_has_no_tokens(stored):
    found = stored(sources=("s1",), exclude_sources=("s1",))
    assert (len(found.tokens), found.tokens.epoch(), found.sources) == (0, (0, 0), [])


def test_a_label_without_a_training_split_has_no_tokens(make_corpus, tmp_path):
    corpus = make_corpus({("monolingual", "yor_Latn"): [{"text": "a", "source": "s"}]})
    corpus.manifest["splits"][0]["split"] = "validation"
    found = TokenStore(tmp_path / "tokens", corpus, byte_tokenizer()).documents(YORUBA, Wanted())
    assert len(found.tokens) == 0


def test_empty_documents_stay_in_their_places(make_corpus, tmp_path):
    rows = [{"text": text, "source": "s"} for text in ("", "a", "", "", "b", "")]
    corpus = make_corpus({("monolingual", "yor_Latn"): rows}, row_group_size=2)
    found = TokenStore(tmp_path / "tokens", corpus, byte_tokenizer()).documents(YORUBA, Wanted())
    assert [len(each) for each in found.tokens] == [0, 1, 0, 0, 1, 0]
    assert found.tokens.sizes.tolist() == [0, 1, 0, 0, 1, 0]


def test_a_document_of_many_tokens_is_one_document(make_corpus, tmp_path):
    rows = [{"text": "x" * 300_000, "source": "s"}, {"text": "y", "source": "s"}]
    corpus = make_corpus({("monolingual", "yor_Latn"): rows})
    found = TokenStore(tmp_path / "tokens", corpus, byte_tokenizer()).documents(YORUBA, Wanted())
    assert [len(each) for each in found.tokens] == [300_000, 1]
    assert np.unique(found.tokens[0]).size == 1


@pytest.mark.parametrize("gone", [False, True])
def test_a_corpus_that_is_built_again_while_it_is_read_is_refused_and_leaves_no_mixed_shard(
    corpus, tmp_path, monkeypatch, gone
):
    def read(*given):
        yield from text_batches(*given)
        manifest = json.loads((tmp_path / MANIFEST).read_text())
        (tmp_path / MANIFEST).unlink()
        (tmp_path / MANIFEST).write_text(json.dumps({**manifest, "digest": "e" * 32}))
        if gone:
            raise FileNotFoundError("data/yor_Latn/train-00000-of-00001.parquet")

    store = TokenStore(tmp_path / "tokens", corpus, byte_tokenizer())
    monkeypatch.setattr(shards, "text_batches", read)
    with pytest.raises(SourceError, match="tiny was built again while it was tokenized"):
        store.documents(YORUBA, Wanted())
    assert not list((tmp_path / "tokens").rglob("shard-*"))
    monkeypatch.undo()
    with pytest.raises(ConfigError, match="does not hold the tokens of this corpus"):
        TokenStore(tmp_path / "tokens", Corpus(tmp_path), byte_tokenizer())


def test_a_manifest_that_is_written_again_with_the_same_content_changes_nothing(corpus, tmp_path):
    store = TokenStore(tmp_path / "tokens", corpus, byte_tokenizer())
    text = (tmp_path / MANIFEST).read_text()
    (tmp_path / MANIFEST).unlink()
    (tmp_path / MANIFEST).write_text(text)
    assert len(store.documents(YORUBA, Wanted()).tokens) == len(TEXTS)
