"""The notebooks: stored without outputs, in public names only, run from first to last cell, shown in the docs."""

import ast
import os
import runpy
from pathlib import Path

import pytest

import emma500

nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DOCUMENTED = {
    "emma500.models": {"packaged_model"},
    "emma500.progress": {"Bars"},
    "emma500.sources.resolve": {"resolve"},
}
"""Names beside those of `emma500` that the documentation offers to users."""

_WIDGET = "application/vnd.jupyter.widget-view+json"

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_of(path):
    """Return the source of each code cell."""
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def execute(path, folder):
    """Run a notebook in a folder, and return it."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": folder}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()
    return notebook


def output_of(notebook, words):
    """Return what the one cell with these words showed, as text."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and words in cell.source]
    assert len(cells) == 1, words
    return str(cells[0].outputs)


@pytest.fixture(scope="module")
def executed(tiny_model, tmp_path_factory):
    """The first four notebooks, run in order in one empty folder with a tiny model, and the folder."""
    for package in ("nbclient", "ipykernel", "gflanguages", "django"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("notebooks")
    settings = {
        "EMMA500_MODEL": str(tiny_model),
        "EMMA500_STEPS": "2",
        "EMMA500_FOLDER": "made",
        "EMMA500_PROGRESS": "0",
        "HF_HOME": str(folder / "hf"),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.delenv("EMMA500_USER", raising=False)
        patch.delenv("MPLBACKEND", raising=False)  # the kernel's own puts figures into outputs
        done = {path.stem: execute(path, folder) for path in NOTEBOOKS[:4]}
    return done, folder / "made"


def test_there_are_five_notebooks_in_order():
    assert [path.stem for path in NOTEBOOKS] == [
        "01_build_mala",
        "02_continue_pretraining",
        "03_evaluate",
        "04_publish",
        "05_add_your_language",
    ]


@each_notebook
def test_a_notebook_is_stored_without_outputs(path):
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs"), cell.source
        assert cell.get("execution_count") is None, cell.source


@each_notebook
def test_a_notebook_uses_public_names_only(path):
    allowed = DOCUMENTED | {"emma500": set(emma500.__all__)}
    for node in ast.walk(ast.parse("\n".join(code_of(path)))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("emma500"):
            assert {each.name for each in node.names} <= allowed[str(node.module)]
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_"), node.attr


def test_what_a_notebook_takes_up_from_those_before_it_is_made_by_the_very_same_calls():
    """So that each can be run first, and in order none does anything twice."""
    made: dict[str, set[str]] = {}
    for path in NOTEBOOKS[:4]:
        for node in ast.parse("\n".join(code_of(path))).body:
            names = [each.id for each in getattr(node, "targets", ()) if isinstance(each, ast.Name)]
            for name in names:
                made.setdefault(name, set()).add(ast.unparse(node))
    shared = ("STEPS", "FOLDER", "corpus", "config", "run", "measure", "before", "after")
    assert {name: len(made[name]) for name in shared} == dict.fromkeys(shared, 1)
    assert len(made["MODEL"]) == 2  # the variable of the environment, and the package's model


@pytest.mark.slow
def test_the_corpus_notebook_shows_reasons_a_label_and_a_document_s_way(executed):
    notebooks, folder = executed
    shown = notebooks["01_build_mala"]
    assert "held_out_elsewhere" in output_of(shown, "reasons.sort_values")
    assert "srp_Latn" in output_of(shown, "sr@latin")
    assert "left out: " in output_of(shown, "corpus.explain")
    assert str(shown).count("image/png") == 2
    assert (folder / "mala" / "manifest.json").is_file()


@pytest.mark.slow
def test_the_training_notebook_plans_trains_and_shows_the_curves(executed):
    notebooks, folder = executed
    shown = notebooks["02_continue_pretraining"]
    assert "tokens_per_byte" in output_of(shown, "fertility(MODEL")
    assert "unimax" in output_of(shown, "plan_mixture(corpus")
    assert "image/png" in output_of(shown, "curves = ")
    assert "H100-80GB" in output_of(shown, "plan_training(\n")
    assert (folder / "model" / "model.safetensors").is_file()


@pytest.mark.slow
def test_the_evaluation_notebook_compares_and_says_what_is_missing(executed):
    notebooks, _ = executed
    shown = notebooks["03_evaluate"]
    assert "tlh_Zyyy" in output_of(shown, "before.missing")
    changes = output_of(shown, "changes = ")
    assert all(label in changes for label in ("hsb_Latn", "hye_Armn", "uig_Arab", "kir_Cyrl"))
    assert str(shown).count("image/png") == 2
    assert "False" in output_of(shown, '"contaminated"')


@pytest.mark.slow
def test_the_publishing_notebook_lays_out_what_a_reader_can_load(executed):
    notebooks, folder = executed
    shown = notebooks["04_publish"]
    assert "'text/plain': '0'" in output_of(shown, ".n_uploaded")
    assert "dry run" in output_of(shown, "dry_run=True")
    assert "733 monolingual" in output_of(shown, 'Corpus(f"{place}/mala")')
    published = folder / "hub" / "me"
    assert {"mala", "smollm2-mala", "smollm2-mala-scores"} == {
        path.name for path in published.iterdir()
    }
    assert "## Before and after" in (published / "smollm2-mala" / "README.md").read_text("utf-8")


def test_the_documentation_shows_a_notebook_with_the_outputs_of_its_last_run(tmp_path):
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    page = runpy.run_path(str(ROOT / "docs" / "notebooks.py"))["page"]
    table = '<style scoped>a</style><table border="1" class="dataframe"><tr>\n\n</tr></table>'
    stored = tmp_path / "01_toy.ipynb"
    links = "[next](02_more.ipynb), [docs](../docs/mixture.md)"
    cells = [new_markdown_cell(links), new_code_cell("1 + 1")]
    nbformat.write(new_notebook(cells=cells), stored)
    bare, none = page(stored, tmp_path / "run")
    assert "without outputs" in bare
    assert none == {}

    cells[1].outputs = [
        new_output("stream", name="stdout", text="a ``` fence\n"),
        new_output("stream", name="stderr", text="a bar"),
        new_output("display_data", data={_WIDGET: {}, "text/plain": "0%| |"}),
        new_output("display_data", data={"image/png": "aGk="}),
        new_output("execute_result", data={"text/html": table, "text/plain": "2"}),
    ]
    (tmp_path / "run").mkdir()
    nbformat.write(new_notebook(cells=cells), tmp_path / "run" / stored.name)
    text, pictures = page(stored, tmp_path / "run")
    assert "[next](02_more.md), [docs](../mixture.md)" in text
    assert "````text\na ``` fence\n````" in text
    assert "a bar" not in text
    assert "0%" not in text
    assert pictures == {"01_toy-1.png": b"hi"}
    assert "<table><tr>\n</tr></table>" in text

    cells[1].source = "1 + 2"
    nbformat.write(new_notebook(cells=[cells[0], new_code_cell("1 + 2")]), stored)
    assert "without outputs" in page(stored, tmp_path / "run")[0]
