"""The pieces of deduplication: MinHash bands, the similarity of sets, the index of candidates, addresses of pages."""

import itertools
import pickle

import numpy as np
import pyarrow as pa

from emma500.corpus.deduplication import graph_kernels, minhash
from emma500.corpus.deduplication.shingle_index import ShingleIndex
from emma500.corpus.deduplication.url_copies import normalised_urls
from emma500.corpus.staging import row_names
from emma500.corpus.text import tokens


def shingles_of(texts):
    return tokens.shingles(tokens.tokenise(pa.array(texts, pa.large_string())), 5)


def test_addresses_of_one_page_are_one():
    same = ["https://www.Ex.org:443/A?utm_source=x&b=1#frag", "http://ex.org/A?b=1"]
    found = normalised_urls(
        pa.array([*same, "http://ex.org/a?b=1", None, "ex.org/?utm_a=1", "HTTP://EX.org"])
    )
    assert found.to_pylist() == ["ex.org/A?b=1"] * 2 + ["ex.org/a?b=1", None, "ex.org", "ex.org"]


def test_minhash_agrees_with_the_exact_similarity():
    generator = np.random.default_rng(6)
    words = [f"w{number}" for number in generator.integers(20000, size=400)]
    edited = [f"new{place}" if place % 20 == 0 else word for place, word in enumerate(words)]
    grams, offsets = shingles_of([" ".join(words), " ".join(edited), "short"])
    found = minhash.bands(grams, offsets, seed=1, num_perm=112, bands=112)
    one, two, none = (np.array(each) for each in found.to_pylist())
    sets = [set(grams[start:end].tolist()) for start, end in itertools.pairwise(offsets)]
    exact = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
    assert abs((one == two).mean() - exact) < 0.13  # three standard errors of 112 values
    assert len(none) == 0
    nothing = minhash.bands(grams, offsets, seed=1, num_perm=0, bands=14)
    assert nothing.to_pylist() == [[], [], []]


def test_sets_are_compared_as_far_as_they_can_reach_the_threshold():
    generator = np.random.default_rng(8)
    for _ in range(300):
        one, two = (
            np.unique(generator.integers(0, 60, generator.integers(1, 60))) for _ in range(2)
        )
        exact = len(np.intersect1d(one, two)) / len(np.union1d(one, two))
        for threshold in (0.2, 0.5, exact):
            found = graph_kernels.jaccard(one.astype(np.uint64), two.astype(np.uint64), threshold)
            assert found == exact or (found == 0 and exact < threshold)


def test_candidates_are_found_by_name_wherever_the_index_was_pickled_to(tmp_path):
    index = ShingleIndex(tmp_path / "index")
    generator = np.random.default_rng(9)
    ids = generator.integers(0, 1 << 63, (500, 2)).astype(np.uint64)
    keys = np.arange(500, dtype=np.uint64)
    for rows in np.array_split(generator.permutation(400), 3):
        index.add(row_names(ids[rows], keys[rows]), rows, rows // 100)
    index = pickle.loads(pickle.dumps(index.sorted()))
    names = [f"{int(high):016x}{int(low):016x}" for high, low in ids]
    found = index.find(pa.RecordBatch.from_pydict({"id": names, "key": pa.array(keys)}))
    assert found[:400].tolist() == [[row, row // 100] for row in range(400)]
    assert (found[400:] == -1).all()
