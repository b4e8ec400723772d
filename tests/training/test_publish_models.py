"""What training, extending, merging and tuning write is what `publish` makes cards of: real runs."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.publishing.metadata import split_card
from emma500.publishing.publish import publish
from emma500.publishing.tables import duration
from emma500.records import document_schema
from emma500.training.instruction.tuning import InstructConfig, instruct
from emma500.training.merging import MergeConfig, merge_models
from emma500.training.run import continue_pretrain
from emma500.training.vocabulary.config import VocabularyConfig
from emma500.training.vocabulary.extend import extend_vocabulary

pytestmark = [
    pytest.mark.filterwarnings("ignore:numpy.core is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings(
        "ignore:`is_gradient_checkpointing` is deprecated and will be removed in v6:FutureWarning"
    ),
]


@pytest.fixture(scope="module")
def lessons(tmp_path_factory):
    """A corpus of conversations, and one document that is none."""
    root = tmp_path_factory.mktemp("conversations")
    name = "instruction/eng_Latn/train-00000-of-00001.parquet"
    texts = [f"user: {n} + {n}?\n\nassistant: {2 * n}." for n in range(8)] + ["no turns here"]
    rows = [
        {"id": f"{n:04}", "label": "eng_Latn", "source": "sums", "text": text}
        for n, text in enumerate(texts)
    ]
    (root / name).parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=document_schema()), root / name)
    splits = [{"component": "instruction", "label": "eng_Latn", "split": "train", "files": [name]}]
    manifest = {
        "kind": "corpus", "name": "lessons", "fingerprint": "f" * 32, "digest": "d" * 32, "splits": splits
    }  # fmt: skip
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root


@pytest.fixture(scope="module")
def extended(model, corpus, tmp_path_factory):
    config = VocabularyConfig(
        n_pieces=60, min_frequency=5, max_validation_bytes=600, max_length=128
    )
    return extend_vocabulary(model, corpus, tmp_path_factory.mktemp("made") / "extended", config)


@pytest.fixture
def published(tmp_path):
    """Publishes a model to a folder, and returns the folder and the text of its card."""

    def to_folder(made):
        folder = publish(made, "user/m", directory=tmp_path / "hub").path
        assert folder is not None
        return folder, (folder / "README.md").read_text(encoding="utf-8")

    return to_folder


def assert_hardware_is_told(folder, text):
    record = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    assert record["seconds"] > 0
    assert record["footprint"]["is_estimate"]
    assert f"| device | {record['hardware']['device']} |" in text
    assert f"| duration | {duration(record['seconds'])} |" in text


def test_a_continued_extended_model_is_published_with_its_mixture_and_hardware(
    extended, corpus, config, published, tmp_path
):
    stages = [{"share": 0.5}, {"share": 0.5, "mixture": "uniform"}]
    settings = config(stages=stages, replay_share=0.25, keep="best", forgetting_limit=0.5)
    run = continue_pretrain(extended.path, corpus, tmp_path / "run", settings)
    folder, text = published(run)
    manifest = run.manifest
    with (folder / "mixture.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["n_tokens_trained"]) for row in rows) == manifest["n_tokens"]
    assert f"| {manifest['n_tokens']:,} |" in next(
        line for line in text.splitlines() if line.startswith("| **all** |")
    )
    assert "| in stage 1 | in stage 2 |" in text
    assert f"| tokens in documents that were cut | {manifest['packing']['cut_share']:.1%} |" in text
    assert "| within 50% |" in text
    record = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    assert f"| device | {record['hardware']['device']} |" in text
    emitted = split_card(text)[0]["co2_eq_emissions"]["emissions"]
    assert emitted == pytest.approx(1000 * record["footprint"]["kg_co2e"], rel=0.01)
    assert str(tmp_path) not in text


def test_an_extended_model_is_published_with_its_fertility(extended, published):
    folder, text = published(extended)
    old, new = (
        next(row for row in extended.manifest["report"] if (row["when"], row["label"]) == (when, "kat_Geor"))
        for when in ("before", "after")
    )  # fmt: skip
    assert f"| {old['tokens_per_word']:.2f} | {new['tokens_per_word']:.2f} |" in text
    assert (folder / "figures" / "vocabulary.png").is_file()
    assert (folder / "model.safetensors").samefile(extended.path / "model.safetensors")
    assert_hardware_is_told(folder, text)


def test_an_instructed_model_is_published_with_what_was_left_out(
    model, lessons, published, tmp_path
):
    settings = InstructConfig(max_steps=2, max_length=96, gradient_accumulation_steps=1, bf16=False)
    folder, text = published(instruct(model, lessons, tmp_path / "tuned", settings))
    assert "tuned on 8 conversations in 1 language: `eng_Latn`" in text
    assert "| no roles | 1 |" in text
    assert (folder / "figures" / "training.png").is_file()
    assert (folder / "chat_template.jinja").is_file()
    assert_hardware_is_told(folder, text)


def test_a_merged_model_is_published_with_its_weights(model, save_model, published, tmp_path):
    pytest.importorskip("mergekit", reason="emma500[merging] is not installed")
    models = [model, save_model("later", seed=2)]
    folder, text = published(
        merge_models(models, tmp_path / "merged", MergeConfig(weights=[1.0, 3.0]))
    )
    rows = [line for line in text.splitlines() if line.startswith(("| tiny |", "| later |"))]
    weights = [line.split("|")[3].strip() for line in rows]
    assert weights == ["0.250", "0.750"]
    assert split_card(text)[0]["tags"][:3] == ["emma500", "merge", "mergekit"]
    assert_hardware_is_told(folder, text)
