"""The documentation: its code compiles, its commands parse, its links lead somewhere, and it builds."""

import ast
import importlib
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from emma500.cli.commands import COMMANDS
from emma500.cli.parsing import command_of, parse

ROOT = Path(__file__).parent.parent
PAGES = [
    *sorted((ROOT / "docs").rglob("*.md")),
    *[page for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if page.is_file()],
]
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_NO_PROGRAM = {"--help", "--version", "--debug"}


def blocks(page, *languages):
    """Return the fenced blocks of a page in these languages; "" is a block that names none."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for _, language, text in found if language in languages]


def commands(page):
    """Return the emma500 commands of a page as words, continued lines joined, comments and prompts gone."""
    found = []
    for text in blocks(page, "", "sh", "bash", "shell", "console"):
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            while words and (re.fullmatch(r"[A-Z_0-9]+=\S*", words[0])):
                words = words[1:]  # variables set for the one command
            if ["-m", "emma500"] in [words[at : at + 2] for at in range(len(words))]:
                words = words[words.index("-m") + 1 :]
            if words[:1] == ["emma500"]:
                found.append(words[1:])
    return found


def text_without_code(page):
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page):
    headings = _HEADING.findall(text_without_code(page))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


def named(page):
    return page.relative_to(ROOT).as_posix()


each_page = pytest.mark.parametrize("page", PAGES, ids=named)


def test_every_room_has_a_page():
    pages = {page.stem for page in PAGES}
    assert {"corpus", "training", "evaluation", "publishing", "decisions"} <= pages


@each_page
def test_the_python_of_a_page_compiles_and_imports_names_that_exist(page):
    import emma500

    for text in blocks(page, "python"):
        tree = ast.parse(text, filename=named(page))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "emma500":
                missing = {each.name for each in node.names} - set(emma500.__all__)
                assert not missing, f"{named(page)} imports {missing}"


@each_page
def test_what_the_python_of_a_page_imports_from_the_inside_of_the_package_exists(page):
    for text in blocks(page, "python"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("emma500."):
                module = importlib.import_module(str(node.module))
                missing = {each.name for each in node.names if not hasattr(module, each.name)}
                assert not missing, f"{named(page)}: {node.module} has no {missing}"


@each_page
def test_a_row_of_a_table_that_a_page_shows_stands_in_that_table(page):
    """CONTRIBUTING shows real rows, so a table that changes its columns changes them too."""
    tables = [path.read_text(encoding="utf-8") for path in (ROOT / "emma500/tables").glob("*.tsv")]
    for row in "".join(blocks(page, "tsv")).splitlines():
        assert any(f"\n{row}\n" in table for table in tables), f"{named(page)}: {row}"


@each_page
def test_the_python_of_a_page_gives_configurations_fields_that_exist(page):
    import emma500

    for text in blocks(page, "python"):
        for node in ast.walk(ast.parse(text)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id.endswith("Config"):
                known = {each.name for each in fields(getattr(emma500, node.func.id))}
                given = {each.arg for each in node.keywords if each.arg}
                assert given <= known, f"{named(page)}: {node.func.id} has no {given - known}"


@each_page
def test_the_commands_of_a_page_parse(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a file named by --config is not there, and must not be needed
    for call in commands(page):
        if call[0] in _NO_PROGRAM or call[0] == "COMMAND":
            continue
        name, words = command_of(call)
        if "--help" in words:
            continue
        if "--config" in words:
            place = words.index("--config")
            file = Path(words[place + 1])
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("{}\n", encoding="utf-8")
        parsed = parse(name, COMMANDS[name], words)
        assert [type(each) for each in parsed] == COMMANDS[name].types()


def test_the_commands_of_the_documentation_are_found():
    """So that the test above cannot pass because nothing was looked at."""
    names = {words[0] for page in PAGES for words in commands(page)}
    assert {"build", "train", "evaluate", "publish", "report"} <= names


@each_page
def test_the_configuration_files_of_a_page_have_keys_that_exist(page):
    import yaml

    known = [
        {each.name for kind in command.types() for each in fields(kind)}
        for command in COMMANDS.values()
    ]
    for text in blocks(page, "yaml"):
        keys = set(yaml.safe_load(text) or {})
        if not any(keys & names for names in known):
            continue  # the file of another program
        assert any(keys <= names for names in known), (
            f"{named(page)}: no command takes all of {sorted(keys)}"
        )


@each_page
def test_the_links_of_a_page_lead_somewhere(page):
    for link in _LINK.findall(text_without_code(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{named(page)} links to {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{named(page)} links to {link}"


@each_page
def test_a_page_names_no_path_of_the_machine_it_was_written_on(page):
    found = re.findall(r"(?<![\w.])/(?:tmp|work|root|home)/\S*", page.read_text(encoding="utf-8"))
    assert not found, f"{named(page)}: {found}"


@pytest.mark.slow
def test_the_example_of_the_corpus_page_runs_and_gives_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    example = blocks(ROOT / "docs" / "corpus.md", "python")[0]
    exec(compile(example, "docs/corpus.md", "exec"), {"__name__": "__main__"})
    shown = capsys.readouterr().out.splitlines()
    promised = re.findall(r"^print\(.*?\) +# ([({].*)$", example, re.MULTILINE)
    assert len(promised) == 2
    assert all(line in shown for line in promised)
    assert shown[-1].startswith("Gbogbo ènìyàn")


def test_the_costs_that_the_documentation_computes_are_what_it_says(capsys):
    page = ROOT / "docs" / "costs.md"
    for example in blocks(page, "python"):
        exec(compile(example, "docs/costs.md", "exec"), {})
        shown = capsys.readouterr().out.splitlines()
        promised = re.findall(r"^#> (.*)$", example, re.MULTILINE)
        assert shown == promised


def test_the_documentation_builds_without_a_warning(tmp_path):
    for package in ("mkdocs", "material", "mkdocstrings"):
        pytest.importorskip(package)
    run = subprocess.run(  # not --quiet: it would hide warnings from --strict as well
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    for page in sorted((ROOT / "docs").rglob("*.md")):
        place = page.relative_to(ROOT / "docs").with_suffix("")
        place = place.parent if place.name == "index" else place
        assert (tmp_path / place / "index.html").is_file(), page.name
    for page in sorted((ROOT / "notebooks").glob("*.ipynb")):
        assert (tmp_path / "notebooks" / page.stem / "index.html").is_file(), page.name
    assert "not included in the" not in run.stdout + run.stderr  # a page that nobody finds
