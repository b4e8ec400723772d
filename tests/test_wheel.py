"""What `pip install .` installs: the package with its tables, templates and command."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytest.importorskip("hatchling")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (file,) = folder.glob("*.whl")
    return file


def test_the_wheel_holds_every_file_of_the_package_and_the_card_templates(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "emma500").rglob("*")
        if path.suffix in {".py", ".tsv", ".j2", ".typed"}
    }
    assert package <= names
    templates = {path.name for path in (ROOT / "dataset_cards").glob("*.j2")}
    assert templates <= {Path(name).name for name in names}
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]


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
