"""The notebooks: stored without outputs, and executed from the first cell to the last."""

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LABELS = ("hsb_Latn", "hye_Armn", "uig_Arab", "eng_Latn")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


def execute(path, folder):
    """Run a notebook in a folder; return the source and the outputs of its code cells."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": folder}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()
    return [(cell.source, cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]


def output_of(cells, words):
    """Return what the one cell with these words showed."""
    found = [outputs for source, outputs in cells if words in source]
    assert len(found) == 1, words
    return found[0]


@each_notebook
def test_a_notebook_is_stored_without_outputs(path):
    for cell in code_cells(path):
        assert cell.outputs == [], cell.source
        assert cell.execution_count is None, cell.source


@each_notebook
def test_a_notebook_can_be_run_with_another_model_and_other_steps(path):
    first = code_cells(path)[0]
    assert "parameters" in first.metadata["tags"]
    assert 'MODEL = os.environ.get("EMMA500_MODEL"' in first.source
    assert 'STEPS = int(os.environ.get("EMMA500_STEPS"' in first.source


@pytest.mark.slow
def test_the_notebook_goes_the_whole_way_from_text_to_scores(tiny_model, tmp_path, monkeypatch):
    for package in ("nbclient", "ipykernel", "gflanguages", "django"):
        pytest.importorskip(package)
    settings = {
        "EMMA500_MODEL": str(tiny_model),
        "EMMA500_STEPS": "2",
        "EMMA500_FOLDER": "work",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MPLBACKEND")  # the kernel's own puts the figures into the outputs

    cells = execute(ROOT / "notebooks" / "from_text_to_scores.ipynb", tmp_path)

    assert sum("image/png" in str(outputs) for _, outputs in cells) == 3
    changes = output_of(cells, "after.compare(before)")[-1]["data"]["text/plain"]
    assert all(label in changes for label in LABELS)
    assert "not_requested" in str(output_of(cells, "excluded.groupby"))
    hub = tmp_path / "work" / "hub" / "me"
    card = (hub / "model" / "README.md").read_text(encoding="utf-8")
    assert "## Before and after" in card
    assert output_of(cells, "print(")[0]["text"].strip() in card
    assert sorted(path.name for path in hub.iterdir()) == ["mala", "model", "scores"]
