"""What is answered to which request."""

import json
import re
import shutil
import urllib.parse
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.loopback.discussions import change_status, discussions, open_discussion, show_discussion
from tests.loopback.files import (
    commit,
    lfs_batch,
    lfs_complete,
    lfs_part,
    lfs_put,
    preupload,
    resolve,
    verify,
    xet_token,
)
from tests.loopback.replies import Reply
from tests.loopback.storage import Refusal, directory, entry, identifier, load_yaml, now


class Route(NamedTuple):
    pattern: re.Pattern[str]
    methods: str
    function: Callable[..., Any]


def whoami(request: Any, data: bytes) -> Any:
    hub = request.hub
    return {
        "type": "user", "id": "1", "name": hub.user, "fullname": hub.user, "email": "t@example.org",
        "emailVerified": True, "isPro": False,
        "orgs": [{"type": "org", "name": each, "fullname": each, "roleInOrg": "admin"} for each in hub.orgs],
        "auth": {"type": "access_token", "accessToken": {"displayName": "t", "role": "write"}},
    }  # fmt: skip


def _named(request: Any, data: bytes) -> tuple[dict[str, Any], str, str]:
    told = json.loads(data)
    owner = told.get("organization") or request.hub.user
    return told, told.get("type") or "model", f"{owner}/{told['name']}"


def create(request: Any, data: bytes) -> Any:
    hub = request.hub
    told, kind, name = _named(request, data)
    owner = name.split("/")[0]
    if owner not in (hub.user, *hub.orgs):
        raise Refusal(
            403, f'You don\'t have the rights to create a {kind} under the namespace "{owner}"'
        )
    url = hub.endpoint + ("/" if kind == "model" else f"/{kind}s/") + name
    if hub.exists(kind, name):
        return Reply(409, {"error": "You already created this repo", "url": url})
    is_private = told.get("visibility") == "private" or bool(told.get("private"))
    hub.save(kind, name, {"private": is_private, "createdAt": now(), "refs": {}})
    rules = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n*.safetensors filter=lfs diff=lfs merge=lfs -text\n"
    tree = {".gitattributes": hub.small_file(rules)}
    hub.new_commit(kind, name, "refs/heads/main", tree, "initial commit", [])
    return {"url": url, "name": name, "id": identifier(name)}


def delete_repo(request: Any, data: bytes) -> Any:
    _, kind, name = _named(request, data)
    request.hub.meta(kind, name)
    shutil.rmtree(request.hub.dir(kind, name))
    return {}


def settings(request: Any, data: bytes, t: str, id: str) -> Any:
    told, meta = json.loads(data), request.hub.meta(t, id)
    if "gated" in told:
        meta["gated"] = told["gated"]
    if "visibility" in told:
        meta["private"] = told["visibility"] == "private"
    request.hub.save(t, id, meta)
    return {}


def validate_yaml(request: Any, data: bytes) -> Any:
    found = re.match(r"---\n(.*?)\n---", json.loads(data).get("content", ""), re.DOTALL)
    try:
        fields = (load_yaml(found[1]) if found else {}) or {}
    except Exception as error:  # noqa: BLE001  # whatever is wrong with it is told
        return Reply(400, {"errors": [{"message": str(error)}], "warnings": []})
    errors = []
    if not isinstance(fields.get("license", ""), str | list):
        errors.append('"license" must be a string or list')
    languages = fields.get("language") or []
    errors += [
        f'"language[{each!r}]" must be a string (quote it: YAML reads no/on/yes as booleans)'
        for each in (languages if isinstance(languages, list) else [])
        if not isinstance(each, str)
    ]
    body = {"errors": [{"message": each} for each in errors], "warnings": []}
    return Reply(400 if errors else 200, body)


def repo_info(request: Any, data: bytes, t: str, id: str, rev: str = "main") -> Any:
    return request.hub.info(t, id, rev)


def list_repos(request: Any, data: bytes, t: str) -> Any:
    wanted = request.query
    every = (request.hub.root / "repos" / f"{t}s").glob("*/*/repo.json")
    names = [f"{path.parent.parent.name}/{path.parent.name}" for path in every]
    return [
        request.hub.info(t, name)
        for name in names
        if name.startswith(wanted.get("author", "")) and wanted.get("search", "") in name
    ]


def list_tree(request: Any, data: bytes, t: str, id: str, rev: str, path: str = "") -> Any:
    query = request.query
    recursive = query.get("recursive", "").lower() in ("1", "true")
    rows = request.hub.entries(t, id, rev, path, recursive=recursive)
    start, n = int(query.get("cursor", 0)), int(query.get("limit", 1000))
    if start + n >= len(rows):
        return rows[start:]
    rest = urllib.parse.urlencode({**query, "cursor": start + n})
    address = request.hub.endpoint + urllib.parse.urlsplit(request.path).path
    return Reply(200, rows[start : start + n], {"Link": f'<{address}?{rest}>; rel="next"'})


