"""The README's example, run as it stands but for the model and the number of steps."""

import json
import re
from pathlib import Path

import gflanguages

README = Path(__file__).parent.parent / "README.md"


def _example() -> str:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    return blocks[0]


def test_the_example_has_at_most_twelve_lines():
    assert len([line for line in _example().splitlines() if line.strip()]) <= 12


def test_the_example_runs_on_texts_in_any_language_code(tiny_model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    languages = gflanguages.LoadLanguages()
    rows = [
        {"text": line, "lang": name}
        for code, name in (("sw_Latn", "swh"), ("yo_Latn", "Yoruba"))
        for field in ("tester", "specimen_36", "specimen_32", "specimen_21", "specimen_16")
        for line in getattr(languages[code].sample_text, field).split("\n")
    ]
    Path("texts").mkdir()
    Path("texts/all.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    code = _example().replace("HuggingFaceTB/SmolLM2-135M", str(tiny_model))
    code = code.replace("max_steps=100", "max_steps=2")
    exec(compile(code, "README.md", "exec"), {})

    printed = capsys.readouterr().out
    assert all(column in printed for column in ("swa_Latn", "yor_Latn", "difference", "stderr"))
    for repository in ("mala", "swahili-yoruba"):
        assert Path(f"hub/USER/{repository}/README.md").stat().st_size > 1000
