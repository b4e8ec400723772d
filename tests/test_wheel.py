"""What `pip install .` installs: the package with its tables, templates, notices and command, from wheel and sdist."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytest.importorskip("hatchling")


def build(target, folder, source=ROOT):
    """Build the wheel or the sdist of a folder, and return the file."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)],
        cwd=source, check=True, capture_output=True,
    )  # fmt: skip
    (file,) = Path(folder).iterdir()
    return file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    return build("sdist", tmp_path_factory.mktemp("sdist"))


def test_the_wheel_holds_every_file_of_the_package_and_the_card_templates(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "emma500").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert package <= names
    templates = {path.name for path in (ROOT / "dataset_cards").glob("*.j2")}
    assert templates <= {Path(name).name for name in names}
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]
    licences = {Path(name).name for name in names if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}


def test_the_notice_names_the_origin_and_licence_of_every_table_and_nothing_that_is_gone():
    lines = (ROOT / "NOTICE").read_text(encoding="utf-8").splitlines()
    table = [line.split(maxsplit=1) for line in lines if ".tsv " in line or ".safetensors " in line]
    rows = {name: rest for name, rest in table if "/" not in name}
    tables = {path.name for path in (ROOT / "emma500" / "tables").glob("*.tsv")}
    weights = {path.name for path in (ROOT / "emma500").rglob("*.safetensors")}
    assert set(rows) == tables | weights
    assert all(len(rest.split("  ")) > 1 for rest in rows.values())  # an origin and a licence


def test_the_sdist_makes_the_same_wheel_and_carries_its_tests_and_documentation(
    wheel, sdist, tmp_path
):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    for name in (
        "tests",
        "docs",
        "notebooks",
        "NOTICE",
        "CONTRIBUTING.md",
        "Makefile",
        "mkdocs.yml",
    ):
        assert (source / name).exists(), name
    again = build("wheel", tmp_path / "wheel", source)
    first, second = zipfile.ZipFile(wheel), zipfile.ZipFile(again)
    assert again.name == wheel.name
    assert sorted(first.namelist()) == sorted(second.namelist())
    assert all(first.read(name) == second.read(name) for name in first.namelist())


@pytest.mark.slow
def test_pip_installs_the_wheel_into_an_empty_environment_with_its_command(wheel, tmp_path):
    """Without its dependencies: the floor, `--version` and `--help` need none of them but NumPy and Arrow."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel],
        check=True, env=clean,
    )  # fmt: skip
    command = tmp_path / "env" / "bin" / "emma500"
    said = subprocess.run(
        [command, "--version"], env=clean, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"emma500 {wheel.name.split('-')[1]}\n"
    code = "import emma500; print(emma500.__file__); print(len(emma500.__all__))"
    said = subprocess.run(
        [python, "-c", code], env=clean, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    place, names = said.stdout.splitlines()
    assert place.startswith(str(tmp_path / "env"))
    assert int(names) > 20


def test_the_installed_wheel_runs_without_the_clone(wheel, tmp_path):
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    code = (
        "import emma500, sys; from emma500.cli import main; from emma500.tables import read_table\n"
        "assert emma500.__file__.startswith(sys.argv[1]), emma500.__file__\n"
        "assert len(read_table('mala')) == 939\n"
        "main(['--version'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(target)],
        cwd=tmp_path, env={"PYTHONPATH": str(target)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout == f"emma500 {wheel.name.split('-')[1]}\n"
