"""What is seen of a run while it goes and afterwards: throughput, trackers, spikes, hardware, energy."""

import json
import logging

import pytest

from emma500 import TrainConfig
from emma500.progress import Bars
from emma500.training.loop.callbacks import SpikeCallback, is_spike
from emma500.training.loop.hardware import device_row, footprint, hardware, matmul_peak
from emma500.training.loop.throughput import Throughput, read_clock, shown_line
from emma500.training.run import continue_pretrain


def test_attention_is_counted_by_the_length_of_each_document(model, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(model)
    config = TrainConfig(logging_steps=1)
    throughput = Throughput(loaded, config, tmp_path, device="cpu", n_processes=1)
    positions = torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2]])  # documents of five and of three tokens
    labels = torch.tensor([[5, 5, 5, 5, 5, 5, 5, -100]])
    throughput.add({"position_ids": positions, "labels": labels})
    shown = throughput.step(1, 10, write=True)
    assert shown is not None
    clock = read_clock(tmp_path)
    assert clock["n_tokens"] == 7
    assert clock["flop"] == 7 * 6 * 26_880 + (25 + 9) * 6 * 2 * 32
    assert shown["tokens_per_second"] == pytest.approx(7 / clock["seconds"])
    assert shown["mfu"] == pytest.approx(clock["flop"] / clock["seconds"] / throughput.peak)
    assert shown["eta_seconds"] == pytest.approx(9 * clock["seconds"])
    assert shown["memory_gb"] > 0.01


def test_a_window_counts_its_own_steps_and_the_clock_counts_all_and_goes_on(model, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(model)
    batch = {
        "position_ids": torch.zeros(1, 4, dtype=torch.long),
        "labels": torch.zeros(1, 4, dtype=torch.long),
    }
    for call in (1, 2):
        throughput = Throughput(
            loaded, TrainConfig(logging_steps=2), tmp_path, device="cpu", n_processes=1
        )
        throughput.add(batch)
        assert throughput.step(1, 3, write=True) is None
        throughput.add(batch)
        assert throughput.step(2, 3, write=True) is not None
        throughput.add(batch)
        assert throughput.step(3, 3, write=True) is not None  # the last step ends a window
        assert read_clock(tmp_path)["n_tokens"] == 12 * call


def test_the_figures_stand_in_one_line():
    values = {"tokens_per_second": 1234.4, "mfu": 0.414, "memory_gb": 3.21, "eta_seconds": 7500.0}
    assert shown_line(values) == "1,234 tokens/s, 41% of peak, 3.2 GB, 2 h 05 min left"
    assert shown_line({**values, "eta_seconds": 61}).endswith("1 min 01 s left")


def test_the_progress_display_shows_the_line(monkeypatch, capsys):
    monkeypatch.setenv("EMMA500_PROGRESS", "")
    bars = Bars()
    bars("training", 0, 2)
    bars.note("12 tokens/s")
    bars("training", 2, 2)
    assert capsys.readouterr().err.endswith("s (12 tokens/s)\n")


def test_trackers_get_validation_by_label_and_group_and_throughput(
    tmp_path, corpus, model, config, monkeypatch
):
    from transformers import TrainerCallback
    from transformers.integrations import integration_utils

    told = []

    class Recorder(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **kwargs):
            told.append((state.global_step, dict(logs)))

    monkeypatch.setitem(integration_utils.INTEGRATION_TO_CALLBACK, "recorder", Recorder)
    continue_pretrain(model, corpus, tmp_path / "out", config(report_to="recorder"))
    names = {name for _, logs in told for name in logs}
    assert {"eval_bits_per_byte/yor_Latn", "eval_bits_per_byte/group/all", "tokens_per_second", "mfu",
            "memory_gb", "eta_seconds", "loss"} <= names  # fmt: skip
    validated = [step for step, logs in told if "eval_bits_per_byte/yor_Latn" in logs]
    assert validated == [0, 4, 8]
    assert [step for step, logs in told if "loss" in logs] == list(range(1, 9))
    assert [step for step, logs in told if "mfu" in logs] == [3, 6, 8]


def test_a_loss_far_above_those_before_it_is_a_spike():
    calm = [3 + 0.01 * (n % 3) for n in range(40)]
    assert not any(is_spike(calm, n) for n in range(40))
    assert is_spike([*calm, 3.5], 40)
    assert not is_spike([*calm, 3.05], 40)  # far by deviations, but not by a tenth
    assert not is_spike([3.0] * 5 + [9.0], 5)  # too early to tell
    noisy = [3 + (n % 10) / 10 for n in range(40)]
    assert not is_spike([*noisy, 4.2], 40)


def test_a_spike_is_warned_of_while_it_happens(caplog):
    from types import SimpleNamespace

    history = [{"loss": 3.0 + 0.01 * (n % 3), "step": n + 1} for n in range(30)]
    history.append({"loss": 6.0, "step": 31})
    state = SimpleNamespace(log_history=history, global_step=31)
    with caplog.at_level(logging.WARNING):
        SpikeCallback().on_log(None, state, None, logs={"loss": 6.0})
    assert (
        "step 31: the loss jumped to 6.000; the median of the steps before it was 3.010"
        in caplog.text
    )


def test_a_run_leaves_a_record_of_hardware_speed_and_energy_beside_the_manifest(
    tmp_path, corpus, model, config, tmp_path_factory
):
    run = continue_pretrain(model, corpus, tmp_path / "out", config())
    text = (run.path / "training.json").read_text()
    record = json.loads(text)
    assert record["n_tokens_computed"] == run.manifest["n_tokens"]
    assert record["hardware"]["n_cores"] >= 1
    assert record["seconds"] > 0
    assert 0 < record["mfu"] < 1
    assert record["footprint"]["is_estimate"]
    assert str(tmp_path_factory.getbasetemp()) not in text
    assert "seconds" not in (run.path / "manifest.json").read_text()
    assert run.manifest["loss_spikes"] == []


def test_energy_is_hours_by_devices_by_watts_and_carbon_follows():
    found = footprint(7200, 700.0, 8)
    assert found["kwh"] == pytest.approx(2 * 8 * 0.7 * 1.1)
    assert found["kg_co2e"] == pytest.approx(found["kwh"] * 0.481)
    assert footprint(7200, None, 8)["kwh"] is None


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("NVIDIA A100-SXM4-80GB", "A100-80GB"),
        ("NVIDIA A100-SXM4-40GB", "A100-40GB"),
        ("NVIDIA H100 PCIe", "H100-PCIe"),
        ("NVIDIA H100 80GB HBM3", "H100-80GB"),
        ("AMD Instinct MI250X", "MI250X-GCD"),
        ("h200", "H200"),
    ],
)
def test_the_drivers_name_of_a_device_finds_its_row(name, device):
    row = device_row(name)
    assert row is not None
    assert row["device"] == device
    assert device_row("Abacus") is None


def test_the_peak_is_measured_once(monkeypatch):
    first = matmul_peak("cpu", False)
    assert 1e8 < first < 1e14
    assert matmul_peak("cpu", False) == first
    assert hardware("cpu", 2)["n_devices"] == 1
