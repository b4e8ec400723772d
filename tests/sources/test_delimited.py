"""CSV and TSV: what a field may hold, and what is told of a row that breaks the form."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.errors import SourceError
from tests.sources.rows import read, seen


def test_csv_holds_line_ends_commas_and_quotes_in_quoted_fields(file):
    path = file("a.csv", b'text,lang\r\n"one, ""two""\r\nthree",yo\r\n\r\nplain,fr\r\n')
    assert seen(read(path), "origin", "text", "original_code") == [
        ("a.csv:2", 'one, "two"\nthree', "yo"),
        ("a.csv:5", "plain", "fr"),
    ]


BAD_CSV = b"""text,lang
good,yo
too,many,cells
"never closed,yo
neighbour one,yo
neighbour two,yo
caf\xe9,yo
"closed" wrongly,yo
,yo
"quoted, good",fr
"open to the end,fr
last,fr
"""


def test_a_bad_row_of_csv_is_told_and_its_neighbours_are_kept(file):
    assert seen(read(file("a.csv", BAD_CSV)), "origin", "text", "reason") == [
        ("a.csv:2", "good", None),
        ("a.csv:3", None, "malformed"),
        ("a.csv:4", None, "malformed"),
        ("a.csv:5", "neighbour one", None),
        ("a.csv:6", "neighbour two", None),
        ("a.csv:7", None, "invalid_utf8"),
        ("a.csv:8", None, "malformed"),
        ("a.csv:9", None, "no_text"),
        ("a.csv:10", "quoted, good", None),
        ("a.csv:11", None, "malformed"),
        ("a.csv:12", "last", None),
    ]


def test_a_file_full_of_open_quotes_is_read_in_reasonable_time(file):
    lines = [b'"open,yo' if n % 3 else b"good %d,yo" % n for n in range(3000)]
    rows = read(file("a.csv", b"text,lang\n" + b"\n".join(lines)))
    assert len(rows) == 3000
    assert sum(row["reason"] is None for row in rows) >= 990


def test_tsv_has_no_quoting(file):
    path = file("a.tsv", b'text\tlang\n"open\tyo\n5" pipe\tfr\r\n\nx\ty\tz\nsaid "so"\t\n')
    assert seen(read(path), "origin", "text", "original_code", "reason") == [
        ("a.tsv:2", '"open', "yo", None),
        ("a.tsv:3", '5" pipe', "fr", None),
        ("a.tsv:5", None, "und", "malformed"),
        ("a.tsv:6", 'said "so"', "und", None),
    ]


@pytest.mark.parametrize("task_bytes", [1, 50, 10_000])
def test_ranges_of_tsv_give_the_rows_of_one_task(file, task_bytes):
    lines = [b"text %d\tyo" % n if n % 7 else b"bad \xff\tyo" for n in range(200)]
    path = file("a.tsv", b"\xef\xbb\xbftext\tlang\n" + b"\n".join(lines) + b"\nx" * 2000)
    rows = read(path, max_document_bytes=1000)
    assert read(path, max_document_bytes=1000, task_bytes=task_bytes) == rows
    assert [row["reason"] for row in rows[:200]] == [
        None if n % 7 else "invalid_utf8" for n in range(200)
    ]
    assert {row["reason"] for row in rows[200:]} == {"malformed"}


def test_a_tsv_line_over_the_limit_is_passed_over(file):
    path = file("a.tsv", b"text\tlang\na\tyo\n" + b"x" * 5000 + b"\tyo\nb\tyo\n")
    assert seen(read(path, max_document_bytes=1000), "text", "reason") == [
        ("a", None),
        (None, "too_long"),
        ("b", None),
    ]


def test_columns_can_be_named_where_there_is_no_header(file):
    path = file("a.tsv", b"1\tfra\tBonjour\n2\tyor\tBawo\n")
    rows = read(path, column_names=("id", "lang", "text"))
    assert seen(rows, "origin", "text", "original_code") == [
        ("a.tsv:1", "Bonjour", "fra"),
        ("a.tsv:2", "Bawo", "yor"),
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_a_header_alone_is_no_record(file, name):
    with pytest.raises(SourceError, match="holds no record"):
        read(file(name, b"text\n"))
    with pytest.raises(SourceError, match="holds no record"):
        read(file(name, b""))


def test_two_columns_of_one_name_are_an_error(file, tmp_path):
    with pytest.raises(SourceError, match="two columns are called 'text'"):
        read(file("a.csv", b"text,text\na,b\n"))
    table = pa.table([["a"], ["b"]], names=["text", "text"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="two columns are called 'text'"):
        read(tmp_path / "a.parquet")
