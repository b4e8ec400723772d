"""The commands that make a model of others."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.cli import main
from emma500.records import document_schema


@pytest.fixture(scope="module")
def lessons(tmp_path_factory):
    """A corpus of one language, with text and with questions and answers."""
    root = tmp_path_factory.mktemp("corpora") / "lessons"
    splits = []
    for folder, component, text in (
        ("data", "monolingual", "Bahari ni kubwa sana leo asubuhi."),
        ("instruction", "instruction", "Habari ya leo?\n\nNzuri sana."),
    ):
        name = f"{folder}/swh_Latn/train-00000-of-00001.parquet"
        (root / name).parent.mkdir(parents=True)
        rows = [
            {"id": f"{i:04}", "text": text, "label": "swh_Latn", "source": "made-up"}
            for i in range(12)
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=document_schema()), root / name)
        splits.append(
            {"component": component, "label": "swh_Latn", "split": "train", "n_documents": 12, "files": [name]}
        )  # fmt: skip
    manifest = {"kind": "corpus", "name": "lessons", "fingerprint": "f" * 32, "digest": "d" * 32,
                "splits": splits, "sources": [{"name": "made-up"}]}  # fmt: skip
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root


def run(capsys, *words):
    status = main([str(word) for word in words])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_extend_writes_a_model_and_says_how_many_pieces(tiny_model, lessons, tmp_path, capsys):
    status, out, _ = run(
        capsys, "extend", "--model_name_or_path", tiny_model, "--dataset_name", lessons,
        "--output", tmp_path / "out", "--n_pieces", 7, "--languages", "swh",
    )  # fmt: skip
    assert status == 0
    assert "with 7 new pieces for 1 languages" in out
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_instruct_tunes_a_model_and_says_on_how_much(tiny_model, lessons, tmp_path, capsys):
    status, out, _ = run(
        capsys, "instruct", "--model_name_or_path", tiny_model, "--dataset_name", lessons,
        "--output", tmp_path / "out", "--max_steps", 1, "--no_bf16", "--max_length", 128,
    )  # fmt: skip
    assert status == 0
    assert "12 conversations, 1 steps" in out


def test_merge_takes_its_models_as_words_and_weights_as_numbers(tiny_model, tmp_path, capsys):
    status, _, error = run(
        capsys, "merge", tiny_model, tiny_model, "--output", tmp_path / "out", "--weights", 1
    )
    assert status == 2
    assert "there are 1 weights for 2 models" in error


@pytest.mark.parametrize("command", ["extend", "instruct", "merge"])
def test_a_command_without_an_output_says_what_it_lacks(command, capsys):
    model = ["--models", "a", "b"] if command == "merge" else ["--model_name_or_path", "a"]
    status, _, error = run(capsys, command, *model)
    assert status == 2
    assert "--output is required" in error
