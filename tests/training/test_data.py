"""What a run trains and validates on, before any training."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.errors import ConfigError
from emma500.folder import Corpus
from emma500.mixture.tokenizing.documents import text_batches
from emma500.models import load_tokenizer
from emma500.training.data import prepare

ENGLISH = [f"The {n}th sentence of this text is not like any other of its kind." for n in range(40)]


@pytest.fixture
def prepared(tmp_path, model):
    tokenizer = load_tokenizer(model)

    def make(corpus, config):
        return prepare(
            Corpus(corpus), tokenizer, config, rows_per_step=2, folder=tmp_path / "tokens"
        )

    return make


@pytest.mark.parametrize("field", ["sources", "exclude_sources"])
def test_a_source_the_corpus_lacks_is_refused_with_the_nearest(prepared, corpus, config, field):
    with pytest.raises(
        ConfigError,
        match=r"tiny has no source 'madeup-0'; nearest: .*made-up-0.*it has: catalogue, made-up-0, made-up-1, stdlib",
    ):
        prepared(corpus, config(**{field: ["madeup-0"]}))


def test_a_language_whose_text_is_all_excluded_is_not_trained_on(
    prepared, write_corpus, tmp_path, config
):
    root = write_corpus(
        tmp_path / "corpus",
        {
            "yor_Latn": ["ọmọ " * 50] * 20,
            "eng_Latn": ENGLISH,
            "kat_Geor": ["და " * 20, "ხე", "დრო"],
        },
    )
    options = {"max_steps": 2, "replay_share": 0.2, "languages": ["yor_Latn", "kat_Geor"]}
    data = prepared(root, config(exclude_sources=["made-up-0"], **options))
    assert data.labels == ("eng_Latn", "yor_Latn")
    assert set(data.validation.labels) == {"eng_Latn", "yor_Latn"}


@pytest.mark.parametrize("code", ["eng_Latn", "en"])
def test_training_on_english_alone_replays_nothing_by_default(prepared, corpus, config, code):
    data = prepared(corpus, config(languages=[code], max_steps=2))
    assert not any(part.available.chosen.replay for part in data.rows.plan.parts)
    assert "eng_Latn" in data.labels


def test_a_replay_language_under_another_code_is_replayed_by_default(prepared, corpus, config):
    parts = prepared(corpus, config(replay_languages=["en"], max_steps=2)).rows.plan.parts
    shares = {
        each.available.chosen.label: each.share for each in parts if each.available.chosen.replay
    }
    assert shares == {"eng_Latn": pytest.approx(0.25)}


def test_a_corpus_of_english_only_is_trained_on_without_replay(
    prepared, write_corpus, tmp_path, config
):
    root = write_corpus(tmp_path / "corpus", {"eng_Latn": ENGLISH})
    assert prepared(root, config(languages=[], max_steps=2)).labels == ("eng_Latn",)


def test_a_held_out_sentence_that_training_saw_is_not_validated_on(
    prepared, write_corpus, tmp_path, config
):
    pairs = [(f"{n} {text}", f"ìlà {n} ní èdè Yorùbá") for n, text in enumerate(ENGLISH)]
    pairs[-1] = pairs[-1][0], pairs[0][1]
    root = write_corpus(tmp_path / "corpus", {}, {"eng_Latn-yor_Latn": pairs})
    validation = prepared(
        root, config(languages=["yor_Latn"], max_steps=1, replay_share=0)
    ).validation
    assert validation.n_bytes.tolist() == [len(pairs[-2][1].encode())]


def test_held_out_documents_without_text_are_not_scored(prepared, write_corpus, tmp_path, config):
    root = write_corpus(
        tmp_path / "corpus",
        {"yor_Latn": [*["ọmọ " * 50] * 20, "", "ilé"], "kat_Geor": ["და"] * 9 + ["", ""]},
    )
    validation = prepared(root, config(max_steps=1)).validation
    assert list(zip(validation.labels, validation.n_bytes, strict=True)) == [("yor_Latn", 4)]


def test_of_a_large_validation_split_only_the_first_documents_are_read(
    prepared, write_corpus, tmp_path, config, monkeypatch
):
    from emma500.training.validation import scoring

    root = write_corpus(tmp_path / "corpus", {"yor_Latn": ["ọmọ " * 50] * 5000}, n_validation=4900)
    n_read = []

    def counted(*args, **kwargs):
        for batch in text_batches(*args, **kwargs):
            n_read.append(len(batch.texts))
            yield batch

    monkeypatch.setattr(scoring, "text_batches", counted)
    validation = prepared(
        root, config(languages=["yor_Latn"], max_steps=1, max_validation_bytes=2000)
    ).validation
    assert n_read == [1000]
    assert len(validation.labels) == 2000 // len(("ọmọ " * 50).encode())


def test_tokens_kept_in_a_folder_serve_another_run(prepared, corpus, config, tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    options = {"max_steps": 2, "tokens_folder": str(folder)}
    first = prepared(corpus, config(**options)).rows
    monkeypatch.setattr("emma500.mixture.tokenizing.shards.text_batches", None)
    again = prepared(corpus, config(**options, learning_rate=1e-5)).rows
    assert (first[0]["input_ids"] == again[0]["input_ids"]).all()
    assert not (tmp_path / "tokens").exists()


def test_kept_tokens_of_another_tokenizer_are_refused(prepared, corpus, config, tmp_path, model):
    options = {"max_steps": 2, "tokens_folder": str(tmp_path / "kept")}
    prepared(corpus, config(**options))
    tokenizer = load_tokenizer(model)
    tokenizer.add_tokens(["ọmọ"])
    with pytest.raises(
        ConfigError, match=r"by this tokenizer \(tokenizer .* choose another tokens_folder"
    ):
        prepare(Corpus(corpus), tokenizer, config(**options), rows_per_step=2, folder=tmp_path)


def test_rows_are_packed_as_asked(prepared, corpus, config):
    isolated = prepared(corpus, config(max_steps=2)).rows
    concat = prepared(corpus, config(max_steps=2, packing="concat")).rows
    assert (isolated.packing["mode"], concat.packing["mode"]) == ("isolated", "concat")
    assert (concat[0]["position_ids"] == range(64)).all()


def test_rehydration_counts_repetitions_as_text_there_is(prepared, write_corpus, tmp_path, config):
    root = write_corpus(tmp_path / "corpus", {"yor_Latn": ["ọmọ " * 50] * 20})
    (file,) = (root / "data" / "yor_Latn").glob("train*")
    table = pq.read_table(file)
    sizes = pa.array([4 if n < 6 else None for n in range(len(table))], pa.int32())
    column = table.schema.get_field_index("cluster_size")
    pq.write_table(table.set_column(column, table.schema.field(column), sizes), file)
    counts = {}
    for rehydrate in (False, True):
        data = prepared(root, config(languages=["yor_Latn"], max_steps=1, rehydrate=rehydrate))
        (part,) = data.rows.plan.parts
        counts[rehydrate] = part.available.n_documents, part.available.n_tokens
    assert counts[False][0] == 18
    assert counts[True] == (30, counts[False][1] * 30 // 18)
