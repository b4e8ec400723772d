"""What the stages after integration read of the staged rows: row groups, several at once, and texts left in chunks."""

import os
import pickle
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.corpus.deduplication.shingle_index import Shingle, ShingleIndex
from emma500.corpus.output.texts import Texts
from emma500.corpus.row_groups import RowGroup, mapped, row_groups
from emma500.corpus.staging import hexadecimal, row_names
from emma500.corpus.text.tokens import shingles, tokenise
from emma500.engine import Flow

NUMBERS = pa.schema([("number", pa.int64())])


def test_texts_in_chunks_come_in_any_order_and_nulls_stay_null():
    texts = ["", "ა", None, "two\nlines", "", None, "x" * 1000, "end"]
    column = pa.chunked_array([texts[:3], [], texts[3:4], texts[4:]], pa.large_string())
    for rows in ([7, 0, 3, 3, 2, 6, 1], [5], [4, 4], []):
        found = Texts(column).take(np.array(rows, np.int64))
        assert found.type == pa.large_string()
        assert found.to_pylist() == [texts[row] for row in rows]
    assert not Texts(column).take(np.array([1, 3], np.int64)).null_count


def doubled(batch):
    return pa.record_batch([pa.array(2 * batch["number"].to_numpy())], schema=NUMBERS)


def test_every_row_group_of_a_folder_is_a_task_that_can_be_sent_away(tmp_path):
    numbers = pa.table({"other": range(10), "number": range(10)})
    for name in ("b", "a"):
        pq.write_table(numbers, tmp_path / f"{name}.parquet", row_group_size=4)
    tasks = pickle.loads(pickle.dumps(mapped(tmp_path, ["number"], doubled)))
    assert [(each.rows.file.name, each.rows.number) for each in tasks] == [
        (f"{name}.parquet", number) for name in ("a", "b") for number in range(3)
    ]
    found = [batch["number"].to_pylist() for task in tasks for batch in task.read()]
    assert found == 2 * [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18]]


class Meeting:
    """A task that goes on when another one is read, too."""

    def __init__(self, number, barrier):
        self.number, self.barrier = number, barrier

    def read(self):
        self.barrier.wait(timeout=20)
        yield pa.record_batch([[self.number]], schema=NUMBERS)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_two_tasks_are_read_at_the_same_time():
    barrier, counted = threading.Barrier(2), list[int]()
    tasks = [Meeting(number, barrier) for number in (3, 4)]
    found = Flow(tasks, NUMBERS, on_rows=counted.append).collect()
    assert sorted(found["number"].to_pylist()) == [3, 4]
    assert counted == [1, 1]


def test_the_text_of_a_row_group_without_candidates_is_not_read(tmp_path, monkeypatch):
    ids, keys = np.arange(8, dtype=np.uint64).reshape(4, 2), np.arange(4, dtype=np.uint64)
    texts = [" ".join(f"word{row * each}" for each in range(60)) for row in range(4)]
    names = ["id", "key", "text", "target_text"]
    rows = [hexadecimal(ids), keys, pa.array(texts, pa.large_string()), pa.nulls(4, pa.string())]
    pq.write_table(pa.table(rows, names=names), tmp_path / "0.parquet", row_group_size=2)
    index = ShingleIndex(tmp_path / "index")
    index.add(row_names(ids[3:], keys[3:]), np.array([9]), np.array([1]))
    asked, batches = [], RowGroup.batches

    def watched(self, columns):
        asked.append((self.number, "text" in columns))
        return batches(self, columns)

    monkeypatch.setattr(RowGroup, "batches", watched)
    tasks = [Shingle(index.sorted(), 5, each) for each in row_groups(tmp_path)]
    (found,) = [batch for task in tasks for batch in task.read()]
    assert asked == [(0, False), (1, False), (1, True)]
    assert found["row"].to_pylist() == [9]
    grams, _ = shingles(tokenise(pa.array(texts[3:], pa.large_string())), 5)
    assert found["shingles"].to_pylist() == [np.unique(grams).tolist()]
    assert len(grams) == 56
