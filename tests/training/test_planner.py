"""The plan before a run: from the model's configuration alone."""

import pytest

from emma500 import TrainConfig
from emma500.cli import main
from emma500.errors import ConfigError
from emma500.training.loop.throughput import operations
from emma500.training.planning.launching import launch_config, launch_names
from emma500.training.planning.planner import plan_training


@pytest.fixture(scope="module")
def llama2(tmp_path_factory):
    """The configuration of Llama 2 7B; there are no weights in the folder."""
    from transformers import LlamaConfig

    folder = tmp_path_factory.mktemp("models") / "llama2-7b"
    LlamaConfig(
        vocab_size=32000, hidden_size=4096, intermediate_size=11008, num_hidden_layers=32,
        num_attention_heads=32, num_key_value_heads=32, max_position_embeddings=4096,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def test_the_papers_run_is_planned_without_its_weights(llama2):
    plan = plan_training(llama2, TrainConfig.preset("emma500-llama2"), devices=["H100-80GB:64"])
    assert plan.n_parameters == plan.n_trainable == 6_738_415_616
    assert plan.n_tokens == 201_326_592_000
    assert plan.memory.weights == plan.memory.gradients == 4 * 6_738_415_616
    assert plan.memory.optimizer == 8 * 6_738_415_616
    (device,) = plan.devices
    assert device.fits
    # 6 x (weights - embeddings) + attention over 4,096 tokens, at 40% of 64 x 989.4 TFLOP/s
    flop = 6 * (6_738_415_616 - 32000 * 4096) + 6 * 32 * 4096 * 4096
    assert device.days == pytest.approx(201_326_592_000 * flop / (64 * 989.4e12 * 0.4) / 86400)


def test_a_run_that_does_not_fit_is_told_what_to_change(llama2):
    config = TrainConfig(max_length=4096, per_device_train_batch_size=4, max_steps=10)
    plan = plan_training(llama2, config, devices=["A100-80GB", "RTX-4090", "H200"])
    a100, consumer, h200 = plan.devices
    assert not a100.fits
    assert a100.way_out.startswith("2 of them with FSDP, or per_device_train_batch_size=1")
    assert "use_peft=True" in a100.way_out
    assert "load_in_4bit=True" in consumer.way_out
    assert "gradient_checkpointing=True" in h200.way_out
    assert "use_peft" not in h200.way_out
    assert "DOES NOT FIT" in repr(plan)


def test_the_ways_out_lead_out(llama2):
    config = TrainConfig(
        max_length=4096, per_device_train_batch_size=1, gradient_checkpointing=True,
        use_peft=True, load_in_4bit=True, max_steps=10,
    )  # fmt: skip
    (consumer,) = plan_training(llama2, config, devices=["RTX-4090"]).devices
    assert consumer.fits


def test_adapters_are_counted_as_they_are_trained(model):
    from emma500.training.loop.adapters import load_base, with_adapters

    config = TrainConfig(use_peft=True, lora_r=4)
    real = with_adapters(load_base(model, None, config), config)
    plan = plan_training(model, config, devices=[])
    trained = [each.numel() for each in real.parameters() if each.requires_grad]
    assert plan.n_trainable == sum(trained)
    assert plan.n_parameters == 26_880


def test_an_unknown_device_is_refused_with_those_there_are(model):
    with pytest.raises(
        ConfigError, match=r"device 'Abacus' is not known; it is one of .*A100-80GB"
    ):
        plan_training(model, TrainConfig(), devices=["Abacus"])
    with pytest.raises(ConfigError, match="device 'H200:many' is not known"):
        plan_training(model, TrainConfig(), devices=["H200:many"])


def test_steps_that_only_the_corpus_tells_are_left_open_or_given(model):
    assert plan_training(model, TrainConfig()).n_tokens is None
    assert plan_training(model, TrainConfig(), n_steps=10).n_tokens == 10 * 4 * 256


def test_operations_count_tied_embeddings_once_and_frozen_weights_at_two_thirds(model):
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(model)
    n_parameters = sum(each.numel() for each in loaded.parameters())
    assert operations(loaded) == (6 * n_parameters, 6 * 2 * 32)
    for each in loaded.parameters():
        each.requires_grad = False
    assert operations(loaded)[0] == 4 * n_parameters


def test_the_command_line_prints_the_plan_and_trains_nothing(model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [
        "train",
        "--plan",
        "--model_name_or_path",
        str(model),
        "--max_steps",
        "5",
        "--devices",
        "L4",
    ]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "26,880 parameters, 26,880 trained" in shown
    assert "1 x L4" in shown
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", launch_names())
def test_the_launch_files_are_read_by_accelerate(name):
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_multi_gpu_env

    file = str(launch_config(name))
    found = load_config_from_file(file)
    n_gpus = int(name.partition("gpu")[0])
    assert found.num_processes == n_gpus
    assert found.num_machines == max(1, n_gpus // 8)
    arguments, *_ = _validate_launch_command(
        launch_command_parser().parse_args(["--config_file", file, "train.py"])
    )
    assert arguments.mixed_precision == "bf16"
    if "fsdp2" in name:
        environment = prepare_multi_gpu_env(arguments)
        assert environment["FSDP_VERSION"] == "2"
        assert environment["FSDP_STATE_DICT_TYPE"] == "SHARDED_STATE_DICT"
        assert ("PARALLELISM_CONFIG_DP_REPLICATE_SIZE" in environment) == (n_gpus == 64)
    else:
        assert arguments.use_deepspeed
        assert arguments.zero_stage == 2


def test_the_command_line_prints_the_path_of_a_launch_file(capsys):
    assert main(["train", "--launch_config", "8gpu-fsdp2"]) == 0
    assert capsys.readouterr().out.strip() == str(launch_config("8gpu-fsdp2"))
    assert main(["train", "--launch_config", "9gpu"]) == 2
    assert "no launch file '9gpu'; it is one of: 1gpu-deepspeed" in capsys.readouterr().err
