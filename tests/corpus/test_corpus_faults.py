"""What is damaged, mad or missing costs itself alone: it is counted or told, and all that is good is in the corpus."""

import gzip
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.corpus.build import BuildConfig, build_mala
from emma500.errors import OutputError, SourceError, StorageError
from emma500.folder import Corpus

CONFIG = BuildConfig(
    identify="off", decontaminate=["off"], filters="off", near_dedup=False, shard_bytes=20_000
)
STRICT = BuildConfig(identify="off", decontaminate=["off"], filters="off", strict=True)
RSS = """
import sys
from pathlib import Path
from emma500.corpus.build import BuildConfig, build_mala
options = {"identify": "off", "decontaminate": ["off"], "filters": "off"}
corpus = build_mala(sys.argv[1], sys.argv[2], config=BuildConfig(max_document_bytes=int(sys.argv[3]), **options))
# The peak of this program alone: ru_maxrss also knows that of the process it was started from.
status = Path("/proc/self/status").read_text()
print(corpus.n_documents, int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def texts_of(corpus):
    tables = [
        pq.read_table(each, partitioning=None)
        for each in sorted(Path(corpus.root).glob("data/*/*.parquet"))
    ]
    return sorted(pa.concat_tables(tables)["text"].to_pylist()) if tables else []


def excluded(corpus):
    found: dict[str, int] = {}
    for row in corpus.manifest["excluded"]:
        found[row["reason"]] = found.get(row["reason"], 0) + row["n_documents"]
    return found


def failed(corpus):
    return {each["source"]: each["reason"] for each in corpus.manifest["failed"]}


def texts(n, code="swh", seed=0):
    chance = random.Random(f"{code} {seed}")
    letters = "abdefghijklmnoprstuwyz"
    return [
        " ".join("".join(chance.choices(letters, k=6)) for _ in range(40)) for _ in range(n)
    ]  # fmt: skip


def lines(found, code="swh"):
    return "".join(json.dumps({"text": each, "lang": code}) + "\n" for each in found).encode()


@pytest.fixture
def mounted(tmp_path):
    """Mounts a file system of some kilobytes, and lets it be changed."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options):
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if "remount" in options:
            command = ["mount", "-o", options, str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no file system can be mounted here: {error}")
        return folder

    yield mount
    subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A file of 300 documents, and the files of the corpus that an undisturbed build makes of it."""
    folder = tmp_path_factory.mktemp("many")
    path = folder / "texts.jsonl"
    path.write_bytes(lines(texts(900)))
    build_mala(path, folder / "mala", config=CONFIG)
    return path, files_of(folder / "mala")


def test_a_full_disk_is_told_and_with_more_space_the_same_call_ends_with_the_same_bytes(
    many, mounted
):
    path, whole = many
    finished = set()
    for size in (8, 200, 400, 600, 800, 4000):
        disk = mounted(f"size={size}k")
        if size < 4000:
            told = "run the same call again; what is finished is kept"
            with pytest.raises(
                StorageError, match=rf"^no space left while writing {disk}/.*{told}"
            ):
                build_mala(path, disk / "mala", config=CONFIG)
            assert [each.name for each in disk.iterdir()] == ["mala.work"]
            finished.add(len(list(disk.glob("mala.work/*.done"))))
        mounted("remount,size=64m")
        build_mala(path, disk / "mala", config=CONFIG)
        assert files_of(disk / "mala") == whole
        assert [each.name for each in disk.iterdir()] == ["mala"]
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    assert len(finished) >= 3, "the disk was never full but in one or two stages"


def test_a_file_system_that_cannot_be_written_is_one_clear_error_and_a_finished_corpus_there_opens(
    many, mounted
):
    path, whole = many
    disk = mounted("size=64m")
    build_mala(path, disk / "mala", config=CONFIG)
    mounted("remount,ro")
    for output in (disk / "other", disk / "deep" / "other"):
        with pytest.raises(StorageError, match=r"/disk/.*cannot be written \(Read-only.*choose"):
            build_mala(path, output, config=CONFIG)
    assert build_mala(path, disk / "mala", config=CONFIG).n_documents == 900
    assert [each.name for each in disk.iterdir()] == ["mala"]
    mounted("remount,rw")
    build_mala(path, disk / "deep" / "other", config=CONFIG)
    assert files_of(disk / "deep" / "other") == whole


def test_an_output_that_no_folder_can_be_at_is_one_clear_error(many, tmp_path):
    path, _ = many
    (tmp_path / "file").write_text("years of work")
    (tmp_path / "link").symlink_to("nowhere")
    for output in (tmp_path / "file" / "mala", tmp_path / "file" / "deep" / "mala"):
        with pytest.raises(StorageError, match=r"/file.*cannot be written \(.*choose another"):
            build_mala(path, output, config=CONFIG)
    with pytest.raises(StorageError, match="cannot be written"):
        build_mala(path, tmp_path / ("x" * 250), config=CONFIG)
    for output, problem in (("file", "is a file"), ("link", "leads nowhere")):
        with pytest.raises(OutputError, match=problem):
            build_mala(path, tmp_path / output, config=CONFIG)
    with pytest.raises(OutputError, match="name of a folder"):
        build_mala(path, ".", config=CONFIG)
    assert (tmp_path / "file").read_text() == "years of work"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "link"]


def zst(data):
    return pa.compress(data, "zstd", asbytes=True)


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("zst", zst)])
def test_of_a_compressed_file_cut_short_the_rows_before_the_cut_are_kept_and_the_rest_is_told(
    ending, pack, tmp_path
):
    all_texts, good = texts(2000), texts(5, "yo")
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "good.jsonl").write_bytes(lines(good, "yo"))
    cut = folder / f"a.jsonl.{ending}"
    data = pack(lines(all_texts))
    cut.write_bytes(data[: len(data) // 2])
    corpus = build_mala(folder, tmp_path / "mala", config=CONFIG)
    kept = set(texts_of(corpus)) - set(good)
    assert set(texts_of(corpus)) > set(good)
    assert kept == set(all_texts[: len(kept)])
    assert 600 < len(kept) < 1400
    assert failed(corpus)["texts"].startswith(f"texts/a.jsonl.{ending} is damaged and cannot be")
    assert corpus.manifest["quarantine"]["n_records"] == 0
    with pytest.raises(SourceError, match="is damaged"):
        build_mala(folder, tmp_path / "strict", config=STRICT)
    cut.write_bytes(data)
    build_mala(folder, tmp_path / "mala", config=CONFIG)
    build_mala(folder, tmp_path / "whole", config=CONFIG)
    assert files_of(tmp_path / "mala") == files_of(tmp_path / "whole")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mala", "texts", "whole"]


def without_footer(data, _):
    return data[:-200]


def with_a_mad_footer(data, _):
    return data[:-8] + b"\xff\xff\xff\xff" + data[-4:]


def with_a_damaged_page(data, page):
    return data[:page] + b"\xee" * 40 + data[page + 40 :]


def with_a_changed_bit(data, page):
    return data[: page + 900] + bytes([data[page + 900] ^ 1]) + data[page + 901 :]


@pytest.mark.parametrize(
    ("damage", "n_kept"),
    [(without_footer, 0), (with_a_mad_footer, 0), (with_a_damaged_page, 400), (with_a_changed_bit, 400)],
)  # fmt: skip
def test_of_a_corrupt_parquet_file_the_groups_of_rows_that_are_whole_are_kept(
    damage, n_kept, tmp_path
):
    folder, all_texts, good = tmp_path / "texts", texts(500), texts(5, "yo")
    folder.mkdir()
    (folder / "good.jsonl").write_bytes(lines(good, "yo"))
    path = folder / "a.parquet"
    table = pa.table({"text": all_texts, "lang": ["swh"] * 500})
    pq.write_table(table, path, row_group_size=100, write_page_checksum=True, use_dictionary=False)
    whole = path.read_bytes()
    page = pq.read_metadata(path).row_group(2).column(0).data_page_offset
    path.write_bytes(damage(whole, page))
    corpus = build_mala(folder, tmp_path / "mala", config=CONFIG)
    left = all_texts[:200] + all_texts[300:] if n_kept else []
    assert texts_of(corpus) == sorted(good + left)
    assert "texts/a.parquet is " in failed(corpus)["texts"]
    with pytest.raises(SourceError, match="fetch it again"):
        build_mala(folder, tmp_path / "strict", config=STRICT)
    path.write_bytes(whole)
    corpus = build_mala(folder, tmp_path / "mala", config=CONFIG)
    assert texts_of(corpus) == sorted(good + all_texts)
    assert failed(corpus) == {}


EMPTY = ("jsonl", "json", "txt", "csv", "tsv", "tmx", "map", "jsonl.gz", "jsonl.zst", "jsonl.lz4")
CUT_TO_NOTHING = ("jsonl.xz", "jsonl.bz2", "parquet", "arrow", "feather", "zip")


def test_files_of_no_bytes_cost_nothing_in_a_folder_and_are_told_where_their_format_needs_some(
    tmp_path,
):
    folder, good = tmp_path / "texts", texts(5)
    folder.mkdir()
    (folder / "good.jsonl").write_bytes(lines(good))
    for ending in (*EMPTY, *CUT_TO_NOTHING):
        (folder / f"zero.{ending}").touch()
    corpus = build_mala(folder, tmp_path / "mala", config=CONFIG)
    assert texts_of(corpus) == sorted(good)
    told = [each["reason"].split(" ")[0] for each in corpus.manifest["failed"]]
    assert told == sorted(f"texts/zero.{each}" for each in CUT_TO_NOTHING)
    alone = [folder / f"zero.{ending}" for ending in (*EMPTY, *CUT_TO_NOTHING)]
    corpus = build_mala([*alone, folder / "good.jsonl"], tmp_path / "each", config=CONFIG)
    assert texts_of(corpus) == sorted(good)
    assert set(failed(corpus)) == {each.name for each in alone}
    shutil.rmtree(tmp_path / "each")
    with pytest.raises(SourceError, match=r"zero\.jsonl"):
        build_mala(alone, tmp_path / "each", config=CONFIG)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mala", "texts"]


@pytest.mark.parametrize(
    ("limit", "n_kept"), [(16 << 20, 4), pytest.param(64 << 20, 5, marks=pytest.mark.slow)]
)
def test_a_line_of_fifty_megabytes_is_kept_or_quarantined_within_bounded_memory(
    limit, n_kept, tmp_path
):
    path, good = tmp_path / "a.jsonl", texts(4)
    words = " ".join(texts(2000)).encode()
    with path.open("wb") as file:
        file.write(lines(good[:2]) + b'{"lang": "swh", "text": "')
        for _ in range(50_000_000 // len(words)):
            file.write(words + b" ")
        file.write(b'"}\n' + lines(good[2:]))
    command = [sys.executable, "-c", RSS, str(path), str(tmp_path / "mala"), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    n_documents, peak = map(int, done.stdout.split())
    assert n_documents == n_kept
    quarantine = tmp_path / "mala" / "quarantine.jsonl"
    assert peak < 1536, f"{peak} MiB at the peak"
    if n_kept == 4:
        record = {"source": "a.jsonl", "file": "a.jsonl", "line": 3, "reason": "too_long"}
        assert json.loads(quarantine.read_text()) == record
        assert excluded(Corpus(tmp_path / "mala")) == {"too_long": 1}
    else:
        assert not quarantine.exists()
