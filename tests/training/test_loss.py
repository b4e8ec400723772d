"""The loss beside the model is the model's own, to the last bit, with one copy of the logits less."""

import peft
import pytest
import torch
import transformers

from emma500.training.loop.loss import loss_beside
from emma500.training.loop.trainer import PackedTrainer

SMALL = {
    "vocab_size": 500, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
}  # fmt: skip


def model_of(name, **more):
    torch.manual_seed(0)
    grouped = {} if name == "GPTNeoX" else {"num_key_value_heads": 2, "head_dim": 8}
    config = getattr(transformers, f"{name}Config")(**SMALL, **grouped, **more)
    return getattr(transformers, f"{name}ForCausalLM")(config)


def one_step(model, tmp_path, function, n_items):
    """Return loss and gradients of one step in bfloat16."""
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), use_cpu=True, bf16=True, report_to="none"
    )
    trainer = PackedTrainer(model=model, args=arguments, compute_loss_func=function)
    net = trainer.accelerator.prepare(model)
    random = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 500, (2, 24), generator=random)
    labels = torch.where(ids % 7 == 0, -100, ids)
    positions = torch.cat([torch.arange(10), torch.arange(14)]).expand(2, -1)
    batch = {"input_ids": ids, "labels": labels, "position_ids": positions, "use_cache": False}
    loss = trainer.compute_loss(net, batch, num_items_in_batch=n_items)
    loss.backward()
    gradients = {name: each.grad for name, each in model.named_parameters()}
    return loss.detach(), gradients


@pytest.mark.parametrize("name", ["Llama", "Qwen3", "Gemma2", "GPTNeoX"])
@pytest.mark.parametrize("n_items", [None, torch.tensor(91)])
def test_it_is_the_loss_of_the_model(name, n_items, tmp_path):
    expected, expected_gradients = one_step(model_of(name), tmp_path, None, n_items)
    model = model_of(name)
    function = loss_beside(
        model, transformers.TrainingArguments(output_dir=str(tmp_path), use_cpu=True)
    )
    found, gradients = one_step(model, tmp_path, function, n_items)
    assert found == expected
    assert gradients.keys() == expected_gradients.keys()
    assert all(torch.equal(gradients[key], each) for key, each in expected_gradients.items())


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_adapters_do_not_hide_the_loss(tmp_path):
    arguments = transformers.TrainingArguments(output_dir=str(tmp_path), use_cpu=True)
    losses = []
    for function in (None, loss_beside):
        model = peft.get_peft_model(
            model_of("Llama"), peft.LoraConfig(target_modules=["q_proj"], init_lora_weights=True)
        )
        losses.append(one_step(model, tmp_path, function and function(model, arguments), None)[0])
    assert losses[0] == losses[1]


def test_a_loss_of_more_than_the_logits_stays_with_the_model(tmp_path):
    arguments = transformers.TrainingArguments(output_dir=str(tmp_path), use_cpu=True)
    experts = {"num_local_experts": 2, "num_experts_per_tok": 1}
    assert loss_beside(model_of("Mixtral", **experts), arguments) is not None
    routed = model_of("Mixtral", **experts, output_router_logits=True)
    assert loss_beside(routed, arguments) is None
    arguments.use_liger_kernel = True
    assert loss_beside(model_of("Llama"), arguments) is None
