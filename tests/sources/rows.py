"""Records as files hold them, and sources read as the corpus does: every task pickled, by the schema of raw rows."""

import gzip
import json
import lzma
import pickle
from collections.abc import Callable

import pyarrow as pa

from emma500.records import raw_schema
from emma500.sources.base import SourceInfo
from emma500.sources.files import FileSource
from emma500.sources.options import Options

INFO = SourceInfo(name="toy", component="monolingual", revision="", license="CC0-1.0", url="")

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "zst": lambda data: (
        pa.compress(data[:40], "zstd", asbytes=True) + pa.compress(data[40:], "zstd", asbytes=True)
    ),
}


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


def lines(*records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def toy(n):
    records = [
        {"text": f"text {number} ẹ" * (number % 7 + 1), "lang": "yo" if number % 3 else None}
        for number in range(n)
    ]
    return lines(*records)
