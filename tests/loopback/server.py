"""The server: requests come in, faults are injected, routes answer."""

import json
import re
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.loopback.replies import Reply
from tests.loopback.routes import ROUTES
from tests.loopback.storage import Refusal, Store

_WRITES = ("POST", "PUT", "DELETE")
_OPEN = ("paths-info", "/__lfs__/", "validate-yaml", "__verify__")
"""Parts of the addresses that may be posted to without a token."""


class LoopbackHub(Store):
    """A Hub of one user and their organisations.

    Attributes:
        faults: What goes wrong, in the order of `fault`.
        log: The requests, as "GET /api/…".
        moved: Repositories that were renamed, by their old names.
        errors: What went wrong in the server itself.
        multipart_over: Files larger than so many bytes are uploaded in parts; None for none.
    """

    def __init__(
        self, root: Path, *, user: str = "tester", orgs: tuple[str, ...] = ("emma",)
    ) -> None:
        super().__init__(Path(root))
        self.token, self.user, self.orgs = "hf_testTokenOfTheLoopbackHub", user, orgs
        self.multipart_over: int | None = None
        self.lock = threading.RLock()
        self.faults: list[dict[str, Any]] = []
        self.log: list[str] = []
        self.moved: dict[str, str] = {}
        self.errors: list[Exception] = []
        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.hub = self  # type: ignore[attr-defined]  # where handlers find it
        self.httpd.daemon_threads = True
        self.endpoint = f"http://localhost:{self.httpd.server_port}"

    def start(self) -> "LoopbackHub":
        threading.Thread(target=self.httpd.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        self.httpd.shutdown()
        self.httpd.server_close()

    def fault(
        self, pattern: str, *, status: int = 503, times: int = 1, skip: int = 0, drop: bool = False,
        after: bool = False, delay: float = 0.0, message: str = "injected", retry_after: str = "",
    ) -> None:  # fmt: skip
        """Make requests fail.

        Args:
            pattern: Which, found in "METHOD /path".
            status: The answer; 0 for the true one, late.
            times: How many of them.
            skip: After how many that go well.
            drop: Close the connection without reading what is sent.
            after: Do the work, then close the connection without an answer.
            delay: Seconds before anything else.
            message: What the answer says.
            retry_after: The header of that name.
        """
        self.faults.append({
            "re": re.compile(pattern), "status": status, "times": times, "skip": skip, "drop": drop, "after": after,
            "delay": delay, "message": message, "retry_after": retry_after,
        })  # fmt: skip

    def next_fault(self, line: str) -> dict[str, Any] | None:
        """Return what happens to a request, or None."""
        with self.lock:
            for each in self.faults:
                if each["times"] and each["re"].search(line):
                    if each["skip"]:
                        each["skip"] -= 1
                        continue
                    each["times"] -= 1
                    return each
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    @property
    def hub(self) -> LoopbackHub:
        return self.server.hub  # type: ignore[attr-defined]

    @property
    def query(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))

    def reply(self, status: int = 200, body: Any = b"", **headers: str) -> None:
        if not isinstance(body, bytes | Path):
            body = json.dumps(body).encode()
        size = body.stat().st_size if isinstance(body, Path) else len(body)
        start, stop, wanted = 0, size, self.headers.get("Range")
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted or "")
        if found and status == 200:
            first, last = found.groups()
            start = int(first) if first else max(0, size - int(last))
            stop = min(int(last) + 1, size) if first and last else size
            status, told = (206, f"bytes {start}-{stop - 1}/{size}") if start < size else (416, "")
            headers |= {"Content_Range": told} if told else {}
            stop = stop if told else start
        self.send_response(status)
        kind = "application/octet-stream" if isinstance(body, Path) else "application/json"
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(stop - start),
            **headers,
        }.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            data = body.read_bytes() if isinstance(body, Path) else body
            self.wfile.write(data[start:stop])

    def body(self) -> bytes:
        if self.command not in _WRITES:
            return b""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        out = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            out += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return out

    def handle_one(self) -> None:
        hub, line = self.hub, f"{self.command} {self.path}"
        fault = hub.next_fault(line)
        # Before the request is told of: a client that is killed on that word has sent all of it.
        self.sent = None if fault is None or fault["drop"] else self.body()
        hub.log.append(line)
        if fault is not None:
            time.sleep(fault["delay"])
            if fault["drop"]:
                return self.hang_up()
            if fault["status"] and not fault["after"]:
                self.close_connection = True
                waits = {"Retry_After": fault["retry_after"]} if fault["retry_after"] else {}
                return self.reply(
                    fault["status"], {"error": fault["message"]}, Connection="close", **waits
                )
        try:
            answer = self.answer()
        except Refusal as refusal:
            code = {"X_Error_Code": refusal.code} if refusal.code else {}
            answer = Reply(
                refusal.status,
                {"error": refusal.message},
                {"X_Error_Message": refusal.message, **code},
            )
        except (BrokenPipeError, ConnectionResetError):
            return self.hang_up()
        except Exception as error:  # noqa: BLE001  # a test that fails should say why
            hub.errors.append(error)
            self.close_connection = True
            answer = Reply(
                500, {"error": f"{type(error).__name__}: {error}"}, {"Connection": "close"}
            )
        if fault is not None and fault["after"]:
            return self.hang_up()
        return self.reply(answer.status, answer.body, **answer.headers)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def answer(self) -> Reply:
        path = urllib.parse.urlsplit(self.path).path
        data = self.body() if self.sent is None else self.sent
        for old, new in self.hub.moved.items():
            if f"s/{old}" in path or path.startswith(f"/{old}"):
                return Reply(
                    307, b"", {"Location": self.hub.endpoint + self.path.replace(old, new)}
                )
        for pattern, methods, function in ROUTES:
            found = pattern.match(path)
            if found and self.command in methods.split():
                names = {
                    name: urllib.parse.unquote(value)
                    for name, value in found.groupdict().items()
                    if value is not None
                }
                self.authorise(path, names)
                with self.hub.lock:
                    answer = function(self, data, **names)
                return answer if isinstance(answer, Reply) else Reply(200, answer)
        raise Refusal(404, "Sorry, we can't find the page you are looking for.")

    def authorise(self, path: str, names: dict[str, str]) -> None:
        """Refuse to write, and to read what is private, without the token."""
        given = self.headers.get("Authorization")
        if given == f"Bearer {self.hub.token}":
            return
        is_write = self.command in _WRITES and not any(each in path for each in _OPEN)
        is_key = "/xet-" in path or "whoami" in path  # not tokenizer.json
        if is_write or is_key or (given and "/api/" in path):
            raise Refusal(401, "Invalid credentials in Authorization header")
        kind, name = names.get("t", "models").rstrip("s"), names.get("id", "")
        if name and self.hub.exists(kind, name) and self.hub.meta(kind, name)["private"]:
            raise Refusal(401, "Repository not found", "RepoNotFound")

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = handle_one  # the names http.server calls
