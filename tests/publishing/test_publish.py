"""Publishing to a folder, and to a Hub on loopback with the real client."""

import json
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


def remote(hub, repo_type, repo_id, revision="main"):
    """The paths of a repository and their bytes, as the server holds them."""
    files = hub.commit_obj(repo_type, repo_id, revision)["tree"]
    return {
        path: (hub.root / "objects" / each["sha256"]).read_bytes() for path, each in files.items()
    }


# ---- to a folder


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
    publish(corpus, "user/mala", PublishConfig(dry_run=True), directory=tmp_path / "out")
    assert tree(tmp_path) == before


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
        match="kind 'cake' cannot be published; one of corpus, training-run, scores can",
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


# ---- to a Hub


@pytest.mark.parametrize("xet", [False, True], ids=["lfs", "xet"])
def test_a_corpus_goes_to_the_hub_and_load_dataset_reads_it(hub, client, corpus, xet):
    done, read = client(
        f"""
first = publish({corpus.root!r}, "emma/mala", PublishConfig(**quick))
again = publish({corpus.root!r}, "emma/mala", PublishConfig(**quick))
from datasets import load_dataset
one = load_dataset("emma/mala", "yor_Latn", split="train")
every = load_dataset("emma/mala", split="train", streaming=True)
told = [[each.n_uploaded, each.commit, each.url, len(each.files)] for each in (first, again)]
print(json.dumps([told, [one["text"][0], len(list(every))]]))
""",
        xet=xet,
    )
    (n_uploaded, commit, url, n_files), (n_again, commit_again, *_) = done
    assert n_uploaded == n_files
    assert (n_again, commit_again) == (0, commit)
    assert url == f"{hub.endpoint}/datasets/emma/mala"
    there = remote(hub, "dataset", "emma/mala")
    assert len(there) == n_files + 1  # .gitattributes is the Hub's
    shard = "data/yor_Latn/train-00000-of-00001.parquet"
    assert there[shard] == (Path(corpus.root) / shard).read_bytes()
    n_labels = sum(
        row["component"] == "monolingual"
        for row in corpus.manifest["splits"]
        if row["split"] == "train"
    )
    assert read == ["yor_Latn-train text", 3 * n_labels]


def test_the_card_is_committed_last_together_with_the_deletions(
    hub, client, corpus, manifests, tmp_path, write_corpus_folder
):
    client(f'publish({corpus.root!r}, "emma/mala")')
    smaller = dict(manifests["corpus"])
    smaller["splits"] = [row for row in smaller["splits"] if row["label"] != "yor_Latn"]
    new = write_corpus_folder(tmp_path / "new", smaller, text="changed")
    client(f'publish({str(new)!r}, "emma/mala")')

    last = hub.commit_obj("dataset", "emma/mala", "main")
    there = remote(hub, "dataset", "emma/mala")
    assert not any(path.startswith("data/yor_Latn/") for path in there)
    earlier = hub.commit_obj("dataset", "emma/mala", last["parents"][0])
    changed = {
        path
        for path in last["tree"].keys() | earlier["tree"].keys()
        if last["tree"].get(path) != earlier["tree"].get(path)
    }
    assert changed == {
        "README.md",
        "manifest.json",
        "data/yor_Latn/train-00000-of-00001.parquet",
        "data/yor_Latn/validation-00000-of-00001.parquet",
    }


@pytest.mark.parametrize("xet", [False, True], ids=["lfs", "xet"])
def test_a_model_with_its_scores_goes_to_the_hub(hub, client, model, before, after, tmp_path, xet):
    before.save(tmp_path / "before")
    after.save(tmp_path / "after")
    rows = client(
        f"""
publish({str(model)!r}, "emma/m", scores=[{str(tmp_path / "before")!r}, {str(tmp_path / "after")!r}])
publish({str(tmp_path / "after")!r}, "emma/scores")
from datasets import load_dataset
print(json.dumps(load_dataset("emma/scores", split="train").to_list()))
""",
        xet=xet,
    )
    there = remote(hub, "model", "emma/m")
    assert there["model.safetensors"] == (model / "model.safetensors").read_bytes()
    assert b"mean of 6 trained languages" in there["README.md"]
    assert rows == json.loads(json.dumps(after.rows))


def test_a_hub_that_stumbles_is_asked_again(hub, client, after, tmp_path):
    after.save(tmp_path / "scores")
    hub.fault(r"POST /api/repos/create", status=503, times=2)
    hub.fault(r"POST /api/validate-yaml", status=502, times=2)
    hub.fault(r"POST /api/datasets/emma/limited/commit/", status=429, times=2)
    hub.fault(r"POST /api/datasets/emma/dropped/commit/", drop=True)
    hub.fault(r"POST /api/datasets/emma/lost/commit/", status=503, after=True, times=1)
    hub.fault(r"GET /api/datasets/emma/unlisted/tree/", status=500)
    names = ["limited", "dropped", "lost", "unlisted"]
    client(
        f"""
for name in {names}:
    publish({str(tmp_path / "scores")!r}, f"emma/{{name}}", PublishConfig(**quick))
"""
    )
    assert not [fault for fault in hub.faults if fault["times"] > 0]
    for name in names:
        assert {"results.parquet", "README.md"} <= set(remote(hub, "dataset", f"emma/{name}"))


