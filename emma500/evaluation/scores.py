"""Scores: every value with its n, its standard error and where it comes from.

scores/
  manifest.json     the model, the benchmarks, the values, their means, what is missing
  results.parquet   a row a benchmark, label and metric
  details.parquet   a row a document of text: nats, bytes, characters, tokens
  samples.parquet   a row an item of a task: prompt, options with their log-likelihoods, or outputs
  measures.parquet  a row a metric and item of a task: the statistics that the metric sums up
"""

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from emma500.errors import SourceError
from emma500.evaluation.comparison import compare
from emma500.evaluation.measures import compare_measures, measured_in
from emma500.evaluation.metrics.measured import Measured
from emma500.evaluation.summary import HEADLINE, summary
from emma500.evaluation.tasks.results import measures_schema, samples_schema
from emma500.manifest import read_manifest, write_manifest
from emma500.storage import (
    locked,
    recover_folder,
    refuse_foreign,
    replace_folder,
    space_checked,
)

if TYPE_CHECKING:
    import pandas as pd

KIND = "scores"
RESULTS, DETAILS = "results.parquet", "details.parquet"
SAMPLES, MEASURES = "samples.parquet", "measures.parquet"


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
        details: The documents of text, as `aggregation.details_schema`.
        samples: The items of tasks, as `tasks.results.samples_schema`.
        measures: Their statistics by metric, as `tasks.results.measures_schema`.
    """

    def __init__(
        self,
        manifest: dict[str, Any],
        details: pa.Table,
        *,
        samples: pa.Table | None = None,
        measures: pa.Table | None = None,
    ) -> None:
        self.manifest = manifest
        self.details = details
        self.samples = samples_schema().empty_table() if samples is None else samples
        self.measures = measures_schema().empty_table() if measures is None else measures

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

    @property
    def clean(self) -> list[dict[str, Any]]:
        """One row a benchmark, label, mode and metric: the value on items that training text does not hold.

        Empty without `EvalConfig.contamination` (`clean.Contamination.rows`).
        """
        return list(self.manifest.get("clean", ()))

    def value(
        self, benchmark: str, label: str, metric: str = HEADLINE, mode: str | None = None
    ) -> float | None:
        """Return one value, or None if there is none.

        Args:
            benchmark: The benchmark's name.
            label: The language.
            metric: The metric's name.
            mode: As "fixed"; None for the first that was scored.
        """
        for row in self.manifest["results"]:
            if (row["benchmark"], row["label"], row["metric"]) == (benchmark, label, metric) and (
                mode in (None, row["mode"])
            ):
                return None if row["value"] is None else float(row["value"])
        return None

    def measured(self, benchmark: str, metric: str, mode: str = "fixed") -> dict[str, Measured]:
        """Return a metric of a task by language, to be resampled or compared (`significance.compare_models`).

        Args:
            benchmark: The benchmark's name.
            metric: The metric's name.
            mode: As "fixed".

        Returns:
            The statistics of the items by label.

        Raises:
            UsageError: If there is no such metric of a task.
        """
        return measured_in(self.measures, (benchmark, metric, mode))

    def compare(
        self,
        baseline: "Scores",
        labels: Collection[str] | None = None,
        metric: str = HEADLINE,
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

    def compare_tasks(self, baseline: "Scores") -> "pd.DataFrame":
        """Compare with a baseline on the tasks that both answered (`significance.compare_models`).

        Args:
            baseline: The scores of the model before, or of another one.

        Returns:
            One row a benchmark, metric, mode and language, and one of all languages; a gain is a positive difference
            where more is better.

        Raises:
            UsageError: If they share no item of a task.
        """
        return compare_measures(self.measures, baseline.measures)

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

        Raises:
            OutputError: If the folder holds something else, or another process is writing it.
        """
        import pyarrow.parquet as pq

        target = Path(folder)
        staged = target.with_name(target.name + ".tmp")
        with locked(target), space_checked(target):
            refuse_foreign(target, kind=KIND, overwrite=overwrite)
            shutil.rmtree(staged, ignore_errors=True)  # what a killed process left there
            staged.mkdir(parents=True)
            pq.write_table(self._results(), staged / RESULTS, compression="zstd")
            pq.write_table(self.details, staged / DETAILS, compression="zstd")
            for name, table in ((SAMPLES, self.samples), (MEASURES, self.measures)):
                if len(table):
                    pq.write_table(table, staged / name, compression="zstd")
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
        tables = {
            key: pq.read_table(Path(folder) / name)
            for key, name in (("samples", SAMPLES), ("measures", MEASURES))
            if (Path(folder) / name).is_file()
        }
        return cls(manifest, pq.read_table(Path(folder) / DETAILS), **tables)

    def _results(self) -> pa.Table:
        return pa.Table.from_pylist(self.manifest["results"], schema=results_schema())

    def __repr__(self) -> str:
        return summary(self.manifest)
