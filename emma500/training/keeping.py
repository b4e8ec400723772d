"""What keeps a run's checkpoints elsewhere than on this machine; `publishing.checkpoints` does so on the Hub."""

from pathlib import Path
from typing import Protocol


class CheckpointKeeper(Protocol):
    """Keeps what a run needs to go on, where the machine may not last."""

    def bring(self, folder: Path, fingerprint: str) -> None:
        """Bring what was kept of a run into its work folder, where that has less.

        Args:
            folder: The work folder; it may not be there.
            fingerprint: That of the run.
        """

    def keep(self, checkpoint: Path) -> None:
        """Keep a finished checkpoint, or pass it over; must not hold up training.

        Args:
            checkpoint: Its folder in the work folder, which may be gone once this returns.
        """

    def close(self, folder: Path, *, is_finished: bool) -> None:
        """Wait until what is being kept is kept; of a run that was cut off, keep the newest checkpoint.

        Args:
            folder: The work folder.
            is_finished: Whether the run came to its end.
        """
