"""`extend_vocabulary`: a model with new pieces, rows that mean something, a report, and a folder like any other."""

import hashlib

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from emma500.errors import ConfigError, LanguageError, OutputError, SourceError
from emma500.evaluation.identity import identify
from emma500.folder import Corpus
from emma500.models import trained_sources
from emma500.training.made import MadeModel
from emma500.training.run import continue_pretrain
from emma500.training.vocabulary.config import VocabularyConfig
from emma500.training.vocabulary.extend import extend_vocabulary
from emma500.training.vocabulary.pieces import learn_pieces
from emma500.training.vocabulary.rows import add_rows
from emma500.training.vocabulary.similarity import similar_tokens
from emma500.training.vocabulary.text import read_language


@pytest.fixture(scope="module")
def settings():
    def make(**changes):
        return VocabularyConfig(
            **{"n_pieces": 60, "min_frequency": 5, "max_validation_bytes": 600, "max_length": 128, **changes}
        )  # fmt: skip

    return make


@pytest.fixture(scope="module")
def made(corpus, model, settings, tmp_path_factory):
    return extend_vocabulary(
        model, corpus, tmp_path_factory.mktemp("extended") / "out", settings(pad_to_multiple_of=16)
    )


@pytest.fixture(scope="module")
def untied(model):
    """A model with an output head of its own, and a bias in it."""
    found = AutoModelForCausalLM.from_pretrained(model)
    found.config.tie_word_embeddings = False
    torch.manual_seed(1)
    head = torch.nn.Linear(found.config.hidden_size, found.config.vocab_size)
    found.set_output_embeddings(head)
    return found


@pytest.fixture
def pieces(model):
    backend = AutoTokenizer.from_pretrained(model).backend_tokenizer
    return learn_pieces(
        backend, ["და არის რომ ეს"] * 9, n_pieces=20, min_frequency=3, max_piece_length=9
    )


def parts_of(pieces, place):
    return pieces.parts[pieces.offsets[place] : pieces.offsets[place + 1]]


