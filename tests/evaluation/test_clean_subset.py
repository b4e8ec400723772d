"""Items that stand in training text are found one by one, and each value is given on the others too."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.corpus.decontamination.items import find_items
from emma500.errors import SourceError
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.scores import Scores

LONG = "Sentence {word} number {n} is long enough that {word} would never be written twice by {word} at noon"
WORDS = ("anchor", "basket", "candle", "dragon", "engine", "forest")


def text_of(label, n):
    return LONG.format(n=f"{label} {n}", word=f"{WORDS[n]} of {label[:3]}")


@pytest.fixture
def data(tmp_path):
    """SIB-200 in two languages of six items, the last one too short to look for, and texts in Thai."""
    for label in ("eng_Latn", "swh_Latn"):
        texts = [text_of(label, n) for n in range(5)]
        rows = [f"{n}\ttravel\t{text}" for n, text in enumerate([*texts, "Too short."])]
        folder = tmp_path / "data" / "sib200" / label
        folder.mkdir(parents=True)
        (folder / "test.tsv").write_text("\n".join(["index_id\tcategory\ttext", *rows]) + "\n")
    return tmp_path / "data"


@pytest.fixture
def corpus(tmp_path):
    """A corpus whose training text holds two items of one language, one of them in part; validation holds a third."""
    held = [text_of("eng_Latn", n) for n in range(4)]
    texts = {
        ("eng_Latn", "train"): [
            f"Something before. {held[1].upper()}! And after.", "A text of its own, and nothing else in it.",
            "In part: " + " ".join(held[3].split()[2:16]) + " and so on.",
        ],
        ("eng_Latn", "validation"): [held[2]],
        ("swh_Latn", "train"): ["Maneno mengine kabisa. Too short."],
    }  # fmt: skip
    root, splits = tmp_path / "mala", []
    for (label, split), rows in texts.items():
        file = f"data/{label}/{split}-00000-of-00001.parquet"
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.table({"id": [str(n) for n in range(len(rows))], "text": rows}), root / file
        )
        splits.append({"component": "monolingual", "label": label, "split": split,
                       "n_documents": len(rows), "files": [file]})  # fmt: skip
    manifest = {
        "kind": "corpus",
        "name": "mala",
        "digest": "d" * 32,
        "splits": splits,
        "sources": [],
    }
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root


@pytest.fixture
def table(corpus, data, tmp_path):
    found = find_items(corpus, ["sib200"], data_dir=str(data))
    pq.write_table(found, tmp_path / "found.parquet")
    return tmp_path / "found.parquet"


def test_the_command_writes_the_table(corpus, data, table, tmp_path, capsys):
    from emma500.cli import main

    written = tmp_path / "new" / "written.parquet"
    status = main(
        ["corpus", "items", str(corpus), "--benchmarks", "sib200", "--data_dir", str(data), "--output", str(written)]
    )  # fmt: skip
    assert not status
    assert pq.read_table(written).equals(pq.read_table(table))
    assert "12 items: 8 clean, 2 found, 2 unknown" in capsys.readouterr().out


def test_each_item_is_found_clean_or_too_short_to_tell(table):
    status = {(row["label"], row["id"]): row["status"] for row in pq.read_table(table).to_pylist()}
    assert len(status) == 12
    found = {key for key, each in status.items() if each == "found"}
    assert found == {("eng_Latn", "1"), ("eng_Latn", "3")}
    assert {key for key, each in status.items() if each == "unknown"} == {
        ("eng_Latn", "5"),
        ("swh_Latn", "5"),
    }


def test_values_are_given_on_the_clean_items_too(tiny_model, data, table, tmp_path):
    config = EvalConfig(
        data_dir=str(data), contamination=str(table), shots=0, max_length=256, device="cpu"
    )
    names = ["sib200", "sib200-text"]
    scores = evaluate(tiny_model, names, config=config, output=tmp_path / "scores")
    rows = {(row["benchmark"], row["label"], row["metric"]): row for row in scores.clean}
    own = rows["sib200", "eng_Latn", "accuracy"]
    assert (own["n"], own["n_found"], own["n_clean"], own["n_unknown"]) == (6, 2, 3, 1)
    assert own["value"] == scores.value("sib200", "eng_Latn", "accuracy")
    per_item = [
        row["statistics"]
        for row in scores.measures.to_pylist()
        if (row["metric"], row["label"]) == ("accuracy", "eng_Latn")
        and row["id"] in {"0", "2", "4"}
    ]
    right, asked = map(sum, zip(*per_item, strict=True))
    assert own["value_clean"] == pytest.approx(right / asked)
    text = rows["sib200-text", "eng_Latn", "bits_per_byte"]
    kept = [
        row
        for row in scores.details.to_pylist()
        if row["label"] == "eng_Latn" and row["id"] in {"0", "2", "4"}
    ]
    bits = (
        sum(row["nll"] for row in kept) / sum(row["n_bytes"] for row in kept) / 0.6931471805599453
    )
    assert text["value_clean"] == pytest.approx(bits)
    assert rows["sib200", "swh_Latn", "accuracy"]["n_clean"] == 5
    assert (
        "sib200 (fixed): training text holds 2 items; accuracy on 8 that it does not hold"
        in repr(scores)
    )
    assert Scores.load(tmp_path / "scores").clean == scores.clean
    assert str(tmp_path) not in json.dumps(scores.manifest)
    plain = evaluate(
        tiny_model,
        names,
        config=EvalConfig(data_dir=str(data), shots=0, max_length=256, device="cpu"),
    )
    assert plain.clean == []
    assert plain.manifest["fingerprint"] != scores.manifest["fingerprint"]


def test_where_all_items_were_found_the_value_is_none_and_not_zero(tiny_model, data, tmp_path):
    names = [
        {"benchmark": "sib200", "label": "swh_Latn", "id": str(n), "status": "found"}
        for n in range(6)
    ]
    pq.write_table(pa.Table.from_pylist(names), tmp_path / "all.parquet")
    config = EvalConfig(
        data_dir=str(data), contamination=str(tmp_path / "all.parquet"), shots=0, device="cpu"
    )
    scores = evaluate(tiny_model, ["sib200", "sib200-text"], ["swh"], config)
    assert {(row["value_clean"], row["n_clean"], row["n_found"]) for row in scores.clean} == {
        (None, 0, 6)
    }


def test_a_table_of_another_form_is_named(tiny_model, data, tmp_path):
    (tmp_path / "notes.parquet").write_text("x")
    pq.write_table(pa.table({"id": ["1"], "label": ["eng_Latn"]}), tmp_path / "bare.parquet")
    row = {"benchmark": "sib200", "label": "eng_Latn", "id": "1", "status": "seen"}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "seen.parquet")
    for name, message in (
        ("none", "is no Parquet file of found items"),
        ("notes", "is no Parquet file of found items"),
        ("bare", "has no column benchmark, status"),
        ("seen", "has the status 'seen': it is one of found, clean, unknown"),
    ):
        with pytest.raises(SourceError, match=message):
            evaluate(
                tiny_model, ["sib200"], ["eng"],
                EvalConfig(data_dir=str(data), contamination=str(tmp_path / f"{name}.parquet"), shots=0),
            )  # fmt: skip


def test_items_in_a_script_without_spaces_are_found_in_part(corpus, tmp_path):
    thai = "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิต่างมีเหตุผลและมโนธรรม"
    other = "ประเทศไทยมีทั้งหมดเจ็ดสิบเจ็ดจังหวัดรวมกรุงเทพมหานครซึ่งเป็นเมืองหลวงของประเทศ"
    (tmp_path / "verses").mkdir()
    (tmp_path / "verses/th.txt").write_text(f"{thai}\n{other}\n")
    file = corpus / "data/swh_Latn/train-00000-of-00001.parquet"
    pq.write_table(pa.table({"id": ["0"], "text": [f"Kwa Kithai: {thai[10:60]}"]}), file)
    found = find_items(corpus, [f"text={tmp_path / 'verses'}"]).to_pylist()
    assert [(row["benchmark"], row["label"], row["status"]) for row in found] == [
        ("verses", "tha_Thai", "found"),
        ("verses", "tha_Thai", "clean"),
    ]
