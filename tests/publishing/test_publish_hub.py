"""Publishing to a Hub on loopback with the real client."""

import json
import shutil
from pathlib import Path

import pytest


def remote(hub, repo_type, repo_id, revision="main"):
    """The paths of a repository and their bytes, as the server holds them."""
    files = hub.commit_obj(repo_type, repo_id, revision)["tree"]
    return {
        path: (hub.root / "objects" / each["sha256"]).read_bytes() for path, each in files.items()
    }


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


@pytest.mark.slow
def test_what_is_published_is_what_the_clients_of_others_read(
    hub, client, tiny_model, manifests, tmp_path
):
    """from_pretrained, snapshot_download and push_to_hub of the real clients, against the same Hub."""
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_model, folder)
    (folder / "manifest.json").write_text(json.dumps(manifests["merged-model"]), encoding="utf-8")
    told = client(
        f"""
import hashlib
from pathlib import Path
from datasets import Dataset, load_dataset
from huggingface_hub import snapshot_download
from transformers import AutoModelForCausalLM, AutoTokenizer
done = publish({str(folder)!r}, "emma/tiny", PublishConfig(tag="v1", **quick))
model = AutoModelForCausalLM.from_pretrained("emma/tiny", revision="v1")
tokenizer = AutoTokenizer.from_pretrained("emma/tiny")
n = model(**tokenizer("yes", return_tensors="pt")).logits.shape[-1]
copy = Path(snapshot_download("emma/tiny"))
same = [(copy / name).read_bytes() == (Path({str(folder)!r}) / name).read_bytes()
        for name in ("model.safetensors", "config.json", "tokenizer.json", "generation_config.json")]
Dataset.from_dict({{"text": ["a", "b"]}}).push_to_hub("emma/rows", config_name="yor_Latn")
rows = load_dataset("emma/rows", "yor_Latn", split="train", streaming=True)
print(json.dumps([n, same, [row["text"] for row in rows]]))
"""
    )
    n_pieces, same, rows = told
    assert n_pieces > 250
    assert same == [True] * 4
    assert rows == ["a", "b"]
    assert not hub.errors
