"""The public door: what it exports, and that opening it costs nothing."""

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest

import emma500

ROOT = Path(__file__).parent.parent
HEAVY = ("accelerate", "daft", "datasets", "evaluate", "langid", "matplotlib", "numba", "numpy", "pandas", "peft",
         "pyarrow", "torch", "transformers", "trl")  # fmt: skip


def test_every_listed_name_exists_and_is_documented():
    for name in emma500.__all__:
        value = getattr(emma500, name)
        assert name == "__version__" or value.__doc__, name


def test_the_list_is_sorted_and_equals_what_is_lazily_found():
    assert emma500.__all__ == sorted(emma500.__all__)
    assert set(emma500._HOME) | {"__version__"} == set(emma500.__all__)
    assert dir(emma500) == emma500.__all__


def test_the_static_imports_name_the_same_homes_as_the_lazy_ones():
    tree = ast.parse(Path(emma500.__file__).read_text(encoding="utf-8"))
    static = {
        alias.name: node.module.removeprefix("emma500.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("emma500.")
        for alias in node.names
    }
    static.pop("__version__")
    assert static == emma500._HOME


def test_an_unknown_name_raises_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="no attribute 'build_corpus'"):
        emma500.build_corpus  # noqa: B018


def test_importing_emma500_loads_nothing_heavy():
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import emma500, emma500.cli"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = {
        line.rsplit("|", 1)[1].strip().split(".")[0]
        for line in run.stderr.splitlines()
        if "|" in line
    }
    assert "emma500" in loaded
    assert not loaded & set(HEAVY)


def test_the_metadata_states_the_python_range_the_code_is_checked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    oldest = project["project"]["requires-python"].removeprefix(">=")
    assert metadata("emma500")["Requires-Python"] == f">={oldest}"
    assert sys.version_info >= tuple(map(int, oldest.split(".")))
    assert project["tool"]["mypy"]["python_version"] == oldest
    assert project["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")


def test_every_promised_package_is_a_dependency_and_is_used_by_the_code():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    required = " ".join(project["project"]["dependencies"])
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "emma500").rglob("*.py"))
    promised = (
        "datasets",
        "huggingface_hub",
        "transformers",
        "trl",
        "peft",
        "accelerate",
        "evaluate",
        "langid",
    )
    for package in promised:
        assert package in required
        assert f"import {package}" in code or f"from {package}" in code, package


def test_no_file_of_the_package_is_longer_than_300_lines():
    long = {
        path.name: n
        for path in (ROOT / "emma500").rglob("*.py")
        if (n := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert long == {}
