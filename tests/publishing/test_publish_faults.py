"""What goes wrong between here and the Hub: nothing is published twice, nothing is lost, no token is told."""

import os
import signal
import time

import pytest

from emma500.folder import Corpus


@pytest.fixture
def saved(after, before, written, tmp_path):
    after.save(tmp_path / "scores")
    before.save(tmp_path / "other")
    written.save(tmp_path / "earlier")
    return tmp_path / "scores"


def files_of(hub, repo_type, repo_id):
    """The files of a repository by their SHA-256, without what the Hub itself put there."""
    tree = hub.commit_obj(repo_type, repo_id, "main")["tree"]
    return {path: each["sha256"] for path, each in tree.items() if path != ".gitattributes"}


def commits(hub, repo_type, repo_id):
    each = hub.commit_obj(repo_type, repo_id, "main")
    found = [each["title"]]
    while each["parents"]:
        each = hub.commit_obj(repo_type, repo_id, each["parents"][0])
        found.append(each["title"])
    return found


def requests(hub, part):
    return [line for line in hub.log if part in line]


def test_what_a_hub_asks_to_wait_for_is_waited_for(hub, client, saved):
    hub.fault(r"POST .*/commit/", status=429, retry_after="1")
    hub.fault(r"POST .*/preupload/", status=500)
    hub.fault(r"GET .*/tree/", status=503, skip=1)
    seconds = client(
        """
import time
began = time.monotonic()
publish("scores", "emma/scores", PublishConfig(**quick))
print(time.monotonic() - began)
"""
    )
    assert seconds >= 1
    assert not [each for each in hub.faults if each["times"]]
    assert "README.md" in files_of(hub, "dataset", "emma/scores")


def test_connections_reset_in_mid_upload_lose_nothing(hub, client, corpus):
    hub.fault(r"PUT /__lfs__/", drop=True, times=3, skip=1)
    client(f'publish({corpus.root!r}, "emma/mala", PublishConfig(**quick))')
    there = files_of(hub, "dataset", "emma/mala")
    assert len([path for path in there if path.startswith("data/")]) == len(
        [file for row in corpus.manifest["splits"] for file in row["files"] if "data/" in file]
    )
    assert len(commits(hub, "dataset", "emma/mala")) == 3, "one each: initial, files, card"


@pytest.mark.slow
@pytest.mark.parametrize("xet", [False, True], ids=["lfs", "xet"])
def test_a_large_upload_that_is_killed_goes_on_where_it_was(
    hub, start_client, client, tmp_path, manifests, write_corpus_folder, xet
):
    whole = dict(manifests["corpus"])
    row = whole["splits"][0]
    whole["splits"] = [
        *whole["splits"],
        *({**row, "files": [f"data/{row['label']}/train-more-{n:03}.parquet"]} for n in range(60)),
    ]
    folder = write_corpus_folder(tmp_path / "large", whole, text="longer " * 300)
    code = f'publish({str(folder)!r}, "emma/mala", PublishConfig(**quick))'
    at = "commit/main" if xet else "PUT /__lfs__/"
    hub.fault(f"(POST|PUT) .*{at}", status=0, delay=4, skip=0 if xet else 20, times=99)
    process = start_client(code, xet=xet)
    wait_for(lambda: len(requests(hub, at)) > (0 if xet else 20))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    hub.faults.clear()
    sent = len(requests(hub, "PUT /__lfs__/"))
    time.sleep(5 if xet else 0)  # what the Hub was doing when its client died, it does
    hub.log.clear()
    client(code, xet=xet)

    there = files_of(hub, "dataset", "emma/mala")
    assert len([path for path in there if "/train-more-" in path]) == 60
    assert len(set(commits(hub, "dataset", "emma/mala"))) == 2, "the first, and ours"
    assert not list(tmp_path.glob(".*.publish.tmp"))
    if xet:
        assert not requests(hub, "xet-write-token"), "the commit had arrived: nothing is sent again"
    else:
        large = [path for path in there if path.endswith((".parquet", ".png"))]
        assert sent >= 20
        assert len(requests(hub, "PUT /__lfs__/")) <= len(large) - 15


