"""`instruct`: TRL's SFTTrainer on the instruction component, in one call."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from emma500.errors import ConfigError, LanguageError, OutputError, StoppedError, TrainingError
from emma500.folder import Corpus
from emma500.models import load_model, load_tokenizer, trained_sources
from emma500.records import document_schema
from emma500.training.instruction.conversations import read_conversations
from emma500.training.instruction.trainer import Loss, make_instruction_trainer
from emma500.training.instruction.tuning import TEMPLATE, InstructConfig, instruct
from emma500.training.loop.throughput import Stopwatch

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings(
    "ignore:`is_gradient_checkpointing` is deprecated and will be removed in v6:FutureWarning"
)


@pytest.fixture(scope="module")
def lessons(tmp_path_factory):
    """A corpus of sums, some conversations longer than others."""
    root = tmp_path_factory.mktemp("lessons")
    splits = []
    for split, count in (("train", 24), ("validation", 4)):
        rows = [
            {"id": f"{i:04}", "label": "eng_Latn", "source": f"sums-{i % 2}",
             "text": "\n\n".join([f"user: {i} + {i}?\n\nassistant: It is {2 * i}."] * (1 + i % 3))}
            for i in range(count)
        ]  # fmt: skip
        name = f"instruction/eng_Latn/{split}-00000-of-00001.parquet"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=document_schema()), root / name)
        splits.append(
            {"component": "instruction", "label": "eng_Latn", "split": split, "files": [name]}
        )
    (root / "manifest.json").write_text(
        json.dumps(
            {
                "kind": "corpus",
                "name": "lessons",
                "fingerprint": "f" * 32,
                "digest": "d" * 32,
                "splits": splits,
            }
        )
    )
    return root


@pytest.fixture
def settings():
    def make(**changes):
        return InstructConfig(
            **{"max_steps": 6, "max_length": 192, "gradient_accumulation_steps": 2, "learning_rate": 5e-3,
               "save_steps": 2, "bf16": False, **changes}
        )  # fmt: skip

    return make


@pytest.fixture(scope="module")
def tuned(model, lessons, tmp_path_factory):
    config = InstructConfig(
        max_steps=6, max_length=192, gradient_accumulation_steps=2, learning_rate=5e-3, save_steps=2, bf16=False
    )  # fmt: skip
    return instruct(model, lessons, tmp_path_factory.mktemp("tuned") / "out", config)


def weights(folder):
    return load_file(folder / "model.safetensors")


def trainer_of(model, lessons, config, tmp_path, template=TEMPLATE):
    tokenizer = load_tokenizer(model)
    tokenizer.chat_template = template
    conversations = read_conversations(
        Corpus(lessons), ["eng_Latn"], "train", turn=config.turn, plain=config.plain
    )
    loss = Loss.of(tokenizer)
    return tokenizer, make_instruction_trainer(
        load_model(model, dtype="float32"), tokenizer, config,
        conversations=(conversations, conversations), loss=loss, checkpoints=tmp_path / "checkpoints",
        stopwatch=Stopwatch(), progress=None,
    )  # fmt: skip


def test_the_loss_falls_on_held_out_conversations_and_the_model_is_whole(tuned):
    held = tuned.manifest["held_out_loss"]
    assert held["n_conversations"] == 4
    assert held["after"] < held["before"] - 1
    assert [row["step"] for row in tuned.manifest["log"]] == [1, 2, 3, 4, 5, 6]
    assert len(tuned.to_pandas()) == 6
    assert AutoModelForCausalLM.from_pretrained(tuned.path).config.use_cache is True
    assert not tuned.path.with_name("out.work").exists()
    assert not any(tuned.path.glob("*training_args*"))


def test_the_manifest_says_what_it_was_made_of(tuned):
    manifest = tuned.manifest
    assert manifest["corpus"] == {"name": "lessons", "fingerprint": "f" * 32, "digest": "d" * 32}
    assert manifest["n_conversations"] == 24
    assert manifest["n_by_label"] == {"eng_Latn": 24}
    assert manifest["loss_on"] == "assistant turns"
    assert manifest["chat_template"] == "emma500's"
    assert trained_sources(tuned.path) == {"sums-0", "sums-1"}
    assert "24 conversations, 6 steps" in repr(tuned)


def test_a_model_without_a_chat_template_has_one_afterwards(tuned):
    tokenizer = AutoTokenizer.from_pretrained(tuned.path)
    shown = tokenizer.apply_chat_template(
        [{"role": "user", "content": "1 + 1?"}], tokenize=False, add_generation_prompt=True
    )
    assert shown == "<|user|>\n1 + 1?\n<|assistant|>\n"


def test_a_finished_call_returns_at_once(tuned, model, lessons, settings):
    written = (tuned.path / "model.safetensors").stat().st_mtime_ns
    instruct(model, lessons, tuned.path, settings())
    assert (tuned.path / "model.safetensors").stat().st_mtime_ns == written
    with pytest.raises(OutputError, match="overwrite=True"):
        instruct(model, lessons, tuned.path, settings(max_steps=7))


@pytest.mark.parametrize(("last", "stopped"), [(5, KeyboardInterrupt), (3, StoppedError)])
def test_a_run_that_was_stopped_ends_with_the_same_weights(
    tuned, model, lessons, settings, tmp_path, last, stopped
):
    def stop(description, done, total):
        if (description, done) == ("training", last):
            if stopped is KeyboardInterrupt:
                raise stopped
            os.kill(os.getpid(), signal.SIGTERM)  # is heard at the end of the next step

    with pytest.raises(stopped):
        instruct(model, lessons, tmp_path / "out", settings(), progress=stop)
    assert not (tmp_path / "out").exists()
    (clock,) = (tmp_path / "out.work").glob("*/clock.json")
    before = json.loads(clock.read_text())["seconds"]
    seen = []
    again = instruct(
        model, lessons, tmp_path / "out", settings(), progress=lambda *each: seen.append(each)
    )
    assert ("training", 4, 6) in seen  # it went on from the checkpoint of step 4
    assert ("training", 1, 6) not in seen
    one, other = weights(tuned.path), weights(again.path)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    for name in ("log", "held_out_loss"):
        assert again.manifest[name] == tuned.manifest[name]
    assert json.loads((again.path / "training.json").read_text())["seconds"] > before


@pytest.mark.slow
def test_two_processes_train_as_one_with_twice_the_accumulation(tuned, model, lessons, tmp_path):
    script = tmp_path / "tune.py"
    script.write_text(
        "import sys\n"
        "from emma500 import InstructConfig, instruct\n"
        "config = InstructConfig(max_steps=6, max_length=192, gradient_accumulation_steps=1,\n"
        "                        learning_rate=5e-3, save_steps=2, bf16=False)\n"
        "instruct(*sys.argv[1:], config)\n"
    )
    call = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc_per_node=2",
        "--master_port=29741",
    ]
    run = subprocess.run(
        [*call, script, model, lessons, tmp_path / "out"],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    one, two = weights(tuned.path), weights(tmp_path / "out")
    assert all(np.allclose(one[name], two[name], atol=1e-5) for name in one)
    assert not (tmp_path / "out.work").exists()


def test_only_the_assistants_turns_count(model, lessons, settings, tmp_path):
    tokenizer, trainer = trainer_of(model, lessons, settings(), tmp_path)
    for row in trainer.train_dataset:
        counted = [label for label in row["labels"] if label != -100]
        n = tokenizer.decode(row["input_ids"]).count("<|assistant|>")
        answers = tokenizer.decode(counted)
        assert answers.count("It is ") == answers.count(".</s>") == n
        assert "user" not in answers
        assert "?" not in answers
    assert trainer.n_tokens == sum(
        label != -100 for labels in trainer.train_dataset["labels"] for label in labels
    )


def test_packed_conversations_do_not_see_each_other(model, lessons, settings, tmp_path):
    several = {"per_device_train_batch_size": 24}
    _, alone = trainer_of(model, lessons, settings(**several), tmp_path)
    _, packed = trainer_of(model, lessons, settings(packing=True, **several), tmp_path)
    assert len(packed.train_dataset) < len(alone.train_dataset)
    assert packed.evaluate()["eval_loss"] == pytest.approx(alone.evaluate()["eval_loss"], abs=1e-4)


def test_a_template_trl_cannot_mark_counts_the_last_answer(model, lessons, settings, tmp_path):
    template = (
        "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}[assistant] {% endif %}"
    )
    tokenizer, trainer = trainer_of(model, lessons, settings(), tmp_path, template)
    assert Loss.of(tokenizer).counts == "last answers"
    for row in trainer.train_dataset:
        counted = tokenizer.decode([label for label in row["labels"] if label != -100])
        assert counted.count("It is ") == 1
        assert "?" not in counted


def test_adapters_are_merged_into_an_ordinary_model(model, lessons, settings, tmp_path):
    made = instruct(model, lessons, tmp_path / "out", settings(use_peft=True, max_steps=3))
    old, new = weights(model), weights(made.path)
    assert set(new) == set(old)
    changed = {name for name in new if not np.array_equal(new[name], old[name])}
    assert changed
    assert all("proj" in name for name in changed)  # linear layers; neither norms nor embeddings


def test_conversations_cut_before_their_answer_are_counted(model, lessons, settings, tmp_path):
    with pytest.raises(ConfigError, match="max_length=12 cuts every conversation"):
        instruct(model, lessons, tmp_path / "out", settings(max_length=12))
    assert not (tmp_path / "out").exists()


def test_weights_that_are_no_numbers_end_the_run(model, lessons, settings, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    found = AutoModelForCausalLM.from_pretrained(model)
    with torch.no_grad():
        found.model.norm.weight[0] = float("nan")
    found.save_pretrained(broken)
    with pytest.raises(TrainingError, match="the loss is nan in step 1"):
        instruct(broken, lessons, tmp_path / "out", settings())
    assert not (tmp_path / "out").exists()


def test_a_corpus_without_instructions_is_refused(model, corpus, settings, tmp_path):
    with pytest.raises(ConfigError, match="tiny has no instruction component: build it with"):
        instruct(model, corpus, tmp_path / "out", settings())


def test_documents_that_are_no_conversations_are_refused_with_the_ways_out(
    model, lessons, settings, tmp_path
):
    with pytest.raises(ConfigError, match=r"24 with no roles.*Options\(turn=.*plain='first'"):
        instruct(
            model, lessons, tmp_path / "out", settings(turn="<{role}> {content}", plain="skip")
        )


def test_a_language_without_instructions_is_refused(model, lessons, settings, tmp_path):
    with pytest.raises(LanguageError, match="no text in 'yor_Latn'"):
        instruct(model, lessons, tmp_path / "out", settings(languages=["yor_Latn"]))


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("turn", "{role}", "a template with"),
        ("plain", "last", "one of two, first, skip"),
        ("max_steps", 0, "-1 or above 0"),
        ("learning_rate", 0.0, "above 0"),
        ("max_validation", -1, "0 or more"),
    ],
)
def test_values_of_instruction_that_break_their_rule_are_refused(field, value, wanted):
    with pytest.raises(ConfigError, match=f"InstructConfig.{field} must be {wanted}"):
        InstructConfig(**{field: value})