def digests(folder):
    """All but what says how long it took, on what."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name != "training.json"
    }


def test_the_output_is_a_model_with_rows_for_all_its_tokens(made, model):
    tokenizer = AutoTokenizer.from_pretrained(made.path)
    extended = AutoModelForCausalLM.from_pretrained(made.path)
    old = AutoTokenizer.from_pretrained(model)
    assert len(tokenizer) == len(old) + 60
    assert extended.config.vocab_size == made.manifest["vocab_size"] == 320  # 259 + 60, by 16
    assert extended.get_input_embeddings().weight.shape[0] == 320
    ids = tokenizer("ọ̀rọ̀ წიგნი", return_tensors="pt").input_ids
    assert ids.max() >= len(old)
    assert torch.isfinite(extended(ids).logits).all()


def test_new_languages_need_fewer_tokens_and_the_report_shows_english_too(made):
    rows = {(row["when"], row["label"]): row for row in made.manifest["report"]}
    for label in ("yor_Latn", "kat_Geor"):
        before, after = rows["before", label], rows["after", label]
        assert after["tokens_per_word"] < 0.8 * before["tokens_per_word"]
        assert after["n_bytes"] == before["n_bytes"] <= 600
        assert after["byte_fallback_share"] < before["byte_fallback_share"]
        assert after["bits_per_byte"] > 0
    assert made.manifest["languages"] == ["kat_Geor", "yor_Latn"]
    assert made.manifest["keep_languages"] == ["eng_Latn"]
    assert {row["label"] for row in made.manifest["report"]} == {"eng_Latn", "kat_Geor", "yor_Latn"}


def test_the_report_is_printed_and_is_a_table(made):
    shown = repr(made)
    assert "60 new pieces for 2 languages" in shown
    assert "kat_Geor" in shown
    assert "bits per byte" in shown
    assert len(made.to_pandas()) == 6


def test_bits_per_byte_before_are_those_of_the_old_model(made, model, corpus):
    [text] = read_language(
        Corpus(corpus), "kat_Geor", "validation", components=["monolingual"], max_bytes=600
    )
    [row] = [
        row for row in made.manifest["report"]
        if (row["when"], row["label"]) == ("before", "kat_Geor")
    ]  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(model)
    ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
    scored = AutoModelForCausalLM.from_pretrained(model)
    with torch.no_grad():
        nats = 0.0
        for start in range(0, ids.shape[1], 127):  # rows of 128 tokens, one of them context
            context = ids[:, start - 1 : start] if start else torch.tensor([[0]])
            row_ids = torch.cat([context, ids[:, start : start + 127]], dim=1)
            logits = scored(row_ids).logits[0, :-1]
            nats += float(
                torch.nn.functional.cross_entropy(logits, row_ids[0, 1:], reduction="sum")
            )
    assert row["n_documents"] == 1
    assert row["bits_per_byte"] == pytest.approx(nats / np.log(2) / len(text.encode()), rel=1e-4)


def test_the_same_call_gives_the_same_bytes_and_a_finished_one_returns_at_once(
    corpus, model, settings, tmp_path
):
    first = extend_vocabulary(model, corpus, tmp_path / "a", settings(max_validation_bytes=0))
    second = extend_vocabulary(model, corpus, tmp_path / "b", settings(max_validation_bytes=0))
    assert digests(first.path) == digests(second.path)
    written = (first.path / "model.safetensors").stat().st_mtime_ns
    extend_vocabulary(model, corpus, tmp_path / "a", settings(max_validation_bytes=0))
    assert (first.path / "model.safetensors").stat().st_mtime_ns == written


def test_training_goes_on_from_an_extended_model(made, corpus, config, tmp_path):
    run = continue_pretrain(made.path, corpus, tmp_path / "out", config(max_steps=3, eval_steps=0))
    assert run.manifest["n_steps"] == 3
    assert run.manifest["base_model"]["name"] == made.path.name
    tokenizer = AutoTokenizer.from_pretrained(run.path)
    assert tokenizer.get_vocab() == AutoTokenizer.from_pretrained(made.path).get_vocab()
    trained, base = (
        AutoModelForCausalLM.from_pretrained(each).get_input_embeddings().weight
        for each in (run.path, made.path)
    )
    first = made.manifest["first_id"]
    assert not torch.equal(trained[first:], base[first:])


def test_a_new_row_is_the_mean_of_its_old_tokens_and_old_rows_stay(model, pieces):
    extended = AutoModelForCausalLM.from_pretrained(model)
    old = extended.get_input_embeddings().weight.detach().clone()
    add_rows(extended, pieces, init="subtokens")
    new = extended.get_input_embeddings().weight
    assert torch.equal(new[: len(old)], old)
    for place, number in enumerate(pieces.ids):
        assert torch.allclose(new[number], old[parts_of(pieces, place)].mean(dim=0), atol=1e-6)
    assert extended.get_output_embeddings().weight is new
    assert extended.config.vocab_size == len(new) == len(old) + len(pieces.ids)


def test_a_head_of_its_own_gets_its_own_means_and_its_bias_too(untied, pieces):
    embedding, head = untied.get_input_embeddings(), untied.get_output_embeddings()
    old = [each.detach().clone() for each in (embedding.weight, head.weight, head.bias)]
    add_rows(untied, pieces, init="subtokens", multiple=64)
    embedding, head = untied.get_input_embeddings(), untied.get_output_embeddings()
    assert embedding.weight is not head.weight
    for before, after in zip(old, (embedding.weight, head.weight, head.bias), strict=True):
        assert len(after) % 64 == 0
        assert torch.equal(after[: len(before)], before)
        for place, number in enumerate(pieces.ids):
            wanted = before[parts_of(pieces, place)].mean(dim=0)
            assert torch.allclose(after[number], wanted, atol=1e-6)
        assert torch.allclose(after[-1], before.mean(dim=0), atol=1e-6)  # of no token


def test_rows_a_model_has_to_spare_are_used_before_it_grows(model, pieces):
    spacious = AutoModelForCausalLM.from_pretrained(model)
    spacious.resize_token_embeddings(512, mean_resizing=False)
    add_rows(spacious, pieces, init="subtokens")
    rows = spacious.get_input_embeddings().weight
    assert len(rows) == 512
    assert torch.allclose(rows[pieces.ids[0]], rows[parts_of(pieces, 0)].mean(dim=0), atol=1e-6)


def test_random_rows_follow_the_seed_and_mean_rows_are_all_one(model, pieces):
    def rows(**options):
        extended = AutoModelForCausalLM.from_pretrained(model)
        add_rows(extended, pieces, **options)
        return extended.get_input_embeddings().weight.detach()[torch.as_tensor(pieces.ids)]

    assert torch.equal(rows(init="normal", seed=1), rows(init="normal", seed=1))
    assert not torch.equal(rows(init="normal", seed=1), rows(init="normal", seed=2))
    assert float(rows(init="normal").std()) == pytest.approx(0.3, rel=0.2)  # initializer_range
    assert float(rows(init="mean").std(dim=0).max()) == 0


def test_similar_tokens_are_those_that_stand_in_the_same_places(pieces):
    from emma500.mixture.tokenizing.tokens import TokenDocuments

    new, twin, other = int(pieces.ids[0]), 65, 70
    draw = np.random.default_rng(0)
    documents = []
    for n in range(400):
        middle, sides = [(new, (10, 11)), (twin, (10, 11)), (other, (20, 21))][n % 3]
        documents.append([sides[0], int(draw.integers(30, 34)), middle, sides[1]])
    offsets = np.cumsum([0, *map(len, documents)])
    tokens = TokenDocuments(np.concatenate(documents), offsets)
    found = similar_tokens(tokens, pieces, seed=0).to_dense()
    assert found.shape == (len(pieces.ids), new)
    assert found[0].sum() == pytest.approx(1, abs=1e-5)
    assert int(found[0].argmax()) == twin
    assert found[0, other] == 0
    assert float(found[1:].abs().sum()) == 0  # pieces that do not occur have no weights
    again = similar_tokens(tokens, pieces, seed=0).to_dense()
    assert torch.equal(found, again)


def test_rows_by_similarity_are_mixed_of_old_rows(corpus, model, settings, tmp_path):
    made = extend_vocabulary(
        model, corpus, tmp_path / "out", settings(init="similarity", max_validation_bytes=0)
    )
    rows = AutoModelForCausalLM.from_pretrained(made.path).get_input_embeddings().weight.detach()
    old = AutoModelForCausalLM.from_pretrained(model).get_input_embeddings().weight.detach()
    new = rows[made.manifest["first_id"] :]
    assert torch.equal(rows[: len(old)], old)
    assert torch.isfinite(new).all()
    assert float(new.norm(dim=1).max()) <= float(old.norm(dim=1).max())
    assert len(new.unique(dim=0)) > len(new) // 2


def test_sources_of_earlier_runs_are_still_known(corpus, model, config, settings, tmp_path):
    run = continue_pretrain(model, corpus, tmp_path / "run", config(max_steps=2, eval_steps=0))
    made = extend_vocabulary(run.path, corpus, tmp_path / "out", settings(max_validation_bytes=0))
    assert trained_sources(made.path) == trained_sources(run.path)
    assert "made-up-0" in identify(made).trained_sources


def test_another_configuration_does_not_replace_a_finished_model(corpus, model, settings, tmp_path):
    few = settings(n_pieces=5, max_validation_bytes=0)
    extend_vocabulary(model, corpus, tmp_path / "out", few)
    with pytest.raises(OutputError, match="overwrite=True"):
        extend_vocabulary(model, corpus, tmp_path / "out", settings(max_validation_bytes=0))
    assert MadeModel(tmp_path / "out").manifest["n_pieces"] == 5
    more = settings(max_validation_bytes=0, overwrite=True)
    assert extend_vocabulary(model, corpus, tmp_path / "out", more).manifest["n_pieces"] == 60


def test_a_tokenizer_with_more_ids_than_the_model_has_rows_is_refused(
    corpus, model, settings, tmp_path
):
    from shutil import copytree

    broken = tmp_path / "broken"
    copytree(model, broken)
    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.add_tokens(["<extra>"])
    tokenizer.save_pretrained(broken)
    with pytest.raises(ConfigError, match="do not belong together"):
        extend_vocabulary(broken, corpus, tmp_path / "out", settings())
    assert not (tmp_path / "out").exists()


def test_a_language_the_corpus_lacks_is_refused_with_the_nearest(corpus, model, tmp_path):
    with pytest.raises(LanguageError, match="no text in 'ibo_Latn'"):
        extend_vocabulary(model, corpus, tmp_path / "out", VocabularyConfig(languages=["ibo_Latn"]))


def test_a_corpus_of_kept_languages_alone_is_refused(corpus, model, tmp_path):
    config = VocabularyConfig(keep_languages=["eng_Latn", "yor_Latn", "kat_Geor"])
    with pytest.raises(ConfigError, match="no monolingual or bilingual text but in keep_languages"):
        extend_vocabulary(model, corpus, tmp_path / "out", config)


def test_a_folder_that_holds_no_made_model_is_none(corpus):
    with pytest.raises(SourceError, match="holds a corpus"):
        MadeModel(corpus)


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("n_pieces", 0, "above 0"),
        ("max_piece_length", 1, "at least 2"),
        ("init", "focus", "one of subtokens, mean, normal, similarity"),
        ("components", ["code"], "some of monolingual"),
        ("max_validation_bytes", -1, "0 or more"),
    ],
)
def test_values_that_break_their_rule_are_refused(field, value, wanted):
    with pytest.raises(ConfigError, match=f"VocabularyConfig.{field} must be {wanted}"):
        VocabularyConfig(**{field: value})
