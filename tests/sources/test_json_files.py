"""JSON Lines and JSON: what is good is read, what is bad is told by line, and ranges give what the whole gives."""

import json
from pathlib import Path

import pytest

from emma500.errors import SourceError
from emma500.sources.files import FileSource
from emma500.sources.options import Options
from tests.sources.rows import INFO, lines, read, seen, toy

BAD = [
    (b'{"text": "good"}', "good", None),
    (b'{"text": "caf\xe9"}', None, "invalid_utf8"),
    (b'{"text": "no end', None, "invalid_json"),
    (b'["text"]', None, "invalid_json"),
    (b"null", None, "invalid_json"),
    (b'{"text": "a"} null', None, "invalid_json"),
    (b'{"text": "a"}  null {"text": "b"}', None, "invalid_json"),
    (b' {"text": "blank before"} ', "blank before", None),
    (b'{"text": "} null"}', "} null", None),
    (b'{"text": "a"} {"text": "b"}', None, "invalid_json"),
    (b"[" * 100_000, None, "invalid_json"),
    (b'{"title": "no text"}', None, "no_text"),
    (b'{"text": null}', None, "no_text"),
    (b'{"text": 7}', None, "no_text"),
    (b'{"text": " \\u00a0\\n"}', None, "no_text"),
    (b'{"text": "half \\ud83d"}', None, "invalid_utf8"),
    (b'{"text": "whole \\ud83d\\ude00"}', "whole 😀", None),
    (b'{"text": "n", "big": ' + b"9" * 5000 + b"}", "n", None),
    (b'{"text": "nan", "x": NaN}', "nan", None),
    (b'{"text": "first", "text": "last"}', "last", None),
    (b'{"text": "carriage"}\r', "carriage", None),
    (b'{"text": "last"}', "last", None),
]


@pytest.mark.parametrize("ending", ["\n", "\n\n"])
def test_bad_lines_among_good_ones_are_told_by_line_and_reason(file, ending):
    path = file("a.jsonl", ending.encode().join(line for line, _, _ in BAD))
    step = len(ending)
    assert seen(read(path), "origin", "text", "reason") == [
        (f"a.jsonl:{1 + step * place}", text, reason) for place, (_, text, reason) in enumerate(BAD)
    ]


@pytest.mark.parametrize(("line", "text", "reason"), BAD, ids=lambda value: str(value)[:20])
def test_a_bad_line_is_judged_the_same_alone_and_among_others(file, line, text, reason):
    good = b'{"text": "good"}\n'
    alone = read(file("alone.jsonl", good + line), task_bytes=len(good))
    among = read(file("among.jsonl", good + line + b"\n" + b'{"text": "bad\xff"}'))
    assert seen(alone, "text", "reason")[1] == seen(among, "text", "reason")[1] == (text, reason)


def peak_mib():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def test_a_line_of_50_megabytes_is_passed_over_and_its_neighbours_kept(tmp_path):
    path = tmp_path / "a.jsonl"
    with path.open("wb") as out:
        out.write(lines({"text": "before"}) + b'{"text": "')
        for _ in range(50):
            out.write(b"x" * 2**20)
        out.write(b'"}\n' + lines({"text": "after"}))
    (tmp_path / "small.jsonl").write_bytes(lines({"text": "what is loaded once is loaded"}))
    read(tmp_path / "small.jsonl")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is that of now
    before = peak_mib()
    rows = read(path, max_document_bytes=4 * 2**20)
    grown = peak_mib() - before
    assert seen(rows, "origin", "text", "reason") == [
        ("a.jsonl:1", "before", None),
        ("a.jsonl:2", None, "too_long"),
        ("a.jsonl:3", "after", None),
    ]
    assert grown < 40, f"reading grew the process by {grown:.0f} MiB"


def test_a_line_of_50_megabytes_is_read_where_the_limit_allows_it(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines({"text": "y" * 50 * 2**20}, {"text": "after"}))
    rows = read(path, max_document_bytes=64 * 2**20)
    assert [len(row["text"]) for row in rows] == [50 * 2**20, 5]


@pytest.mark.parametrize("limit", [40, 41, 42])
def test_the_limit_counts_the_bytes_of_a_line_without_its_end(file, limit):
    path = file("a.jsonl", b'{"text": "' + b"x" * 29 + b'"}\n{"text": "y"}\n')
    assert seen(read(path, max_document_bytes=limit), "reason")[0] == (
        (None,) if limit >= 41 else ("too_long",)
    )


@pytest.mark.parametrize("task_bytes", [1, 2, 100, 1000, 10_000])
@pytest.mark.parametrize("bad", [False, True])
def test_byte_ranges_give_the_rows_and_lines_of_one_task(file, task_bytes, bad):
    data = toy(300)
    if bad:
        data = (
            data.replace(b"text 123", b"text \xff").replace(b"text 200", b'"')
            + b"\n\n"
            + toy(3)
            + b'{"text": "end"}'
        )
    path = file("a.jsonl", data)
    assert read(path, task_bytes=task_bytes) == read(path)
    n_tasks = len(FileSource.open(path, INFO, Options(task_bytes=task_bytes)).tasks())
    assert (
        n_tasks == (1 if task_bytes > len(data) else min(n_tasks, data.count(b"\n") + bad))
        or n_tasks > 1
    )


def test_a_small_range_for_every_line_is_a_task_a_line(file):
    path = file("a.jsonl", toy(50))
    assert len(FileSource.open(path, INFO, Options(task_bytes=1)).tasks()) == 50


def test_a_json_array_is_read_item_by_item(file):
    path = file("a.json", json.dumps([{"text": "x"}, 3, {"text": "y", "lang": "fr"}]).encode())
    assert seen(read(path), "origin", "text", "reason") == [
        ("a.json:1", "x", None), ("a.json:2", None, "invalid_json"), ("a.json:3", "y", None),
    ]  # fmt: skip


def test_a_json_file_of_lines_is_read_by_lines(file):
    assert seen(read(file("a.json", lines({"text": "x"}, {"text": "y"}))), "origin") == [
        ("a.json:1",),
        ("a.json:2",),
    ]


def test_a_json_file_of_one_object_over_several_lines_is_one_record(file):
    path = file("a.json", json.dumps({"text": "x"}, indent=1).encode())
    assert seen(read(path), "origin", "text") == [("a.json:1", "x")]


def test_a_broken_json_array_is_an_error(file):
    with pytest.raises(SourceError, match="begins like one JSON array or object but is none"):
        read(file("a.json", b'[{"text": "x"},'))
