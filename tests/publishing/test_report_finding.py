"""What belongs to a run is found by the links of the manifests; what is not clear is asked for."""

import json
import shutil

import pytest

from emma500.cli import main
from emma500.errors import SourceError, UsageError
from emma500.models import model_identity
from emma500.publishing.reporting.finding import find_results


@pytest.fixture
def project(tmp_path, manifests, before, after, write_corpus_folder):
    """A corpus, a run on it, scores before and after; a corpus and scores of other things."""
    folder = tmp_path / "project"
    run = manifests["training-run"]
    own = manifests["corpus"] | {"fingerprint": run["corpus"]["fingerprint"]}
    write_corpus_folder(folder / "mala", own)
    write_corpus_folder(folder / "other", manifests["corpus"] | {"fingerprint": "other"})
    (folder / "model").mkdir()
    (folder / "model" / "manifest.json").write_text(json.dumps(run))
    (folder / "model" / "config.json").write_text("{}")
    labels = sorted({row["label"] for row in run["plan"]})
    base = {"name": run["base_model"]["name"], "revision": run["base_model"]["revision"]}
    made = {"base_model": base["name"], "trained_labels": labels, "name": "model"}
    for name, scores, model in (
        ("before", before, base),
        ("after", after, made | {"revision": model_identity(folder / "model")[1]}),
        ("another", after, made | {"revision": "of other weights"}),
    ):
        manifest = scores.manifest | {
            "model": scores.manifest["model"] | model,
            "fingerprint": name,
        }
        type(scores)(manifest, scores.details).save(folder / "scores" / name)
    return folder


@pytest.mark.parametrize("start", ["model", "."])
def test_a_run_finds_its_corpus_and_its_scores_beside_it(project, start):
    found = find_results(project / start)
    assert found.missing == []
    assert found.corpus.root == str(project / "mala")
    assert (found.before.manifest["fingerprint"], found.after.manifest["fingerprint"]) == (
        "before",
        "after",
    )


def test_a_copy_of_a_run_is_no_other_run(project):
    shutil.copytree(project / "model", project / "published" / "model")
    assert find_results(project).run.path == project / "model"


def test_what_is_given_is_taken_and_what_is_not_there_is_none(project):
    shutil.rmtree(project / "mala")
    found = find_results(project / "model", after=project / "scores" / "another")
    assert found.missing == ["corpus"]
    assert found.after.manifest["fingerprint"] == "another"


def test_scores_alone_and_a_corpus_alone_can_be_reported(project):
    assert find_results(project / "scores" / "before").missing == ["corpus", "run", "before"]
    assert find_results(project / "other").missing == ["run", "before", "after"]


def test_what_is_not_clear_is_asked_for(project, tmp_path):
    manifest = json.loads((project / "model" / "manifest.json").read_text())
    (project / "model-2").mkdir()
    (project / "model-2" / "manifest.json").write_text(json.dumps(manifest | {"fingerprint": "2"}))
    with pytest.raises(
        UsageError, match=r"there are 2 runs in .*model-2.*: give the folder of one"
    ):
        find_results(project)
    with pytest.raises(UsageError, match=r"there are 2 scores after training .*--after"):
        find_results(project / "model-2")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"holds no manifest\.json, nor do the folders in it"):
        find_results(tmp_path / "empty")
    with pytest.raises(SourceError, match="nothing to report"):
        find_results()


def test_the_command_takes_the_run_alone(project, tmp_path, placeholders, capsys):
    assert main(["report", str(project / "model"), "--output", str(tmp_path / "page")]) == 0
    text = (tmp_path / "page" / "report.md").read_text(encoding="utf-8")
    assert "## Before and after: gflanguages" in text
    assert "was not found" not in text
    assert str(tmp_path / "page" / "report.md") in capsys.readouterr().out


def test_a_report_on_a_corpus_alone_says_what_is_missing(project, tmp_path, placeholders):
    assert main(["report", str(project / "other"), "--output", str(tmp_path), "--no_excerpts"]) == 0
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "There is no model" in text
    assert "## Training" not in text
    assert "begins" not in text
