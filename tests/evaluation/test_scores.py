import numpy as np
import pyarrow as pa
import pytest

from emma500 import storage
from emma500.errors import OutputError, SourceError, UsageError
from emma500.evaluation.aggregation import aggregate_rows, details_schema, label_rows, matches
from emma500.evaluation.comparison import MEAN
from emma500.evaluation.scores import Scores

BYTES = {"eng_Latn": [8, 16], "yor_Latn": [16, 16]}


def documents(nll, benchmark="parallel", ids=("p", "q")):
    rows = [
        {
            "benchmark": benchmark, "label": label, "id": name, "parallel_id": name, "nll": value,
            "n_bytes": size, "n_chars": size, "n_tokens": 4, "n_unknown": 0,
        }
        for label, sizes in BYTES.items()
        for name, size, value in zip(ids, sizes, nll[label], strict=True)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=details_schema())


def scores_of(nll, **options):
    details = documents(nll, **options)
    revisions = {(row["benchmark"], row["label"]): "r1" for row in details.to_pylist()}
    provenance = {"model": "tiny", "model_revision": "abc", "data_revisions": revisions, "seed": 42}
    manifest = {
        "kind": "scores", "fingerprint": "f", "model": {"name": "tiny", "revision": "abc"},
        "config": {}, "versions": {},
        "benchmarks": [{"name": "parallel", "contaminated": False}],
        "results": label_rows(details, provenance), "aggregates": aggregate_rows(details),
        "matched": [], "missing": [],
    }  # fmt: skip
    return Scores(manifest, details)


LN2 = float(np.log(2))
BEFORE = {"eng_Latn": [8 * LN2, 16 * LN2], "yor_Latn": [48 * LN2, 80 * LN2]}  # 1 bit a byte, and 4
AFTER = {"eng_Latn": [10 * LN2, 20 * LN2], "yor_Latn": [40 * LN2, 56 * LN2]}  # 1.25, and 3


@pytest.fixture
def before():
    return scores_of(BEFORE)


@pytest.fixture
def after():
    return scores_of(AFTER)


def test_values_are_arithmetic(before):
    assert before.value("parallel", "eng_Latn") == pytest.approx(1.0)
    assert before.value("parallel", "yor_Latn") == pytest.approx(4.0)
    assert before.value("parallel", "yor_Latn", "nll") == pytest.approx(64 * LN2)
    assert before.value("parallel", "yor_Latn", "nll_per_token") == pytest.approx(16 * LN2)
    assert before.value("parallel", "fra_Latn") is None
    row = next(
        row for row in before.rows if (row["label"], row["metric"]) == ("yor_Latn", "bits_per_byte")
    )
    assert row["stderr"] == pytest.approx(1.0)  # residuals of 16 bits, twice, over 32 bytes
    assert (row["n"], row["n_bytes"], row["n_tokens"]) == (2, 32, 8)
    assert (row["resource_group"], row["mode"], row["seed"], row["data_revision"]) == (
        "medium",
        "fixed",
        42,
        "r1",
    )


def test_means_are_over_labels_and_say_what_their_sample_is(before):
    rows = [row for row in before.aggregates if row["metric"] == "bits_per_byte"]
    assert [(row["group"], row["n_labels"]) for row in rows] == [
        ("all", 2),
        ("high", 1),
        ("medium", 1),
    ]
    assert rows[0]["value"] == pytest.approx(2.5)
    assert rows[0]["clustered_by"] == "parallel_id"
    assert rows[0]["stderr"] == pytest.approx(0.5)  # English has no error; Yoruba's counts half


def test_rows_and_means_say_by_which_match_a_label_has_its_resource_group():
    table = documents(BEFORE)
    names = {"eng_Latn": "pes_Arab", "yor_Latn": "tok_Latn"}
    labels = pa.array([names[each] for each in table["label"].to_pylist()])
    table = table.set_column(table.schema.get_field_index("label"), "label", labels)
    assert matches(table) == {"macro": 1, "none": 1}
    means = [row["matches"] for row in aggregate_rows(documents(BEFORE)) if row["group"] == "all"]
    assert means == [{"exact": 2}] * len(means)
    assert {row["resource_match"] for row in scores_of(BEFORE).rows} == {"exact"}


def test_the_difference_is_paired_by_document(before, after):
    frame = after.compare(before)
    rows = {(row["label"], row["resource_group"]): row for row in frame.to_dict("records")}
    yoruba = rows["yor_Latn", "medium"]
    assert (yoruba["before"], yoruba["after"]) == (pytest.approx(4.0), pytest.approx(3.0))
    assert yoruba["difference"] == pytest.approx(-1.0)
    assert yoruba["relative"] == pytest.approx(-0.25)
    assert yoruba["stderr"] == pytest.approx(0.5)  # changes of 8 and 24 bits on 16 bytes each
    assert rows["eng_Latn", "high"]["stderr"] == pytest.approx(
        0.0, abs=1e-12
    )  # the same share everywhere
    mean = rows[MEAN, "all"]
    assert mean["difference"] == pytest.approx((0.25 - 1.0) / 2)
    assert mean["stderr"] == pytest.approx(0.25)
    assert (mean["n"], mean["n_labels"]) == (4, 2)


