"""A finished training run: the folder of a model that says what it was trained on."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from emma500.errors import SourceError
from emma500.manifest import read_manifest

if TYPE_CHECKING:
    import pandas as pd

KIND = "training-run"


class TrainingRun:
    """A finished training run.

    Its folder is that of a transformers model: `AutoModelForCausalLM.from_pretrained(run.path)` loads it.

    Args:
        path: The folder.

    Raises:
        SourceError: If there is no training run there.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.manifest: dict[str, Any] = read_manifest(self.path)
        if self.manifest.get("kind") != KIND:
            raise SourceError(f"{path} holds a {self.manifest.get('kind')}, not a {KIND}")

    @property
    def config(self) -> dict[str, Any]:
        """The configuration the run was made with, by field."""
        return dict(self.manifest["config"])

    @property
    def languages(self) -> tuple[str, ...]:
        """The labels it was trained on, replayed ones included, sorted."""
        return tuple(self.manifest["languages"])

    def to_pandas(self) -> "pd.DataFrame":
        """Return the validation results, one row a step and label."""
        import pandas as pd

        return pd.DataFrame(self.manifest["validation"])

    def change(self) -> dict[str, float]:
        """Return the relative change of bits per byte by label, from step 0 to the weights that are here.

        -0.1 is 10% better. The weights are those of the last step, or of the best one with `keep="best"`.
        """
        values: dict[str, list[float]] = {}
        for row in self._kept():
            values.setdefault(row["label"], []).append(row["bits_per_byte"])
        return {label: each[-1] / each[0] - 1 for label, each in values.items() if len(each) > 1}

    def _kept(self) -> list[dict[str, Any]]:
        """Return the validation results until the step whose weights are here."""
        kept = self.manifest.get("kept_step", self.manifest["n_steps"])
        return [row for row in self.manifest["validation"] if row["step"] <= kept]

    def __repr__(self) -> str:
        base = self.manifest["base_model"]
        lines = [
            f"TrainingRun({base['name']} on {self.manifest['corpus']['name']}: {self.manifest['n_steps']:,} steps, "
            f"{self.manifest['n_tokens']:,} tokens, {len(self.languages)} languages; {self.path})"
        ]
        last = {row["label"]: row for row in self._kept()}
        for label, change in sorted(self.change().items(), key=lambda item: item[1]):
            row = last[label]
            error = "" if row["stderr"] is None else f" ± {row['stderr']:.3f}"
            lines.append(
                f"  {label}  {row['bits_per_byte']:.3f}{error} bits per byte ({change:+.1%})"
            )
        return "\n".join(lines)
