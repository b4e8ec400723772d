import pytest


@pytest.fixture(scope="session")
def other_model(save_model):
    return save_model("other", seed=1)


@pytest.fixture(scope="session")
def parallel_texts(tmp_path_factory):
    """Four sentences in three languages, aligned by parallel_id."""
    import json

    folder = tmp_path_factory.mktemp("data") / "quartet"
    folder.mkdir()
    texts = {
        "eng_Latn": ["One.", "Two and two.", "Three of them came.", "Four winds."],
        "yor_Latn": ["Ọ̀kan.", "Méjì àti méjì.", "Mẹ́ta nínú wọn wá.", "Afẹ́fẹ́ mẹ́rin."],
        "swa_Latn": ["Moja.", "Mbili na mbili.", "Watatu wao walikuja.", "Pepo nne."],
    }
    for label, sentences in texts.items():
        rows = [
            {"id": f"q{n}", "parallel_id": f"q{n}", "text": text}
            for n, text in enumerate(sentences)
        ]
        (folder / f"{label}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    """A random BERT of two layers over words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "sat", "dog", "ran", "far"]
    backend = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, "[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )  # fmt: skip
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=32, initializer_range=0.5,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("bert")
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)
