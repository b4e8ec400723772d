"""What loading one label costs with the stock datasets library, by the number of labels a corpus holds.

    python tests/speed/corpus_loading.py [folder]

Each corpus has tiny shards (training, validation, and what each of three stages left out) and the README the library
writes. A new process, which imports nothing of ours, loads one label twice (cold, then from the cache), streams it,
lists the configurations and loads one stage; seconds are CPU seconds of the calls, imports left out. Last comes what
a README with a configuration for every label and stage would cost instead. Exit status 0 where one label loads in
less than 1 s of 1,000 labels and in less than 3 s of 3,000, rows, features and names are right, and the README's YAML
stays under 300 kB at 1,000 labels and under the 419 kB the Hub is known to take at 3,000.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from emma500.corpus.output.readme import configurations, render_readme
from emma500.folder.front_matter import front_matter
from emma500.publishing.checks import check_dataset
from emma500.records import document_schema

TARGETS = {1_000: (1.0, 300_000), 3_000: (3.0, 419_000)}
"""CPU seconds, and bytes of YAML, by the number of labels."""

STAGES = ("filter", "dedup", "split")
LABEL = "aba_Latn"
TIMES = ("cold", "warm", "stream", "names", "stage")
ROWS = {"train": 3, "validation": 1}
CODE = """
import json, sys, time
import datasets
datasets.disable_progress_bars()
folder, label, stage = sys.argv[1:]

def timed(call):
    start = time.process_time()
    result = call()
    return round(time.process_time() - start, 3), result

found = {}
found["cold"], data = timed(lambda: datasets.load_dataset(folder, label))
found["warm"], _ = timed(lambda: datasets.load_dataset(folder, label))
found["stream"], rows = timed(
    lambda: list(datasets.load_dataset(folder, label, split="train", streaming=True)))
found["names"], names = timed(lambda: datasets.get_dataset_config_names(folder))
if stage:
    found["stage"], staged = timed(
        lambda: sum(1 for _ in datasets.load_dataset(folder, stage, split="train", streaming=True)))
    found["n_stage"] = staged
found["rows"] = {name: len(part) for name, part in data.items()}
found["columns"] = data["train"].column_names
found["n_streamed"], found["n_names"] = len(rows), len(names)
print(json.dumps(found))
"""


def labels_of(n):
    """Return n labels, sorted; `LABEL` is one of them."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [f"{a}{b}{c}_Latn" for a in letters for b in letters for c in letters][:n]


def write_corpus(folder, n):
    """Write a corpus of n labels and return its manifest."""
    splits, excluded = [], []
    for label in labels_of(n):
        for split, rows in ROWS.items():
            file = f"data/{label}/{split}-00000-of-00001.parquet"
            write_rows(folder / file, label, rows)
            splits.append(row_of(label, split, rows) | {"files": [file]})
        for stage in STAGES:
            file = f"excluded/{stage}/data/{label}/excluded-00000-of-00001.parquet"
            write_rows(folder / file, label, 1, reason=stage)
            excluded.append(row_of(label, "excluded", 1) | {"stage": stage, "files": [file]})
    manifest = {
        "kind": "corpus", "name": "mala", "digest": f"{n:064}", "versions": {"emma500": ""},
        "sources": [], "stages": ["integration", *STAGES], "splits": splits, "excluded_files": excluded,
        "labels": {label: {"iso639_3": label[:3], "resource_group": "low"} for label in labels_of(n)},
    }  # fmt: skip
    (folder / "README.md").write_text(render_readme(manifest), encoding="utf-8")
    return manifest


def row_of(label, split, rows):
    """Return the sizes of one part, as a manifest has them."""
    sizes = {"n_documents": rows, "n_words": 9 * rows, "n_chars": 50 * rows, "n_bytes": 50 * rows}
    return {"component": "monolingual", "label": label, "split": split, **sizes}


def write_rows(path, label, n, reason=None):
    """Write a shard of n rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = document_schema()
    columns = {field.name: pa.nulls(n, field.type) for field in schema}
    columns["id"] = pa.array([f"{label}-{row}" for row in range(n)])
    columns["label"] = pa.array([label] * n)
    columns["text"] = pa.array([f"{label} {row}" for row in range(n)], pa.large_string())
    if reason:
        columns |= {name: pa.array([reason] * n) for name in ("stage", "reason", "origin")}
    pq.write_table(pa.table(columns), path)


def loaded(folder, home, stage=""):
    """Load with the stock library in a process of its own, and return what it measured."""
    run = subprocess.run(
        [sys.executable, "-c", CODE, str(folder), LABEL, stage],
        check=True, capture_output=True, text=True, env={**os.environ, "HF_HOME": str(home), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return json.loads(run.stdout.splitlines()[-1])


def instead(manifest):
    """Return the README of the same corpus with a configuration for every label and stage, as `yor_Latn.filter`."""
    configs = configurations(manifest)
    for label in manifest["labels"]:
        for stage in ("integration", "filter", "dedup"):
            name, files = f"{label}.{stage}", f"data/{label}/train-*.parquet"
            configs.insert(-1, {"config_name": name, "data_files": files})
    return front_matter({"configs": configs})


def yaml_size(folder):
    """Return the bytes of the README's YAML."""
    return len((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1].encode())


def report(name, size, found):
    """Print one line of the table."""
    times = "  ".join(f"{found.get(each, float('nan')):7.2f}" for each in TIMES)
    print(f"{name:<34} {size / 1000:>7.0f} kB {found['n_names']:>6}  {times}", flush=True)


def is_right(found, manifest):
    """Tell whether rows, features and names are what was written."""
    return (
        found["rows"] == ROWS
        and found["columns"] == document_schema().names
        and found["n_streamed"] == ROWS["train"]
        and found["n_names"] == len(manifest["labels"]) + len(STAGES) + 1
        and found["n_stage"] == len(manifest["labels"]) * (sum(ROWS.values()) + 2)
    )


def main(root):
    """Measure, print the table, and return whether every target holds."""
    holds = []
    heads = "  ".join(f"{each:>7}" for each in TIMES)
    print(f"{'CPU s':<34} {'YAML':>10} {'configs':>6}  {heads}")
    worst = 0.0
    for n, (seconds, n_bytes) in TARGETS.items():
        folder = root / str(n) / "mala"
        manifest = write_corpus(folder, n)
        check_dataset(folder, "user/mala")
        found, size = loaded(folder, root / str(n) / "home", "filter"), yaml_size(folder)
        report(f"{n:,} labels, 3 stages beside them", size, found)
        slowest = max(found["cold"], found["warm"])
        worst = max(worst, slowest / seconds)
        holds += [slowest < seconds, size < n_bytes, is_right(found, manifest)]
        if n == 1_000:
            other = root / "instead" / "mala"
            other.parent.mkdir()
            folder.rename(other)
            (other / "README.md").write_text(instead(manifest), encoding="utf-8")
            found = loaded(other, root / "instead" / "home")
            report("  instead: 4 configs a label", yaml_size(other), found)
    print(f"slowest load of one label: {worst:.2f} of its target; all targets hold: {all(holds)}")
    return all(holds)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as scratch:
        sys.exit(0 if main(Path(scratch)) else 1)
