"""Uploads in both protocols, commits and downloads."""

import base64
import json
import re
import time
from typing import Any

from tests.loopback.replies import Reply
from tests.loopback.storage import Refusal

_LARGE = re.compile(
    r"\.(parquet|arrow|safetensors|bin|pt|pth|gz|zst|zip|tar|npz|npy|model|xz|7z|msgpack|png|jpg)$"
)


def preupload(request: Any, data: bytes, t: str, id: str, rev: str) -> Any:
    tree = request.hub.commit_obj(t, id, rev)["tree"]
    out = []
    for file in json.loads(data)["files"]:
        sample, there = base64.b64decode(file.get("sample", "")), tree.get(file["path"])
        is_large = bool(_LARGE.search(file["path"])) or file["size"] > 10_000_000 or b"\0" in sample
        row = {
            "path": file["path"],
            "uploadMode": "lfs" if is_large else "regular",
            "shouldIgnore": False,
        }
        if there:
            row["oid"] = there["sha256"] if there["lfs"] else there["oid"]
        out.append(row)
    return {"files": out}


def commit(request: Any, data: bytes, t: str, id: str, rev: str) -> Any:
    hub = request.hub
    base = hub.commit_obj(t, id, rev)
    steps = [json.loads(line) for line in data.split(b"\n") if line]
    hub.materialise({each["value"]["oid"] for each in steps if each["key"] == "lfsFile"})
    head = next(each["value"] for each in steps if each["key"] == "header")
    if head.get("parentCommit") and not base["sha"].startswith(head["parentCommit"]):
        raise Refusal(412, "A commit has happened since. Please refresh and try again.")
    tree = dict(base["tree"])
    for each in steps:
        _apply(hub, tree, each["key"], each["value"])
    ref = rev if rev.startswith("refs/") else f"refs/heads/{rev}"
    made = hub.new_commit(t, id, ref, tree, head.get("summary", ""), [base["sha"]])
    url = f"{hub.endpoint}/{'' if t == 'model' else f'{t}s/'}{id}/commit/{made['sha']}"
    return {"success": True, "commitOid": made["sha"], "commitUrl": url, "hookOutput": ""}


def _apply(hub: Any, tree: dict[str, Any], key: str, value: dict[str, Any]) -> None:
    path = value.get("path", "")
    if key == "file":
        tree[path] = hub.small_file(base64.b64decode(value["content"]))
    elif key == "lfsFile":
        tree[path] = hub.large_file(value["oid"])
    elif key == "deletedFile" and tree.pop(path, None) is None:
        raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound")
    elif key == "deletedFolder":
        for each in [each for each in tree if each.startswith(f"{path.rstrip('/')}/")]:
            del tree[each]


def xet_token(request: Any, data: bytes, t: str, id: str, op: str, rev: str = "") -> Any:
    request.hub.meta(t, id)
    expires, place = int(time.time()) + 3600, f"local://{request.hub.xet.new()}"
    body = {"accessToken": "xet", "exp": expires, "casUrl": place}
    headers = {
        "X_Xet_Cas_Url": place, "X_Xet_Access_Token": "xet", "X_Xet_Token_Expiration": str(expires),
    }  # fmt: skip
    return Reply(200, body, headers)


def lfs_batch(request: Any, data: bytes, id: str, t: str = "models") -> Any:
    hub, out = request.hub, []
    for each in json.loads(data)["objects"]:
        row = {"oid": each["oid"], "size": each["size"]}
        if not hub.object(each["oid"]).exists():
            address, part = f"{hub.endpoint}/__lfs__/{each['oid']}", hub.multipart_over
            upload: dict[str, Any] = {"href": address}
            if part and each["size"] > part:
                numbers = range(1, -(-each["size"] // part) + 1)
                parts = {f"{n:05d}": f"{address}/part/{n}" for n in numbers}
                upload = {
                    "href": f"{address}/complete",
                    "header": {"chunk_size": str(part), **parts},
                }
            row["actions"] = {
                "upload": upload,
                "verify": {"href": f"{hub.endpoint}/api/__verify__"},
            }
        out.append(row)
    return {"transfer": "basic", "objects": out}


def lfs_put(request: Any, data: bytes, oid: str) -> Any:
    if request.hub.put_object(data) != oid:
        raise Refusal(400, "sha256 mismatch")
    return Reply(200, b"", {"ETag": f'"{oid}"'})


def lfs_part(request: Any, data: bytes, oid: str, n: str) -> Any:
    (request.hub.root / "parts" / f"{oid}.{int(n):05d}").write_bytes(data)
    return Reply(200, b"", {"ETag": f'"{n}"'})


def lfs_complete(request: Any, data: bytes, oid: str) -> Any:
    parts = sorted((request.hub.root / "parts").glob(f"{oid}.*"))
    if request.hub.put_object(b"".join(each.read_bytes() for each in parts)) != oid:
        raise Refusal(400, "sha256 mismatch")
    for each in parts:
        each.unlink()
    return {}


def verify(request: Any, data: bytes) -> Any:
    told = json.loads(data)
    path = request.hub.object(told["oid"])
    if not path.exists() or path.stat().st_size != told["size"]:
        raise Refusal(404, "object not found")
    return {}


def resolve(request: Any, data: bytes, id: str, rev: str, path: str, t: str = "models") -> Any:
    found = request.hub.commit_obj(t[:-1], id, rev)
    file = found["tree"].get(path)
    if file is None:
        raise Refusal(404, f'{path} does not exist on "{rev}"', "EntryNotFound")
    tag = f'"{file["sha256"] if file["lfs"] else file["oid"]}"'
    headers = {"X_Repo_Commit": found["sha"], "ETag": tag, "Accept_Ranges": "bytes"}
    if file["lfs"]:
        headers |= {"X_Linked_Size": str(file["size"]), "X_Linked_Etag": tag}
    return Reply(200, request.hub.object(file["sha256"]), headers)
