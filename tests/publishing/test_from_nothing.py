"""From nothing to the Hub and back: the fifth notebook as a script, and a reader who has only the Hub."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "05_add_your_language.ipynb"

WRITER = """
import json
from datasets import load_dataset
rows = load_dataset(str(FOLDER / "corpus"), language, split="train")
print(json.dumps({
    "rows": sorted(rows["id"]),
    "texts": sorted(rows["text"]),
    "words": corpus.stats.by("label", "stage", "reason").to_pandas().to_csv(),
    "scores": [(row["label"], row["metric"], row["value"], row["stderr"], row["n"]) for row in after.rows],
}))
"""

READER = """
import json
from datasets import load_dataset
from emma500 import Corpus, EvalConfig, evaluate
rows = load_dataset("tester/hsb", "hsb_Latn", split="train")
scores = load_dataset("tester/smollm2-hsb-scores", "results", split="train").to_list()
settings = EvalConfig(limit=8, max_length=256, bf16=True)
again = evaluate("tester/smollm2-hsb", ["gflanguages"], ["hsb_Latn", "eng_Latn"], settings)
columns = ("label", "metric", "value", "stderr", "n")
print(json.dumps({
    "rows": sorted(rows["id"]),
    "texts": sorted(rows["text"]),
    "words": Corpus("tester/hsb").stats.by("label", "stage", "reason").to_pandas().to_csv(),
    "scores": [[row[name] for name in columns] for row in scores],
    "measured again": [[row[name] for name in columns] for row in again.rows],
    "packages": [each["name"] for each in again.manifest["benchmarks"]],
}))
"""


@pytest.fixture
def process(hub, tmp_path):
    """Runs code in an empty folder with an empty HF_HOME and this Hub; what it prints last comes back, read as JSON."""

    def run(name, code, **environment):
        folder = tmp_path / name
        folder.mkdir()
        settings = {
            "HF_ENDPOINT": hub.endpoint,
            "HF_HOME": str(folder / "hf-home"),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "MPLBACKEND": "Agg",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.environ.get("EMMA500_INSTALLED", str(ROOT)),
        }
        clean = {key: value for key, value in os.environ.items() if not key.startswith("EMMA500_")}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=clean | settings | environment,
            cwd=folder, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        assert hub.token not in done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.slow
def test_what_the_notebook_publishes_is_read_and_measured_alike_by_one_who_has_only_the_hub(
    hub, process, tiny_model
):
    """`EMMA500_INSTALLED` names a folder with the installed wheel, to run it in the place of the clone."""
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("gflanguages")
    pytest.importorskip("django")
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    script = "\n".join(cell.source for cell in cells if cell.cell_type == "code")

    written = process(
        "writer", script + WRITER,
        HF_TOKEN=hub.token, EMMA500_USER="tester", EMMA500_MODEL=str(tiny_model), EMMA500_STEPS="2",
    )  # fmt: skip
    read = process("reader", READER, HF_TOKEN="")

    assert len(written["rows"]) > 30
    assert {"hsb_Latn", "eng_Latn"} == {row[0] for row in written["scores"]}
    assert {name: read[name] for name in written} == written
    assert read["measured again"] == written["scores"]
