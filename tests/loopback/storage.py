"""What the Hub on loopback holds: repositories, their commits, and the bytes of their files by SHA-256."""

import hashlib
import json
import re
import time
import urllib.parse
import uuid
from pathlib import Path
from typing import Any

import yaml

from tests.loopback.xet import XetStore


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


class Store:
    """The folder of a Hub."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("objects", "parts"):
            (root / name).mkdir(parents=True, exist_ok=True)
        self.xet = XetStore(root)

    def dir(self, repo_type: str, repo_id: str) -> Path:
        return self.root / "repos" / f"{repo_type}s" / repo_id

    def exists(self, repo_type: str, repo_id: str) -> bool:
        return (self.dir(repo_type, repo_id) / "repo.json").exists()

    def meta(self, repo_type: str, repo_id: str) -> dict[str, Any]:
        if not self.exists(repo_type, repo_id):
            raise Refusal(404, "Repository not found", "RepoNotFound")
        return json.loads((self.dir(repo_type, repo_id) / "repo.json").read_text())

    def save(self, repo_type: str, repo_id: str, meta: dict[str, Any]) -> None:
        folder = self.dir(repo_type, repo_id)
        (folder / "commits").mkdir(parents=True, exist_ok=True)
        temporary = folder / f".repo.{uuid.uuid4().hex}"
        temporary.write_text(json.dumps(meta))
        temporary.replace(folder / "repo.json")

    def commit_obj(self, repo_type: str, repo_id: str, revision: str) -> dict[str, Any]:
        """Return a commit: its tree, title, parents and id."""
        refs, name = self.meta(repo_type, repo_id)["refs"], urllib.parse.unquote(revision)
        known = (refs.get(f"{kind}{name}") for kind in ("refs/heads/", "refs/tags/", ""))
        sha = next((each for each in known if each), name)
        path = self.dir(repo_type, repo_id) / "commits" / f"{sha}.json"
        if not path.exists():
            raise Refusal(404, f"Invalid rev id: {name}", "RevisionNotFound")
        return json.loads(path.read_text())

    def new_commit(
        self, repo_type: str, repo_id: str, ref: str, tree: dict[str, Any], title: str,
        parents: list[str],
    ) -> dict[str, Any]:  # fmt: skip
        commit = {"tree": tree, "title": title, "parents": parents, "date": now()}
        unique = json.dumps(commit, sort_keys=True) + uuid.uuid4().hex
        commit["sha"] = hashlib.sha1(unique.encode(), usedforsecurity=False).hexdigest()
        meta = self.meta(repo_type, repo_id)
        folder = self.dir(repo_type, repo_id) / "commits"
        (folder / f"{commit['sha']}.json").write_text(json.dumps(commit))
        meta["refs"][ref] = commit["sha"]
        meta["lastModified"] = commit["date"]
        self.save(repo_type, repo_id, meta)
        return commit

    def object(self, sha256: str) -> Path:
        return self.root / "objects" / sha256

    def put_object(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        path = self.object(digest)
        if not path.exists():
            temporary = path.with_suffix(f".{uuid.uuid4().hex}")
            temporary.write_bytes(data)
            temporary.replace(path)
        return digest

    def small_file(self, data: bytes) -> dict[str, Any]:
        digest = self.put_object(data)
        return {"size": len(data), "oid": git_sha1(data), "sha256": digest, "lfs": False}

    def large_file(self, sha256: str) -> dict[str, Any]:
        size = self.object(sha256).stat().st_size
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
        return {"size": size, "oid": git_sha1(pointer.encode()), "sha256": sha256, "lfs": True}

    def materialise(self, wanted: set[str]) -> None:
        """Make sure that the bytes of large files are there, rebuilt from what came by Xet."""
        missing = {each for each in wanted if not self.object(each).exists()}
        lost = self.xet.rebuild(missing, self.root / "objects")
        if lost:
            raise Refusal(400, f"lfsFile {min(lost)} was never uploaded")

    def info(self, repo_type: str, repo_id: str, revision: str = "main") -> dict[str, Any]:
        meta, commit = (
            self.meta(repo_type, repo_id),
            self.commit_obj(repo_type, repo_id, revision),
        )
        return {
            "id": repo_id, "modelId": repo_id, "_id": identifier(repo_id), "author": repo_id.split("/")[0],
            "sha": commit["sha"], "lastModified": commit["date"], "createdAt": meta["createdAt"],
            "private": meta["private"], "gated": meta.get("gated", False), "disabled": False, "downloads": 0,
            "likes": 0, "tags": [], "cardData": self._card(commit),
            "siblings": [{"rfilename": path} for path in sorted(commit["tree"])],
        }  # fmt: skip

    def _card(self, commit: dict[str, Any]) -> Any:
        if "README.md" not in commit["tree"]:
            return None
        text = self.object(commit["tree"]["README.md"]["sha256"]).read_text(encoding="utf-8")
        found = re.match(r"---\n(.*?)\n---", text, re.DOTALL)
        return load_yaml(found[1]) if found else None

    def entries(
        self, repo_type: str, repo_id: str, revision: str, prefix: str, *, recursive: bool
    ) -> list[dict[str, Any]]:
        """Return the files and folders in a folder."""
        tree = self.commit_obj(repo_type, repo_id, revision)["tree"]
        inside = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        paths = sorted(path for path in tree if path.startswith(inside))
        if inside and not paths:
            raise Refusal(404, f"{prefix} does not exist on {revision}", "EntryNotFound")
        out: dict[str, dict[str, Any]] = {}
        for path in paths:
            parts = path[len(inside) :].split("/")
            for depth in range(1, len(parts)) if recursive else range(1, min(len(parts), 2)):
                folder = inside + "/".join(parts[:depth])
                out.setdefault(folder, directory(folder))
            if recursive or len(parts) == 1:
                out[path] = entry(path, tree[path])
        return list(out.values())


def load_yaml(text: str) -> Any:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def identifier(repo_id: str) -> str:
    return hashlib.md5(repo_id.encode(), usedforsecurity=False).hexdigest()[:24]


def directory(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "size": 0, "oid": git_sha1(path.encode())}


def entry(path: str, file: dict[str, Any]) -> dict[str, Any]:
    out = {"type": "file", "path": path, "size": file["size"], "oid": file["oid"]}
    if file["lfs"]:
        out["lfs"] = {"oid": file["sha256"], "size": file["size"], "pointerSize": 134}
    return out
