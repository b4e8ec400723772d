"""Files as sources: which are read, compressed or not, by which column, and in which language."""

import pytest

from emma500.errors import SourceError
from emma500.sources.files import FileSource
from emma500.sources.options import Options
from tests.sources.rows import COMPRESS, INFO, lines, read, seen, toy


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


def test_a_byte_order_mark_is_no_part_of_the_text(file):
    assert seen(read(file("a.jsonl", b"\xef\xbb\xbf" + lines({"text": "x"}))), "text") == [("x",)]
    assert seen(read(file("a.txt", b"\xef\xbb\xbfx")), "text") == [("x",)]


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
