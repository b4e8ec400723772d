import json
import math

import pytest

from emma500.errors import ConfigError, LanguageError, OutputError, SourceError, TrainingError
from emma500.training.run import TrainingRun, continue_pretrain


@pytest.fixture(scope="module")
def finished(tmp_path_factory, corpus, model):
    """One finished run that several tests look at."""
    from emma500.training.config import TrainConfig

    output = tmp_path_factory.mktemp("finished") / "out"
    config = TrainConfig(
        max_steps=30, max_length=64, learning_rate=1e-2, eval_steps=10, logging_steps=4, languages=["yo", "kat_Geor"],
        shares={"code": 0.2}, components=["monolingual", "bilingual", "code"], warmup_steps=2,
    )  # fmt: skip
    return continue_pretrain(model, corpus, output, config)


def test_the_model_learns_every_language_it_is_trained_on(finished):
    change = finished.change()
    assert sorted(change) == ["eng_Latn", "kat_Geor", "yor_Latn"]
    assert max(change.values()) < -0.2


def test_validation_is_recorded_at_the_start_at_every_eval_step_and_at_the_end(finished):
    table = finished.to_pandas()
    assert sorted(set(table["step"])) == [0, 10, 20, 30]
    first = table[table["step"] == 0].iloc[0]
    assert first["bits_per_byte"] == pytest.approx(first["nll"] / math.log(2) / first["n_bytes"])
    assert (table["stderr"] > 0).all()


def test_the_manifest_says_what_was_trained_on_what(finished):
    manifest = finished.manifest
    assert list(manifest)[:2] == ["kind", "fingerprint"]
    assert manifest["base_model"]["name"] == "tiny"
    assert manifest["base_model"]["n_parameters"] == 26_880
    assert manifest["corpus"] == {"name": "tiny", "fingerprint": "f" * 32, "digest": "d" * 32}
    plan = {(row["component"], row["label"]): row for row in manifest["plan"]}
    assert plan["monolingual", "eng_Latn"]["replay"]
    assert plan["monolingual", "eng_Latn"]["share"] == 0.25
    assert plan["code", "python"]["share"] == 0.2
    assert plan["bilingual", "eng_Latn-yor_Latn"]["sources"] == ["catalogue"]
    assert plan["monolingual", "yor_Latn"]["sources"] == ["made-up-0", "made-up-1"]
    assert manifest["n_tokens"] == sum(row["n_tokens_trained"] for row in manifest["plan"])
    assert 0.9 < manifest["n_tokens"] / (30 * 4 * 64) < 1
    assert manifest["languages"] == ["eng_Latn", "kat_Geor", "yor_Latn"]
    assert [row["step"] for row in manifest["log"]] == [4, 8, 12, 16, 20, 24, 28, 30]
    assert manifest["log"][-1]["loss"] < manifest["log"][0]["loss"]


def test_the_output_is_a_model_folder_without_traces_of_the_machine(
    finished, model, tmp_path_factory
):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loaded = AutoModelForCausalLM.from_pretrained(finished.path)
    assert loaded.config.use_cache
    assert AutoTokenizer.from_pretrained(finished.path)("ọmọ")["input_ids"]
    for file in finished.path.iterdir():
        assert str(tmp_path_factory.getbasetemp()).encode() not in file.read_bytes(), file.name
    assert not finished.path.with_name("out.work").exists()


def test_a_run_reads_as_a_sentence_and_a_line_a_language(finished):
    lines = repr(finished).split("\n")
    assert lines[0].startswith("TrainingRun(tiny on tiny: 30 steps, ")
    assert len(lines) == 4
    assert "bits per byte (-" in lines[1]


def test_a_finished_run_returns_at_once(finished, corpus, model):
    from emma500.training.config import TrainConfig

    before = (finished.path / "model.safetensors").stat().st_mtime_ns
    left = finished.path.with_name("out.work.lock")  # as of a process killed at its very end
    left.touch()
    calls = []
    again = continue_pretrain(
        model,
        corpus,
        finished.path,
        TrainConfig(**{**finished.config, "save_steps": 5, "report_to": "none"}),
        progress=lambda *call: calls.append(call),
    )
    assert calls == []
    assert not left.exists()
    assert again.manifest == finished.manifest
    assert (finished.path / "model.safetensors").stat().st_mtime_ns == before


