"""Deduplication: exact copies, and near-duplicates verified by exact Jaccard similarity."""

import numpy as np
import pyarrow as pa

from emma500.corpus import dedup, text
from emma500.corpus.graph_kernels import bands, components, fold
from emma500.corpus.integration import permutations
from emma500.corpus.staging import RowIndex, id_numbers

NGRAM = 5


def vocabulary(n):
    return np.array([f"w{number}" for number in range(n)])


def rows_of(texts, labels=None, n_bands=28):
    """Stage texts as dedup sees them."""
    array = pa.array(texts, pa.large_string())
    grams, offsets = text.shingles(array, NGRAM)
    hashes = np.zeros((len(texts), n_bands), np.uint64)
    bands(grams, offsets, *permutations(1, 112), n_bands, hashes)
    labels = labels or ["eng_Latn"] * len(texts)
    ids = text.hashes(array, np.zeros(len(texts), np.uint64))
    lists = [
        row.tolist() if size else [] for row, size in zip(hashes, np.diff(offsets), strict=True)
    ]
    table = pa.table(
        {
            "id": ["".join(f"{int(each):016x}" for each in row) for row in ids],
            "key": pa.array(np.arange(len(texts), dtype=np.uint64)),
            "component": ["monolingual"] * len(texts),
            "label": labels,
            "n_bytes": pa.array([len(each.encode()) for each in texts], pa.int64()),
            "bands": pa.array(lists, pa.large_list(pa.uint64())),
        }
    )  # fmt: skip
    return dedup.Rows.of(table), table


def reader_of(texts, table):
    def read(index):
        found = index.find(
            pa.RecordBatch.from_pydict(
                {"id": table["id"].to_pylist(), "key": table["key"].combine_chunks()}
            )
        )
        sets = [sorted(shingle_set(each)) for each in texts]
        chosen = np.flatnonzero(found >= 0)
        return pa.table(
            {
                "row": found[chosen],
                "shingles": pa.array([sets[row] for row in chosen], pa.large_list(pa.uint64())),
            }
        )

    return read


def shingle_set(value):
    return set(text.shingles(pa.array([value], pa.large_string()), NGRAM)[0].tolist())


def jaccard(one, two):
    first, second = shingle_set(one), shingle_set(two)
    return len(first & second) / len(first | second)


def deduplicated(texts, labels=None, threshold=0.7):
    rows, table = rows_of(texts, labels)
    return dedup.near_owners(
        rows, dedup.exact_owners(rows), reader_of(texts, table), threshold=threshold
    )


def changed(words, generator, share):
    words = words.copy()
    places = generator.choice(len(words), round(share * len(words)), replace=False)
    words[places] = [f"new{generator.integers(1 << 40)}" for _ in places]
    return words


def test_of_exact_copies_the_one_with_the_smallest_key_stays_and_labels_are_apart():
    rows, _ = rows_of(
        ["one two"] * 4 + ["three"], ["a_Latn", "a_Latn", "b_Latn", "a_Latn", "a_Latn"]
    )
    assert dedup.exact_owners(rows).tolist() == [0, 0, 2, 0, 4]


def test_near_duplicates_fold_into_the_longest_and_unrelated_texts_stay():
    generator = np.random.default_rng(1)
    base = generator.choice(vocabulary(5000), 200)
    texts = [
        " ".join(base),
        " ".join([*base, "and", "more"]),
        " ".join(base[:195]),
        " ".join(generator.choice(vocabulary(5000), 200)),
    ]
    assert deduplicated(texts).tolist() == [1, 1, 1, 3]
    assert deduplicated(texts, ["a_Latn", "b_Latn", "a_Latn", "a_Latn"]).tolist() == [0, 1, 0, 3]


def test_every_folded_text_reaches_the_threshold_with_the_one_that_stays():
    generator = np.random.default_rng(2)
    texts = []
    for _ in range(40):
        words = generator.choice(vocabulary(20000), 120)
        texts.append(" ".join(words))
        for share in (0.01, 0.03, 0.06, 0.1):  # each from the one before: chains
            words = changed(words, generator, share)
            texts.append(" ".join(words))
    owners = deduplicated(texts)
    folded = [(row, owner) for row, owner in enumerate(owners.tolist()) if row != owner]
    assert (
        min(jaccard(texts[row], texts[owner]) for row, owner in folded) >= 0.7 - 1e-9
        or len(folded) == 0
    )
    assert len(folded) > 40


