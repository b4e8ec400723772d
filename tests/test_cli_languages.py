"""The commands of the catalogue and of identification."""

import io
import json
import sys
from functools import partial

import pytest

from emma500.cli import main
from emma500.languages.identification.linear.corpus import TrainingConfig

SWAHILI = (
    "Watu wote wamezaliwa huru, hadhi na haki zao ni sawa. "
    "Wote wamejaliwa akili na dhamiri, hivyo yapasa watendeane kindugu."
)
FINNISH = (
    "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. "
    "Heille on annettu järki ja omatunto."
)


def answers(capsys):
    return [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]


def test_sources_lists_the_catalogue_and_filters_it(capsys):
    assert main(["sources", "--component", "bilingual", "--licenses", "commercial"]) == 0
    screen = capsys.readouterr().out
    assert "nllb" in screen
    assert "fineweb2" not in screen


def test_sources_show_takes_a_name_and_names_near_ones(capsys):
    assert main(["sources", "show", "fineweb2"]) == 0
    assert "HuggingFaceFW/fineweb-2" in capsys.readouterr().out
    assert main(["sources", "show", "finewb2"]) == 2
    assert "fineweb2" in capsys.readouterr().err
    assert main(["sources", "show"]) == 2
    assert "--name is required" in capsys.readouterr().err


def test_identify_names_the_language_of_each_line_of_a_file_and_of_standard_input(
    tmp_path, capsys, monkeypatch
):
    file = tmp_path / "lines.txt"
    file.write_text(f"{SWAHILI}\n{FINNISH}\n", encoding="utf-8")
    assert main(["identify", str(file), "--identifier", "langid"]) == 0
    assert answers(capsys) == ["swa_Latn", "fin_Latn"]
    monkeypatch.setattr("sys.stdin", io.StringIO(FINNISH))
    assert main(["identify", "--identifier", "langid"]) == 0
    label, score, text = capsys.readouterr().out.rstrip().split("\t")
    assert (label, text) == ("fin_Latn", FINNISH)
    assert 0 <= float(score) <= 1


def test_a_reader_that_goes_away_is_no_file_that_cannot_be_read(tmp_path, capsys, monkeypatch):
    (tmp_path / "texts.txt").write_text("Good morning to all of you.\n")

    def gone(_):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys.stdout, "writelines", gone)
    assert main(["identify", str(tmp_path / "texts.txt"), "--identifier", "langid"]) == 1
    said = capsys.readouterr().err
    assert "BrokenPipeError" in said
    assert "cannot be read" not in said


def test_identify_tells_what_cannot_be_read(tmp_path, capsys):
    assert main(["identify", str(tmp_path / "none.txt"), "--identifier", "langid"]) == 2
    assert "none.txt" in capsys.readouterr().err
    assert main(["identify", "--identifier", "nobody"]) == 2
    assert "no identifier 'nobody'" in capsys.readouterr().err


@pytest.fixture
def labelled(tmp_path):
    path = tmp_path / "labelled.jsonl"
    rows = [
        {"lang": code, "text": " ".join(text.split()[place:])}
        for code, text in (("sw", SWAHILI), ("fi", FINNISH))
        for place in range(10)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_identify_test_measures_and_writes_its_tables(labelled, tmp_path, capsys):
    words = ["identify", "test", str(labelled), "--identifier", "langid"]
    assert main([*words, "--output", str(tmp_path / "quality")]) == 0
    assert "macro-F1" in capsys.readouterr().out
    assert (tmp_path / "quality" / "quality.json").is_file()
    assert main(["identify", "test"]) == 2
    assert "--sources is required" in capsys.readouterr().err


@pytest.fixture
def short_training(monkeypatch):
    """Training in a hundredth of its steps, which two languages need no more of."""
    config = partial(TrainingConfig, steps=40_000)
    monkeypatch.setattr("emma500.languages.identification.linear.identifier.TrainingConfig", config)


@pytest.mark.usefixtures("short_training")
def test_an_identifier_is_trained_tested_and_used(labelled, tmp_path, capsys):
    model = str(tmp_path / "model")
    assert main(["identify", "train", str(labelled), "--output", model]) == 0
    assert main(["identify", "test", str(labelled), "--identifier", model]) == 0
    file = tmp_path / "lines.txt"
    file.write_text(f"{SWAHILI}\n{FINNISH}\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["identify", str(file), "--identifier", model, "--languages", "sw", "fi"]) == 0
    assert answers(capsys) == ["swa_Latn", "fin_Latn"]
