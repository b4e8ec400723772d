"""A corpus is published without what it left out, and as it was after an earlier stage where that is asked for."""

import json

import pytest
import yaml

from emma500.errors import SourceError
from emma500.folder import Corpus
from emma500.publishing.publish import PublishConfig, publish
from tests.speed.corpus_loading import write_corpus


@pytest.fixture
def built(tmp_path, manifests):
    """A corpus of two labels that kept what it left out."""
    found = write_corpus(tmp_path / "mala", 2)
    part = {"component": "monolingual", "source": "web"}
    rows = [
        row | part | {"stage": stage, "reason": stage}
        for row in found["splits"]
        for stage in found["stages"]
    ]
    for each in found["labels"].values():
        each |= {
            "name": "Name",
            "script": "Latn",
            "macrolanguage": "",
            "licenses": [],
            "sources": [],
        }
    whole = {**manifests["corpus"], **found, "counts": rows, "excluded": rows[:2]}
    (tmp_path / "mala" / "manifest.json").write_text(json.dumps(whole))
    return Corpus(tmp_path / "mala")


pytestmark = pytest.mark.usefixtures("placeholders")


def configs_of(folder):
    fields = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    return [each["config_name"] for each in fields["configs"]]


def test_what_was_left_out_and_whatever_names_it_stays_at_home(built, tmp_path):
    assert "filter" in configs_of(tmp_path / "mala")
    repo = publish(built, "user/mala", directory=tmp_path / "hub")
    assert repo.path is not None
    assert not [file for file in repo.files if file.startswith("excluded/")]
    assert configs_of(repo.path) == ["aaa_Latn", "aab_Latn", "default"]
    assert "excluded_files" not in Corpus(repo.path).manifest
    assert "excluded_files" in Corpus(tmp_path / "mala").manifest


def test_a_stage_is_published_as_a_repository_of_its_own(built, tmp_path):
    config = PublishConfig(stage="filter")
    repo = publish(built, "user/mala-filter", config, directory=tmp_path / "hub")
    assert repo.path is not None
    corpus = Corpus(repo.path)
    assert configs_of(repo.path) == ["aaa_Latn", "aab_Latn", "default"]
    assert (corpus.name, corpus.stages) == ("mala-filter", ("integration", "filter"))
    table = corpus.read("monolingual", "aaa_Latn", "train")
    assert table is not None
    assert len(table) == 3 + 2  # the corpus, and what dedup and split left out
    assert not list(tmp_path.glob(".*.tmp"))
    assert publish(built, "user/mala-filter", config, directory=tmp_path / "hub").n_uploaded == 0
    with pytest.raises(SourceError, match="the stage must be one of integration, filter, dedup"):
        publish(built, "user/x", PublishConfig(stage="raw"), directory=tmp_path / "hub")


def test_a_published_corpus_is_loaded_and_explained_from_any_folder(built, client):
    printed = client(
        f"""
publish({built.root!r}, "emma/mala", PublishConfig(**quick))
from emma500 import Corpus, load_mala
rows = load_mala("aab_Latn", split="train")
told = Corpus("emma/mala").explain(rows[0]["id"], label="aab_Latn")
print(json.dumps([len(rows), told.is_kept, told.file, len(Corpus("emma/mala").sample("aab_Latn", 2))]))
""",
        EMMA500_MALA="emma/mala",
    )
    assert printed == [3, True, "data/aab_Latn/train-00000-of-00001.parquet", 2]
