"""Reads sources as the corpus does: every task pickled, every batch by the schema of raw rows."""

import pickle

import pyarrow as pa

from emma500.records import raw_schema
from emma500.sources.base import SourceInfo
from emma500.sources.files import FileSource
from emma500.sources.options import Options

INFO = SourceInfo(name="toy", component="monolingual", revision="", license="CC0-1.0", url="")


def opened(path, **options):
    return FileSource.open(path, INFO, Options(**options))


def rows_of(source):
    batches = [
        batch for task in source.tasks() for batch in pickle.loads(pickle.dumps(task)).read()
    ]
    assert all(batch.schema == raw_schema() for batch in batches)
    return pa.Table.from_batches(batches, raw_schema()).to_pylist()


def read(path, **options):
    return rows_of(opened(path, **options))


def seen(rows, *columns):
    return [tuple(row[column] for column in columns) for row in rows]