def test_another_configuration_does_not_replace_a_finished_run_silently(
    tmp_path, corpus, model, config
):
    first = continue_pretrain(model, corpus, tmp_path / "out", config(max_steps=2))
    with pytest.raises(OutputError, match=r"max_steps: 2 there, 3 here.*overwrite=True"):
        continue_pretrain(model, corpus, tmp_path / "out", config(max_steps=3))
    second = continue_pretrain(model, corpus, tmp_path / "out", config(max_steps=3, overwrite=True))
    assert first.manifest["n_steps"] == 2
    assert second.manifest["n_steps"] == 3


def test_another_configuration_does_not_go_on_from_this_ones_checkpoints(
    tmp_path, corpus, model, config, monkeypatch
):
    from emma500.training import session

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(session, "export", stop)
        with pytest.raises(KeyboardInterrupt):
            continue_pretrain(model, corpus, tmp_path / "out", config())
    with pytest.raises(
        OutputError, match=r"checkpoints of a run .*learning_rate: 0.005 there, 0.001 here"
    ):
        continue_pretrain(model, corpus, tmp_path / "out", config(learning_rate=1e-3))
    steps = []
    continue_pretrain(
        model,
        corpus,
        tmp_path / "out",
        config(learning_rate=1e-3, overwrite=True),
        progress=lambda what, done, total: steps.append(done) if what == "training" else None,
    )
    assert steps[0] == 0


def test_resume_off_starts_from_the_beginning(tmp_path, corpus, model, config):
    options = {"keep_checkpoints": True}
    continue_pretrain(model, corpus, tmp_path / "out", config(**options))
    (tmp_path / "out" / "manifest.json").unlink()
    steps = []
    continue_pretrain(
        model,
        corpus,
        tmp_path / "out",
        config(resume=False, overwrite=True, **options),
        progress=lambda what, done, total: steps.append(done) if what == "training" else None,
    )
    assert steps[0] == 0


def test_an_output_with_foreign_files_is_refused(tmp_path, corpus, model, config):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="is not a finished training-run"):
        continue_pretrain(model, corpus, tmp_path, config())
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("where", ["weights", "gradients"])
def test_training_ends_before_a_number_that_is_none_reaches_the_weights(
    tmp_path, corpus, model, config, monkeypatch, where
):
    import torch

    from emma500.training.loop.trainer import PackedTrainer

    weights = {}
    step = PackedTrainer.training_step

    def poisoned(self, net, *args, **kwargs):
        if self.state.global_step == 4 and where == "weights":
            next(net.parameters()).data[:] = math.nan
        loss = step(self, net, *args, **kwargs)
        if self.state.global_step == 4:
            parameter = next(net.parameters())
            parameter.grad[0, 0] = math.inf
            weights[id(net)] = net, [each.detach().clone() for each in net.parameters()]
        return loss

    monkeypatch.setattr(PackedTrainer, "training_step", poisoned)
    name = {"weights": "loss", "gradients": "norm of the gradients"}[where]
    with pytest.raises(
        TrainingError,
        match=rf"the {name} is (nan|inf) in step 5 \(its rows hold .*monolingual kat_Geor.*\).*"
        "weights are still those of step 4",
    ):
        continue_pretrain(model, corpus, tmp_path / "out", config())
    for net, before in weights.values():
        assert all(
            torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)
            for one, other in zip(net.parameters(), before, strict=True)
        )
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "out.work" / "checkpoints" / "checkpoint-3").exists()