def wait_for(holds, seconds=60):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def test_a_wrong_token_is_a_clear_error_and_leaves_no_repository(hub, client, saved):
    wrong = "hf_wrongwrongwrongwrongwrongwrongwr"
    hub.fault(r"GET /api/datasets/emma/told", status=401, message=f"{wrong} is no token", times=9)
    for name in ("scores", "told"):
        failed = client(
            f"""
import logging
logging.basicConfig(level=logging.DEBUG)
publish("scores", "emma/{name}", PublishConfig(**quick))
""",
            check=False,
            HF_TOKEN=wrong,
        )
        assert failed.returncode == 1
        assert f"HubError: cannot look at what is there of emma/{name}: " in failed.stderr
        assert "(401); log in with `hf auth login`" in failed.stderr
        assert wrong not in failed.stderr.partition("emma500.errors.HubError")[2] + failed.stdout
        assert not hub.exists("dataset", f"emma/{name}")


def test_a_full_quota_is_told_at_once(hub, client, saved):
    hub.fault(
        r"POST .*/commit/", status=403, message="You have exceeded your storage quota", times=9
    )
    failed = client('publish("scores", "emma/scores", PublishConfig(**quick))', check=False)
    assert "You have exceeded your storage quota" in failed.stderr
    assert "make room" in failed.stderr
    assert len(requests(hub, "/commit/")) == 1


def test_a_repository_that_was_renamed_is_not_made_again_under_its_old_name(hub, client, saved):
    client('publish("scores", "emma/new", PublishConfig(**quick))')
    hub.moved["emma/old"] = "emma/new"
    failed = client('publish("other", "emma/old", PublishConfig(**quick))', check=False)
    assert "HubError: emma/old was renamed to emma/new: use that name" in failed.stderr
    assert len(commits(hub, "dataset", "emma/new")) == 3


def test_a_hub_that_nobody_reaches_is_told_at_once(client, saved):
    failed = client(
        """
import atexit, time
began = time.monotonic()
atexit.register(lambda: print(time.monotonic() - began))
publish("scores", "emma/scores")
""",
        check=False,
        HF_ENDPOINT="http://127.0.0.1:9",
    )
    assert "http://127.0.0.1:9 cannot be reached" in failed.stderr
    assert "check the connection and HF_ENDPOINT, or publish to a directory" in failed.stderr
    assert float(failed.stdout.splitlines()[-1]) < 20


@pytest.mark.parametrize("between", ["other", "earlier"])
def test_another_publisher_in_between_never_leaves_a_mixture(hub, client, saved, between):
    """Between the files and the card of one call, another one publishes other files, or more of them."""
    client(
        f"between = {between!r}"
        """
from huggingface_hub import HfApi
real, left = HfApi.upload_folder, [1]
def crossed(api, **options):
    done = real(api, **options)
    if left:
        left.clear()
        publish(between, "emma/scores", PublishConfig(**quick))
    return done
publish("other", "emma/scores", PublishConfig(**quick))
HfApi.upload_folder = crossed
publish("scores", "emma/scores", PublishConfig(**quick))
assert not left
publish("scores", "emma/alone", PublishConfig(**quick))
"""
    )
    there, alone = (files_of(hub, "dataset", f"emma/{name}") for name in ("scores", "alone"))
    for each in (there, alone):
        each.pop("README.md")  # names its repository
    assert there == alone


@pytest.mark.slow
def test_two_publishers_at_once_both_finish_and_one_of_them_is_whole(
    hub, start_client, client, saved
):
    client('publish("earlier", "emma/both", PublishConfig(**quick))')
    hub.fault(r"POST .*/commit/", status=0, delay=0.3, times=99)
    codes = {
        name: f'publish("{name}", "emma/both", PublishConfig(**quick))'
        for name in ("scores", "other")
    }
    running = [start_client(code) for code in codes.values()]
    for process in running:
        assert process.wait(timeout=120) == 0, process.stderr.read().decode()[-2000:]
    digests = files_of(hub, "dataset", "emma/both")
    whole = []
    for name in codes:
        local = saved.with_name(name)
        bytes_of = {
            path: (hub.root / "objects" / digests[path]).read_bytes()
            for path in ("results.parquet", "details.parquet", "manifest.json")
        }
        whole.append(all((local / path).read_bytes() == data for path, data in bytes_of.items()))
    assert sorted(whole) == [False, True]


