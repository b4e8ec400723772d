"""Pull requests: a branch `refs/pr/<n>` and what is said of it."""

import json
from typing import Any

from tests.loopback.storage import Refusal, now


def discussions(request: Any, data: bytes, t: str, id: str) -> Any:
    wanted = request.query
    every = request.hub.meta(t, id).get("discussions", [])
    found = [
        each
        for each in every
        if wanted.get("status", "all") in ("all", each["status"])
        and wanted.get("author", each["author"]["name"]) == each["author"]["name"]
    ]
    return {"count": len(found), "start": 0, "discussions": found}


def open_discussion(request: Any, data: bytes, t: str, id: str) -> Any:
    hub, told = request.hub, json.loads(data)
    base = hub.commit_obj(t, id, "main")["sha"]
    meta = hub.meta(t, id)
    every = meta.setdefault("discussions", [])
    row = {
        "num": len(every) + 1, "title": told["title"], "author": {"name": hub.user}, "createdAt": now(),
        "status": "draft" if told["pullRequest"] else "open", "isPullRequest": told["pullRequest"],
        "repo": {"name": id, "type": t},
    }  # fmt: skip
    every.append(row)
    if told["pullRequest"]:
        meta["refs"][f"refs/pr/{row['num']}"] = base
    hub.save(t, id, meta)
    return row


def _row(request: Any, t: str, id: str, num: str) -> tuple[dict[str, Any], dict[str, Any]]:
    meta = request.hub.meta(t, id)
    for each in meta.get("discussions", []):
        if each["num"] == int(num):
            return meta, each
    raise Refusal(404, "Discussion not found")


def show_discussion(request: Any, data: bytes, t: str, id: str, num: str) -> Any:
    row = _row(request, t, id, num)[1]
    return {**row, "events": [], "changes": {"base": "refs/heads/main"}, "filesWithConflicts": []}


def change_status(request: Any, data: bytes, t: str, id: str, num: str) -> Any:
    meta, row = _row(request, t, id, num)
    row["status"] = json.loads(data)["status"]
    request.hub.save(t, id, meta)
    event = {
        "id": "1",
        "type": "status-change",
        "createdAt": now(),
        "data": {"status": row["status"]},
    }
    return {"newStatus": {**event, "author": row["author"]}}
