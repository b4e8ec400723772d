"""Which model this is: its name and revision, and what it was trained on if emma500 trained it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emma500.errors import SourceError
from emma500.manifest import MANIFEST, file_digest, fingerprint, read_manifest
from emma500.models import local_model

_IDENTITY_FILES = ("*.safetensors", "*.bin", "config.json", "tokenizer.json", "tokenizer.model")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelIdentity:
    """A model that can be told from every other.

    `path` is what transformers loads and appears in no output. `revision` is the commit on the Hub,
    or 16 digits of the digest of a folder's weights, configuration and tokenizer.
    """

    path: str
    name: str
    revision: str
    commit: str | None = None
    base_model: str | None = None
    trained_sources: frozenset[str] = frozenset()
    trained_labels: tuple[str, ...] = ()
    corpus_digest: str | None = None

    def as_row(self) -> dict[str, Any]:
        """Return what the manifest says about the model."""
        return {
            "name": self.name,
            "revision": self.revision,
            "base_model": self.base_model,
            "trained_labels": list(self.trained_labels),
            "trained_sources": sorted(self.trained_sources),
        }


def identify(model: Any, revision: str | None = None) -> ModelIdentity:
    """Identify a model without loading its weights.

    Args:
        model: A Hub id, a folder, a `.gguf` file, or an object with `path` (a TrainingRun).
        revision: Branch, tag or commit on the Hub.

    Returns:
        The identity.

    Raises:
        SourceError: If there is no such model.
    """
    asked = str(getattr(model, "path", model)).rstrip("/")
    path = Path(local_model(asked))
    if not path.is_dir():
        return _on_hub(asked, revision)
    files = sorted(file for pattern in _IDENTITY_FILES for file in path.glob(pattern))
    if not any(file.name == "config.json" for file in files):
        raise SourceError(f"{asked} holds no config.json: it is not the folder of a model")
    digest = fingerprint({file.name: file_digest(file) for file in files})[:16]
    name = Path(asked).stem if asked.endswith(".gguf") else path.absolute().name
    return _trained(path, ModelIdentity(path=str(path), name=name, revision=digest))


def _on_hub(name: str, revision: str | None) -> ModelIdentity:
    from transformers.utils.hub import cached_file, extract_commit_hash

    try:
        file = cached_file(name, "config.json", revision=revision)
    except (OSError, ValueError) as error:
        raise SourceError(
            f"the model {name!r} is neither a folder nor can it be read from the Hub: {error}"
        ) from error
    commit = extract_commit_hash(file, None) or revision
    return ModelIdentity(path=name, name=name, revision=commit or "main", commit=commit)


def _trained(path: Path, identity: ModelIdentity) -> ModelIdentity:
    if not (path / MANIFEST).is_file():
        return identity
    manifest = read_manifest(path)
    if manifest.get("kind") != "training-run":
        return identity
    return ModelIdentity(
        path=identity.path,
        name=identity.name,
        revision=identity.revision,
        base_model=str(manifest["base_model"]["name"]),
        trained_sources=frozenset(source for row in manifest["plan"] for source in row["sources"]),
        trained_labels=tuple(sorted({row["label"] for row in manifest["plan"]})),
        corpus_digest=str(manifest["corpus"]["digest"]),
    )
