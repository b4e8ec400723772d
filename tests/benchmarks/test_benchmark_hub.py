"""Every benchmark that has a place on the Hub, read by the real client from a Hub on loopback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from emma500.tables import read_table
from tests.benchmarks.hub_layouts import commit, files_of
from tests.loopback import LoopbackHub

ROOT = Path(__file__).parents[2]
ROWS = {row["name"]: row for row in read_table("benchmarks") if row["place"]}
HUB = "hf://datasets/"

READ = """
import json, sys
from pathlib import Path
from emma500.benchmarks.registry import open_benchmark
from emma500.errors import EmmaError

found = {}
for name in sys.argv[1:]:
    try:
        benchmark = open_benchmark(name)
        task, data = benchmark.task, benchmark.data
        label = task.labels[0]
        found[name] = {
            "labels": task.labels, "n": len(task.examples(label, "test")),
            "n_shots": len(task.examples(label, "shots")), "n_texts": len(list(data.read(data.labels[0]))),
            "revision": benchmark.data.revision,
        }
    except EmmaError as error:
        found[name] = str(error)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark-hub")
    server = LoopbackHub(folder / "hub").start()
    shas: dict[str, str] = {}
    for place in sorted({row["place"] for row in ROWS.values()}):
        rows = [row for row in ROWS.values() if row["place"] == place]
        files: dict[str, bytes] = {}
        for row in rows:
            files |= files_of(row["name"], folder / "made" / row["name"])
        sha = _published(server, rows[0], files)
        shas |= {row["name"]: sha for row in rows}
    yield SimpleNamespace(server=server, shas=shas)
    server.stop()


def _published(server, row, files):
    """Commit files where the table looks for them; beside a Parquet branch there is the script that its data are of."""
    repository = row["place"].removeprefix(HUB)
    if "/" not in row["revision"]:
        return commit(server, repository, files, sha=row["revision"])
    commit(server, repository, {repository.rpartition("/")[2] + ".py": b"import datasets\n"})
    return commit(server, repository, files, ref=row["revision"])


def read(hub, home, *names, **environment):
    done = subprocess.run(
        [sys.executable, "-c", READ, *names],
        env={
            **os.environ, "HF_ENDPOINT": hub.server.endpoint, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1",
            "HF_TOKEN": "", "HF_HOME": str(home), "PYTHONPATH": str(ROOT), **environment,
        },
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_benchmark_with_a_place_is_read_there_at_its_revision(hub, tmp_path):
    found = read(hub, tmp_path, *ROWS)
    assert {name: each for name, each in found.items() if isinstance(each, str)} == {}
    for name, row in ROWS.items():
        each = found[name]
        assert each["revision"] == hub.shas[name], name
        assert each["n"] == each["n_texts"] == 6, name
        assert each["n_shots"] == (6 if "shots=" in row["splits"] else 0), name
    labels = {name: each["labels"] for name, each in found.items()}
    assert (
        labels["xcopa"] == labels["xnli"] == labels["xstorycloze"] == labels["arc"] == ["swa_Latn"]
    )
    assert labels["xwinograd"] == ["jpn_Jpan"]
    assert labels["flores200"] == ["swh_Latn"]  # from English
    assert labels["multipl-e"] == ["sh"]
    assert labels["xlsum"] == labels["sib200"] == labels["polywrite"] == ["swh_Latn"]
    # no training split of a hundred times the size comes along
    cached = {path.name: path for path in (tmp_path / "hub").glob("datasets--*")}
    for name in ("facebook--xnli", "csebuetnlp--xlsum"):
        paths = [str(path) for path in cached[f"datasets--{name}"].rglob("*.parquet")]
        assert paths
        assert not [path for path in paths if "train" in path]
    # what was read once is read again without a network
    again = read(
        hub, tmp_path, "xcopa", "mgsm-cot", HF_HUB_OFFLINE="1", HF_ENDPOINT="http://localhost:9"
    )
    assert again == {name: found[name] for name in ("xcopa", "mgsm-cot")}


def test_another_revision_is_read_and_named_on_request(hub, tmp_path):
    files = files_of("americasnli", tmp_path / "files")
    repository = ROWS["americasnli"]["place"].removeprefix(HUB)
    newest = commit(
        hub.server, repository, {path.replace("quy", "tar"): each for path, each in files.items()}
    )
    older = hub.shas["americasnli"]
    one, two = f"americasnli@{older}", "americasnli"
    found = read(hub, tmp_path / "home", one, two, "americasnli@main", "americasnli@" + "0" * 40)
    assert (found[one]["labels"], found[one]["revision"]) == (["quy_Latn"], older)
    assert (found[two]["labels"], found[two]["revision"]) == (["tar_Latn"], newest)
    assert found["americasnli@main"] == found[two]
    assert "nala-cub/americas_nli" in found["americasnli@" + "0" * 40]
    assert "cannot be read" in found["americasnli@" + "0" * 40]


def test_data_that_a_script_makes_is_told_with_the_branch_to_read(hub, tmp_path):
    found = read(hub, tmp_path, "xstorycloze@main", "xlsum@main")
    assert "made by a script" in found["xstorycloze@main"]
    assert "xstory_cloze.py" in found["xstorycloze@main"]
    assert "xlsum@refs/convert/parquet" in found["xlsum@main"]
