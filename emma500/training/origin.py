"""What a model is made from: another model, and a corpus."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emma500.folder import Corpus
from emma500.gguf import local_model
from emma500.models import model_identity, trained_sources
from emma500.progress import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """The model to go on from, and what names it and the corpus in a manifest.

    Attributes:
        name: The model, as it was given.
        revision: Its commit, if it is on the Hub.
        trained_sources: What emma500 trained it on, if it did.
        identity: What decides the outcome: base model, corpus and configuration.
    """

    name: str | Path
    revision: str | None
    trained_sources: list[str]
    identity: dict[str, Any]

    @classmethod
    def of(
        cls, model: str | Path, corpus: Corpus, config: Any, progress: Progress | None
    ) -> "Origin":
        """Look a model up.

        Args:
            model: A Hub id, a folder, or a `.gguf` file.
            corpus: The corpus.
            config: A configuration with `settings` and `model_revision`.
            progress: Called as a `.gguf` file is converted.

        Returns:
            The origin.

        Raises:
            SourceError: If the model is not there.
        """
        local = Path(local_model(model, progress=progress))
        name, revision = model_identity(model, config.model_revision)
        return cls(
            name=model,
            revision=None if local.is_dir() else revision,
            trained_sources=sorted(trained_sources(local)),
            identity={
                "base_model": {"name": name, "revision": revision},
                "corpus": {key: corpus.manifest[key] for key in ("name", "fingerprint", "digest")},
                "config": config.settings,
            },
        )
