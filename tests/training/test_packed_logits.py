"""The logits of a document in a packed row are those of the document alone, in the very call the Trainer makes."""

from itertools import pairwise

import numpy as np
import pytest
import torch
import transformers

from emma500.errors import ConfigError
from emma500.mixture.packing.rows import IGNORED, PackedRows
from emma500.mixture.planning.available import Available
from emma500.mixture.planning.plan import plan
from emma500.mixture.tokenizing.documents import Chosen
from emma500.mixture.tokenizing.tokens import TokenDocuments
from emma500.models import check_isolation
from emma500.training.loop.loss import loss_beside
from emma500.training.loop.trainer import PackedTrainer

LENGTH = 64
VOCABULARY = 120
SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.3,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
GROUPED = {**SMALL, "num_key_value_heads": 2, "head_dim": 8}
ARCHITECTURES = {
    "Llama": GROUPED,
    "Qwen2": {**SMALL, "num_key_value_heads": 2},
    "Qwen3": GROUPED,
    "Mistral": {**GROUPED, "sliding_window": 16},
    "Gemma2": {**GROUPED, "sliding_window": 16},
    "GPTNeoX": SMALL,
}


def model_of(name, attention="sdpa"):
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(
        **ARCHITECTURES[name], attn_implementation=attention
    )
    return getattr(transformers, f"{name}ForCausalLM")(config)


def rows(packing="isolated"):
    random = np.random.default_rng(0)
    sizes = random.integers(3, 150, 60)
    documents = TokenDocuments(
        random.integers(3, VOCABULARY, sizes.sum()).astype(np.uint16),
        np.concatenate([[0], np.cumsum(sizes)]),
    )
    available = Available(
        chosen=Chosen(component="monolingual", label="yor_Latn", language="yor_Latn"),
        sources=["made-up"],
        n_documents=60,
        n_tokens=documents.epoch()[1],
    )
    mixture = plan([available], tokens_per_step=4 * LENGTH, n_steps=10)
    return PackedRows(
        mixture, [documents], length=LENGTH, seed=1, prefix=1, eos=2, pad=0, packing=packing
    )


def training_call(model, dataset, tmp_path):
    """Return the batch and the logits of the forward pass of a training step."""
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), per_device_train_batch_size=4, use_cpu=True, report_to="none",
        train_sampling_strategy="sequential", dataloader_pin_memory=False,
    )  # fmt: skip
    trainer = PackedTrainer(
        model=model, args=arguments, train_dataset=dataset,
        compute_loss_func=loss_beside(model, arguments),
    )  # fmt: skip
    batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    found = []
    hook = model.register_forward_hook(lambda *each: found.append(each[-1].logits.detach()))
    model.train()
    trainer.compute_loss(model, dict(batch), num_items_in_batch=(batch["labels"] != IGNORED).sum())
    hook.remove()
    return batch, found[0]


@pytest.mark.parametrize(
    ("name", "attention"),
    [
        ("Gemma2", "eager"),
        *((name, "sdpa") for name in ARCHITECTURES if name != "Gemma2"),
        ("Llama", "eager"),
    ],
)
def test_the_logits_of_a_packed_document_are_those_of_the_document_alone(name, attention, tmp_path):
    model = model_of(name, attention)
    batch, logits = training_call(model, rows(), tmp_path)
    n_pieces = 0
    for ids, positions, packed in zip(
        batch["input_ids"], batch["position_ids"], logits, strict=True
    ):
        starts = [*torch.nonzero(positions == 0).flatten().tolist(), LENGTH]
        for start, stop in pairwise(starts):
            alone = model(input_ids=ids[None, start:stop], use_cache=False).logits[0]
            assert torch.allclose(packed[start:stop], alone, atol=1e-4, rtol=0)
            n_pieces += stop - start > 1
    assert n_pieces > 6
    check_isolation(model)


def test_concatenated_documents_are_seen_by_those_behind_them(tmp_path):
    model = model_of("Llama")
    batch, logits = training_call(model, rows("concat"), tmp_path)
    whole = model(input_ids=batch["input_ids"], use_cache=False).logits
    assert torch.allclose(logits, whole, atol=1e-4, rtol=0)
    row, end = torch.nonzero(batch["input_ids"][:, 3:-3] == 2)[0].tolist()
    alone = model(input_ids=batch["input_ids"][row : row + 1, end + 4 :], use_cache=False).logits[0]
    assert (logits[row, end + 4 :] - alone).abs().max() > 0.01


def test_a_recurrent_model_is_refused_with_what_else_can_be_done():
    torch.manual_seed(0)
    config = transformers.MambaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_hidden_layers=2,
        state_size=4,
        initializer_range=0.3,
    )
    with pytest.raises(
        ConfigError, match=r"MambaForCausalLM does not keep .* train it with packing='concat'"
    ):
        check_isolation(transformers.MambaForCausalLM(config))
