"""A recipe run to the end: with a tiny model and few tokens, killed on the way, then gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emma500 import BuildConfig, EvalConfig, TrainConfig, reproduce
from emma500.cli import main
from emma500.cli.commands import COMMANDS
from emma500.cli.parsing import parse
from emma500.errors import ConfigError
from emma500.manifest import read_manifest
from emma500.recipes import reproduce as module

ROOT = Path(__file__).parent.parent.parent
BI = "emma-500-llama3.1-bi"


@pytest.fixture
def asked(monkeypatch):
    """What would be run, instead of running it."""
    calls = []

    def run_pipeline(pipeline, output, **options):
        calls.append((pipeline, output, options))
        return "done"

    monkeypatch.setattr(module, "run_pipeline", run_pipeline)
    return calls


def test_the_whole_scale_reads_trains_and_evaluates_what_the_recipe_names(asked, tmp_path):
    reproduce("emma-500-llama2", tmp_path, scale=1)
    ((pipeline, output, options),) = asked
    assert output == tmp_path
    assert pipeline.sources[0] == "mala-integration"
    assert pipeline.model == pipeline.base_model == "meta-llama/Llama-2-7b-hf"
    assert pipeline.training == TrainConfig.preset("emma500-llama2")
    assert not pipeline.any_components
    assert {"sib200", "flores200"} <= set(pipeline.benchmarks)
    assert not {"taxi1500", "pbc", "glot500"} & set(pipeline.benchmarks)  # have to be asked for
    assert pipeline.license == "llama2"
    assert options["to_hub"] is False


def test_below_the_whole_scale_what_is_embedded_stands_in(asked, tiny_model, tmp_path):
    reproduce(BI, tmp_path, scale=1e-6, model=tiny_model)
    reproduce("emma-500-llama3-mono", tmp_path, scale=1e-6, model=tiny_model)
    bi, mono = (each[0] for each in asked)
    assert bi.sources == mono.sources == "embedded"
    assert bi.benchmarks == ["validation", "validation-pairs"]
    assert mono.benchmarks == ["validation"]
    assert bi.any_components
    assert (bi.model, bi.base_model, bi.license) == (tiny_model, None, None)
    assert list(tmp_path.iterdir()) == []  # its configurations would lack what the corpus lacks


def test_only_a_repository_that_is_named_is_published(asked, tiny_model, tmp_path):
    options = {"scale": 1e-6, "model": tiny_model}
    reproduce(BI, tmp_path, repo_id="user/emma", **options)
    ((pipeline, _, called),) = asked
    assert called["to_hub"] is True
    assert (pipeline.model_repo, pipeline.corpus_repo) == ("user/emma", "user/emma-corpus")
    with pytest.raises(ConfigError, match="repo_id must be user/name, not 'emma'"):
        reproduce(BI, tmp_path, repo_id="emma", **options)


def test_what_is_named_stands_before_the_recipe(asked, tmp_path):
    reproduce(BI, tmp_path, scale=1e-3, sources=["texts"], model="user/base", benchmarks=["sib200"])
    ((pipeline, _, _),) = asked
    assert (pipeline.sources, pipeline.benchmarks) == (["texts"], ["sib200"])
    assert (pipeline.model, pipeline.base_model) == ("user/base", "user/base")


def test_the_configurations_it_writes_are_those_of_the_commands(asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reproduce(BI, "out", scale=1)
    ((pipeline, _, _),) = asked
    found = {}
    for name in ("build", "train", "evaluate"):
        found[name] = parse(name, COMMANDS[name], ["--config", f"out/{name}.yaml"])
    arguments, config = found["build"]
    assert (arguments.sources, arguments.output) == (pipeline.sources, "out/mala")
    assert config == pipeline.build != BuildConfig()
    arguments, config = found["train"]
    assert arguments.model_name_or_path == "meta-llama/Llama-3.1-8B"
    assert (arguments.dataset_name, arguments.output) == ("out/mala", "out/model")
    assert config == pipeline.training != TrainConfig()
    arguments, config = found["evaluate"]
    assert (arguments.model_name_or_path, arguments.output) == ("out/model", "out/scores/after")
    assert arguments.benchmarks == pipeline.benchmarks
    assert config == EvalConfig(mode="faithful", corpus="out/mala")


@pytest.mark.parametrize("scale", [0, 2, float("nan")])
def test_a_bad_scale_is_refused_before_anything_is_done(asked, scale, tmp_path):
    with pytest.raises(ConfigError, match="scale must be above 0 and at most 1"):
        reproduce(BI, tmp_path / "out", scale=scale)
    assert not asked
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "--recipe is required: one of emma-500-llama2, emma-500-llama3-mono"),
        (["emma-500-llama2"], "--scale is required, or --plan"),
        (["emma-500-llama4", "--plan"], "no recipe 'emma-500-llama4'; did you mean emma-500-llama"),
        ([BI, "--plan", "--scale", "7"], "scale must be above 0 and at most 1, not 7.0"),
    ],
)
def test_wrong_usage_of_the_command_is_one_line_and_status_2(words, message, capsys):
    assert main(["reproduce", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_the_command_prints_the_plan(capsys):
    assert main(["reproduce", BI, "--plan", "--devices", "H200:8"]) == 0
    page = capsys.readouterr().out
    assert "40,000 steps x 16,777,216 tokens" in page
    assert "8 x H200" in page


def start(model, output):
    return subprocess.Popen(
        [sys.executable, "-m", "emma500", "reproduce", BI, "--scale", "1e-8",
         "--model_name_or_path", str(model), "--output", str(output)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip


@pytest.mark.slow
def test_killed_in_training_and_called_again_a_scaled_recipe_ends_with_all_that_it_makes(
    tiny_model, tmp_path
):
    output = tmp_path / "out"
    process = start(tiny_model, output)
    deadline = time.monotonic() + 1200
    while not (output / "model.work").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()[1][-2000:]
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    scored = (output / "scores" / "before" / "manifest.json").stat().st_ino
    assert not (output / "model").exists()
    built = (output / "mala" / "manifest.json").stat().st_ino
    process = start(tiny_model, output)
    printed, errors = process.communicate(timeout=1200)
    assert process.returncode == 0, errors[-2000:]
    assert (output / "mala" / "manifest.json").stat().st_ino == built
    assert (output / "scores" / "before" / "manifest.json").stat().st_ino == scored
    for words in ("after each stage", f"{output}/hub/local/{BI}-scores", "peak GiB"):
        assert words in printed
    for name in ("report.html", "report.md", f"hub/local/{BI}-corpus/README.md"):
        assert (output / name).stat().st_size > 100, name

    run = read_manifest(output / "model")
    config = run["config"]
    tokens = config["max_steps"] * config["global_batch_size"] * config["max_length"]
    assert tokens == pytest.approx(6711, rel=0.02)  # of 671,088,640,000
    plan = run["plan"]
    shares = {
        name: sum(row["share"] for row in plan if row["component"] == name)
        for name in ("monolingual", "bilingual", "code")
    }
    whole = 0.263 + 0.323 + 0.150  # the other components are not embedded: these share their part
    assert shares == pytest.approx(
        {"monolingual": 0.263 / whole, "bilingual": 0.323 / whole, "code": 0.150 / whole}, abs=1e-3
    )
    assert "unseen" not in {row["group"] for row in plan}
    scores = json.loads((output / "scores" / "after" / "manifest.json").read_text("utf-8"))
    assert scores["config"]["benchmarks"] == ["validation", "validation-pairs"]
