"""Files as sources: what is good is read, what is bad is told, and ranges give what the whole gives."""

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.errors import SourceError
from emma500.sources.files import FileSource
from emma500.sources.options import Options
from tests.sources.rows import INFO, read, seen

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "zst": lambda data: (
        pa.compress(data[:40], "zstd", asbytes=True) + pa.compress(data[40:], "zstd", asbytes=True)
    ),
}


def lines(*records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


@pytest.fixture
def file(tmp_path):
    def write(name, data):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return write


def test_one_record_becomes_one_row(file):
    path = file("a.jsonl", lines({"text": "Ẹ káàárọ̀", "lang": "yo", "url": "http://x", "n": 3}))
    (row,) = read(path)
    assert row == {
        "component": "monolingual", "text": "Ẹ káàárọ̀", "original_code": "yo", "target_text": None,
        "target_original_code": None, "source": "toy", "source_license": "CC0-1.0", "url": "http://x",
        "origin": "a.jsonl:1", "reason": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.json", "a.txt", "a.jsonl.gz", "a.txt.xz", "a.jsonl.zst"]
)
@pytest.mark.parametrize("content", [b"", b"\n \n\n"])
def test_a_file_without_a_record_is_an_error(file, name, content):
    compress = COMPRESS.get(name.rsplit(".", 1)[1], bytes)
    with pytest.raises(SourceError, match=r"holds no record: 1 readable file\(s\), all empty"):
        read(file(name, compress(content)))


def test_an_empty_file_beside_others_gives_no_row(file):
    file("a.jsonl", b"")
    path = file("b.jsonl", lines({"text": "x"}))
    assert seen(read(path.parent), "origin") == [("b.jsonl:1",)]


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


def test_a_missing_text_column_is_an_error_that_names_the_columns(file):
    path = file("a.jsonl", lines({"content": "x", "lang": "yo"}, {"content": "y", "id": 3}))
    with pytest.raises(
        SourceError,
        match=r"'text' is missing; there are: content, lang, id \(choose with text_column, or leave the file out\)",
    ):
        read(path)
    assert seen(read(path, text_column="content"), "text") == [("x",), ("y",)]


def test_a_text_column_that_comes_late_is_found(file):
    path = file("a.jsonl", lines(*[{"id": n} for n in range(300)], {"text": "late"}))
    rows = read(path)
    assert (rows[300]["text"], rows[0]["reason"], len(rows)) == ("late", "no_text", 301)


def test_a_text_column_without_strings_is_an_error(file):
    with pytest.raises(SourceError, match="the column 'text' holds no strings; there are: text"):
        read(file("a.jsonl", lines({"text": 1}, {"text": ["x"]})))


def test_a_missing_language_column_is_an_error(file):
    with pytest.raises(SourceError, match=r"'iso' is missing.*choose with language_column"):
        read(file("a.jsonl", lines({"text": "x", "lang": "yo"})), language_column="iso")


def toy(n):
    records = [
        {"text": f"text {number} ẹ" * (number % 7 + 1), "lang": "yo" if number % 3 else None}
        for number in range(n)
    ]
    return lines(*records)


@pytest.mark.parametrize("ending", ["gz", "xz", "zst"])
def test_compressed_files_give_the_same_rows(file, ending):
    data = toy(500)
    packed = read(file(f"a.jsonl.{ending}", COMPRESS[ending](data)))
    plain = read(file("a.jsonl", data))
    assert seen(packed, "text", "original_code") == seen(plain, "text", "original_code")
    assert packed[499]["origin"] == f"a.jsonl.{ending}:500"


@pytest.mark.parametrize("ending", ["gz", "xz", "zst"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.txt"])
def test_a_damaged_compressed_file_is_an_error(file, name, ending):
    data = COMPRESS[ending](toy(500))
    with pytest.raises(SourceError, match=r"damaged.*fetch it again"):
        read(file(f"{name}.{ending}", data[: len(data) // 2]))


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


def test_a_byte_order_mark_is_no_part_of_the_text(file):
    assert seen(read(file("a.jsonl", b"\xef\xbb\xbf" + lines({"text": "x"}))), "text") == [("x",)]
    assert seen(read(file("a.txt", b"\xef\xbb\xbfx")), "text") == [("x",)]


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


def test_a_folder_is_read_with_its_folders_in_the_order_of_names(file):
    file("b/x.jsonl", lines({"text": "second"}))
    file("a.txt", b"first")
    file("c.parquet.md", b"not read")
    file(".hidden/y.jsonl", lines({"text": "hidden"}))
    path = file("_temporary/z.jsonl", lines({"text": "temporary"}))
    assert seen(read(path.parent.parent), "origin", "text") == [
        ("a.txt:1", "first"),
        ("b/x.jsonl:1", "second"),
    ]


def test_a_folder_without_a_readable_file_is_an_error(file):
    path = file("notes.md", b"x")
    with pytest.raises(SourceError, match=r"holds no readable file: a source is \.jsonl"):
        read(path.parent)
    with pytest.raises(SourceError, match=r"notes\.md cannot be read: a source is \.jsonl"):
        read(path)


@pytest.mark.parametrize(
    ("name", "record", "options", "code"),
    [
        ("a.jsonl", {"text": "x", "lang": "yo", "label": "yor_Latn"}, {}, "yor_Latn"),
        ("a.jsonl", {"text": "x", "lang": "yo"}, {"language": "fra"}, "fra"),
        (
            "a.jsonl",
            {"text": "x", "lang": "yo", "l": "ibo"},
            {"language_column": "l", "language": "fra"},
            "ibo",
        ),
        ("a.jsonl", {"text": "x", "lang": ""}, {}, "und"),
        ("a.jsonl", {"text": "x", "label": 3}, {}, "und"),
        ("yor_Latn.jsonl", {"text": "x"}, {}, "yor_Latn"),
        ("yor_Latn.jsonl", {"text": "x", "lang": "fr"}, {}, "fr"),
        ("sr@latin/part-1.jsonl", {"text": "x"}, {}, "sr@latin"),
        ("yo/raw/train.jsonl", {"text": "x"}, {}, "yo"),
        ("raw/dev.jsonl", {"text": "x"}, {}, "und"),
        ("French/train.jsonl", {"text": "x"}, {}, "und"),
        ("xx/train.jsonl", {"text": "x"}, {}, "und"),
    ],
)
def test_where_the_language_code_comes_from(file, name, record, options, code):
    path = file(name, lines(record))
    while path.name != "set":
        path = path.parent
    assert seen(read(path, **options), "original_code") == [(code,)]


def test_a_row_without_a_language_has_the_fallback(file):
    path = file(
        "a.jsonl",
        lines(
            {"text": "x", "l": "yo"}, {"text": "y"}, {"text": "z", "l": ""}, {"text": "w", "l": 3}
        ),
    )
    codes = seen(read(path, language_column="l", language="fra"), "original_code")
    assert codes == [("yo",), ("fra",), ("fra",), ("fra",)]


def test_the_folder_of_a_single_file_names_its_language(file):
    assert seen(read(file("yor_Latn/part-1.jsonl", lines({"text": "x"}))), "original_code") == [
        ("yor_Latn",)
    ]


def test_a_small_text_file_is_one_document(file):
    path = file("yor_Latn.txt", b"\nfirst\r\n\r\nsecond\n")
    assert seen(read(path), "origin", "text", "original_code") == [
        ("yor_Latn.txt:1", "first\n\nsecond", "yor_Latn")
    ]


def test_a_large_text_file_with_blank_lines_is_cut_there(file):
    blocks = [f"document {n}\n" + "word " * 2000 + "\nend" for n in range(200)]
    path = file("a.txt", "\n \n\n".join(blocks).encode())
    assert path.stat().st_size > 2**20
    rows = read(path)
    assert [row["text"] for row in rows] == [block.replace(" \nend", " \nend") for block in blocks]
    assert [row["origin"] for row in rows[:3]] == ["a.txt:1", "a.txt:6", "a.txt:11"]


def test_a_large_text_file_without_blank_lines_is_a_document_a_line(file):
    path = file("a.txt.gz", gzip.compress(b"\n".join(b"sentence %d" % n for n in range(100_000))))
    rows = read(path)
    assert len(rows) == 100_000
    assert (rows[77_776]["origin"], rows[77_776]["text"]) == ("a.txt.gz:77777", "sentence 77776")


def test_bad_documents_of_a_text_file_are_told(file):
    good = b"word " * 1000
    blocks = [good, b"caf\xe9", b"x" * 9000, b"line\n" * 2000, good] + [good] * 250
    path = file("a.txt", b"\n\n".join(blocks))
    reasons = seen(read(path, max_document_bytes=8000), "reason")
    assert reasons[:5] == [(None,), ("invalid_utf8",), ("too_long",), ("too_long",), (None,)]
    assert len(reasons) == len(blocks)


def test_the_fingerprint_follows_content_and_options_but_not_the_place(file, tmp_path):
    path = file("a.jsonl", lines({"text": "x", "other": "y"}))
    elsewhere = tmp_path / "elsewhere" / "a.jsonl"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(path.read_bytes())

    def fingerprint(path, **options):
        return FileSource.open(path, INFO, Options(**options)).fingerprint()

    original = fingerprint(path)
    assert fingerprint(elsewhere) == original
    assert fingerprint(path, task_bytes=5) == original
    assert fingerprint(path, text_column="other") != original
    assert fingerprint(path, language="fra") != original
    path.write_bytes(lines({"text": "X", "other": "y"}))
    assert fingerprint(path) != original
