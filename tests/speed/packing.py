"""How fast documents become token shards and rows, beside the tokenizer alone and beside datasets.map.

    python tests/speed/packing.py ../shared/data/bench_open/part-00000.jsonl.gz --model path/to/model

Two threads. `raw` is the fast tokenizer's `encode_batch_fast` on texts that lie in memory, its answer thrown away;
`shards` is what a run does: read the corpus' Parquet, tokenize, write. The two take turns; the shortest wall time of
some rounds counts. Then rows of made-up documents of log-normal sizes: packing, the survey of a whole run, and the
loader as the Trainer uses it, against the fastest training that was measured here (`--training`).
The last line is the throughput of `shards` as a share of `raw`; the exit status is 0 from .90 on, with the loader at
20 times the training speed or more.
"""

import argparse
import gzip
import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from emma500.folder import Corpus
from emma500.mixture.packing.fitting import place
from emma500.mixture.packing.pools import PACKINGS
from emma500.mixture.packing.rows import PackedRows
from emma500.mixture.planning.available import Available
from emma500.mixture.planning.plan import plan
from emma500.mixture.tokenizing.documents import Chosen, Wanted
from emma500.mixture.tokenizing.shards import TokenStore
from emma500.mixture.tokenizing.tokens import TokenDocuments
from emma500.models import load_tokenizer
from emma500.records import document_schema

TARGET = 0.9
TIMES = 20
CHOSEN = Chosen(component="monolingual", label="und_Latn", language="und_Latn")


def read(path, megabytes):
    """Return the first texts of a file of JSON lines."""
    texts, left = [], megabytes * 1e6
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            texts.append(json.loads(line)["text"])
            left -= len(texts[-1].encode())
            if left < 0:
                break
    return texts


