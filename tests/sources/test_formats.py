"""Formats of files: the same records in every one of them, and what is broken told by record and reason."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.errors import SourceError
from emma500.sources.options import Options
from tests.sources.rows import read, seen

RECORDS = [{"text": f'Ẹ káàárọ̀ "{n}",\tó dàbọ̀', "lang": "yo" if n % 2 else ""} for n in range(300)]


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}


def as_jsonl(records):
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records).encode()


def as_csv(records):
    out = io.StringIO()
    writer = csv.DictWriter(out, ["text", "lang"])
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def feather(path, *, stream):
    table = pa.Table.from_pylist(RECORDS)
    opened = pa.ipc.new_stream if stream else pa.ipc.new_file
    with opened(path, table.schema) as out:
        out.write_table(table, max_chunksize=70)
    return path


def test_every_format_gives_the_same_rows(file, tmp_path):
    pq.write_table(pa.Table.from_pylist(RECORDS), tmp_path / "a.parquet")
    paths = [
        file("a.jsonl", as_jsonl(RECORDS)),
        file("a.ndjson", as_jsonl(RECORDS)),
        file("a.json", json.dumps(RECORDS).encode()),
        file("a.csv", as_csv(RECORDS)),
        tmp_path / "a.parquet",
        feather(tmp_path / "a.arrow", stream=True),
        feather(tmp_path / "a.feather", stream=False),
    ]
    wanted = [(each["text"], each["lang"] or "und", None) for each in RECORDS]
    for path in paths:
        assert seen(read(path), "text", "original_code", "reason") == wanted, path.name


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zst", "lz4"])
def test_every_compression_is_read_and_a_file_cut_short_is_an_error(file, tmp_path, ending):
    if ending == "lz4":
        with pa.CompressedOutputStream(str(tmp_path / "whole"), "lz4") as out:
            out.write(as_jsonl(RECORDS))
        data = (tmp_path / "whole").read_bytes()
    else:
        data = COMPRESS[ending](as_jsonl(RECORDS))
    assert len(read(file(f"a.jsonl.{ending}", data))) == 300
    for cut in (len(data) // 2, len(data) - 1):
        with pytest.raises(SourceError, match=r"damaged.*fetch it again"):
            read(file(f"cut.jsonl.{ending}", data[:cut]))


def test_the_members_of_a_zip_are_files_of_their_own(file):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("yor_Latn/a.jsonl", as_jsonl([{"text": "x"}, {"text": "y"}]))
        archive.writestr("notes.md", "not read")
        archive.writestr("__MACOSX/._a.jsonl", "not read")
        archive.writestr("b.jsonl.gz", gzip.compress(as_jsonl([{"text": "z", "lang": "fr"}])))
    path = file("set.zip", sink.getvalue())
    assert seen(read(path), "origin", "text", "original_code") == [
        ("set.zip/b.jsonl.gz:1", "z", "fr"),
        ("set.zip/yor_Latn/a.jsonl:1", "x", "yor_Latn"),
        ("set.zip/yor_Latn/a.jsonl:2", "y", "yor_Latn"),
    ]
    with pytest.raises(SourceError, match="damaged"):
        read(file("cut.zip", sink.getvalue()[:100]))


def test_offsets_that_lead_nowhere_are_damage_and_not_bad_text(tmp_path):
    path = feather(tmp_path / "a.arrow", stream=True)
    whole = pa.ipc.open_stream(path.read_bytes()).read_next_batch()["text"]
    offsets = whole.buffers()[1].to_pybytes()
    data = path.read_bytes()
    broken = offsets[:40] + (2**30).to_bytes(4, "little") + offsets[44:]
    assert data.count(offsets[:400]) == 1
    path.write_bytes(data.replace(offsets[:400], broken[:400]))
    with pytest.raises(SourceError, match="is damaged"):
        read(path)


@pytest.mark.filterwarnings("ignore")
def test_what_save_to_disk_writes_is_read_without_the_files_beside_it(tmp_path):
    datasets = pytest.importorskip("datasets")
    saved = datasets.Dataset.from_list([{"text": f"text {n}"} for n in range(10)])
    other = datasets.Dataset.from_list([{"text": "held out"}])
    saved.save_to_disk(tmp_path / "one", num_shards=2)
    datasets.DatasetDict({"train": saved, "test": other}).save_to_disk(tmp_path / "several")
    wanted = [(f"text {n}",) for n in range(10)]
    assert seen(read(tmp_path / "one"), "text") == wanted
    assert seen(read(tmp_path / "several"), "text") == wanted


def test_a_damaged_arrow_file_is_an_error(tmp_path):
    data = feather(tmp_path / "a.feather", stream=False).read_bytes()
    (tmp_path / "b.feather").write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match="is no Arrow file"):
        read(tmp_path / "b.feather")
    data = feather(tmp_path / "a.arrow", stream=True).read_bytes()
    (tmp_path / "c.arrow").write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match="is damaged"):
        read(tmp_path / "c.arrow")


def test_a_text_file_can_be_read_by_lines_by_paragraphs_or_whole(file):
    path = file("a.txt", b"\xef\xbb\xbfone\r\ntwo\n\n \nthree\nbad \xff\n" + b"x" * 500)
    lines = read(path, segments="line", max_document_bytes=400)
    assert seen(lines, "origin", "text", "reason") == [
        ("a.txt:1", "one", None),
        ("a.txt:2", "two", None),
        ("a.txt:5", "three", None),
        ("a.txt:6", None, "invalid_utf8"),
        ("a.txt:7", None, "too_long"),
    ]
    assert seen(read(file("b.txt", b"one\ntwo\n\nthree\n"), segments="paragraph"), "text") == [
        ("one\ntwo",),
        ("three",),
    ]
    assert seen(read(path, segments="document", max_document_bytes=400), "reason") == [
        ("too_long",)
    ]


def test_a_file_called_by_a_language_is_a_sentence_a_line(file):
    path = file("wmt.sw", b"Habari\nya asubuhi\n")
    assert seen(read(path), "origin", "text", "original_code") == [
        ("wmt.sw:1", "Habari", "sw"),
        ("wmt.sw:2", "ya asubuhi", "sw"),
    ]
    file("notes.md", b"not read")
    assert len(read(path.parent, segments="line")) == 2
    with pytest.raises(SourceError, match="holds no readable file"):
        read(path.parent)


def test_a_row_s_own_licence_and_script_win_over_the_source_s(file):
    records = [
        {"text": "x", "lang": "srp", "script": "Cyrl", "license": "CC-BY-4.0"},
        {"text": "y", "lang": "srp", "script": "", "license": ""},
        {"text": "z", "lang": "", "script": "Latn", "license": None},
    ]
    rows = read(file("a.jsonl", as_jsonl(records)), columns=(("script", "script"),))
    assert seen(rows, "original_code", "source_license") == [
        ("srp_Cyrl", "CC-BY-4.0"),
        ("srp", "CC0-1.0"),
        ("und_Latn", "CC0-1.0"),
    ]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        (
            "shape",
            "songs",
            "shape must be one of '', 'documents', 'pairs', 'messages', not 'songs'",
        ),
        ("segments", "word", "segments must be one of"),
        ("component", "poems", "component must be one of"),
        ("columns", (("body", "x"),), "a role of columns must be one of"),
        ("turn", "{role}", "turn must hold {content}"),
    ],
)
def test_an_option_that_breaks_its_rule_is_an_error(option, value, message):
    with pytest.raises(SourceError) as caught:
        Options(**{option: value})
    assert message in str(caught.value)
