"""Which model this is: its name and revision, and what it was trained on if emma500 trained it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emma500.gguf import local_model
from emma500.manifest import MANIFEST, read_manifest
from emma500.models import model_identity, trained_sources


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
    name, found = model_identity(asked, revision)
    path = Path(local_model(asked))
    if not path.is_dir():
        return ModelIdentity(path=asked, name=name, revision=found, commit=found)
    return _trained(path, ModelIdentity(path=str(path), name=name, revision=found))


def _trained(path: Path, identity: ModelIdentity) -> ModelIdentity:
    if not (path / MANIFEST).is_file():
        return identity
    manifest = read_manifest(path)
    if manifest.get("kind") != "training-run":  # perhaps made of one
        return replace(identity, trained_sources=trained_sources(path))
    return ModelIdentity(
        path=identity.path,
        name=identity.name,
        revision=identity.revision,
        base_model=str(manifest["base_model"]["name"]),
        trained_sources=trained_sources(path),
        trained_labels=tuple(sorted({row["label"] for row in manifest["plan"]})),
        corpus_digest=str(manifest["corpus"]["digest"]),
    )
