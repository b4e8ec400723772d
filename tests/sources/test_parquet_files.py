"""Parquet files: a task a row group, and bad rows told by their number."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.errors import SourceError
from emma500.sources.files import FileSource
from emma500.sources.options import Options
from tests.sources.rows import INFO, read, seen


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
)
def test_parquet_gives_a_task_a_row_group_and_numbers_rows_through(tmp_path, kind):
    texts = pa.array([f"text {n}" if n % 10 else None for n in range(25)], kind)
    pq.write_table(
        pa.table({"text": texts, "language": ["fra"] * 25}),
        tmp_path / "a.parquet",
        row_group_size=10,
    )
    rows = read(tmp_path / "a.parquet")
    assert len(FileSource.open(tmp_path / "a.parquet", INFO, Options()).tasks()) == 3
    assert [row["origin"] for row in rows] == [f"a.parquet:{n}" for n in range(1, 26)]
    assert [row["text"] for row in rows] == texts.to_pylist()
    assert [row["reason"] for row in rows] == [
        "no_text" if n % 10 == 0 else None for n in range(25)
    ]
    assert {row["original_code"] for row in rows} == {"fra"}


def test_invalid_utf8_in_parquet_is_told_by_row(tmp_path):
    binary = pa.array([b"good", b"caf\xe9", None, b"x" * 99, b"end"])
    broken = pa.Array.from_buffers(pa.string(), 5, binary.buffers())
    pq.write_table(pa.table({"text": broken}), tmp_path / "a.parquet")
    assert seen(read(tmp_path / "a.parquet", max_document_bytes=50), "text", "reason") == [
        ("good", None), (None, "invalid_utf8"), (None, "no_text"), (None, "too_long"), ("end", None),
    ]  # fmt: skip


def test_a_missing_parquet_column_is_an_error_that_names_the_columns(tmp_path):
    pq.write_table(pa.table({"content": ["x"], "n": [1]}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="'text' is missing; there are: content, n"):
        read(tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="'n' holds no strings"):
        read(tmp_path / "a.parquet", text_column="n")


def test_a_parquet_file_that_is_none_is_an_error(file):
    with pytest.raises(SourceError, match=r"a\.parquet is no Parquet file"):
        read(file("a.parquet", b"PAR1 not really"))
