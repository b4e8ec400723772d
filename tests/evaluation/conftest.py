import pytest


def save_tiny_model(folder, seed=0):
    """A random Llama of two layers over bytes: 64-token windows, deterministic."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<s>": 0, "</s>": 1, "<unk>": 2} | {
        piece: 3 + n for n, piece in enumerate(alphabet)
    }
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256,
            bos_token_id=0, eos_token_id=1, initializer_range=0.3,
        )
    )  # fmt: skip
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def other_model(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("models") / "other", seed=1)


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
