"""Repositories of the Hub, with the files that the data sets of the table have there, a few items each.

Seen on the Hub's own pages: SIB-200, XCOPA, XWinograd, XNLI, HumanEval, PolyWrite, and the folders of Aya. As their
cards or the programs that read them say: all others. Nobody could tell the files of MassiveSumm, whose access is asked
for.
"""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.published_files import write
from tests.loopback import LoopbackHub

Row = Mapping[str, object]
ONE = "00000-of-00001.parquet"


def parquet(rows: Sequence[Row]) -> bytes:
    """Return rows as a Parquet file."""
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), file)
    return file.getvalue()


def _rows(path: Path) -> list[Row]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def files_of(name: str, folder: Path) -> dict[str, bytes]:
    """Return the files of a benchmark's repository by path.

    Args:
        name: The benchmark.
        folder: An empty folder, where its records are made.
    """
    if name == "sib200":
        head = "index_id\tcategory\ttext\n"
        text = head + "".join(f"{n}\ttravel\tSentensi {n}.\n" for n in range(6))
        tables = {f"data/swh_Latn/{split}.tsv": text.encode() for split in ("train", "dev", "test")}
        return tables | {"data/swh_Latn/labels.txt": b"travel\n"}
    made = sorted(
        path for path in write(_LIKE.get(name, name), folder).rglob("*") if path.is_file()
    )
    as_is = {str(path.relative_to(folder)): path.read_bytes() for path in made}
    rows = b"" if made[0].suffix in (".tsv", ".dev") else parquet(_rows(made[0]))
    splits = {
        "xcopa": ("{}-" + ONE, "sw", ("test", "validation")),
        "xstorycloze": ("{}/0000.parquet", "sw", ("eval", "train")),
        "xnli": ("{}-" + ONE, "sw", ("validation", "test", "train")),
        "americasnli": ("{}-" + ONE, "quy", ("test", "validation")),
        "xlsum": ("{}/0000.parquet", "swahili", ("test", "train", "validation")),
        "humaneval": ("{}-" + ONE, "openai_humaneval", ("test",)),
        "multipl-e": ("{}-" + ONE, "humaneval-sh", ("test",)),
    }
    if name in splits:
        form, code, every = splits[name]
        return {f"{code}/{form.format(split)}": rows for split in every} | {
            f"{other}/{form.format(every[0])}": rows for other in _OTHERS.get(name, ())
        }
    if name == "flores200":
        return {
            f"{split}/{label}.parquet": parquet(
                [{"id": n, "iso_639_3": label[:3], "text": f"{label} {n}."} for n in range(6)]
            )
            for label in ("eng_Latn", "swh_Latn") for split in ("dev", "devtest")
        }  # fmt: skip
    return as_is | dict.fromkeys(_SCRIPTS.get(name, ()), b"import datasets\n")


_LIKE = {"mgsm": "mgsm-cot"}  # in one repository
_OTHERS = {
    "xcopa": ("translation-sw",),
    "xnli": ("all_languages",),
    "americasnli": ("all_languages",),
}
_SCRIPTS = {"xwinograd": ("xwinograd.py",), "tatoeba": ("tatoeba_mt.py",)}  # fmt: skip


def commit(
    hub: LoopbackHub,
    repository: str,
    files: Mapping[str, bytes],
    *,
    ref: str = "main",
    sha: str = "",
) -> str:
    """Put files into a data set of the Hub, all in one commit, and return its hash."""
    if not hub.dir("dataset", repository).exists():
        start = "2026-01-01T00:00:00.000Z"
        hub.save("dataset", repository, {"private": False, "createdAt": start, "refs": {}})
    tree = {path: hub.small_file(content) for path, content in files.items()}
    name = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
    made = hub.new_commit("dataset", repository, name, tree, "files", [])
    if not sha:
        return str(made["sha"])
    commits = hub.dir("dataset", repository) / "commits"
    (commits / f"{made['sha']}.json").unlink()
    (commits / f"{sha}.json").write_text(json.dumps(made | {"sha": sha}))
    meta = hub.meta("dataset", repository)
    hub.save("dataset", repository, meta | {"refs": meta["refs"] | {name: sha}})
    return sha
