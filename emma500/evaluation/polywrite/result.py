"""The folder of a PolyWrite: records by language, what was left out, and a manifest."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from emma500.errors import LanguageError, SourceError
from emma500.evaluation.polywrite.prompts import ENGLISH
from emma500.folder import nearest
from emma500.manifest import read_manifest
from emma500.storage import recover_folder, write_text

KIND = "polywrite"
EXCLUDED = "excluded.jsonl"

_MOST_LABELS = 12


class PolyWrite:
    """Prompts to write something, in several languages.

    polywrite/
      manifest.json          the translator, the thresholds, and counts by language and by task
      swh_Latn.jsonl         the records that are kept, in the published form
      excluded.jsonl         those that are not, of all languages, with their `reason`

    Args:
        path: The folder.

    Raises:
        SourceError: If it holds something else.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        recover_folder(self.path)
        self.manifest = read_manifest(self.path)
        if self.manifest.get("kind") != KIND:
            raise SourceError(f"{path} holds a {self.manifest.get('kind')}, not a {KIND}")

    @property
    def labels(self) -> tuple[str, ...]:
        """Its languages, sorted."""
        return tuple(row["label"] for row in self.manifest["languages"])

    def rows(self, label: str, *, excluded: bool = False) -> list[dict[str, Any]]:
        """Return the records of a language.

        Args:
            label: The language.
            excluded: Those that were left out, not those that were kept.

        Returns:
            The records, in the order of the prompts.

        Raises:
            LanguageError: If it is none of the languages.
        """
        if label not in self.labels:
            raise LanguageError(
                f"{self.path} has no {label}; nearest: {nearest(label, list(self.labels)) or 'none'}"
            )
        if not excluded:
            return list(read_rows(self.path / f"{label}.jsonl"))
        return [row for row in read_rows(self.path / EXCLUDED) if row["lang_script"] == label]

    def __repr__(self) -> str:
        manifest, languages = self.manifest, self.manifest["languages"]
        kept, n = (sum(row[name] for row in languages) for name in ("n_kept", "n_prompts"))
        lines = [
            f"PolyWrite of {manifest['translator']['name']}: {kept:,} of {n:,} "
            f"prompts kept, {len(languages):,} languages, {len(manifest['tasks']):,} tasks"
        ]
        worst = sorted(languages, key=lambda row: (row["n_kept"] / row["n_prompts"], row["label"]))
        lines += [
            f"  {row['label']}  {row['n_kept']:>4,} of {row['n_prompts']:,} kept, bleu {row['bleu']:.1f}, "
            f"chrf++ {row['chrf++']:.1f}{_reasons(row)}"
            for row in worst[:_MOST_LABELS]
        ]
        if len(worst) > _MOST_LABELS:
            lines.append(f"  … {len(worst) - _MOST_LABELS:,} more languages kept more of theirs")
        return "\n".join(lines)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file; none where there is no file, as of a language without them."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write records as JSON lines, all or nothing; no file without a record."""
    if rows:
        write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _reasons(row: dict[str, Any]) -> str:
    told = ", ".join(f"{name} {n:,}" for name, n in row["reasons"].items())
    if row["label"] == ENGLISH:
        told = "not translated"
    return f" ({told})" if told else ""
