"""The public door of emma500.languages: what it exports, and that opening it costs nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import emma500.languages as languages

HEAVY = {
    "datasets",
    "daft",
    "langid",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "torch",
    "transformers",
}


def test_every_listed_name_exists_and_is_documented():
    assert languages.__all__ == sorted(languages.__all__)
    assert set(languages._HOME) == set(languages.__all__)
    assert dir(languages) == languages.__all__
    for name in languages.__all__:
        assert getattr(languages, name).__doc__, name


def test_the_static_imports_name_the_same_homes_as_the_lazy_ones():
    tree = ast.parse(Path(languages.__file__).read_text(encoding="utf-8"))
    static = {
        alias.name: node.module.removeprefix("emma500.languages.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("emma500.")
        for alias in node.names
    }
    assert static == languages._HOME


def test_an_unknown_name_raises_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="no attribute 'guess'"):
        languages.guess  # noqa: B018


def test_importing_it_loads_nothing_heavy():
    code = "import sys, emma500.languages; print(*{each.split('.')[0] for each in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(run.stdout.split())


def test_the_functions_take_plain_lists_of_strings():
    assert languages.parse("zh-yue").iso639_3 == "yue"
    main, share = languages.scripts(["Ẹ káàárọ̀", "12"])
    assert main.to_pylist() == ["Latn", "Zyyy"]
    assert share.to_pylist() == [1, 0]
    texts = ["Das ist ein deutscher Satz über das Wetter von gestern.", None]
    labels, scores = languages.identify(texts, identifier="langid")
    assert labels.to_pylist() == ["deu_Latn", None]
    assert scores[0].as_py() > 0.9
    assert languages.normalise(["e\u0301"]).to_pylist() == ["\u00e9"]
    assert [match.kind for match in languages.join(["pes_Arab"], ["fas_Arab"]).matches] == ["macro"]
