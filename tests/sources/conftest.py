"""Small files, a Hub on loopback that limits, breaks off and moves, and a process that reads data sets from it."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.loopback import Handler, LoopbackHub

ROOT = Path(__file__).parents[2]

_PRELUDE = """
import io, json, os, pickle, sys, time, traceback
from contextlib import redirect_stdout
import pyarrow as pa
from emma500.records import raw_schema
from emma500.sources.resolve import resolve

def read(source):
    batches = [batch for task in source.tasks() for batch in pickle.loads(pickle.dumps(task)).read()]
    return pa.Table.from_batches(batches, raw_schema()).to_pylist()

def column(sources, *names):
    return [[row[name] for name in names] for source in sources for row in read(source)]

def error(function):
    try:
        function()
    except Exception as caught:
        return [type(caught).__name__, str(caught)]

for line in sys.stdin:
    folder, code = json.loads(line)
    os.chdir(folder)
    printed, failed = io.StringIO(), ""
    try:
        with redirect_stdout(printed):
            exec(code, dict(globals()))
    except BaseException:
        failed = traceback.format_exc()
    print(json.dumps([printed.getvalue(), failed]), flush=True)
"""


class TestHub:
    """A Hub on loopback with two more faults."""

    __test__ = False

    def __init__(self, folder):
        self.server = LoopbackHub(folder)
        self.limits: list[str] = []
        """Retry-After of the next requests for a file, each answered by 429."""
        self.cuts = 0
        """How many requests for a file break off half-way."""
        hub = self

        class Faulty(Handler):
            def do_GET(self):
                if "/resolve/" in self.path and ".parquet" in self.path and hub.limits:
                    return self.reply(429, {"error": "slow down"}, Retry_After=hub.limits.pop(0))
                if "/resolve/" in self.path and "Range" in self.headers and hub.cuts:
                    hub.cuts -= 1
                    self.send_response(206)
                    self.send_header("Content-Length", "100000")
                    self.end_headers()
                    self.wfile.write(b"x" * 10)
                    self.close_connection = True
                    return None
                return self.handle_one()

            do_HEAD = do_GET  # the name http.server calls

        self.server.httpd.RequestHandlerClass = Faulty
        self.server.start()

    @property
    def moved(self):
        """Data sets that were renamed."""
        return self.server.moved

    def put(self, name, files):
        """Make a data set of files, or a commit that has only these."""
        server = self.server
        if not (server.dir("dataset", name) / "repo.json").exists():
            server.save(
                "dataset",
                name,
                {"private": False, "createdAt": "2026-01-01T00:00:00.000Z", "refs": {}},
            )
        tree = {}
        for path, data in files.items():
            digest = server.put_object(data)
            oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            lfs = path.endswith((".parquet", ".gz"))
            tree[path] = {"size": len(data), "oid": oid, "sha256": digest, "lfs": lfs}
        return server.new_commit("dataset", name, "refs/heads/main", tree, "files", [])["sha"]

    def requests(self, part):
        """Return the requests so far that hold a string."""
        return [line for line in self.server.log if part in line]

    def reset(self):
        """Forget what was asked for, and be well again."""
        self.limits, self.cuts = [], 0
        self.moved.clear()
        self.server.log.clear()
        self.server.faults.clear()


@pytest.fixture(scope="session")
def _hub_and_its_client(tmp_path_factory):
    found = TestHub(tmp_path_factory.mktemp("hub"))
    env = {
        **os.environ,
        "HF_ENDPOINT": found.server.endpoint,
        "HF_TOKEN": found.server.token,
        "HF_HOME": str(tmp_path_factory.mktemp("hf-home")),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
    }
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _PRELUDE],
        env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield found, process
        process.kill()
    found.server.stop()


@pytest.fixture
def hub(_hub_and_its_client):
    _hub_and_its_client[0].reset()
    return _hub_and_its_client[0]


@pytest.fixture
def client(hub, _hub_and_its_client, tmp_path):
    """Run Python code in a process that knows this Hub; what it prints comes back, read as JSON."""
    process = _hub_and_its_client[1]

    def run(code):
        process.stdin.write(json.dumps([str(tmp_path), code]) + "\n")
        process.stdin.flush()
        printed, failed = json.loads(process.stdout.readline())
        assert not failed, failed[-3000:]
        return json.loads(printed.splitlines()[-1])

    return run


@pytest.fixture
def file(tmp_path):
    """Write a file of a source; return where it is."""

    def write(name, data):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return write