def near_owners_of(sets, buckets):
    """Fold rows of one size, preferred in their order, with the buckets of their bands given."""
    n = len(sets)
    free = iter(range(1000, 2000))
    values = [[buckets[band].get(row, next(free)) for band in range(2)] for row in range(n)]
    rows = dedup.Rows(
        ids=np.column_stack([np.zeros(n), np.arange(n)]).astype(np.uint64),
        keys=np.arange(n, dtype=np.uint64),
        groups=np.zeros(n, np.int64),
        n_bytes=np.full(n, 100),
        band_offsets=2 * np.arange(n + 1),
        bands=np.array(values, np.uint64).ravel(),
    )
    lists = pa.array([sorted(each) for each in sets], pa.large_list(pa.uint64()))
    table = pa.table({"row": np.arange(n), "shingles": lists})
    return dedup.near_owners(rows, np.arange(n), lambda _: table, threshold=0.7)


def test_a_text_whose_owner_is_folded_later_is_compared_with_the_new_owner_and_may_stay():
    b = set(range(100))
    c = b - set(range(10)) | set(range(200, 210))
    a = b - set(range(10, 20)) | set(range(300, 310))
    near = b - set(range(10, 14)) | set(range(400, 404))
    unrelated, m = set(range(900, 999)), c - {200} | {500}
    sets = [unrelated, c, m, b, a, near]

    def similarity(one, two):
        return len(sets[one] & sets[two]) / len(sets[one] | sets[two])

    assert similarity(1, 4) < 0.7 < min(similarity(3, 4), similarity(1, 3), similarity(1, 5))
    # B meets M in the first round, and C, the owner of M, in the second; A and `near` meet B alone.
    owners = near_owners_of(sets, [dict.fromkeys([0, 1, 2, 3], 7), dict.fromkeys([3, 4, 5], 8)])
    assert owners.tolist() == [0, 1, 1, 1, 4, 1]
    for row, owner in enumerate(owners.tolist()):
        assert owners[owner] == owner
        assert similarity(row, owner) >= 0.7


def test_nearly_all_pairs_over_point_nine_are_found_and_none_under_point_seven():
    generator = np.random.default_rng(3)
    texts: list[str] = []
    planted: list[int] = []
    for _ in range(150):
        words = generator.choice(vocabulary(20000), 200)
        planted.append(len(texts))
        texts += [" ".join(words), " ".join(changed(words, generator, 0.01))]
    high = [row for row in planted if jaccard(texts[row], texts[row + 1]) >= 0.9]
    owners = deduplicated(texts)
    found = sum(owners[row] == owners[row + 1] for row in high)
    assert len(high) > 100
    assert found / len(high) >= 0.98
    far = [" ".join(changed(np.array(texts[0].split()), generator, 0.2)) for _ in range(20)]
    assert deduplicated([texts[0], *far]).tolist() == list(range(21))


def test_short_texts_are_never_near_duplicates():
    texts = ["open the file", "open the file!", "Open the File now please"]
    assert deduplicated(texts).tolist() == [0, 1, 2]


def test_the_answer_does_not_depend_on_the_order_of_rows():
    generator = np.random.default_rng(4)
    base = generator.choice(vocabulary(9000), (12, 100))
    texts = [
        " ".join(changed(words, generator, share))
        for words in base
        for share in (0, 0.01, 0.02, 0.04)
    ]
    order = generator.permutation(len(texts))
    first, second = deduplicated(texts), deduplicated([texts[place] for place in order])
    assert {(texts[row], texts[owner]) for row, owner in enumerate(first)} == {
        (texts[order[row]], texts[order[owner]]) for row, owner in enumerate(second)
    }


def test_minhash_agrees_with_the_exact_similarity():
    generator = np.random.default_rng(6)
    words = generator.choice(vocabulary(20000), 400)
    texts = [" ".join(words), " ".join(changed(words, generator, 0.05))]
    rows, _ = rows_of(texts, n_bands=112)
    equal = (rows.bands[:112] == rows.bands[112:]).mean()
    assert abs(equal - jaccard(*texts)) < 0.13  # three standard errors of 112 values


def test_components_take_their_smallest_member_and_folding_never_folds_into_what_is_folded():
    left, right = np.array([5, 1, 3]), np.array([1, 0, 4])
    assert components(6, left, right).tolist() == [0, 0, 2, 3, 3, 0]
    owner = np.arange(4)
    assert fold(owner, np.array([0, 1, 2]), np.array([1, 2, 3])) == 2
    assert owner.tolist() == [0, 0, 2, 2]


def test_ids_are_read_as_numbers_and_rows_are_found_again():
    ids = id_numbers(pa.array(["0123456789abcdef" + "f" * 16, "0" * 31 + "a"]))
    assert [[hex(each) for each in row] for row in ids.tolist()] == [
        ["0x123456789abcdef", "0x" + "f" * 16],
        ["0x0", "0xa"],
    ]
    index = RowIndex(ids, np.array([7, 7], np.uint64), np.array([10, 20]))
    batch = pa.RecordBatch.from_pydict(
        {"id": ["0" * 31 + "a", "0" * 32], "key": pa.array([7, 7], pa.uint64())}
    )
    assert index.find(batch).tolist() == [20, -1]
