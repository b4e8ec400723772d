"""What every test runs under: no network but loopback, no progress bars, caches of its own."""

import multiprocessing
import os
import socket
import time
from pathlib import Path

import pytest

os.environ.update(
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    HF_UPDATE_DOWNLOAD_COUNTS="0",
    DO_NOT_TRACK="1",
    TOKENIZERS_PARALLELISM="false",
    MPLBACKEND="Agg",
)

ROOT = Path(__file__).parent.parent
_LOCAL = ("127.", "localhost", "::1", "0.0.0.0")


def pytest_collection_modifyitems(items):
    """Begin with the files of slow tests, so that no worker is left with a long one when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _no_network(request, monkeypatch):
    if request.node.get_closest_marker("network"):
        return
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(
            _LOCAL
        ):
            raise OSError(f"a test may not talk to {address}: mark it `network`")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _own_caches(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.getbasetemp() / "hf"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the repository; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("EMMA500_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("no ../shared/data (or EMMA500_SHARED) with the real data")
    return folder


@pytest.fixture(scope="session")
def save_model(tmp_path_factory):
    """Saves a random Llama of two layers over bytes under a name, and returns its folder."""

    def save(name: str, seed: int = 0) -> Path:
        import torch
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers
        from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        vocabulary = {piece: n for n, piece in enumerate(["<s>", "</s>", "<unk>", *alphabet])}
        backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        backend.decoder = decoders.ByteLevel()
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=backend,
            bos_token="<s>",
            eos_token="</s>",
            unk_token="<unk>",
            pad_token="</s>",
        )
        torch.manual_seed(seed)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(vocabulary),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=4,
                num_key_value_heads=2,
                max_position_embeddings=2048,
                bos_token_id=0,
                eos_token_id=1,
                pad_token_id=1,
                initializer_range=0.3,
                tie_word_embeddings=True,
            )
        )
        folder = tmp_path_factory.mktemp("models") / name
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return save


@pytest.fixture(scope="session")
def tiny_model(save_model):
    """The folder of a random Llama of two layers over bytes."""
    return save_model("tiny")


@pytest.fixture(scope="session")
def forkserver():
    """Processes that have imported what building and training need, so that no kill is preceded by seconds of imports.

    There is one such server to a session, whoever asks for it first.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "daft",
            "numba",
            "emma500.corpus.pipeline",
            "emma500.training.run",
            "emma500.training.loop.trainer",
            "transformers.models.llama.modeling_llama",
        ]
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OMP_NUM_THREADS", "1")
        patched.setenv("HF_HUB_OFFLINE", "1")
        process = context.Process(target=time.sleep, args=(0,))
        process.start()
        process.join()
        yield context
