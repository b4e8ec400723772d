"""The report of a model that was extended, merged or instructed: what it was made of, and what that did."""

import json
import re
import shutil

import pytest

from emma500.cli import main
from emma500.errors import UsageError
from emma500.models import model_identity
from emma500.publishing.reporting.finding import find_results
from emma500.publishing.tables import percent
from emma500.training.made import MadeModel


def page(folder):
    return (folder / "report.md").read_text(encoding="utf-8")


def cells(text, start):
    line = next(line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.usefixtures("placeholders")
def test_an_extended_model_has_a_page_with_its_fertility(made, manifests, tmp_path):
    folder, manifest = made("extended-model"), manifests["extended-model"]
    assert main(["report", str(folder), "--output", str(tmp_path / "page")]) == 0
    text = page(tmp_path / "page")
    assert "SmolLM2-135M-Instruct.Q4_1 with 200 new pieces for 4 languages" in text
    assert cells(text, "base model")[1].endswith("`529e739449f41646`")
    assert cells(text, "corpus |")[1] == f"`{manifest['corpus']['fingerprint']}`"
    rows = {(row["when"], row["label"]): row for row in manifest["report"]}
    old, new = (rows[when, "hye_Armn"] for when in ("before", "after"))
    fertility = text.split("### Fertility")[1]
    assert cells(fertility, "`hye_Armn`")[2:4] == [f"{each['tokens_per_word']:.2f}" for each in (old, new)]  # fmt: skip
    change = percent(new["bits_per_byte"] / old["bits_per_byte"] - 1, sign=True)
    languages = text.split("## Languages")[1].split("## How")[0]
    assert cells(languages, "`hye_Armn`")[-1] == change
    assert all(f"`{label}`" in languages for label in manifest["languages"])
    assert cells(text, "extended model")[1] == f"`{manifest['fingerprint']}`"
    assert "5 min 18 s" in text
    assert "(figures/vocabulary.svg)" in text
    html = (tmp_path / "page" / "report.html").read_text(encoding="utf-8")
    assert html.count("<polyline") == len({label for _, label in rows})


@pytest.mark.usefixtures("placeholders")
def test_a_merged_model_has_a_page_without_a_corpus_to_miss(made, tmp_path):
    assert main(["report", str(made("merged-model")), "--output", str(tmp_path / "page")]) == 0
    text = page(tmp_path / "page")
    assert cells(text, "tuned")[1:] == ["`57ff0f63ff104e82`", "0.500"]
    assert "corpus was not found" not in text
    assert "There are no scores of the base model" in text
    assert "## Languages" not in text
    assert "## Merge" in text


@pytest.mark.usefixtures("placeholders")
def test_an_instructed_model_has_a_page_with_its_conversations(made, manifests, tmp_path):
    folder, manifest = made("instructed-model"), manifests["instructed-model"]
    assert main(["report", str(folder), "--output", str(tmp_path / "page")]) == 0
    text = page(tmp_path / "page")
    held = manifest["held_out_loss"]
    assert (
        cells(text, f"{held['n_conversations']} |")[-1]
        == f"{held['after'] / held['before'] - 1:+.1%}"
    )
    assert cells(text, "`eng_Latn` | 24") == ["`eng_Latn`", "24"]
    assert cells(text, "no roles") == ["no roles", "1"]
    assert "(figures/training.svg)" in text
    assert "corpus was not found" in text


@pytest.mark.parametrize("kind", ["extended-model", "merged-model", "instructed-model"])
def test_names_on_the_page_of_a_made_model_are_no_markup(
    kind, made, manifests, tmp_path, placeholders
):
    folder = made(kind)
    manifest = json.loads(json.dumps(manifests[kind]))
    for each in manifest.get("models") or [manifest["base_model"]]:
        each["name"] = (
            "<img src=x onerror=alert(1)> [x](http://evil.example) `a` $\\frac{1$ | \u202e"
        )
    manifest["summary"] = "</p><script>alert(1)</script> ![x](http://evil.example/p.png)"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert main(["report", str(folder), "--output", str(tmp_path / "page")]) == 0
    html = (tmp_path / "page" / "report.html").read_text(encoding="utf-8")
    text = page(tmp_path / "page")
    assert not re.search(r"(?<!\\)<(?:img|/p|script)", text)
    assert "](http://evil" not in text
    assert 'href="http://evil' not in html
    assert html.count("<script") == 1
    assert "<img src=x" not in html
    assert "\u202e" not in html + text


def test_scores_are_found_by_the_weights_of_a_made_model(made, before, after, tmp_path):
    folder = made("merged-model")
    models = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["models"]
    own = {"name": "merged", "revision": model_identity(folder)[1], "trained_labels": []}
    for name, scores, model in (
        ("before", before, models[0]),
        ("after", after, own),
        ("other", after, own | {"revision": "other weights"}),
    ):
        manifest = scores.manifest | {
            "model": scores.manifest["model"] | model, "fingerprint": name,
        }  # fmt: skip
        type(scores)(manifest, scores.details).save(tmp_path / "scores" / name)
    found = find_results(folder)
    assert isinstance(found.run, MadeModel)
    assert found.missing == []
    assert (found.before.manifest["fingerprint"], found.after.manifest["fingerprint"]) == (
        "before",
        "after",
    )


def test_a_run_goes_before_the_model_it_was_made_of(made, model, tmp_path):
    made("extended-model")
    assert find_results(tmp_path).run.path == model
    made("merged-model")
    shutil.rmtree(model)
    with pytest.raises(UsageError, match=r"there are 2 models in .*merged-model"):
        find_results(tmp_path)
