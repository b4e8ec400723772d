"""Example results to publish, a Hub on loopback, and clients of it in processes of their own."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from emma500.evaluation.aggregation import details_schema
from emma500.evaluation.scores import Scores
from emma500.evaluation.tasks.results import measures_schema, samples_schema
from emma500.folder import Corpus, config_name
from emma500.publishing import corpus_figures, figures, loss_figures, mixture_figures
from tests.loopback import LoopbackHub

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def manifests():
    """The example manifests by kind: a corpus, and the four kinds of models."""
    kinds = ("corpus", "training-run", "extended-model", "merged-model", "instructed-model")
    return {name: _json(f"{name}.json") for name in kinds}


@pytest.fixture(scope="session")
def record():
    """What the example run says of its hardware."""
    return _json("training.json")


@pytest.fixture(scope="session")
def making():
    """What a model that was made without a training run says of its hardware."""
    return _json("making.json")


@pytest.fixture(scope="session")
def before():
    return _scores("before")


@pytest.fixture(scope="session")
def after():
    return _scores("after")


@pytest.fixture(scope="session")
def written(after):
    """Scores with what the model wrote: a translation into two languages, and programs."""
    samples, measures = [], []
    for label, output, right in (("yor_Latn", "ẹ káàárọ̀", 1.0), ("nqo_Nkoo", "good morning", 0.0)):
        keys = {
            "benchmark": "flores200",
            "mode": "fixed",
            "label": label,
            "id": "1",
            "parallel_id": "1",
        }
        samples.append(keys | {
            "prompt": "English: good morning", "n_shots": 3, "is_truncated": False, "targets": [output],
            "outputs": [output],
        })  # fmt: skip
        measures.append(keys | {"metric": "right_language_rate", "statistics": [right, 1.0]})
        measures.append(keys | {"metric": "empty_rate", "statistics": [0.0, 1.0]})
    samples.append({
        "benchmark": "humaneval", "mode": "fixed", "label": "code-python", "id": "7", "parallel_id": "7",
        "prompt": "def f():", "n_shots": 0, "is_truncated": False, "targets": [], "outputs": ["", "    return 1"],
    })  # fmt: skip
    return Scores(
        after.manifest,
        after.details,
        samples=pa.Table.from_pylist(samples, schema=samples_schema()),
        measures=pa.Table.from_pylist(measures, schema=measures_schema()),
    )


@pytest.fixture
def corpus(tmp_path, manifests):
    return Corpus(write_corpus(tmp_path / "mala", manifests["corpus"]))


@pytest.fixture
def write_corpus_folder():
    return write_corpus


@pytest.fixture
def model(tmp_path, manifests):
    return write_model(tmp_path / "model", manifests["training-run"])


@pytest.fixture
def made(tmp_path, manifests):
    """Writes the folder of a model that was extended, merged or instructed."""

    def write(kind):
        return write_model(tmp_path / kind, manifests[kind])

    return write


@pytest.fixture(scope="module")
def results(tmp_path_factory, manifests):
    """A corpus and the folder of a model trained on it, for tests that change neither."""
    folder = tmp_path_factory.mktemp("results")
    corpus = Corpus(write_corpus(folder / "mala", manifests["corpus"]))
    return corpus, write_model(folder / "model", manifests["training-run"])


@pytest.fixture
def placeholders(monkeypatch):
    """Files of a few bytes in the place of figures, which take seconds to draw."""
    for module in (figures, corpus_figures, loss_figures, mixture_figures):
        monkeypatch.setattr(module, "draw", draw_nothing)


def draw_nothing(folder, name, figure, size):
    """Write a figure's two files without drawing it."""
    folder.mkdir(parents=True, exist_ok=True)
    for ending in ("png", "svg"):
        (folder / f"{name}.{ending}").write_text(f"{name} {size}", encoding="utf-8")
    return folder / f"{name}.svg"


