"""Scores: every value with its n, its standard error and where it comes from.

scores/
  manifest.json     the model, the benchmarks, the values, their means, what is missing
  results.parquet   a row a benchmark, label and metric
  details.parquet   a row a document: nats, bytes, characters, tokens
"""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from emma500.errors import SourceError
from emma500.evaluation.comparison import compare
from emma500.manifest import read_manifest, write_manifest
from emma500.storage import recover_folder, refuse_foreign, replace_folder, space_checked

if TYPE_CHECKING:
    import pandas as pd

KIND = "scores"
RESULTS, DETAILS = "results.parquet", "details.parquet"
_HEADLINE = "bits_per_byte"
_MOST_LABELS = 12


def results_schema() -> pa.Schema:
    """Return the schema of the results; value and stderr are null where there is no data to tell."""
    name, count = pa.string(), pa.int64()
    return pa.schema(
        [
            ("benchmark", name), ("label", name), ("resource_group", name), ("resource_match", name),
            ("metric", name),
            ("value", pa.float64()), ("stderr", pa.float64()), ("n", count), ("n_bytes", count), ("n_tokens", count),
            ("mode", name), ("model", name), ("model_revision", name), ("data_revision", name), ("seed", count),
        ]
    )  # fmt: skip


class Scores:
    """The scores of one model.

    Args:
        manifest: What `manifest.json` holds.
        details: The documents, as `aggregation.details_schema`.
    """

    def __init__(self, manifest: dict[str, Any], details: pa.Table) -> None:
        self.manifest = manifest
        self.details = details

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row a benchmark, label and metric."""
        return list(self.manifest["results"])

    @property
    def aggregates(self) -> list[dict[str, Any]]:
        """One row a benchmark, metric and group: the mean over its labels."""
        return list(self.manifest["aggregates"])

    @property
    def missing(self) -> list[dict[str, Any]]:
        """The labels that were asked for and have no data, with the nearest that has."""
        return list(self.manifest["missing"])

    def value(self, benchmark: str, label: str, metric: str = _HEADLINE) -> float | None:
        """Return one value, or None if there is none."""
        for row in self.manifest["results"]:
            if (row["benchmark"], row["label"], row["metric"]) == (benchmark, label, metric):
                return None if row["value"] is None else float(row["value"])
        return None

    def compare(
        self,
        baseline: "Scores",
        labels: Collection[str] | None = None,
        metric: str = _HEADLINE,
    ) -> "pd.DataFrame":
        """Compare with a baseline on the documents that both scored (`comparison.compare`).

        Args:
            baseline: The scores of the model before, or of another one.
            labels: Only these labels; None for all.
            metric: "bits_per_byte", "nll" or "nll_per_token".

        Returns:
            One row a benchmark and label, then the means over labels; a gain is a negative
            difference.
        """
        return compare(self.details, baseline.details, labels=labels, metric=metric)

    def to_pandas(self) -> "pd.DataFrame":
        """Return the results as a data frame."""
        return self._results().to_pandas()

    def to_dataset(self) -> Any:
        """Return the results as a `datasets.Dataset`."""
        import datasets

        return datasets.Dataset(self._results())

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write them into a folder, all or nothing.

        Args:
            folder: The folder; earlier scores there are replaced.
            overwrite: Replace whatever is there.

        Returns:
            The folder.
        """
        import pyarrow.parquet as pq

        target = Path(folder)
        refuse_foreign(target, kind=KIND, overwrite=overwrite)
        staged = target.with_name(target.name + ".tmp")
        with space_checked(target):
            staged.mkdir(parents=True, exist_ok=True)
            pq.write_table(self._results(), staged / RESULTS, compression="zstd")
            pq.write_table(self.details, staged / DETAILS, compression="zstd")
            write_manifest(staged, self.manifest)
            replace_folder(staged, target)
        return target

    @classmethod
    def load(cls, folder: str | Path) -> "Scores":
        """Read scores from the folder they were saved in.

        Args:
            folder: The folder.

        Returns:
            The scores.

        Raises:
            SourceError: If there are none.
        """
        import pyarrow.parquet as pq

        recover_folder(Path(folder))
        manifest = read_manifest(Path(folder))
        if manifest.get("kind") != KIND:
            raise SourceError(f"{folder} holds a {manifest.get('kind')}, not scores")
        return cls(manifest, pq.read_table(Path(folder) / DETAILS))

    def _results(self) -> pa.Table:
        return pa.Table.from_pylist(self.manifest["results"], schema=results_schema())

    def __repr__(self) -> str:
        model = self.manifest["model"]
        lines = [
            f"Scores of {model['name']} ({model['revision']}), bits per byte, lower is better:"
        ]
        lines += _table(
            ("benchmark", "group", "labels", "documents", "value"),
            (
                (
                    row["benchmark"],
                    row["group"],
                    f"{row['n_labels']:,}",
                    f"{row['n']:,}",
                    shown(row),
                )
                for row in self.manifest["aggregates"]
                if row["metric"] == _HEADLINE
            ),
        )
        rows = [row for row in self.manifest["results"] if row["metric"] == _HEADLINE]
        if len(rows) <= _MOST_LABELS:
            lines += _table(
                ("benchmark", "label", "group", "documents", "value"),
                (
                    (
                        row["benchmark"],
                        row["label"],
                        row["resource_group"],
                        f"{row['n']:,}",
                        shown(row),
                    )
                    for row in rows
                ),
            )
        return "\n".join(lines + self._notes())

    def _notes(self) -> list[str]:
        notes = [
            f"  no data: {row['label']} in {row['benchmark']}; nearest: {row['nearest'] or 'none'}"
            for row in self.manifest["missing"][:_MOST_LABELS]
        ]
        if len(self.missing) > _MOST_LABELS:
            notes.append(f"  no data: {len(self.missing) - _MOST_LABELS:,} more")
        return notes + [
            f"  contaminated: the model was trained on a source of {row['name']}"
            for row in self.manifest["benchmarks"]
            if row["contaminated"]
        ]


def shown(row: dict[str, Any]) -> str:
    """Return a value with its standard error, as "3.141 ± 0.012"; "no data" where there is none."""
    if row["value"] is None:
        return "no data"
    return f"{row['value']:.3f}" + (f" ± {row['stderr']:.3f}" if row["stderr"] is not None else "")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    cells = [heads, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
