"""Publishing to a folder, and what is refused."""

from pathlib import Path

import pytest

from emma500.errors import ConfigError, HubError, OutputError, SourceError
from emma500.folder import Corpus
from emma500.publishing.publish import PublishConfig, publish


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def place(published):
    """The folder something was published to."""
    assert published.path is not None
    return published.path


def test_a_corpus_folder_is_laid_out_as_the_repository_would_be(tmp_path, corpus):
    published = publish(corpus, "user/mala", directory=tmp_path / "out")

    assert published.path == tmp_path / "out" / "user" / "mala"
    assert published.n_uploaded == len(published.files)
    assert {
        "README.md",
        "LICENSE.md",
        "manifest.json",
        "languages.csv",
        "figures/corpus.png",
    } <= set(published.files)
    assert set(tree(place(published))) == set(published.files)
    assert Corpus(place(published)).labels == corpus.labels
    shard = "data/yor_Latn/train-00000-of-00001.parquet"
    assert (place(published) / shard).samefile(Path(corpus.root) / shard)
    assert "yor_Latn" in (place(published) / "languages.csv").read_text(encoding="utf-8")
    assert not list(tmp_path.rglob("*.tmp"))
    assert "(tmp" not in repr(published)
    assert repr(published).startswith("PublishedRepo('user/mala': dataset, ")


def test_publishing_again_changes_nothing(tmp_path, corpus):
    first = publish(corpus, "user/mala", directory=tmp_path / "out")
    content = tree(place(first))
    again = publish(corpus, "user/mala", directory=tmp_path / "out")
    assert again.n_uploaded == 0
    assert tree(place(first)) == content


@pytest.mark.usefixtures("placeholders")
def test_a_new_version_drops_what_the_corpus_no_longer_has(
    tmp_path, corpus, manifests, write_corpus_folder
):
    publish(corpus, "user/mala", directory=tmp_path / "out")
    smaller = dict(manifests["corpus"])
    smaller["splits"] = [row for row in smaller["splits"] if row["label"] != "yor_Latn"]
    again = publish(
        write_corpus_folder(tmp_path / "new", smaller), "user/mala", directory=tmp_path / "out"
    )
    assert not (place(again) / "data" / "yor_Latn").exists()
    assert (place(again) / "data" / "tam_Taml").exists()


def test_a_model_repository_holds_the_weights_the_card_and_the_scores_but_no_checkpoints(
    tmp_path, model, before, after
):
    published = publish(model, "user/m", scores=[before, after], directory=tmp_path / "out")
    assert {"model.safetensors", "config.json", "evaluation/after/results.parquet"} <= set(
        published.files
    )
    assert not any(name.startswith("checkpoints") for name in published.files)
    card = (place(published) / "README.md").read_text(encoding="utf-8")
    assert "a card the trainer left" not in card
    for figure in ("figures/training.png", "figures/before-after-gflanguages.png"):
        assert f"({figure})" in card
        assert figure in published.files


def test_scores_can_be_published_without_being_saved_first(tmp_path, before, after):
    published = publish(after, "user/scores", scores=[before], directory=tmp_path / "out")
    assert {"results.parquet", "details.parquet", "figures/before-after-gflanguages.svg"} <= set(
        published.files
    )


def test_saved_scores_give_the_same_repository_as_unsaved_ones(tmp_path, after):
    after.save(tmp_path / "scores")
    saved = publish(tmp_path / "scores", "user/scores", directory=tmp_path / "a")
    unsaved = publish(after, "user/scores", directory=tmp_path / "b")
    assert tree(place(saved)) == tree(place(unsaved))


@pytest.mark.usefixtures("placeholders")
def test_a_dry_run_writes_nothing(tmp_path, corpus):
    before = tree(tmp_path)
    published = publish(corpus, "user/mala", PublishConfig(dry_run=True))
    assert "dry run: nothing was written" in repr(published)
    assert "README.md" in published.files
    assert published.commit is None
    assert tree(tmp_path) == before
    assert "new or changed" not in repr(published), "the Hub was not asked"
    publish(corpus, "user/mala", PublishConfig(dry_run=True), directory=tmp_path / "out")
    assert tree(tmp_path) == before