def write_model(folder, manifest):
    """Write a folder as training leaves it, with weights of a few bytes."""
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"weights" * 100)
    (folder / "README.md").write_text("a card the trainer left\n", encoding="utf-8")
    record = "training.json" if manifest["kind"] == "training-run" else "making.json"
    (folder / "training.json").write_bytes((DATA / record).read_bytes())
    (folder / "checkpoints" / "step-8").mkdir(parents=True)
    (folder / "checkpoints" / "step-8" / "model.safetensors").write_bytes(b"older weights")
    return folder


def write_corpus(folder, manifest, *, text="text", rows=3):
    """Write a corpus folder with the manifest's labels and a few rows each."""
    configs: dict[str, list[dict[str, str]]] = {}
    for row in manifest["splits"]:
        path = folder / row["files"][0]
        path.parent.mkdir(parents=True, exist_ok=True)
        name = f"{row['label']}-{row['split']}"
        table = pa.table(
            {"id": [f"{name}-{i}" for i in range(rows)], "text": [f"{name} {text}"] * rows}
        )
        pq.write_table(table, path)
        pattern = f"{path.parent.relative_to(folder)}/{row['split']}-*.parquet"
        configs.setdefault(config_name(row["component"], row["label"]), []).append(
            {"split": row["split"], "path": pattern}
        )
    entries: list[dict[str, object]] = [
        {"config_name": name, "data_files": files} for name, files in sorted(configs.items())
    ]
    entries[0]["description"] = f"build {manifest['digest'][:16]}"
    everything = [
        {"split": split, "path": f"data/*/{split}-*.parquet"} for split in ("train", "validation")
    ]
    entries.append({"config_name": "default", "default": True, "data_files": everything})
    fields = yaml.safe_dump({"configs": entries}, sort_keys=False)
    (folder / "README.md").write_text(f"---\n{fields}---\n# short card\n", encoding="utf-8")
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    (folder / "quarantine.jsonl").write_text('{"file": "a.jsonl", "line": 3}\n', encoding="utf-8")
    return folder


@pytest.fixture
def hub(tmp_path):
    """A Hub that the real client talks to over loopback."""
    server = LoopbackHub(tmp_path / "hub").start()
    yield server
    server.stop()


@pytest.fixture
def start_client(hub, tmp_path):
    """Start a process that runs Python code and knows this Hub.

    What it publishes has placeholders for figures.
    """
    started = []

    def start(code, *, xet=False, token=True, **environment):
        env = {
            **os.environ,
            "HF_ENDPOINT": hub.endpoint,
            "HF_TOKEN": hub.token if token else "",
            "HF_HOME": str(tmp_path / "hf-home"),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "0" if xet else "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        process = subprocess.Popen(
            [sys.executable, "-c", f"{_PRELUDE}\n{code}"],
            env=env, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.kill()


@pytest.fixture
def client(start_client):
    """Run Python code in a process that knows this Hub; what it prints comes back, read as JSON."""

    def run(code, *, check=True, **options):
        process = start_client(code, **options)
        out, err = (each.decode() for each in process.communicate(timeout=120))
        if not check:
            return subprocess.CompletedProcess(process.args, process.returncode, out, err)
        assert process.returncode == 0, err[-3000:]
        return json.loads(out.splitlines()[-1]) if out.strip() else None

    return run


_PRELUDE = f"""
import json
from emma500.publishing import corpus_figures, figures, loss_figures, mixture_figures
from emma500.publishing.publish import PublishConfig, publish
quick = dict(delay=0.01)
{inspect.getsource(draw_nothing)}
figures.draw = corpus_figures.draw = loss_figures.draw = mixture_figures.draw = draw_nothing
"""


def _json(name):
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def _scores(name):
    return Scores(
        _json(f"scores-{name}.json"),
        pa.Table.from_pylist(_json(f"details-{name}.json"), schema=details_schema()),
    )
