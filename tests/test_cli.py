"""The command line: help that fits a screen, errors of one line, the right exit status."""

import subprocess
import sys

import pytest

from emma500.cli import main
from emma500.cli.commands import COMMANDS

COMMAND_NAMES = tuple(COMMANDS)


def test_the_help_fits_a_screen_and_lists_every_command(capsys):
    assert main(["--help"]) == 0
    screen = capsys.readouterr().out
    assert screen.count("\n") <= 24
    for name, command in COMMANDS.items():
        base, _, more = name.partition(" ")
        line = next(each for each in screen.splitlines() if each.startswith(f"  {base} "))
        assert len(line) <= 120
        assert more in line
        assert COMMANDS.get(base, command).summary in line


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_the_help_of_a_command_fits_a_screen_and_gives_an_example(name, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([*name.split(), "--help"])
    screen = capsys.readouterr().out
    assert screen.count("\n") <= {"build": 60, "train": 80, "train mixture": 80}.get(name, 50)
    assert max(map(len, screen.splitlines())) <= 120
    assert COMMANDS[name].example in screen


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_the_example_of_a_command_uses_flags_that_exist(name, capsys):
    with pytest.raises(SystemExit):
        main([*name.split(), "--help"])
    screen = capsys.readouterr().out
    flags = [word for word in COMMANDS[name].example.split() if word.startswith("--")]
    for flag in flags:
        assert f"  {flag} " in screen.replace("\n", " \n"), flag


def test_no_command_at_all_shows_the_help_and_is_wrong_usage(capsys):
    assert main([]) == 2
    assert "usage: emma500" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bild"], "unknown command 'bild'; it is one of: build, train"),
        (["build", "--outptu", "x"], "unknown flag or key '--outptu'; did you mean --output?"),
        (["build", "--config", "missing.yaml"], "missing.yaml"),
        (["build", "--sources", "nowhere.jsonl"], "nowhere.jsonl"),
        (["train"], "--model_name_or_path is required"),
        (["publish"], "--folder is required"),
    ],
)
def test_wrong_usage_is_one_line_without_a_traceback_and_status_2(
    words, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("emma500: ")
    assert error.count("\n") == 1


def test_an_unknown_key_of_the_configuration_file_is_refused(tmp_path, capsys):
    file = tmp_path / "run.yaml"
    file.write_text("near_deduplication: true\n", encoding="utf-8")
    assert main(["build", "--config", str(file)]) == 2
    assert "unknown flag or key '--near_deduplication'" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["output: [unclosed\n", "- a list\n"])
def test_a_configuration_file_that_is_no_mapping_is_wrong_usage_in_one_line(text, tmp_path, capsys):
    file = tmp_path / "run.yaml"
    file.write_text(text, encoding="utf-8")
    assert main(["demo", "--config", str(file)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_flag_overrides_the_configuration_file(tmp_path, capsys, monkeypatch):
    seen = []

    def run_demo(output, **options):
        seen.append((output, options))
        return "done"

    monkeypatch.setattr("emma500.demo.run_demo", run_demo)
    file = tmp_path / "run.yaml"
    file.write_text("output: from-file\nrepo_prefix: someone/\n", encoding="utf-8")
    assert main(["demo", f"--config={file}", "--output", "from-flag"]) == 0
    assert seen[0][0] == "from-flag"
    assert seen[0][1]["repo_prefix"] == "someone/"
    assert capsys.readouterr().out == "done\n"


def test_a_failure_that_nobody_foresaw_is_one_line_and_status_1(capsys, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("the roof fell in")

    monkeypatch.setattr("emma500.demo.run_demo", broken)
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == (
        "emma500: RuntimeError: the roof fell in (run again with --debug for the traceback)\n"
    )
    with pytest.raises(RuntimeError, match="the roof fell in"):
        main(["demo", "--debug"])


def test_an_interrupt_says_how_to_go_on(capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("emma500.demo.run_demo", interrupted)
    assert main(["demo"]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_the_package_runs_as_a_module():
    run = subprocess.run(
        [sys.executable, "-m", "emma500", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.startswith("emma500 ")
