"""The folder of a model that was made from others without a training run: whole, or not there."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500.configuration import as_dict
from emma500.errors import SourceError
from emma500.manifest import MANIFEST, fingerprint, read_manifest, versions
from emma500.storage import locked, recover_folder, refuse_foreign, replace_folder, space_checked
from emma500.training.loop.hardware import hardware
from emma500.training.loop.throughput import Stopwatch
from emma500.training.record import write_record

if TYPE_CHECKING:
    import pandas as pd

EXTENDED = "extended-model"
MERGED = "merged-model"
INSTRUCTED = "instructed-model"

KINDS = (EXTENDED, MERGED, INSTRUCTED)


class MadeModel:
    """A model with a larger vocabulary, one merged of two, or one that was instructed.

    Its folder is that of a transformers model: `AutoModelForCausalLM.from_pretrained(made.path)` loads it, and
    `continue_pretrain(made.path, …)` goes on from it.

    Args:
        path: The folder.

    Raises:
        SourceError: If there is no such model there.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.manifest: dict[str, Any] = read_manifest(self.path)
        if self.manifest.get("kind") not in KINDS:
            raise SourceError(
                f"{path} holds a {self.manifest.get('kind')}, not one of {', '.join(KINDS)}"
            )

    @property
    def kind(self) -> str:
        """What was done: "extended-model", "merged-model" or "instructed-model"."""
        return str(self.manifest["kind"])

    def to_pandas(self) -> "pd.DataFrame":
        """Return what was measured: of an extended vocabulary a row a label, before and after; of steps a row each."""
        import pandas as pd

        return pd.DataFrame(self.manifest.get("report") or self.manifest.get("log") or [])

    def __repr__(self) -> str:
        lines = [f"MadeModel({self.kind}: {self.manifest['summary']}; {self.path})"]
        rows = self.manifest.get("report", ())
        before = {row["label"]: row for row in rows if row["when"] == "before"}
        for row in rows:
            if row["when"] == "after":
                old = before[row["label"]]
                lines.append(
                    f"  {row['label']}  {old['tokens_per_word']:.2f} -> {row['tokens_per_word']:.2f} tokens a word, "
                    f"{old['bits_per_byte']:.3f} -> {row['bits_per_byte']:.3f} bits per byte"
                )
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """Where a model is made.

    Attributes:
        final: Its folder.
        kind: One of `KINDS`.
        identity: Everything that decides what comes out.
        overwrite: Replace whatever is there.
    """

    final: Path
    kind: str
    identity: dict[str, Any]
    overwrite: bool

    @property
    def fingerprint(self) -> str:
        """What tells this model from others."""
        return fingerprint(self.identity)

    @property
    def is_finished(self) -> bool:
        """True if this very model is there; nothing is written."""
        if not (self.final / MANIFEST).is_file():
            return False
        return read_manifest(self.final).get("fingerprint") == self.fingerprint

    def record(
        self, summary: str, config: Any, sources: Collection[str], **more: Any
    ) -> dict[str, Any]:
        """Return the manifest of the model.

        Args:
            summary: What was made of what, in words.
            config: The configuration.
            sources: What the model was trained on, here and before.
            **more: What else there is to tell.

        Returns:
            The manifest: the identity's own entries stand in it, too.
        """
        return {
            "kind": self.kind,
            "fingerprint": self.fingerprint,
            "summary": summary,
            "identity": self.identity,
            **self.identity,
            "config": as_dict(config),
            "versions": versions(),
            "trained_sources": sorted(sources),
            **more,
        }

    @contextmanager
    def staged(
        self,
        *,
        writes: bool = True,
        device: str = "cpu",
        n_processes: int = 1,
        stopwatch: Stopwatch | None = None,
    ) -> Iterator[Path]:
        """Give a folder to write to, and put it in its place when the block ends without an error.

        What it was computed on and how long that took goes beside the manifest, into `training.json`.

        Args:
            writes: False for all processes but one: they are told the folder's name, and leave it alone.
            device: What the block computes on, as "cpu" or "cuda".
            n_processes: How many processes work on it.
            stopwatch: What counts the seconds, where calls before this one were stopped; else they are the block's.

        Yields:
            The folder, empty.

        Raises:
            OutputError: If the output holds something else, or another process writes there.
        """
        temporary = self.final.with_name(f"{self.final.name}.tmp")
        if not writes:
            yield temporary
            return
        with locked(self.final), space_checked(self.final):
            recover_folder(self.final)
            refuse_foreign(
                self.final, kind=self.kind, overwrite=self.overwrite, fingerprint=self.fingerprint
            )
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            watch = stopwatch or Stopwatch()
            yield temporary
            found = hardware(device, n_processes)
            write_record(temporary, found, seconds=watch.seconds, n_processes=n_processes)
            replace_folder(temporary, self.final)
