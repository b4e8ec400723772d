"""Real fast tokenizers that need no file: one token a byte, or a character."""

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast


def byte_tokenizer(special="</s>", n_more=0):
    """A byte-level BPE without merges; `n_more` tokens make the vocabulary larger."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    more = [f"<more-{n}>" for n in range(n_more)]
    vocabulary = {piece: n for n, piece in enumerate(["<s>", special, *alphabet, *more])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token=special, pad_token=special
    )


class Characters:
    """A tokenizer in Python, of one token a character."""

    def __init__(self, size=300):
        self.size = size

    def __len__(self):
        return self.size

    def get_vocab(self):
        return {str(n): n for n in range(self.size)}

    def __call__(self, texts, *, add_special_tokens, **_):
        assert not add_special_tokens
        return {"input_ids": [[ord(each) for each in text] for text in texts]}
