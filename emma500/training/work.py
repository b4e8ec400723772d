"""The folders of a run: its output, which is whole or not there, and its work folder beside it.

A run is known by the fingerprint of model, corpus and settings. Its work folder `<output>.work` holds the tokens, the
validation results and the checkpoints; it goes when the run is finished.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emma500.errors import OutputError
from emma500.manifest import MANIFEST, read_manifest, write_manifest
from emma500.storage import recover_folder, refuse_foreign
from emma500.training.config import TrainConfig
from emma500.training.loop.checkpoints import STAGED, latest_complete
from emma500.training.result import KIND


@dataclass(frozen=True, kw_only=True, slots=True)
class Workplace:
    """Where a run works.

    `identity` is what its fingerprint was made of: model, corpus and settings. `rows_per_step` is what an optimizer
    step takes on all devices: the plan of a run that is resumed depends on it.
    """

    output: Path
    fingerprint: str
    identity: dict[str, Any]
    rows_per_step: int = 0

    @property
    def folder(self) -> Path:
        """The work folder."""
        return self.output.with_name(self.output.name + ".work")

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.folder / "checkpoints"

    @property
    def is_finished(self) -> bool:
        """True if the output is that of this very run; nothing is written."""
        if not (self.output / MANIFEST).is_file():
            return False
        return read_manifest(self.output).get("fingerprint") == self.fingerprint

    @property
    def was_left(self) -> bool:
        """True if a process that was killed at its end left its work folder, or the lock of it."""
        return self.folder.exists() or self.folder.with_name(f"{self.folder.name}.lock").exists()

    def open(self, config: TrainConfig) -> Path | None:
        """Make the work folder ready; for one process only, the others `join` afterwards.

        Args:
            config: Says whether to resume, and whether to overwrite.

        Returns:
            The checkpoint to go on from, or None to start from the beginning.

        Raises:
            OutputError: If the output holds something else, or either folder holds another run that would be lost.
        """
        recover_folder(self.output)
        refuse_foreign(self.output, kind=KIND, overwrite=config.overwrite)
        if (self.output / MANIFEST).is_file() and not config.overwrite:
            self._refuse(
                self.output, "a finished run", read_manifest(self.output).get("identity", {})
            )
        if self.folder.exists():
            self._open_existing(config)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_manifest(
            self.folder,
            {
                "kind": f"{KIND}-work",
                "fingerprint": self.fingerprint,
                "rows_per_step": self.rows_per_step,
                "identity": self.identity,
            },
        )
        return latest_complete(self.checkpoints)

    def join(self) -> Path | None:
        """Return the checkpoint to go on from, or None, in a work folder that another process made ready.

        Raises:
            OutputError: If it is not there, or is that of another run.
        """
        found = self._work()
        if found.get("fingerprint") != self.fingerprint:
            raise OutputError(
                f"{self.folder} was not made ready for this run by its first process: all processes must be given "
                "the same model, corpus and settings, and see the same disk"
            )
        return latest_complete(self.checkpoints)

    def _open_existing(self, config: TrainConfig) -> None:
        shutil.rmtree(self.checkpoints / STAGED, ignore_errors=True)
        found = self._work()
        same = found.get("fingerprint") == self.fingerprint
        if same and config.resume and found.get("rows_per_step") == self.rows_per_step:
            return
        if same and config.resume and latest_complete(self.checkpoints) and not config.overwrite:
            raise OutputError(
                f"{self.folder} holds the checkpoints of this run with {found.get('rows_per_step')} rows an optimizer "
                f"step, but now there are {self.rows_per_step}: go on with the same number of processes x "
                "per_device_train_batch_size x gradient_accumulation_steps, or pass overwrite=True (--overwrite) to "
                "start from the beginning"
            )
        if not same and latest_complete(self.checkpoints) and not config.overwrite:
            self._refuse(self.folder, "the checkpoints of a run", found.get("identity", {}))
        shutil.rmtree(self.folder)

    def close(self, keep_checkpoints: bool) -> None:
        """Remove the work folder, or all of it but the checkpoints; for one process only."""
        recover_folder(self.output)
        if self._work().get("fingerprint", self.fingerprint) != self.fingerprint:
            return  # another run works there by now
        if not keep_checkpoints:
            shutil.rmtree(self.folder, ignore_errors=True)
        elif self.folder.exists():
            shutil.rmtree(self.folder / "tokens", ignore_errors=True)

    def _work(self) -> dict[str, Any]:
        """Return the manifest of the work folder; empty if there is none."""
        return read_manifest(self.folder) if (self.folder / MANIFEST).is_file() else {}

    def _refuse(self, folder: Path, what: str, other: dict[str, Any]) -> None:
        changed = ", ".join(_differences(other, self.identity)) or "what made it is unknown"
        raise OutputError(
            f"{folder} holds {what} that differs from this one ({changed}): "
            "choose another output, or pass overwrite=True (--overwrite) to replace it"
        )


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    flat = [{**each, **each.get("config", {})} for each in (old, new)]
    names = [name for name in {**flat[0], **flat[1]} if name != "config"]
    return [
        f"{name}: {flat[0].get(name)!r} there, {flat[1].get(name)!r} here"
        for name in names
        if flat[0].get(name) != flat[1].get(name)
    ]
