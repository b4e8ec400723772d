"""Megabytes of text a CPU second each format and shape is read at, beside the floor of the same work.

    python tests/speed/reading.py [megabytes]

The texts are the passages of gflanguages. The floor is what pyarrow (JSON Lines, Parquet, Arrow, TSV), json, csv and
ElementTree take to give the same columns, with nothing checked, numbered or labelled; a compressed file's is that of
its codec alone. Best of three; ends with the slowest rate, and with status 0 where no format is under 25 MB/s, which
is what the whole corpus build reaches a core.
"""

import csv
import gzip
import io
import json
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from emma500.sources.embedded import gflanguages_passages
from emma500.sources.resolve import resolve

_TARGET = 25  # MB/s of text
_TU = '<tu><tuv xml:lang="en"><seg>{}</seg></tuv><tuv xml:lang="sw"><seg>{}</seg></tuv></tu>\n'


def seconds(call):
    """Return the fewest CPU seconds of three calls."""
    times = []
    for _ in range(3):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def passages(megabytes):
    """Return lines of text of about so many megabytes."""
    once = [" ".join((each.text or "").split()) for each in gflanguages_passages()]
    size = sum(len(text.encode()) for text in once)
    return once * max(1, megabytes * 10**6 // size)


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def write_all(folder, texts):
    """Write the texts in every format; return the path and the floor of each."""
    table = pa.table({"text": texts, "lang": ["und"] * len(texts)})
    pairs = list(zip(texts[::2], texts[1::2], strict=False))
    lines = "".join(
        json.dumps({"text": each, "lang": "und"}, ensure_ascii=False) + "\n" for each in texts
    )
    chat = "".join(
        json.dumps({"messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}]}) + "\n"
        for a, b in pairs
    )  # fmt: skip
    flat = io.StringIO()
    csv.writer(flat).writerows([("text", "lang"), *((each, "und") for each in texts)])
    contents = {
        "a.jsonl": lines,
        "a.json": json.dumps([{"text": each} for each in texts]),
        "a.txt": "\n".join(texts) + "\n",
        "a.csv": flat.getvalue(),
        "a.tsv": "text\tlang\n" + "".join(f"{each}\tund\n" for each in texts),
        "chat.jsonl": chat,
        "a.tmx": "<tmx><body>\n" + "".join(_TU.format(*map(escaped, each)) for each in pairs) + "</body></tmx>",
    }  # fmt: skip
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode(), 6))
    pq.write_table(table, folder / "a.parquet", compression="zstd")
    with pa.ipc.new_file(folder / "a.feather", table.schema) as out:
        out.write_table(table, max_chunksize=4096)
    (folder / "moses").mkdir()
    for place, code in enumerate(("en", "sw")):
        side = "".join(f"{each[place]}\n" for each in pairs)
        (folder / "moses" / f"a.{code}").write_text(side, encoding="utf-8")


def json_floor(path):
    block = pyarrow.json.ReadOptions(use_threads=False, block_size=8 << 20)
    return lambda: pyarrow.json.read_json(path, read_options=block)


def csv_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file))


def arrow_text(path):
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()["text"].validate(full=True)


def tsv_floor(path):
    parse = pyarrow.csv.ParseOptions(delimiter="\t", quote_char=False)
    read = pyarrow.csv.ReadOptions(use_threads=False)
    return lambda: pyarrow.csv.read_csv(path, parse_options=parse, read_options=read)


def floors(folder):
    """Return, by name of file, what reads the same columns with nothing else."""
    return {
        "a.jsonl": json_floor(folder / "a.jsonl"),
        "a.jsonl.gz": lambda: gzip.decompress((folder / "a.jsonl.gz").read_bytes()),
        "a.json": lambda: json.loads((folder / "a.json").read_text(encoding="utf-8")),
        "a.parquet": lambda: pq.ParquetFile(folder / "a.parquet").read(["text", "lang"], use_threads=False),
        "a.feather": lambda: arrow_text(folder / "a.feather"),
        "a.txt": lambda: (folder / "a.txt").read_text(encoding="utf-8").split("\n"),
        "a.csv": lambda: csv_rows(folder / "a.csv"),
        "a.tsv": tsv_floor(folder / "a.tsv"),
        "chat.jsonl": json_floor(folder / "chat.jsonl"),
        "a.tmx": lambda: ElementTree.parse(folder / "a.tmx"),
        "moses": lambda: [
            (folder / "moses" / name).read_text(encoding="utf-8").split("\n") for name in ("a.en", "a.sw")
        ],
    }  # fmt: skip


def main():
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    texts = passages(megabytes)
    size = sum(len(each.encode()) for each in texts)
    slowest = ("", float("inf"))
    print(f"{'file':12} {'MB/s':>8} {'floor':>8} {'of it':>6}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_all(folder, texts)
        for file, floor in floors(folder).items():
            (source,) = resolve(folder / file, segments="line" if file == "a.txt" else None)
            tasks = source.tasks()
            n_rows = sum(batch.num_rows for task in tasks for batch in task.read())
            if n_rows != len(texts) // (2 if file in ("chat.jsonl", "a.tmx", "moses") else 1):
                print(f"{file}: {n_rows} rows of {len(texts)} texts")
                return 1
            rate = size / 1e6 / seconds(lambda tasks=tasks: [list(task.read()) for task in tasks])
            least = size / 1e6 / seconds(floor)
            slowest = min(slowest, (file, rate), key=lambda each: each[1])
            print(f"{file:12} {rate:8,.0f} {least:8,.0f} {rate / least:6.2f}")
    print(f"slowest: {slowest[0]} {slowest[1]:.0f} MB/s (target: {_TARGET})")
    return int(slowest[1] < _TARGET)


if __name__ == "__main__":
    sys.exit(main())
