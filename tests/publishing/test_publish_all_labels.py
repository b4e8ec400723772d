"""A corpus of all labels of MaLA on the Hub: in a few commits, and one label is read without the others."""

import copy

import pytest

from emma500.languages.labels import inventory


@pytest.fixture
def whole(manifests, write_corpus_folder, tmp_path):
    """The example corpus with all labels, of a shard and a held-out one each."""
    manifest = copy.deepcopy(manifests["corpus"])
    rows = [row for row in manifest["splits"] if row["label"] == "yor_Latn"]
    assert len(rows) == 2
    known = set(manifest["labels"])
    for each in [each for each in inventory() if each.label not in known]:
        manifest["labels"][each.label] = dict(manifest["labels"]["yor_Latn"])
        manifest["splits"] += [
            {**row, "label": each.label, "files": [file.replace("yor_Latn", each.label) for file in row["files"]]}
            for row in rows
        ]  # fmt: skip
    return write_corpus_folder(tmp_path / "mala", manifest)


def commits(hub):
    each, n = hub.commit_obj("dataset", "emma/mala", "main"), 1
    while each["parents"]:
        each, n = hub.commit_obj("dataset", "emma/mala", each["parents"][0]), n + 1
    return n


@pytest.mark.slow
def test_all_labels_go_up_in_a_few_commits_and_one_is_read_alone(hub, client, whole):
    n_files = client(
        f'print(len(publish({str(whole)!r}, "emma/mala", PublishConfig(**quick)).files))'
    )
    assert n_files > 2 * 930
    assert commits(hub) <= 12, "the Hub allows 128 an hour; one a label would be 939"
    size = len((hub.root / "objects" / card(hub)["sha256"]).read_bytes())
    assert size < 300_000
    hub.log.clear()
    read = client(
        """
from datasets import load_dataset
one = load_dataset("emma/mala", "quy_Latn", split="train", streaming=True)
print(json.dumps([row["text"] for row in one]))
""",
        token=False,
    )
    assert read == ["quy_Latn-train text"] * 3
    shards = {line for line in hub.log if line.startswith("GET") and ".parquet" in line}
    assert shards
    assert all("/quy_Latn/train-" in line for line in shards)
    assert len(hub.log) < 60


def card(hub):
    return hub.commit_obj("dataset", "emma/mala", "main")["tree"]["README.md"]