@pytest.mark.usefixtures("placeholders")
def test_what_a_folder_gets_and_loses_is_told_before_and_after(tmp_path, corpus):
    dry, out = PublishConfig(dry_run=True), tmp_path / "out"
    told = publish(corpus, "user/mala", dry, directory=out).plan
    done = publish(corpus, "user/mala", directory=out)
    assert told == done.plan
    assert told is not None
    assert set(told.new) == set(done.files)
    (place(done) / "old.txt").write_text("old")
    (place(done) / "LICENSE.md").write_text("changed")
    (place(done) / "languages.csv").unlink()
    said = repr(publish(corpus, "user/mala", dry, directory=out)).splitlines()
    assert said[0].endswith(
        "2 new or changed; " + str(place(done)) + ", dry run: nothing was written)"
    )
    assert said[2:5] == [
        "  new: 1 file, languages.csv", "  changed: 1 file, LICENSE.md", "  deleted: 1 file, old.txt",
    ]  # fmt: skip
    assert "to write; " in said[5]
    publish(corpus, "user/mala", directory=out)
    assert "nothing to write: all of it is there" in repr(
        publish(corpus, "user/mala", directory=out)
    )


@pytest.mark.usefixtures("placeholders")
def test_a_folder_with_other_content_is_refused_until_overwrite(tmp_path, corpus):
    folder = tmp_path / "out" / "user" / "mala"
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(OutputError, match="not a finished corpus of emma500"):
        publish(corpus, "user/mala", directory=tmp_path / "out")
    assert (folder / "thesis.tex").exists()
    publish(corpus, "user/mala", PublishConfig(overwrite=True), directory=tmp_path / "out")
    assert not (folder / "thesis.tex").exists()


@pytest.mark.parametrize(
    "repo_id", ["mala", "a/b/c", "user/", "/mala", "user/ma la", "user/mála", ""]
)
def test_a_repository_id_has_a_user_and_a_name(corpus, repo_id, tmp_path):
    with pytest.raises(ConfigError, match="repo_id must be user/name"):
        publish(corpus, repo_id, directory=tmp_path / "out")


def test_a_folder_that_nothing_finished_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"holds no manifest.json"):
        publish(tmp_path, "user/mala", directory=tmp_path / "out")
    with pytest.raises(SourceError, match="is no folder"):
        publish(tmp_path / "nowhere", "user/mala", directory=tmp_path / "out")
    (tmp_path / "manifest.json").write_text('{"kind": "cake"}', encoding="utf-8")
    with pytest.raises(
        SourceError,
        match="kind 'cake' cannot be published; one of corpus, training-run, extended-model, "
        "merged-model, instructed-model, scores, generations",
    ):
        publish(tmp_path, "user/mala", directory=tmp_path / "out")


@pytest.mark.usefixtures("placeholders")
def test_a_corpus_without_configs_in_its_card_is_refused(tmp_path, corpus):
    (Path(corpus.root) / "README.md").unlink()
    with pytest.raises(SourceError, match="holds no configs in its YAML: build the corpus again"):
        publish(corpus, "user/mala", directory=tmp_path / "out")
    assert not list(tmp_path.rglob("*.tmp"))


def test_three_scores_do_not_fit_on_a_card(model, before, after, tmp_path):
    with pytest.raises(ConfigError, match="at most two scores"):
        publish(model, "user/m", scores=[before, after, after], directory=tmp_path)


def test_scores_must_be_scores(model, corpus, tmp_path):
    with pytest.raises(SourceError, match="holds a corpus, not scores"):
        publish(model, "user/m", scores=[corpus.root], directory=tmp_path)


@pytest.mark.parametrize(("field", "value"), [("attempts", 0), ("delay", -1.0), ("revision", "")])
def test_a_configuration_is_checked(field, value):
    with pytest.raises(ConfigError, match=f"PublishConfig.{field} must be"):
        PublishConfig(**{field: value})


@pytest.mark.usefixtures("placeholders")
def test_a_hub_that_is_switched_off_is_a_clear_error(corpus):
    with pytest.raises(
        HubError, match="HF_HUB_OFFLINE is set; unset it, or publish to a directory"
    ):
        publish(corpus, "user/mala", PublishConfig(attempts=1))
