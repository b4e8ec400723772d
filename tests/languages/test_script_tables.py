"""The tables of scripts are what the script that writes them would write."""

import importlib.util
from importlib.metadata import version
from pathlib import Path

import pytest

from emma500.tables import read_table

SCRIPT = Path(__file__).parents[2] / "docs" / "script_tables.py"


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("script_tables_writer", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def header(name):
    table = SCRIPT.parent.parent / "emma500" / "tables" / f"{name}.tsv"
    return table.read_text(encoding="utf-8").split("\n")[:4]


def test_the_han_forms_come_from_icu(writer):
    pytest.importorskip("icu4py", reason="icu4py is not installed (extra segmentation)")
    if not any(f"icu4py {version('icu4py')} " in line for line in header("han_forms")):
        pytest.skip("another icu4py than the table was made with")
    rows = {row["script"]: row["characters"] for row in read_table("han_forms")}
    assert writer.han_forms() == rows


@pytest.mark.parametrize(("table", "column"), [("scripts", "script"), ("blocks", "block")])
def test_the_ranges_come_from_fonttools(writer, table, column):
    unicode = writer.version({"scripts": writer.Scripts, "blocks": writer.Blocks}[table])
    if not any(unicode in line for line in header(table)):
        pytest.skip("fontTools has another Unicode than the table was made with")
    value = writer.detected_script if column == "script" else writer.block
    known = [
        (int(row["first"], 16), int(row["last"], 16), row[column]) for row in read_table(table)
    ]
    found = [each for each in writer.ranges(value) if each[2] not in ("Zzzz", "No_Block")]
    assert found == known
