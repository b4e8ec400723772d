"""Adapters: what is trained beside them, and 4 bits where they can be had."""

import importlib.util

import pytest

from emma500 import TrainConfig
from emma500.errors import ConfigError, MissingExtraError
from emma500.training.loop.adapters import load_base, with_adapters
from emma500.training.run import continue_pretrain


def states(base, run):
    from transformers import AutoModelForCausalLM

    return (AutoModelForCausalLM.from_pretrained(each).state_dict() for each in (base, run.path))


def test_rows_of_new_tokens_are_trained_and_all_other_rows_stay(tmp_path, corpus, model, config):
    import torch

    new = [70, 71, 100]
    settings = config(use_peft=True, trainable_token_indices=new, bf16=False, learning_rate=5e-2)
    run = continue_pretrain(model, corpus, tmp_path / "out", settings)
    before, after = states(model, run)
    assert list(before) == list(after)
    table = "model.embed_tokens.weight"
    changed = (before[table] != after[table]).any(dim=1)
    assert changed.nonzero().flatten().tolist() == new
    assert torch.equal(after["lm_head.weight"], after[table])  # they are one, and stay one


def test_embeddings_are_trained_whole_where_they_are_named(tmp_path, corpus, model, config):
    import torch

    settings = config(
        use_peft=True, lora_modules_to_save=["embed_tokens"], bf16=False, learning_rate=5e-2
    )
    run = continue_pretrain(model, corpus, tmp_path / "out", settings)
    before, after = states(model, run)
    table = "model.embed_tokens.weight"
    assert (before[table] != after[table]).any(dim=1).sum() > 50
    assert torch.equal(after["lm_head.weight"], after[table])


def test_only_adapters_ask_for_gradients(model):
    config = TrainConfig(use_peft=True, lora_r=4, lora_target_modules=["q_proj"])
    found = with_adapters(load_base(model, None, config), config)
    asking = [name for name, each in found.named_parameters() if each.requires_grad]
    assert len(asking) == 4  # two layers, two matrices each
    assert all("q_proj" in name and "lora" in name for name in asking)


def test_4_bits_without_bitsandbytes_say_what_to_install(tmp_path, corpus, model, config):
    if importlib.util.find_spec("bitsandbytes"):
        pytest.skip("bitsandbytes is installed")
    with pytest.raises(
        MissingExtraError, match=r"pip install bitsandbytes.*leave load_in_4bit out"
    ):
        continue_pretrain(model, corpus, tmp_path / "out", config(use_peft=True, load_in_4bit=True))


@pytest.mark.gpu
def test_lora_over_4_bits_exports_a_model_in_whole_precision(tmp_path, corpus, model, config):
    pytest.importorskip("bitsandbytes")
    import torch

    if not torch.accelerator.is_available():
        pytest.skip("no GPU")
    settings = config(use_peft=True, load_in_4bit=True, learning_rate=5e-2)
    run = continue_pretrain(model, corpus, tmp_path / "out", settings)
    before, after = states(model, run)
    assert {name: each.dtype for name, each in before.items()} == {
        name: each.dtype for name, each in after.items()
    }


@pytest.mark.parametrize("field", ["lora_target_modules", "lora_modules_to_save"])
def test_a_module_the_model_lacks_is_refused_and_not_left_out(model, config, field):
    base = load_base(model, None, config())
    with pytest.raises(ConfigError, match=rf"{field} has 'embed_tokenz', .*it has: .*embed_tokens"):
        with_adapters(base, config(use_peft=True, **{field: ["q_proj", "embed_tokenz"]}))


def test_modules_may_be_named_by_the_end_of_their_path(model, config):
    base = load_base(model, None, config())
    found = with_adapters(base, config(use_peft=True, lora_target_modules=["self_attn.q_proj"]))
    assert sum("lora_A" in name for name, _ in found.named_parameters()) == 2
