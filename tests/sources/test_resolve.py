"""What a user names -> sources; and data sets as the datasets library streams them."""

import json
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.errors import SourceError
from emma500.records import raw_schema
from emma500.sources.base import SourceInfo
from emma500.sources.hub import Address, open_hub
from emma500.sources.options import Options
from emma500.sources.resolve import resolve


@pytest.fixture
def texts(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.jsonl").write_text(
            json.dumps({"text": f"text {name}", "lang": "yo"}) + "\n"
        )
    return folder


def read(source):
    batches = [
        batch for task in source.tasks() for batch in pickle.loads(pickle.dumps(task)).read()
    ]
    return pa.Table.from_batches(batches, raw_schema()).to_pylist()


def test_a_folder_is_one_source_with_its_name_and_no_path(texts):
    (source,) = resolve(texts, license="CC0-1.0", convention="wikipedia")
    assert source.info == SourceInfo(
        name="texts",
        component="monolingual",
        revision="",
        license="CC0-1.0",
        url="",
        convention="wikipedia",
    )
    assert [row["text"] for row in read(source)] == ["text a", "text b"]
    assert str(texts.parent) not in json.dumps(read(source))


def test_options_reach_the_files(texts):
    (source,) = resolve(str(texts), text_column="lang", language="fra", max_document_bytes=1000)
    assert [(row["text"], row["original_code"]) for row in read(source)] == [("yo", "fra")] * 2


def test_several_sources_keep_their_order_and_get_names_of_their_own(texts):
    found = resolve(["python-docs", texts / "b.jsonl", texts, texts])
    assert [each.info.name for each in found] == ["python-docs", "b.jsonl", "texts", "texts-2"]
    assert {row["source"] for row in read(found[3])} == {"texts-2"}
    assert found[0].info.license == "PSF-2.0"
    assert found[1].info.license == "unknown"


def test_names_differ_whatever_the_sources_are_called_and_do_not_follow_their_order(tmp_path):
    paths = [tmp_path / name for name in ("a/texts", "b/texts", "c/texts", "texts-2", "d/texts-2")]
    for number, path in enumerate(paths):
        path.mkdir(parents=True)
        (path / "1.jsonl").write_text(json.dumps({"text": f"text {number}", "lang": "yo"}) + "\n")

    def names(order):
        found = zip(order, resolve([paths[place] for place in order]), strict=True)
        return {place: source.info.name for place, source in found}

    first = names([0, 1, 2, 3, 4])
    assert len(set(first.values())) == 5
    assert {first[place] for place in (0, 1, 2)} >= {"texts"}
    assert "texts-2" in {first[3], first[4]}
    assert names([4, 2, 0, 3, 1]) == names([3, 4, 1, 0, 2]) == first


def test_an_embedded_source_keeps_its_name_beside_a_folder_of_that_name(tmp_path):
    folder = tmp_path / "python-docs"
    folder.mkdir()
    (folder / "1.jsonl").write_text(json.dumps({"text": "text", "lang": "yo"}) + "\n")
    for order in ([folder, "python-docs"], ["python-docs", folder]):
        names = {type(each).__name__: each.info.name for each in resolve(order)}
        assert sorted(names.values()) == ["python-docs", "python-docs-2"]
        assert names["FileSource"] == "python-docs-2"


@pytest.mark.parametrize(
    "name", ["no/such/folder", "nothing.jsonl", "user/texts.jsonl.gz", "nothing", ""]
)
def test_what_is_not_found_says_what_a_source_can_be(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name == "":
        (tmp_path / "keep").mkdir()
    with pytest.raises(SourceError, match="a source is"):
        resolve(name)


def test_no_source_at_all_is_an_error():
    with pytest.raises(SourceError, match="no source is given"):
        resolve([])


def test_an_embedded_source_given_twice_is_an_error():
    with pytest.raises(SourceError, match="'python-docs' is given twice"):
        resolve(["python-docs", "python-docs"])


def test_a_data_set_that_cannot_be_reached_is_an_error():
    with pytest.raises(
        SourceError, match="'user/name', which is no file or folder here, as a data set of the Hub"
    ):
        resolve("user/name")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("user/name", Address(id="user/name")),
        ("user/name:yor_Latn", Address(id="user/name", config="yor_Latn")),
        ("user/name@v1.0", Address(id="user/name", revision="v1.0")),
        ("user/na.me@refs/pr/1:a b", Address(id="user/na.me", config="a b", revision="refs/pr/1")),
        ("name", None),
        ("a/b/c", None),
        ("user/", None),
    ],
)
def test_the_address_of_a_data_set(text, address):
    assert Address.parse(text) == address


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    for split, n_files in (("train", 2), ("test", 1)):
        for number in range(n_files):
            table = pa.table(
                {"sentence": [f"{split} {number} {row}" for row in range(3)] + [None], "label": [0, 1, 0, 1],
                 "language": ["yo", "fr", "", None]}
            )  # fmt: skip
            pq.write_table(table, folder / f"{split}-{number:05d}-of-{n_files:05d}.parquet")
    return folder


def hub(dataset, **options):
    info = SourceInfo(
        name="user/set", component="monolingual", revision="", license="CC0-1.0", url=""
    )
    return open_hub(Address(id=str(dataset)), info, Options(text_column="sentence", **options))


def test_a_data_set_is_streamed_shard_by_shard_from_its_train_split(dataset):
    source = hub(dataset, language="und", language_column="language")
    assert len(source.tasks()) == 2
    rows = read(source)
    assert [row["text"] for row in rows] == [
        "train 0 0",
        "train 0 1",
        "train 0 2",
        None,
        "train 1 0",
        "train 1 1",
        "train 1 2",
        None,
    ]
    assert [row["original_code"] for row in rows[:4]] == ["yo", "fr", "und", "und"]
    assert rows[3]["reason"] == "no_text"
    assert rows[5]["origin"] == "train-00001-of-00002.parquet:2"
    assert read(source) == rows


def test_a_data_set_looks_for_its_language_column_and_passes_numbers_over(dataset):
    assert [row["original_code"] for row in read(hub(dataset))[:4]] == ["yo", "fr", "und", "und"]


def test_a_data_set_without_the_text_column_names_its_columns(dataset):
    info = SourceInfo(
        name="user/set", component="monolingual", revision="", license="CC0-1.0", url=""
    )
    with pytest.raises(
        SourceError, match="'text' is missing; there are: sentence, label, language"
    ):
        open_hub(Address(id=str(dataset)), info, Options())


def test_the_fingerprint_of_a_data_set_follows_how_it_is_read(dataset):
    assert hub(dataset).fingerprint() == hub(dataset).fingerprint()
    assert hub(dataset).fingerprint() != hub(dataset, language="fra").fingerprint()