def test_a_token_in_a_setting_is_never_published(client, hub, model):
    manifest = model / "manifest.json"
    secret = "hf_" + "aB3" * 12
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace('"config": {', f'"config": {{"hub_token": "{secret}", ', 1))
    failed = client(f"publish({str(model)!r}, 'emma/m', PublishConfig(**quick))", check=False)
    assert "SourceError: " in failed.stderr
    assert "would hold an access token of the Hub" in failed.stderr
    assert secret not in failed.stderr
    assert not hub.log, "nobody was asked anything"


@pytest.mark.parametrize("is_told", [False, True], ids=["", "told-by-the-hub"])
def test_the_token_is_in_no_log_no_error_and_no_file(hub, client, saved, is_told):
    """Where the Hub itself tells it, the log of its client is not ours to clean; ours and our errors are."""
    message = f"token {hub.token if is_told else 'hidden'} met an error"
    hub.fault(r"POST .*/commit/", status=503, message=message, times=2)
    hub.fault(r"POST .*/commit/", status=403, message=message)
    done = client(
        """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
logging.getLogger("emma500").addHandler(logging.StreamHandler(sys.stdout))
for repo_id in ("emma/scores", "stranger/scores", "emma/scores"):
    try:
        publish("scores", repo_id, PublishConfig(**quick))
    except Exception as error:
        print(repr(error), error)
""",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    ours = done.stdout
    assert ours.count("met an error") > 1, "in the log of an attempt, and in an error"
    assert "stranger" in ours
    assert hub.token not in (ours if is_told else ours + done.stderr)
    objects = list((hub.root / "objects").iterdir())
    assert len(objects) > 5
    assert not [path for path in objects if hub.token.encode() in path.read_bytes()]


def test_a_corpus_of_the_hub_is_read_at_one_version_and_without_its_text(
    hub, client, corpus, tmp_path, manifests, write_corpus_folder
):
    new = dict(manifests["corpus"], digest="another")
    new["splits"] = [row for row in new["splits"] if row["label"] != "yor_Latn"]
    write_corpus_folder(tmp_path / "new", new, text="changed")
    told = client(
        f"""
from emma500 import Corpus
publish({corpus.root!r}, "emma/mala", PublishConfig(tag="v1", **quick))
first = Corpus.from_hub("emma/mala")
loose = Corpus("emma/mala")
publish("new", "emma/mala", PublishConfig(**quick))
again = Corpus.from_hub("emma/mala")
text = lambda found: found.read("monolingual", "tam_Taml", "train")["text"][0].as_py()
old = Corpus.from_hub("emma/mala", "v1")
rows = again.load_with_datasets("tam_Taml", split="train")["text"]
print(json.dumps([
    ["yor_Latn" in each.labels for each in (first, again, old, Corpus("emma/mala"))],
    [text(each) for each in (first, again, old, Corpus("emma/mala"))], list(rows)[0],
]))
"""
    )
    has_label, texts, loaded = told
    assert has_label == [True, False, True, False]
    assert [text.split()[-1] for text in texts] == ["text", "changed", "text", "changed"]
    assert loaded.endswith("changed")


def test_opening_a_corpus_of_the_hub_fetches_its_manifest_alone(hub, client, corpus):
    client(f'publish({corpus.root!r}, "emma/mala", PublishConfig(**quick))')
    hub.log.clear()
    n = client(
        'from emma500 import Corpus\nprint(len(Corpus.from_hub("emma/mala").labels))', token=False
    )
    assert n == len(Corpus(corpus.root).labels)
    fetched = [line for line in requests(hub, "/resolve/") if line.startswith("GET")]
    assert fetched
    assert all(line.endswith("manifest.json") for line in fetched)
