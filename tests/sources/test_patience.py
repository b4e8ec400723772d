"""Requests made again where that can help: what is waited for, what is not, and what is said."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import errors

from emma500.errors import HubError, SourceError
from emma500.patience import Errand, Patience
from emma500.publishing import repository
from emma500.sources.remote import patience

_BASE = next(each for each in errors.HfHubHTTPError.__mro__ if each.__module__.startswith("httpx"))
CLIENT = sys.modules[_BASE.__module__.partition(".")[0]]
"""The HTTP client that huggingface_hub uses."""

REQUEST = CLIENT.Request("GET", "http://hub.invalid/api/datasets/user/name")


def refusal(status, headers=None, kind=errors.HfHubHTTPError, said="said the Hub"):
    return kind(said, response=CLIENT.Response(status, headers=headers, request=REQUEST))


def unreachable():
    return CLIENT.ConnectError("[Errno 111] Connection refused", request=REQUEST)


def refused_by_the_card():
    return ValueError("invalid metadata in the card")


class Calls:
    """A call that fails with each of these errors in turn, and then answers."""

    def __init__(self, *raised):
        self.raised = list(raised)
        self.n = 0

    def __call__(self):
        self.n += 1
        if self.raised:
            raise self.raised.pop(0)
        return "answer"


@pytest.fixture
def waits(monkeypatch):
    found: list[float] = []
    monkeypatch.setattr("emma500.patience.time.sleep", found.append)
    return found


READING = patience(6, 1.0).errand
PUBLISHING = repository.errand("user/name")


@pytest.mark.parametrize("errand", [READING, PUBLISHING])
@pytest.mark.parametrize("make", [
    lambda: refusal(408), lambda: refusal(429), lambda: refusal(500), lambda: refusal(503),
    lambda: CLIENT.ReadError("reset"), lambda: CLIENT.ReadTimeout("silent"), lambda: ConnectionResetError("reset"),
    lambda: json.JSONDecodeError("half an answer", "{", 1),
])  # fmt: skip
def test_what_may_pass_is_waited_for_twice_as_long_each_time(waits, errand, make):
    call = Calls(make(), make(), make())
    assert Patience(6, 1.0, errand)("read x", call) == "answer"
    assert waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("errand", [READING, PUBLISHING])
@pytest.mark.parametrize(
    "make",
    [lambda: refusal(401), lambda: refusal(403), lambda: refusal(404), lambda: refusal(416), refused_by_the_card,
     lambda: FileNotFoundError("gone")],
)  # fmt: skip
def test_a_refusal_is_final_at_once(waits, errand, make):
    call = Calls(make())
    with pytest.raises((HubError, SourceError)):
        Patience(6, 1.0, errand)("read x", call)
    assert (call.n, waits) == (1, [])


def test_an_error_without_an_answer_passes_for_uploads_but_not_for_readings(waits):
    lost = RuntimeError("Data processing error")
    assert Patience(2, 1.0, PUBLISHING)("upload the files", Calls(lost)) == "answer"
    with pytest.raises(SourceError, match="cannot read x: Data processing error"):
        Patience(2, 1.0, READING)("x", Calls(lost))


def test_the_last_attempt_says_how_many_there_were_and_what_to_do(waits):
    for errand, message in (
        (READING, r"cannot read x after 3 attempts: said the Hub.* \(503\); run the same call again later"),
        (PUBLISHING, r"cannot x of user/name after 3 attempts: .* \(503\); run the same call again; what is uploaded"),
    ):  # fmt: skip
        call = Calls(*[refusal(503) for _ in range(9)])
        with pytest.raises(HubError, match=message):
            Patience(3, 0.5, errand)("x", call)
        assert call.n == 3


def test_no_wait_is_longer_than_a_minute_unless_it_is_asked_for(waits):
    Patience(9, 30.0, READING)("x", Calls(refusal(503), refusal(503), refusal(503)))
    assert waits == [30.0, 60.0, 60.0]
    waits.clear()
    Patience(9, 1.0, READING)("x", Calls(refusal(429, {"Retry-After": "90"})))
    assert waits == [90.0]
    with pytest.raises(HubError, match="limits requests"):
        Patience(9, 1.0, READING)("x", Calls(refusal(429, {"Retry-After": "86400"})))


def test_a_date_in_retry_after_is_not_believed(waits):
    date = {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
    Patience(3, 1.0, READING)("x", Calls(refusal(429, date)))
    assert waits == [1.0]


def test_a_missing_data_set_is_told_apart_from_one_that_asks_for_conditions(waits):
    missing = refusal(401, kind=errors.RepositoryNotFoundError)
    gated = refusal(403, kind=errors.GatedRepoError)
    with pytest.raises(SourceError, match=r"cannot read x \(401\): there is no such data set"):
        Patience(3, 1.0, READING)("x", Calls(missing))
    with pytest.raises(
        HubError, match=r"\(403\); the token may not read it: accept its conditions"
    ):
        Patience(3, 1.0, READING)("x", Calls(gated))
    with pytest.raises(HubError, match=r"cannot x of user/name: .* \(401\); log in with"):
        Patience(3, 1.0, PUBLISHING)("x", Calls(missing))


@pytest.mark.parametrize(
    ("errand", "kind", "way_out"),
    [(READING, SourceError, "unset it, or use files"), (PUBLISHING, HubError, "or publish to a directory")],
)  # fmt: skip
def test_a_hub_that_is_switched_off_is_not_asked_again(waits, errand, kind, way_out):
    call = Calls(errors.OfflineModeIsEnabled("off"))
    with pytest.raises(kind, match=f"HF_HUB_OFFLINE is set; .*{way_out}"):
        Patience(6, 1.0, errand)("x", call)
    assert call.n == 1


@pytest.mark.parametrize("errand", [READING, PUBLISHING])
def test_what_never_answered_is_tried_twice_and_quickly(waits, errand):
    call = Calls(*[unreachable() for _ in range(9)])
    with pytest.raises(
        HubError, match=r"http://hub\.invalid cannot be reached \(\[Errno 111\]"
    ) as told:
        Patience(6, 60.0, errand)("x", call)
    assert "HF_ENDPOINT" in str(told.value)
    assert (call.n, waits) == (2, [0.5])


def test_a_first_attempt_that_took_long_is_not_repeated(waits, monkeypatch):
    clock = iter([0.0, 10.0])
    monkeypatch.setattr("emma500.patience.time.monotonic", lambda: next(clock))
    call = Calls(CLIENT.ConnectTimeout("nobody answers", request=REQUEST))
    with pytest.raises(HubError, match="cannot be reached"):
        Patience(6, 1.0, READING)("x", call)
    assert call.n == 1


@pytest.mark.parametrize("first", [[], [refusal(503)], [CLIENT.ReadError("reset")]])
def test_what_answered_once_is_waited_for_when_it_cannot_be_reached_later(waits, first):
    ask = patience(6, 1.0)
    ask("x", Calls(*first))
    waits.clear()
    assert (
        pickle.loads(pickle.dumps(ask))("x", Calls(*[unreachable() for _ in range(3)])) == "answer"
    )
    assert waits == [1.0, 2.0, 4.0]


def test_an_errand_without_advice_for_a_status_says_what_else_to_do(waits):
    errand = Errand(fails="cannot {}", advice={}, otherwise="wait", unreachable="", offline="")
    with pytest.raises(HubError, match=r"cannot go: said the Hub.* \(418\); wait"):
        Patience(1, 0.0, errand)("go", Calls(refusal(418)))


_UNREACHED = """
import json, time, pathlib
from emma500.publishing.hub import Repository, upload
from emma500.sources.resolve import resolve
import datasets, huggingface_hub

pathlib.Path("out").mkdir()
pathlib.Path("out/manifest.json").write_text('{"kind": "corpus"}')
told = []
for call in (
    lambda: resolve("user/name"), lambda: resolve("fineweb2:sw"),
    lambda: upload(Repository(repo_id="user/name", repo_type="dataset"), pathlib.Path("out"), owned=(), message="m"),
):
    start = time.monotonic()
    try:
        call()
    except Exception as error:
        told.append([type(error).__name__, str(error), time.monotonic() - start])
print(json.dumps(told))
"""


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://hub.invalid"])
def test_a_hub_that_cannot_be_reached_is_an_error_within_two_seconds(tmp_path, endpoint):
    env = {
        **os.environ, "HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _UNREACHED],
        env=env, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    assert [kind for kind, _, _ in told] == ["HubError"] * 3
    for _, message, seconds in told:
        assert seconds < 2
        assert f"{endpoint} cannot be reached (" in message
        assert "check the connection" in message
        assert "HF_ENDPOINT" in message
    assert "HF_HUB_OFFLINE=1" in told[0][1]
    assert "publish to a directory" in told[2][1]