def test_lora_trains_adapters_and_exports_a_merged_model(tmp_path, corpus, model, config):
    import torch
    from transformers import AutoModelForCausalLM

    options = {"use_peft": True, "lora_r": 4, "learning_rate": 5e-2, "max_steps": 16}
    run = continue_pretrain(model, corpus, tmp_path / "out", config(**options))
    assert run.change()["yor_Latn"] < -0.01  # a random base learns little through adapters
    merged = AutoModelForCausalLM.from_pretrained(run.path).state_dict()
    base = AutoModelForCausalLM.from_pretrained(model).state_dict()
    assert list(merged) == list(base)
    assert torch.equal(merged["model.embed_tokens.weight"], base["model.embed_tokens.weight"])
    name = "model.layers.0.self_attn.q_proj.weight"
    assert not torch.equal(merged[name], base[name])
    assert run.manifest["base_model"]["n_parameters"] == 26_880


def test_the_merged_lora_model_scores_as_the_last_validation_says(tmp_path, corpus, model, config):
    from emma500.folder import Corpus
    from emma500.models import document_nll, load_model, load_tokenizer
    from emma500.training.data import prepare

    settings = config(use_peft=True, lora_r=4, learning_rate=2e-2, bf16=False)
    run = continue_pretrain(model, corpus, tmp_path / "out", settings)
    data = prepare(
        Corpus(corpus),
        load_tokenizer(run.path),
        settings,
        rows_per_step=2,
        folder=tmp_path / "tokens",
    )
    assert data.validation is not None
    nll = document_nll(load_model(run.path), data.validation.rows)
    last = data.validation.summary(8, nll)
    recorded = [row for row in run.manifest["validation"] if row["step"] == 8]
    for one, other in zip(last, recorded, strict=True):
        assert one["bits_per_byte"] == pytest.approx(other["bits_per_byte"], rel=1e-5)


def test_accumulation_and_batch_size_train_the_same_model(tmp_path, corpus, model, config):
    import torch
    from transformers import AutoModelForCausalLM

    runs = [
        continue_pretrain(
            model,
            corpus,
            tmp_path / str(rows),
            config(
                per_device_train_batch_size=rows, gradient_accumulation_steps=4 // rows, bf16=False
            ),
        )
        for rows in (1, 4)
    ]
    assert runs[0].manifest["n_tokens"] == runs[1].manifest["n_tokens"]
    one, other = (AutoModelForCausalLM.from_pretrained(run.path).state_dict() for run in runs)
    assert all(torch.allclose(one[name], other[name], atol=1e-4) for name in one)


def test_gradient_checkpointing_trains_the_same_model(tmp_path, corpus, model, config):
    losses = [
        continue_pretrain(
            model, corpus, tmp_path / str(on), config(gradient_checkpointing=on, bf16=False)
        ).manifest["log"][-1]["loss"]
        for on in (False, True)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_language_the_corpus_lacks_is_refused_with_the_nearest(tmp_path, corpus, model, config):
    with pytest.raises(LanguageError, match=r"tiny has no text in 'yor_Arab'; nearest: yor_Latn"):
        continue_pretrain(model, corpus, tmp_path / "out", config(languages=["yor_Arab"]))


def test_more_steps_than_the_text_allows_are_refused(tmp_path, corpus, model, config):
    with pytest.raises(ConfigError, match=r"at most [\d,]+ steps are possible .*lower max_steps"):
        continue_pretrain(model, corpus, tmp_path / "out", config(max_steps=100_000))


def test_rows_longer_than_the_model_takes_are_refused(tmp_path, corpus, model, config):
    with pytest.raises(ConfigError, match="max_length is 4096, but the model takes at most 2048"):
        continue_pretrain(model, corpus, tmp_path / "out", config(max_length=4096, max_steps=1))


def test_a_model_that_is_not_there_is_a_source_error(tmp_path, corpus, config):
    with pytest.raises(SourceError, match="neither a folder nor can it be read from the Hub"):
        continue_pretrain("nobody/nothing", corpus, tmp_path / "out", config())


def test_a_folder_that_is_no_training_run_is_a_source_error(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"kind": "corpus"}))
    with pytest.raises(SourceError, match="holds a corpus, not a training-run"):
        TrainingRun(tmp_path)
