"""Deduplicates texts as the engine does, without the engine, and makes texts that resemble each other."""

import itertools
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from emma500.corpus.deduplication import minhash
from emma500.corpus.deduplication import stage as dedup
from emma500.corpus.deduplication.clusters import CLUSTERS
from emma500.corpus.deduplication.shingle_index import Shingle, shingle_schema
from emma500.corpus.row_groups import row_groups
from emma500.corpus.staging import decision_schema
from emma500.corpus.text import tokens
from emma500.corpus.text.hashing import hashes

NGRAM = 5


def vocabulary(n):
    return np.array([f"w{number}" for number in range(n)])


def changed(words, generator, share):
    words = words.copy()
    places = generator.choice(len(words), round(share * len(words)), replace=False)
    words[places] = [f"new{generator.integers(1 << 40)}" for _ in places]
    return words


def shingle_set(value):
    cut = tokens.tokenise(pa.array([value], pa.large_string()))
    return frozenset(tokens.shingles(cut, NGRAM)[0].tolist())


def jaccard(one, two):
    first, second = shingle_set(one), shingle_set(two)
    return len(first & second) / max(1, len(first | second))


def band_lists(texts, n_bands=28, num_perm=112):
    cut = tokens.tokenise(pa.array(texts, pa.large_string()))
    grams, offsets = tokens.shingles(cut, NGRAM)
    return minhash.bands(grams, offsets, seed=1, num_perm=num_perm, bands=n_bands)


def decisions_of(texts, labels, urls, components, bands):
    """Return decisions as the filter makes them; the key is the place of the text."""
    n = len(texts)
    array = pa.array(texts, pa.large_string())
    seeds = np.array([sum(each.encode()) for each in labels], np.uint64)
    n_bytes = pa.array([len(each.encode()) for each in texts], pa.int64())
    columns = {
        "id": ["".join(f"{int(each):016x}" for each in row) for row in hashes(array, seeds)],
        "key": np.arange(n, dtype=np.uint64),
        "unit": hashes(array, np.zeros(n, np.uint64))[:, 0],
        "component": components,
        "label": labels,
        "n_bytes": n_bytes,
        "n_chars": n_bytes,
        "bands": bands,
        "url": urls,
    }
    schema = decision_schema()
    nothing = {name: pa.nulls(n, schema.field(name).type) for name in schema.names}
    return pa.table(nothing | columns).select(schema.names).cast(schema)


def write(folder, table, order, n_files=3):
    folder.mkdir(parents=True)
    for number, rows in enumerate(np.array_split(order, n_files)):
        pq.write_table(table.take(pa.array(rows)), folder / f"{number}.parquet")


def router_of(texts, table):
    """Send every candidate to its pack, a few rows at a time, as the engine does."""
    columns = [
        table["id"],
        table["key"],
        pa.array(texts, pa.large_string()),
        pa.nulls(len(texts), pa.string()),
    ]
    staged = pa.table(columns, names=["id", "key", "text", "target_text"])

    def route(index, folder):
        path = folder.with_name("staged")
        path.mkdir(exist_ok=True)
        pq.write_table(staged, path / "0.parquet", row_group_size=7)
        tasks = pickle.loads(
            pickle.dumps([Shingle(index, NGRAM, each) for each in row_groups(path)])
        )
        found = pa.Table.from_batches([b for task in tasks for b in task.read()], shingle_schema())
        for pack in found["pack"].unique().to_pylist():
            (folder / f"pack={pack}").mkdir(parents=True)
            own = found.filter(pc.equal(found["pack"], pack))
            pq.write_table(own.select(["row", "shingles"]), folder / f"pack={pack}" / "0.parquet")

    return route


class Deduplicator:
    """Deduplicates texts; returns the decided rows in the order of the texts, and the clusters."""

    def __init__(self, folder):
        self.folders = (folder / str(number) for number in itertools.count())
        self.in_order, self.n_parts = [], 0

    def __call__(self, texts, labels=None, *, urls=None, by_url=False, components=None, bands=None,
                 order=None, **rules):  # fmt: skip
        folder, n = next(self.folders), len(texts)
        table = decisions_of(
            texts,
            labels or ["eng_Latn"] * n,
            urls or [None] * n,
            components or ["monolingual"] * n,
            band_lists(texts) if bands is None else pa.array(bands, pa.large_list(pa.uint64())),
        )
        write(folder / "filter", table, np.arange(n) if order is None else order)
        (folder / "dedup").mkdir()
        wanted = dedup.Rules(urls=by_url, **rules)
        dedup.deduplicate(
            folder / "dedup", folder / "filter", router_of(texts, table), rules=wanted
        )
        assert sorted(each.name for each in (folder / "dedup").iterdir()) == [CLUSTERS, "decided"]
        files = sorted((folder / "dedup" / "decided").glob("*.parquet"))
        self.in_order = [row for each in files for row in pq.read_table(each).to_pylist()]
        self.n_parts = len(files)
        rows = sorted(self.in_order, key=lambda row: row["key"])
        return rows, pq.read_table(folder / "dedup" / CLUSTERS).to_pylist()


def owners(rows):
    """Return the place of the row that is kept for each row."""
    place = {row["id"]: number for number, row in enumerate(rows) if row["reason"] is None}
    return [place[row["cluster"]] for row in rows]
