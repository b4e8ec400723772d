import pytest

from emma500.errors import FailureError, LanguageError, SourceError
from emma500.evaluation.polywrite.build import PolyWriteConfig, build_polywrite
from emma500.evaluation.polywrite.language_tokens import language_token
from emma500.evaluation.polywrite.seq2seq import Seq2SeqTranslator
from emma500.evaluation.polywrite.translators import CausalTranslator, load_translator

LANGUAGES = ["eng_Latn", "swh_Latn", "fin_Latn"]
TEXTS = ["Write a story.", "Write.", "Write a poem of four stanzas about an empty house.", "Go"]


def save_seq2seq(folder, marks):
    """A random M2M-100 of one layer over bytes, whose vocabulary has a token for each language."""
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import M2M100Config, M2M100ForConditionalGeneration, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {
        piece: n for n, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *alphabet, *marks])
    }
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    backend.add_special_tokens([AddedToken(each, special=True) for each in marks])
    PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="</s>", unk_token="<unk>", pad_token="<pad>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    M2M100ForConditionalGeneration(
        M2M100Config(
            vocab_size=len(vocabulary), d_model=32, encoder_layers=1, decoder_layers=1,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64,
            decoder_ffn_dim=64, max_position_embeddings=512, init_std=0.5, decoder_start_token_id=2,
        )
    ).save_pretrained(folder)  # fmt: skip
    return str(folder)


@pytest.fixture(scope="module")
def nllb(tmp_path_factory):
    return save_seq2seq(tmp_path_factory.mktemp("models") / "small-nllb", LANGUAGES)


@pytest.fixture(scope="module")
def madlad(tmp_path_factory):
    return save_seq2seq(tmp_path_factory.mktemp("models") / "small-madlad", ["<2en>", "<2sw>"])


def test_languages_are_named_as_each_family_of_models_does():
    assert language_token("swh_Latn", ["swh_Latn", "__sw__"]) == "swh_Latn"
    assert language_token("swh_Latn", ["<2sw>", "<2fi>"]) == "<2sw>"
    assert language_token("fin_Latn", [">>fin<<"]) == ">>fin<<"
    assert language_token("nqo_Nkoo", ["<2nqo>"]) == "<2nqo>"
    assert language_token("fin_Latn", ["swh_Latn", "fin", "__sw__"]) == ""


def test_a_batch_translates_as_each_text_alone_and_the_language_decides(nllb):
    translator = Seq2SeqTranslator(nllb, num_beams=2, max_tokens=12)
    together = translator.translate(TEXTS, source="eng_Latn", target="swh_Latn")
    alone = [
        translator.translate([each], source="eng_Latn", target="swh_Latn")[0] for each in TEXTS
    ]
    assert together == alone
    assert len(set(together)) > 1
    assert translator.translate(TEXTS, source="eng_Latn", target="fin_Latn") != together
    translator.token_budget = 40  # one or two texts a batch
    assert translator.translate(TEXTS, source="eng_Latn", target="swh_Latn") == together
    assert translator.description["name"] == "small-nllb"
    assert translator.supports("swa_Latn")
    assert not translator.supports("kat_Geor")
    with pytest.raises(LanguageError, match="tokenizer of small-nllb has no token for kat_Geor"):
        translator.translate(TEXTS, source="eng_Latn", target="kat_Geor")


def test_a_language_token_may_stand_before_the_text(madlad, monkeypatch):
    translator = Seq2SeqTranslator(madlad, num_beams=1, max_tokens=4)
    run, seen = translator._run, []

    def watched(ids, first):
        seen.append((translator._tokenizer.decode(ids[0]), first))
        return run(ids, first)

    monkeypatch.setattr(translator, "_run", watched)
    translator.translate(["Go"], source="eng_Latn", target="swh_Latn")
    translator.translate(["Nenda"], source="swh_Latn", target="eng_Latn")
    assert seen == [("<2sw> Go</s>", ""), ("<2en> Nenda</s>", "")]


def test_memory_that_runs_out_halves_the_batch(nllb, monkeypatch):
    translator = Seq2SeqTranslator(nllb, num_beams=1, max_tokens=8)
    whole, generate = (
        translator.translate(TEXTS, source="eng_Latn", target="swh_Latn"),
        translator._model.generate,
    )

    def tight(input_ids, **options):
        if len(input_ids) > limit:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return generate(input_ids=input_ids, **options)

    monkeypatch.setattr(translator._model, "generate", tight)
    limit = 1
    with pytest.warns(UserWarning, match="memory ran out with"):
        assert translator.translate(TEXTS, source="eng_Latn", target="swh_Latn") == whole
    limit = 0
    with pytest.raises(
        FailureError, match="memory runs out with one text a batch: take num_beams=1"
    ):
        translator.translate(TEXTS[:1], source="eng_Latn", target="swh_Latn")


def test_a_model_builds_the_same_records_each_time(nllb, tmp_path):
    config = PolyWriteConfig(categories=["story"], min_bleu=0, min_chrf=0)
    made = [
        build_polywrite(
            Seq2SeqTranslator(nllb, num_beams=1, max_tokens=16),
            ["swh", "fin"],
            tmp_path / name,
            config,
        )
        for name in ("one", "two")
    ]
    one, two = ([each.rows(label) for label in each.labels] for each in made)
    assert one == two
    left_out = [len(made[0].rows(label, excluded=True)) for label in made[0].labels]
    assert [len(rows) + n for rows, n in zip(one, left_out, strict=True)] == [5, 5]
    assert len(one[0]) + len(one[1]) >= 5
    translator = made[0].manifest["translator"]
    assert (translator["name"], translator["num_beams"], len(translator["revision"])) == (
        "small-nllb",
        1,
        16,
    )
    strict = build_polywrite(
        Seq2SeqTranslator(nllb, num_beams=1, max_tokens=16), ["swh", "fin"], tmp_path / "one",
        PolyWriteConfig(categories=["story"]),
    )  # fmt: skip
    assert {row["n_kept"] for row in strict.manifest["languages"]} == {0}  # it is random


def test_a_causal_model_reads_an_instruction_and_one_line_counts(tiny_model, monkeypatch):
    translator = CausalTranslator(str(tiny_model), max_tokens=8)
    asked = []

    def generate(wanted):
        asked.extend(wanted)
        return real(wanted)

    real = translator._generator.generate
    monkeypatch.setattr(translator._generator, "generate", generate)
    (found,) = translator.translate(["Write\na story."], source="eng_Latn", target="swh_Latn")
    assert "\n" not in found
    assert asked[0].prompt == (
        "Translate the following text from English to Swahili (individual language).\n"
        "English: Write a story.\nSwahili (individual language):"
    )
    assert asked[0].stops == ("\n",)
    assert translator.supports("nqo_Nkoo")


def test_a_name_is_loaded_as_its_configuration_says(nllb, tiny_model, tmp_path):
    assert isinstance(load_translator(nllb), Seq2SeqTranslator)
    assert isinstance(load_translator(str(tiny_model)), CausalTranslator)
    with pytest.raises(SourceError, match=r"translator .* cannot be loaded"):
        load_translator(str(tmp_path))
    with pytest.raises(
        SourceError, match=r"as an encoder-decoder .a causal model is a CausalTranslator"
    ):
        Seq2SeqTranslator(str(tiny_model))