def test_a_hub_that_stays_down_is_a_clear_error_and_the_next_call_finishes(
    hub, client, after, tmp_path
):
    after.save(tmp_path / "scores")
    hub.fault(r"POST /api/validate-yaml", status=503, times=1000)
    code = (
        f'publish({str(tmp_path / "scores")!r}, "emma/scores", PublishConfig(attempts=3, **quick))'
    )
    failed = client(code, check=False)
    assert failed.returncode == 1
    assert "HubError: cannot upload the card of emma/scores after 3 attempts" in failed.stderr
    hub.faults.clear()
    client(code)
    assert "README.md" in remote(hub, "dataset", "emma/scores")


@pytest.mark.parametrize(
    ("repo_id", "token", "message"),
    [
        ("stranger/scores", True, "(403); the token may not write there"),
        ("emma/scores", False, "hf auth login"),
    ],
)
def test_a_refusal_says_what_to_do(client, after, tmp_path, repo_id, token, message):
    after.save(tmp_path / "scores")
    failed = client(
        f"publish({str(tmp_path / 'scores')!r}, {repo_id!r}, PublishConfig(**quick))",
        token=token,
        check=False,
    )
    assert f"HubError: cannot create the repository of {repo_id}: " in failed.stderr
    assert message in failed.stderr


def test_a_repository_of_somebody_elses_is_not_overwritten(hub, client, after, tmp_path):
    after.save(tmp_path / "scores")
    theirs = """
from huggingface_hub import HfApi
api = HfApi()
api.create_repo("emma/scores", repo_type="dataset")
api.upload_file(path_or_fileobj=b"theirs", path_in_repo="results.parquet", repo_id="emma/scores", repo_type="dataset")
"""
    code = f'publish({str(tmp_path / "scores")!r}, "emma/scores", PublishConfig(overwrite=OVERWRITE, **quick))'
    failed = client(theirs + code.replace("OVERWRITE", "False"), check=False)
    assert (
        "OutputError: emma/scores holds files that are no scores of emma500, as results.parquet"
        in failed.stderr
    )
    assert remote(hub, "dataset", "emma/scores")["results.parquet"] == b"theirs"
    client(code.replace("OVERWRITE", "True"))
    assert (
        remote(hub, "dataset", "emma/scores")["results.parquet"]
        == (tmp_path / "scores" / "results.parquet").read_bytes()
    )


def test_files_that_are_not_ours_stay(hub, client, after, tmp_path):
    after.save(tmp_path / "scores")
    code = f'publish({str(tmp_path / "scores")!r}, "emma/scores", PublishConfig(**quick))'
    note = """
from huggingface_hub import HfApi
HfApi().upload_file(path_or_fileobj=b"note", path_in_repo="notes/a.txt", repo_id="emma/scores", repo_type="dataset")
"""
    client(f"{code}\n{note}\n{code}")
    assert remote(hub, "dataset", "emma/scores")["notes/a.txt"] == b"note"


def test_a_branch_is_made_and_main_is_left_alone(hub, client, after, tmp_path):
    after.save(tmp_path / "scores")
    client(
        f'publish({str(tmp_path / "scores")!r}, "emma/scores", PublishConfig(revision="v2", private=True, **quick))'
    )
    assert "results.parquet" in remote(hub, "dataset", "emma/scores", "v2")
    assert set(remote(hub, "dataset", "emma/scores")) == {".gitattributes"}
    assert hub.meta("dataset", "emma/scores")["private"] is True


def test_bytes_that_arrived_wrong_are_noticed(hub, client, after, tmp_path):
    after.save(tmp_path / "scores")
    failed = client(
        f"""
from huggingface_hub import HfApi
def tampered(api, *, folder_path, **options):
    api.upload_file(path_or_fileobj=b"wrong", path_in_repo="results.parquet", repo_id=options["repo_id"],
                    repo_type=options["repo_type"])
HfApi.upload_folder = tampered
publish({str(tmp_path / "scores")!r}, "emma/scores", PublishConfig(**quick))
""",
        check=False,
    )
    assert "HubError: emma/scores holds other bytes than were uploaded" in failed.stderr


def test_an_upload_that_is_killed_is_finished_by_the_same_call(hub, client, corpus):
    code = f'publish({corpus.root!r}, "emma/mala")'
    killed = client(
        f"""
import os
from huggingface_hub import HfApi
HfApi.create_commit = lambda *_, **__: os._exit(9)
{code}
""",
        check=False,
    )
    assert killed.returncode == 9
    assert set(remote(hub, "dataset", "emma/mala")) == {".gitattributes"}
    client(code)
    assert "README.md" in remote(hub, "dataset", "emma/mala")
    assert not list(Path(corpus.root).parent.glob(".*.publish.tmp"))


def test_a_first_version_that_failed_does_not_lock_the_repository(hub, client, corpus):
    """The files are there, the manifest is not: that must not look like somebody else's repository."""
    hub.fault(r"POST /api/validate-yaml", status=503, times=1000)
    client(f'publish({corpus.root!r}, "emma/mala", PublishConfig(attempts=1))', check=False)
    there = remote(hub, "dataset", "emma/mala")
    assert "manifest.json" not in there
    assert "data/yor_Latn/train-00000-of-00001.parquet" in there
    hub.faults.clear()
    client(f'publish({corpus.root!r}, "emma/mala")')
    assert "manifest.json" in remote(hub, "dataset", "emma/mala")