def write_corpus(texts, folder):
    """Write texts as the training split of a corpus of one label."""
    name = "data/und_Latn/train-00000-of-00001.parquet"
    (folder / name).parent.mkdir(parents=True)
    rows = [{"id": f"{n:032x}", "text": text, "source": "s"} for n, text in enumerate(texts)]
    table = pa.Table.from_pylist(rows, schema=document_schema())
    pq.write_table(table, folder / name, row_group_size=max(1, len(rows) // 4), compression="zstd")
    manifest = {
        "kind": "corpus", "name": "speed", "fingerprint": "", "digest": "",
        "splits": [{"component": "monolingual", "label": "und_Latn", "split": "train", "files": [name]}],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return Corpus(folder)


def spent(function):
    """Return the wall and the CPU seconds of a call, and what it returned."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def raw(tokenizer, texts):
    """Tokenize in batches of a thousand and throw the answer away."""
    backend = tokenizer.backend_tokenizer
    for start in range(0, len(texts), 1000):
        backend.encode_batch_fast(texts[start : start + 1000], add_special_tokens=False)


def mapped(tokenizer, texts, folder):
    """Tokenize with datasets.map, into its Arrow cache."""
    import datasets

    datasets.disable_progress_bars()
    dataset = datasets.Dataset.from_dict({"text": texts})

    def ids(batch):
        return {"ids": tokenizer(batch["text"], add_special_tokens=False)["input_ids"]}

    dataset.map(ids, batched=True, remove_columns=["text"], cache_file_name=str(folder / "m.arrow"))


def tokenizing(texts, tokenizer, rounds):
    """Print the table of tokenizing, and return the share of the raw tokenizer's throughput."""
    times: dict[str, list[tuple[float, float]]] = {"raw": [], "shards": [], "datasets.map": []}
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_corpus(texts, Path(folder) / "corpus")
        tokens = TokenDocuments(np.zeros(0, np.uint16), np.zeros(1, np.int64))
        for number in range(rounds):
            times["raw"].append(spent(partial(raw, tokenizer, texts))[:2])
            store = TokenStore(Path(folder) / str(number), corpus, tokenizer)
            wall, cpu, stored = spent(partial(store.documents, CHOSEN, Wanted()))
            times["shards"].append((wall, cpu))
            tokens = stored.tokens
            if not number:
                times["datasets.map"].append(
                    spent(partial(mapped, tokenizer, texts, Path(folder)))[:2]
                )
        sample = tokens[len(texts) // 2].tolist()
        call = tokenizer(texts[len(texts) // 2], add_special_tokens=False)["input_ids"]
        assert sample == call
    n_tokens, n_bytes = tokens.n_tokens, sum(len(text.encode()) for text in texts)
    print(f"{len(texts):,} documents, {n_bytes / 1e6:.1f} MB, {n_tokens:,} tokens, {rounds} rounds")
    print(
        f"{'':<14}{'wall s':>8}{'CPU s':>8}{'Mtok/s wall':>13}{'Mtok/CPU s':>12}{'MB/s wall':>11}"
    )
    best = {name: np.min(each, axis=0) for name, each in times.items()}
    for name, (wall, cpu) in best.items():
        print(
            f"{name:<14}{wall:>8.2f}{cpu:>8.2f}{n_tokens / wall / 1e6:>13.2f}{n_tokens / cpu / 1e6:>12.2f}"
            f"{n_bytes / wall / 1e6:>11.2f}"
        )
    print(f"shards, share of raw: wall {best['raw'][0] / best['shards'][0]:.3f}, "
          f"CPU {best['raw'][1] / best['shards'][1]:.3f}")  # fmt: skip
    return best["raw"][0] / best["shards"][0]


def made_up(n_documents, n_labels=200):
    """Documents of log-normal sizes in labels of very different sizes."""
    random = np.random.default_rng(0)
    weights = random.lognormal(0, 2.5, n_labels)
    for n in np.maximum((weights / weights.sum() * n_documents).astype(int), 3):
        sizes = random.lognormal(5.5, 1.2, n).astype(np.int64) + 1
        ends = np.concatenate([[0], np.cumsum(sizes)])
        yield TokenDocuments(np.broadcast_to(np.uint16(7), int(ends[-1])), ends)


def load(packed, n_rows):
    """Read the first rows as the Trainer does: in its DataLoader, as batches of tensors."""
    from torch.utils.data import DataLoader, Subset
    from transformers import default_data_collator

    batches = DataLoader(
        Subset(packed, range(n_rows)), batch_size=4, collate_fn=default_data_collator
    )
    return sum(len(each["input_ids"]) for each in batches)


def rows(n_documents, length):
    """Print what packing, the survey and the loader take, and return the loader's tokens a CPU second."""
    sizes = np.random.default_rng(0).lognormal(5.5, 1.2, n_documents).astype(np.int64) + 1
    place(sizes[:10], length)
    _, seconds, pieces = spent(partial(place, sizes, length))
    fill = pieces.size.sum() / (pieces.n_rows * length)
    print(f"\nplace: {n_documents:,} documents, {sizes.sum():,} tokens -> {pieces.n_rows:,} rows of {length:,}: "
          f"{seconds:.2f} CPU s, {fill:.3%} filled")  # fmt: skip
    documents = list(made_up(n_documents))
    parts = []
    for number, each in enumerate(documents):
        label = f"{chr(97 + number // 26)}{chr(97 + number % 26)}x_Latn"
        n, n_tokens = each.epoch()
        chosen = Chosen(component="monolingual", label=label, language=label)
        parts.append(Available(chosen=chosen, sources=[], n_documents=n, n_tokens=n_tokens))
    n_steps = sum(each.n_tokens for each in parts) // (1000 * length)
    mixture = plan(parts, tokens_per_step=1000 * length, n_steps=n_steps)
    slowest = np.inf
    for packing in PACKINGS:
        _, seconds, packed = spent(
            lambda packing=packing: PackedRows(
                mixture, documents, length=length, seed=1, prefix=1, eos=2, pad=0, packing=packing
            )
        )
        said = ", ".join(
            f"{key} {value}" for key, value in packed.packing.items() if "share" in key
        )
        _, read, _ = spent(partial(load, packed, 1000))
        _, told, pieces = spent(partial(packed.pieces, 0, 1000))
        slowest = min(slowest, 1000 * length / read)
        print(f"{packing}: survey of {len(packed):,} rows {seconds:.2f} CPU s; {said}\n"
              f"  loader {1000 * length / read / 1e6:.1f} Mtok/CPU s; the {pieces.num_rows:,} pieces of 1,000 rows "
              f"told in {told:.3f} s")  # fmt: skip
    return slowest


def main():
    """Measure, print, and tell by the exit status whether the targets hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("texts", type=Path, help="JSON lines with `text`, .gz")
    parser.add_argument(
        "--model", required=True, help="folder, Hub id or .gguf file with a fast tokenizer"
    )
    parser.add_argument("--megabytes", type=float, default=24)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--documents", type=int, default=1_000_000, help="made-up documents")
    parser.add_argument("--length", type=int, default=4096)
    parser.add_argument(
        "--training",
        type=float,
        default=500,
        help="tokens a second of training: training_vs_peers.py gives 480 here, for 34 million weights",
    )
    options = parser.parse_args()
    share = tokenizing(
        read(options.texts, options.megabytes), load_tokenizer(options.model), options.rounds
    )
    times = rows(options.documents, options.length) / options.training
    print(
        f"token shards at {share:.2f} of the raw tokenizer's throughput (target {TARGET:.2f}), "
        f"the loader at {times:,.0f} times the training speed (target {TIMES})"
    )
    sys.exit(0 if share >= TARGET and times >= TIMES else 1)


if __name__ == "__main__":
    os.environ["RAYON_NUM_THREADS"] = "2"
    main()
