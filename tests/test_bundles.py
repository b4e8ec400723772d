"""Tasks that are read together into Parquet files: sizes of batches, order, errors, what is left of a failure."""

import pickle
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.bundles import COUNTED, Bundle, Parted, Written, sized
from emma500.errors import SourceError

SCHEMA = pa.schema([("text", pa.large_string()), ("number", pa.int64())])


def rows(first, n, width=10):
    numbers = list(range(first, first + n))
    return pa.record_batch([[f"{each:0{width}}" for each in numbers], numbers], schema=SCHEMA)


class Numbers:
    def __init__(self, *batches):
        self.batches = batches

    def read(self):
        for batch in self.batches:
            if isinstance(batch, Exception):
                raise batch
            yield batch


def nothing(*_):
    pass


def bundle(*tasks, function=None, ahead=1, on_done=nothing, on_rows=nothing):
    return Bundle(tasks=tasks, function=function, ahead=ahead, on_done=on_done, on_rows=on_rows)


def numbers_of(batches):
    return [each for batch in batches for each in batch["number"].to_pylist()]


def test_small_batches_are_joined_and_empty_ones_dropped():
    small = [rows(10 * each, 10) for each in range(100)]
    (joined,) = sized(iter([rows(0, 0), *small, rows(0, 0)]))
    assert joined["number"].to_pylist() == list(range(1000))
    assert list(sized(iter([rows(0, 0)]))) == []


def test_large_batches_are_cut_by_bytes_and_by_rows():
    by_bytes = list(sized(iter([rows(0, 64, width=1 << 20)])))
    assert numbers_of(by_bytes) == list(range(64))
    assert {len(each) for each in by_bytes} == {8}
    by_rows = list(sized(iter([rows(0, 40_000, width=5)])))
    assert numbers_of(by_rows) == list(range(40_000))
    assert max(map(len, by_rows)) <= 1 << 14


def test_a_row_larger_than_a_batch_stays_whole():
    huge = rows(0, 1, width=20 << 20)
    assert numbers_of(sized(iter([rows(7, 3), huge, rows(9, 2)]))) == [7, 8, 9, 0, 9, 10]


@pytest.mark.parametrize("ahead", [1, 3])
def test_results_come_in_order_however_long_the_function_takes(ahead):
    second = threading.Event()

    def doubled(batch):
        number = batch["number"][0].as_py()
        if number == 0 and ahead > 1:  # two cores: the first waits until another one runs
            second.wait(timeout=5)
        second.set()
        return batch

    large = [rows(each, 1, width=9 << 20) for each in range(6)]
    done, counted = list[int](), list[int]()
    some = bundle(
        Numbers(*large[:3]),
        Numbers(*large[3:]),
        function=doubled,
        ahead=ahead,
        on_done=lambda: done.append(1),
        on_rows=counted.append,
    )
    assert numbers_of(some.read()) == list(range(6))
    assert done == [1, 1]
    assert counted == [1] * 6


def test_an_error_of_the_function_or_of_a_task_comes_out_as_it_is(tmp_path):
    def refuse(batch):
        raise SourceError("no such batch")

    with pytest.raises(SourceError, match="no such batch"):
        list(bundle(Numbers(rows(0, 3)), function=refuse).read())
    broken = bundle(Numbers(rows(0, 3), SourceError("torn")))
    written = Written(bundle=broken, schema=SCHEMA, stem=tmp_path / "part-00000")
    with pytest.raises(SourceError, match="torn"):
        list(written.read())
    assert list(tmp_path.iterdir()) == []


def test_rows_are_written_to_files_of_some_batches_and_counted(tmp_path):
    large = [rows(each, 1, width=9 << 20) for each in range(40)]
    some = bundle(Numbers(*large), Numbers(rows(40, 5)))
    written = pickle.loads(
        pickle.dumps(Written(bundle=some, schema=SCHEMA, stem=tmp_path / "part-00007"))
    )
    told = list(written.read())
    assert {each.schema for each in told} == {COUNTED}
    assert [each["n_rows"][0].as_py() for each in told] == [32, 13]
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == [
        "part-00007-00000.parquet",
        "part-00007-00001.parquet",
    ]
    table = pa.concat_tables(pq.read_table(each) for each in files)
    assert table.schema.remove_metadata() == SCHEMA
    assert table["number"].to_pylist() == list(range(45))


def test_a_bundle_without_rows_writes_no_file(tmp_path):
    written = Written(bundle=bundle(Numbers()), schema=SCHEMA, stem=tmp_path / "part-00000")
    assert list(written.read()) == []
    assert list(tmp_path.iterdir()) == []


def parted(some, folder):
    return Parted(bundle=some, column="part", stem=folder / "part-00007")


def with_parts(batch, *, of=3):
    return batch.append_column("part", pa.array([each % of for each in numbers_of([batch])]))


def test_rows_are_parted_by_a_column_which_the_files_leave_out(tmp_path):
    some = bundle(*[Numbers(with_parts(rows(1000 * n, 1000, width=3000))) for n in range(5)])
    told = list(pickle.loads(pickle.dumps(parted(some, tmp_path))).read())
    assert [each["n_rows"][0].as_py() for each in told] == [5000]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["part=0", "part=1", "part=2"]
    for part in range(3):
        (file,) = (tmp_path / f"part={part}").iterdir()
        assert file.name == "part-00007.parquet"
        table = pq.read_table(file, partitioning=None)
        assert table.schema.remove_metadata() == SCHEMA
        assert table["number"].to_pylist() == list(range(part, 5000, 3))
        assert pq.read_metadata(file).num_row_groups > 1  # a megabyte each, not all at the end


def test_what_was_parted_before_an_error_leaves_no_file(tmp_path):
    broken = bundle(Numbers(with_parts(rows(0, 10)), SourceError("torn")))
    with pytest.raises(SourceError, match="torn"):
        list(parted(broken, tmp_path).read())
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_a_parted_bundle_without_rows_writes_no_file(tmp_path):
    assert [each["n_rows"][0].as_py() for each in parted(bundle(Numbers()), tmp_path).read()] == [0]
    assert list(tmp_path.iterdir()) == []
