"""Data sets of the Hugging Face Hub, streamed by the datasets library.

    user/name   user/name:config   user/name@revision:config

The split `train` is read, or all splits where there is none. A task is one shard of a split.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from emma500.errors import SourceError
from emma500.manifest import fingerprint
from emma500.sources.base import SourceInfo, Task
from emma500.sources.listing import code_in_path
from emma500.sources.parquet import is_text, table_rows
from emma500.sources.reading import Columns, Options, Reading, choose

_ADDRESS = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?(?::(?P<config>.+))?")
_COMMIT = re.compile(r"@([0-9a-f]{40})")
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Which data set: its id (or a local folder), configuration and revision."""

    id: str
    config: str | None = None
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Address | None":
        """Read `user/name@revision:config`; None if it is no such thing."""
        found = _ADDRESS.fullmatch(text)
        return (
            None
            if found is None
            else cls(id=found["id"], config=found["config"], revision=found["revision"])
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class HubTask:
    """One shard of a split."""

    reading: Reading
    address: Address
    split: str
    shard: int
    n_shards: int

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield its rows.

        Yields:
            Batches of up to 4,096 rows; the origin is the row's number in the shard, from 1.
        """
        shard = _load(self.address)[self.split].shard(self.n_shards, self.shard)
        tables = shard.with_format("arrow").select_columns([*self.reading.columns.names])
        row = 1
        for table in tables.iter(_ROWS_AT_ONCE):
            yield table_rows(self.reading, table, row)
            row += table.num_rows


class HubSource:
    """A data set of the Hub, pinned to the commit it was opened at."""

    def __init__(self, address: Address, info: SourceInfo, options: Options) -> None:
        self._builder = _builder(address)
        commit = _COMMIT.search(str(self._builder.base_path))
        self._address = replace(address, revision=commit[1] if commit else address.revision)
        self.info = replace(info, revision=self._address.revision or "")
        self._options = options
        self._splits = _train_or_all(_load(self._address))
        self._columns = {
            split: _chosen(address, each, options) for split, each in self._splits.items()
        }

    def tasks(self) -> list[Task]:
        """Return its parts, a shard each."""
        return [
            HubTask(
                reading=self._reading(split, f"{split}-{shard:05d}-of-{dataset.num_shards:05d}"),
                address=self._address,
                split=split,
                shard=shard,
                n_shards=dataset.num_shards,
            )
            for split, dataset in self._splits.items()
            for shard in range(dataset.num_shards)
        ]

    def _reading(self, split: str, name: str) -> Reading:
        return Reading(
            info=self.info,
            path=Path(self._address.id),
            name=name,
            columns=self._columns[split],
            max_bytes=self._options.max_document_bytes,
        )

    def fingerprint(self) -> str:
        """Return what identifies the data set's commit and how it is read."""
        return fingerprint(
            self.info,
            self._builder.hash or "",
            self._address.config,
            self._columns,
            self._options.max_document_bytes,
        )

    def __repr__(self) -> str:
        return f"HubSource({self.info.name!r} {self.info.revision})"


def _builder(address: Address) -> Any:
    import datasets

    try:
        return datasets.load_dataset_builder(address.id, address.config, revision=address.revision)
    except (OSError, ValueError, RuntimeError) as error:
        raise SourceError(
            f"{address.id!r} is no file or folder here, and as a data set of the Hub it cannot be opened: {error}"
        ) from error


def _load(address: Address) -> Any:
    import datasets

    return datasets.load_dataset(
        address.id, address.config, revision=address.revision, streaming=True
    )


def _train_or_all(splits: Any) -> dict[str, Any]:
    found = dict(splits)
    return {"train": found["train"]} if "train" in found else found


def _chosen(address: Address, dataset: Any, options: Options) -> Columns:
    features = dataset.features or dataset._resolve_features().features
    types = {
        name: feature.pa_type for name, feature in features.items() if hasattr(feature, "pa_type")
    }
    strings = {name for name, kind in types.items() if is_text(kind)}
    columns = choose(address.id, list(features), strings, options)
    if options.language or not address.config:
        return columns
    return replace(columns, fallback=code_in_path([address.config]))
