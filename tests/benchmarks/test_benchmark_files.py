import gzip
import json

import pytest

from emma500.benchmarks.files import TextFiles
from emma500.errors import SourceError


def test_a_text_file_is_a_document_a_line_and_empty_lines_are_none(tmp_path):
    (tmp_path / "yor_Latn.txt").write_text("Ẹ káàárọ̀\n\n  Ó dàbọ̀ \n", encoding="utf-8")
    data = TextFiles(tmp_path)
    assert data.labels == ("yor_Latn",)
    items = list(data.read("yor_Latn"))
    assert [(item.id, item.text) for item in items] == [("1", "Ẹ káàárọ̀"), ("3", "Ó dàbọ̀")]
    assert items[0].parallel_id == "yor_Latn:1"


def test_any_code_names_a_file_and_a_bare_code_gets_its_usual_script(tmp_path):
    (tmp_path / "sw.txt").write_text("habari\n")
    (tmp_path / "zh_Hans.txt").write_text("你好\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("no text of a language\n")
    assert TextFiles(tmp_path).labels == ("swa_Latn", "zho_Hans")


def test_index_id_aligns_translations_and_tsv_is_quoted_as_csv(tmp_path):
    for label, text in (("eng_Latn", '"He said ""no""."'), ("fra_Latn", "Il a dit non.")):
        (tmp_path / label).mkdir()
        (tmp_path / label / "test.tsv").write_text(
            f"index_id\tcategory\ttext\n7\tpolitics\t{text}\n"
        )
        (tmp_path / label / "train.tsv").write_text("index_id\tcategory\ttext\n8\tpolitics\tx\n")
    data = TextFiles(tmp_path, "*/test.tsv")
    (english,), (french,) = data.read("eng_Latn"), data.read("fra_Latn")
    assert english.text == 'He said "no".'
    assert english.parallel_id == french.parallel_id == "7"


def test_json_lines_carry_ids_and_may_be_compressed(tmp_path):
    rows = [{"id": "a", "text": "moni"}, {"id": "b", "text": "zikomo", "parallel_id": "p1"}]
    with gzip.open(tmp_path / "nya_Latn.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(map(json.dumps, rows)))
    items = list(TextFiles(tmp_path).read("nya_Latn"))
    assert [(item.id, item.parallel_id) for item in items] == [("a", "nya_Latn:a"), ("b", "p1")]


def test_a_retired_code_keeps_its_name_beside_its_heir(tmp_path):
    (tmp_path / "ajp_Arab.txt").write_text("مرحبا\n", encoding="utf-8")
    (tmp_path / "apc_Arab.txt").write_text("أهلا\n", encoding="utf-8")
    data = TextFiles(tmp_path)
    assert data.labels == ("ajp_Arab", "apc_Arab")
    assert [item.text for item in data.read("apc_Arab")] == ["أهلا"]


def test_two_files_of_one_label_are_refused(tmp_path):
    (tmp_path / "yo.txt").write_text("a\n")
    (tmp_path / "yor_Latn.jsonl").write_text('{"text": "b"}\n')
    with pytest.raises(SourceError, match=r"two files of yor_Latn.*keep one"):
        TextFiles(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "eng_Latn.jsonl",
            b'{"text": "a"}\n{"texte": "b"}\n',
            r"row 2, has no column 'text'; it has: texte",
        ),
        ("eng_Latn.jsonl", b'{"text": "a"}\n{"text"\n', r"eng_Latn.jsonl:2 is not valid JSON"),
        ("eng_Latn.jsonl", b'{"text": "a"}\n"b"\n', r"eng_Latn.jsonl:2 must hold a JSON object"),
        ("eng_Latn.txt", b"good\nbad \xff\n", r"eng_Latn.txt:2 is not valid UTF-8"),
        ("eng_Latn.tsv", b"id\tsentence\n1\ta\n", r"it has: id, sentence"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    data = TextFiles(tmp_path)
    with pytest.raises(SourceError, match=message):
        list(data.read("eng_Latn"))


def test_a_folder_without_text_by_language_says_what_it_looks_for(tmp_path):
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(SourceError, match=r"holds no text by language.*\.tsv"):
        TextFiles(tmp_path)
    with pytest.raises(SourceError, match="is not there or holds no file"):
        TextFiles(tmp_path / "absent")


def test_sib200_is_205_languages_of_204_parallel_sentences(shared):
    data = TextFiles(shared / "data" / "sib200", "*/test.tsv")
    assert len(data.labels) == 205
    assert {"ajp_Arab", "apc_Arab", "nqo_Nkoo", "swh_Latn"} <= set(data.labels)
    english = {item.parallel_id for item in data.read("eng_Latn")}
    assert len(english) == 204
    assert english == {item.parallel_id for item in data.read("bod_Tibt")}
