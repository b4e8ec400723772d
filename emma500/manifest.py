"""Manifests: what was made, from what, with what, and how much of it.

Every folder emma500 writes holds a `manifest.json`. Cards, tables and figures are rendered from manifests alone. A
manifest holds no clock time and no path of the machine, so that the same input gives the same bytes.
"""

import hashlib
import json
from dataclasses import fields, is_dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from emma500.errors import SourceError
from emma500.storage import write_text

MANIFEST = "manifest.json"

_PACKAGES = (
    "emma500", "accelerate", "daft", "datasets", "evaluate", "langid", "numpy", "peft", "pyarrow", "torch",
    "transformers", "trl",
)  # fmt: skip


def canonical(value: Any) -> str:
    """Return one JSON text for equal values: sorted keys, no spaces, dataclasses as dictionaries."""

    def plain(item: Any) -> Any:
        if is_dataclass(item) and not isinstance(item, type):
            return {each.name: getattr(item, each.name) for each in fields(item)}
        if isinstance(item, Path):
            return item.as_posix()
        if isinstance(item, set | frozenset):
            return sorted(item)
        raise TypeError(f"{type(item).__name__} has no place in a manifest: {item!r}")

    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=plain
    )


def fingerprint(*values: Any) -> str:
    """Return 32 hexadecimal digits that identify the values (SHA-256 of their canonical JSON)."""
    return hashlib.sha256(canonical(values).encode()).hexdigest()[:32]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of the packages whose behaviour a result depends on."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a folder emma500 wrote.

    Args:
        folder: The folder that holds `manifest.json`.

    Returns:
        The manifest.

    Raises:
        SourceError: If there is none, or it is no JSON object.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SourceError(
            f"{folder} holds no {MANIFEST}: it is not a folder emma500 finished"
        ) from error
    except ValueError as error:
        raise SourceError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise SourceError(f"{path} must hold a JSON object, not a {type(manifest).__name__}")
    return manifest


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `manifest.json` into a folder, atomically: a line for each entry, and for each row of a list."""
    entries = (f" {_json(name)}: {_rows(value)}" for name, value in manifest.items())
    write_text(folder / MANIFEST, "{\n" + ",\n".join(entries) + "\n}\n")


def _rows(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return _json(value)
    return "[\n  " + ",\n  ".join(map(_json, value)) + "\n ]"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
