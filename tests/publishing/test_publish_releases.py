"""Pull requests, gates, releases and plans, on a Hub on loopback with the real client."""

import json

import pytest

from emma500.errors import ConfigError
from emma500.publishing.difference import PublishPlan
from emma500.publishing.publish import PublishConfig

pytestmark = pytest.mark.usefixtures("saved")


@pytest.fixture
def saved(after, before, tmp_path):
    after.save(tmp_path / "scores")
    before.save(tmp_path / "other")


def paths(hub, revision="main"):
    return set(hub.commit_obj("dataset", "emma/scores", revision)["tree"])


def test_a_pull_request_is_opened_once_and_holds_everything(hub, client):
    client(
        """
for what in ("scores", "scores"):
    done = publish(what, "emma/scores", PublishConfig(create_pr=True, commit_message="new scores", **quick))
"""
    )
    (opened,) = hub.meta("dataset", "emma/scores")["discussions"]
    assert (opened["title"], opened["status"], opened["isPullRequest"]) == (
        "new scores",
        "open",
        True,
    )
    assert paths(hub) == {".gitattributes"}
    assert {"README.md", "results.parquet", "manifest.json"} <= paths(hub, "refs/pr/1")


def test_a_pull_request_that_was_cut_off_is_gone_on_with(hub, client):
    hub.fault(r"POST /api/datasets/emma/scores/commit/", status=500, times=1000)
    code = """
config = PublishConfig(create_pr=True, commit_message="new scores", attempts=1, **quick)
done = publish("scores", "emma/scores", config)
print(json.dumps(done.url))
"""
    assert client(code, check=False).returncode == 1
    assert [each["status"] for each in hub.meta("dataset", "emma/scores")["discussions"]] == [
        "draft"
    ]
    hub.faults.clear()
    assert client(code) == f"{hub.endpoint}/datasets/emma/scores/discussions/1"
    assert [each["status"] for each in hub.meta("dataset", "emma/scores")["discussions"]] == [
        "open"
    ]


def test_a_release_is_gated_tagged_and_its_tag_never_moves(hub, client):
    done = client(
        """
config = PublishConfig(gated="manual", tag="v1.0", **quick)
first = publish("scores", "emma/scores", config)
again = publish("scores", "emma/scores", config)
try:
    publish("other", "emma/scores", config)
except Exception as error:
    print(json.dumps([first.commit, again.commit, type(error).__name__, str(error)]))
"""
    )
    commit, again, kind, message = done
    assert commit == again
    meta = hub.meta("dataset", "emma/scores")
    assert meta["gated"] == "manual"
    assert meta["refs"]["refs/tags/v1.0"] == meta["refs"]["refs/heads/main"] == commit
    assert kind == "OutputError"
    assert f"the tag 'v1.0' of emma/scores names the commit {commit[:8]}" in message


def test_a_plan_is_shown_and_nothing_is_done_unless_it_is_confirmed(hub, client):
    plans = client(
        """
plans = []
def confirm(plan):
    plans.append(str(plan))
    return len(plans) > 1
config = PublishConfig(private=True, tag="v1", **quick)
publish("scores", "emma/scores", config, confirm=confirm)
from huggingface_hub import HfApi
assert not HfApi().repo_exists("emma/scores", repo_type="dataset")
publish("scores", "emma/scores", config, confirm=confirm)
publish("scores", "emma/scores", config.__class__(**quick), confirm=confirm)
print(json.dumps(plans))
"""
    )
    assert len(plans) == 2, "there is nothing to confirm where nothing changes"
    assert plans[0].startswith("dataset emma/scores: a new private repository, tagged v1\n  new: ")
    assert "README.md, details.parquet, leaderboard.parquet" in plans[0]
    assert hub.meta("dataset", "emma/scores")["private"] is True


def test_the_command_line_shows_the_plan_and_goes_on_only_with_yes(hub, client):
    done = client(
        """
import contextlib, io, sys
from emma500.cli import main
words = ["publish", "--folder", "scores", "--repo_id", "emma/scores", "--scores", "other"]
told = []
for more in ([], ["--yes"], ["--yes"]):
    said = io.StringIO()
    sys.stdin = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        status = main([*words, *more])
    told.append([status, said.getvalue()])
print(json.dumps(told))
"""
    )
    (refused, plan), (published, said), (again, nothing) = done
    assert (refused, published, again) == (2, 0, 0)
    assert "dataset emma/scores: a new public repository\n  new: " in plan
    assert "nothing was done: add --yes" in plan
    assert "to upload; " in said
    assert ", 0 new or changed" in nothing
    assert "README.md" in paths(hub)


def test_generations_go_to_the_hub_and_load_dataset_reads_them(client, written, tmp_path):
    written.save(tmp_path / "written")
    rows, n_files = client(
        """
config = PublishConfig(generations=True, **quick)
publish("written", "emma/generations", config)
assert publish("written", "emma/generations", config).n_uploaded == 0
from datasets import load_dataset
rows = load_dataset("emma/generations", "flores200", split="train").to_list()
every = load_dataset("emma/generations", split="train").to_list()
print(json.dumps([rows, len(every)]))
"""
    )
    assert n_files == 4
    told = [(row["language"], row["output"], row["is_right_language"]) for row in rows]
    assert told == [("yor_Latn", "ẹ káàárọ̀", True), ("nqo_Nkoo", "good morning", False)]
    assert rows[0]["prompt"] == "English: good morning"
    assert json.loads(rows[0]["settings"]) == {"bf16": False, "seed": 42}
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"create_pr": True, "tag": "v1"}, "create_pr goes to the main branch"),
        ({"gated": "yes"}, "gated must be auto, manual or off"),
        ({"tag": "../main"}, "tag must be a name for git"),
        ({"revision": "a..b"}, "revision must be a name for git"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(fields, message):
    with pytest.raises(ConfigError, match=message):
        PublishConfig(**fields)


def test_a_plan_of_many_files_names_the_first():
    files = tuple(f"data/{n}.parquet" for n in range(9))
    plan = PublishPlan(
        where="dataset a/b", notes=(), new=(), changed=files, deleted=("old",), n_files=9, n_bytes=5_000_000
    )  # fmt: skip
    assert str(plan).splitlines() == [
        "dataset a/b",
        "  changed: 9 files, " + ", ".join(files[:5]) + " and 4 more",
        "  deleted: 1 file, old",
        "  5.0 MB to upload; 9 files in all",
    ]