def paths_info(request: Any, data: bytes, t: str, id: str, rev: str) -> Any:
    is_json = "json" in request.headers.get("Content-Type", "")
    told: Any = json.loads(data) if is_json else urllib.parse.parse_qs(data.decode())
    tree, out = request.hub.commit_obj(t, id, rev)["tree"], []
    for each in told["paths"] if isinstance(told["paths"], list) else [told["paths"]]:
        path = each.strip("/")
        if path in tree:
            out.append(entry(path, tree[path]))
        elif any(other.startswith(f"{path}/") for other in tree):
            out.append(directory(path))
    return out


def refs(request: Any, data: bytes, t: str, id: str) -> Any:
    found = request.hub.meta(t, id)["refs"]

    def rows(kind: str) -> list[dict[str, str]]:
        return [
            {"name": ref.removeprefix(f"refs/{kind}/"), "ref": ref, "targetCommit": sha}
            for ref, sha in found.items()
            if ref.startswith(f"refs/{kind}/")
        ]

    pulls = rows("pr") if "include_prs" in request.query else []
    return {"branches": rows("heads"), "tags": rows("tags"), "converts": [], "pullRequests": pulls}


def commits(request: Any, data: bytes, t: str, id: str, rev: str) -> Any:
    hub, out, sha = request.hub, [], rev
    while sha:
        each = hub.commit_obj(t, id, sha)
        out.append({"id": each["sha"], "title": each["title"], "message": "", "date": each["date"],
                    "authors": [{"user": hub.user}]})  # fmt: skip
        sha = each["parents"][0] if each["parents"] else ""
    return out


def branch(request: Any, data: bytes, t: str, id: str, name: str) -> Any:
    start = json.loads(data or b"{}").get("startingPoint", "main")
    return _new_ref(request.hub, t, id, f"refs/heads/{name}", start)


def tag(request: Any, data: bytes, t: str, id: str, rev: str) -> Any:
    return _new_ref(request.hub, t, id, f"refs/tags/{json.loads(data)['tag']}", rev)


def _new_ref(hub: Any, kind: str, name: str, ref: str, start: str) -> Any:
    meta = hub.meta(kind, name)
    if ref in meta["refs"]:
        raise Refusal(409, f"Reference already exists: {ref}")
    meta["refs"][ref] = hub.commit_obj(kind, name, start)["sha"]
    hub.save(kind, name, meta)
    return {}


_REPO = r"(?P<id>[^/]+/[^/]+)"
_API = rf"/api/(?P<t>model|dataset|space)s/{_REPO}"
_OBJECT = r"/__lfs__/(?P<oid>[0-9a-f]{64})"
ROUTES = [
    Route(re.compile(f"^{pattern}$"), methods, function)
    for pattern, methods, function in (
        (r"/api/whoami-v2", "GET", whoami),
        (r"/api/repos/create", "POST", create),
        (r"/api/repos/delete", "DELETE", delete_repo),
        (r"/api/validate-yaml", "POST", validate_yaml),
        (r"/api/__verify__", "POST", verify),
        (r"/api/(?P<t>model|dataset|space)s", "GET", list_repos),
        (_API, "GET HEAD", repo_info),
        (rf"{_API}/settings", "PUT", settings),
        (rf"{_API}/revision/(?P<rev>.+)", "GET HEAD", repo_info),
        (rf"{_API}/tree/(?P<rev>[^/]+)(?:/(?P<path>.*))?", "GET", list_tree),
        (rf"{_API}/paths-info/(?P<rev>.+)", "POST", paths_info),
        (rf"{_API}/refs", "GET", refs),
        (rf"{_API}/commits/(?P<rev>.+)", "GET", commits),
        (rf"{_API}/branch/(?P<name>.+)", "POST", branch),
        (rf"{_API}/tag/(?P<rev>.+)", "POST", tag),
        (rf"{_API}/discussions", "GET", discussions),
        (rf"{_API}/discussions", "POST", open_discussion),
        (rf"{_API}/discussions/(?P<num>\d+)", "GET", show_discussion),
        (rf"{_API}/discussions/(?P<num>\d+)/status", "POST", change_status),
        (rf"{_API}/preupload/(?P<rev>.+)", "POST", preupload),
        (rf"{_API}/commit/(?P<rev>.+)", "POST", commit),
        (rf"{_API}/xet-(?P<op>write)-token(?:/(?P<rev>.+))?", "GET", xet_token),
        (_OBJECT, "PUT", lfs_put),
        (rf"{_OBJECT}/part/(?P<n>\d+)", "PUT", lfs_part),
        (rf"{_OBJECT}/complete", "POST", lfs_complete),
        (rf"/(?:(?P<t>datasets|spaces)/)?{_REPO}\.git/info/lfs/objects/batch", "POST", lfs_batch),
        (
            rf"/(?:(?P<t>datasets|spaces)/)?{_REPO}/resolve/(?P<rev>[^/]+)/(?P<path>.+)",
            "GET HEAD",
            resolve,
        ),
    )
]
