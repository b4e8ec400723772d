"""Uploads by Xet: hf_xet writes into a store of its own on disk, from which files are rebuilt.

The store is locked to one process, so every write token gets one of its own, and files are rebuilt from a copy of hard
links. Downloads are plain HTTP: no Xet hash is told.
"""

import hashlib
import os
import shutil
import struct
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

_HASH = 32
_ENTRY = 48


class XetStore:
    """The stores of all uploads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._seen: set[Path] = set()
        self._found: dict[str, tuple[Path, str, int]] = {}

    def new(self) -> Path:
        """Make a store for one upload."""
        folder = self.root / "cas" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        return folder

    def rebuild(self, wanted: set[str], folder: Path) -> set[str]:
        """Write files into a folder by their SHA-256; return those that nobody uploaded."""
        by_store: dict[Path, list[str]] = {}
        lost = set()
        for sha256 in wanted:
            found = self._lookup(sha256)
            if found is None:
                lost.add(sha256)
            else:
                by_store.setdefault(found[0], []).append(sha256)
        for store, digests in by_store.items():
            self._rebuild(store, digests, folder)
        return lost

    def _lookup(self, sha256: str) -> tuple[Path, str, int] | None:
        for path in (self.root / "cas").glob("*/xet/xorbs/shards/*.mdb"):
            if path not in self._seen:
                self._seen.add(path)
                for xet_hash, digest, size in _files(path):
                    self._found[digest] = (path.parents[3], xet_hash, size)
        return self._found.get(sha256)

    def _rebuild(self, store: Path, digests: list[str], folder: Path) -> None:
        import hf_xet

        with tempfile.TemporaryDirectory(dir=self.root) as temporary:
            copy = Path(temporary)
            shutil.copytree(store / "xet/xorbs", copy / "xet/xorbs", copy_function=_link)
            with hf_xet.XetSession().new_file_download_group(endpoint=f"local://{copy}") as group:
                for sha256 in digests:
                    _, xet_hash, size = self._found[sha256]
                    group.start_download_file(
                        hf_xet.XetFileInfo(xet_hash, size), str(copy / sha256)
                    )
            for sha256 in digests:
                assert hashlib.sha256((copy / sha256).read_bytes()).hexdigest() == sha256
                (copy / sha256).replace(folder / sha256)


def _link(source: str, target: str) -> None:
    if source.endswith(".redb"):  # the index, which reading changes
        shutil.copy(source, target)
    else:
        os.link(source, target)


def _files(shard: Path) -> Iterator[tuple[str, str, int]]:
    """Yield (Xet hash, SHA-256, size) of the files of a shard."""
    data, place = shard.read_bytes(), _ENTRY
    while place + _ENTRY <= len(data):
        raw = data[place : place + _HASH]
        flags, n = struct.unpack_from("<II", data, place + _HASH)
        if raw == b"\xff" * _HASH:
            return
        place += _ENTRY
        sizes = (struct.unpack_from("<I", data, place + _ENTRY * i + 36)[0] for i in range(n))
        size = sum(sizes)
        place += _ENTRY * n * (2 if flags >> 31 & 1 else 1)
        if flags >> 30 & 1:
            yield _hex(raw), _hex(data[place : place + _HASH]), size
            place += _ENTRY


def _hex(raw: bytes) -> str:
    """Write a hash as Xet does: four little-endian numbers of 64 bits."""
    return "".join(f"{each:016x}" for each in struct.unpack("<4Q", raw))