def test_a_comparison_may_be_of_some_labels_only(before, after):
    frame = after.compare(before, labels=["yor_Latn"])
    assert set(frame["label"]) == {"yor_Latn", MEAN}
    assert frame[frame["label"] == MEAN].iloc[0]["difference"] == pytest.approx(-1.0)


def test_another_text_under_one_id_is_refused(before):
    other = scores_of(AFTER)
    sizes = pa.array([9, 16, 16, 16])
    other.details = other.details.set_column(
        other.details.schema.get_field_index("n_bytes"), "n_bytes", sizes
    )
    with pytest.raises(UsageError, match=r"p of eng_Latn .* has 9 bytes in one and 8 in the other"):
        other.compare(before)


def test_nothing_in_common_is_an_error(before):
    with pytest.raises(UsageError, match="share no document"):
        scores_of(AFTER, ids=("x", "y")).compare(before)
    with pytest.raises(UsageError, match=r"unknown metric 'bpb'.*bits_per_byte"):
        before.compare(before, metric="bpb")


def test_one_document_has_a_value_and_no_standard_error(tmp_path, before):
    details = before.details.slice(2, 1)
    (row,) = [
        row
        for row in aggregate_rows(details)
        if (row["metric"], row["group"]) == ("bits_per_byte", "all")
    ]
    assert row["value"] == pytest.approx(3.0)
    assert row["stderr"] is None


def test_saved_scores_load_again_and_equal_bytes_are_written(before, tmp_path):
    before.save(tmp_path / "one")
    loaded = Scores.load(tmp_path / "one")
    assert loaded.manifest == before.manifest
    assert loaded.details.equals(before.details)
    loaded.save(tmp_path / "two")
    for file in ("manifest.json", "results.parquet", "details.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert not list(tmp_path.glob("*.tmp"))


def test_what_a_killed_save_left_behind_does_no_harm(before, after, tmp_path):
    target = before.save(tmp_path / "scores")
    target.rename(tmp_path / "scores.old.tmp")  # killed between the two renames
    (tmp_path / "scores.tmp").mkdir()
    (tmp_path / "scores.tmp" / "results.parquet").write_bytes(b"half")
    assert Scores.load(tmp_path / "scores").manifest == before.manifest
    after.save(tmp_path / "scores")
    assert Scores.load(tmp_path / "scores").value("parallel", "yor_Latn") == pytest.approx(3.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scores"]


def test_tables_that_a_killed_save_of_others_left_are_not_taken_over(before, tmp_path):
    (tmp_path / "scores.tmp").mkdir()
    (tmp_path / "scores.tmp" / "samples.parquet").write_bytes(b"of another model")
    before.save(tmp_path / "scores")
    assert not (tmp_path / "scores" / "samples.parquet").exists()
    assert len(Scores.load(tmp_path / "scores").samples) == 0


def test_two_processes_do_not_save_into_one_folder(before, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "_PATIENCE", 0.1)
    with (
        storage.locked(tmp_path / "scores"),
        pytest.raises(OutputError, match=r"another process is writing .*scores"),
    ):
        before.save(tmp_path / "scores")
    assert not (tmp_path / "scores").exists()


def test_a_folder_of_something_else_is_kept(before, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match="not a finished scores"):
        before.save(tmp_path)
    with pytest.raises(SourceError, match="holds no manifest"):
        Scores.load(tmp_path)


def test_they_turn_into_a_frame_and_a_dataset(before):
    frame = before.to_pandas()
    assert len(frame) == 6
    assert set(frame["metric"]) == {"bits_per_byte", "nll", "nll_per_token"}
    dataset = before.to_dataset()
    assert dataset.num_rows == 6
    assert dataset[0]["value"] == pytest.approx(1.0)


def test_the_repr_says_model_groups_errors_and_what_is_missing(before):
    before.manifest["missing"] = [
        {"benchmark": "parallel", "label": "swh_Latn", "nearest": "swa_Latn"}
    ]
    before.manifest["benchmarks"][0]["contaminated"] = True
    text = repr(before)
    assert "Scores of tiny (abc)" in text
    assert "4.000 ± 1.000" in text
    assert "no data: swh_Latn in parallel; nearest: swa_Latn" in text
    assert "contaminated: the model was trained on a source of parallel" in text
