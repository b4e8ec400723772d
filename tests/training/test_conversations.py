"""Documents of the instruction component, read back as conversations."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.folder import Corpus
from emma500.records import document_schema
from emma500.sources.turns import BETWEEN
from emma500.training.instruction.conversations import read_conversations


@pytest.fixture
def read(tmp_path):
    def run(*texts, turn="{role}: {content}", plain="two", most=None):
        name = "instruction/swh_Latn/train-00000-of-00001.parquet"
        (tmp_path / name).parent.mkdir(parents=True)
        rows = [
            {"id": f"{i:04}", "text": text, "label": "swh_Latn", "source": f"s{i}"}
            for i, text in enumerate(texts)
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=document_schema()), tmp_path / name)
        splits = [
            {"component": "instruction", "label": "swh_Latn", "split": "train", "files": [name]}
        ]
        (tmp_path / "manifest.json").write_text(
            json.dumps({"kind": "corpus", "name": "tiny", "splits": splits})
        )
        corpus = Corpus(tmp_path)
        return read_conversations(corpus, ["swh_Latn"], "train", turn=turn, plain=plain, most=most)

    return run


def shown(messages):
    return [(each["role"], each["content"]) for each in messages]


def test_turns_with_roles_are_read_back_with_their_blank_lines(read):
    found = read(
        "system: Be brief.\n\nuser: Two\n\nparagraphs?\n\nassistant: Yes:\n\ntwo.\n\nof them"
    )
    assert shown(found.messages[0]) == [
        ("system", "Be brief."),
        ("user", "Two\n\nparagraphs?"),
        ("assistant", "Yes:\n\ntwo.\n\nof them"),
    ]
    assert (found.sources, found.n_by_label, found.left_out) == (["s0"], {"swh_Latn": 1}, {})


def test_other_names_of_the_roles_mean_the_same(read):
    found = read("human: Habari?\n\ngpt: Nzuri.\n\nHuman: Asante.\n\nGPT: Karibu.")
    assert [each["role"] for each in found.messages[0]] == ["user", "assistant"] * 2


def test_what_follows_the_last_answer_is_left_out(read):
    found = read("user: Habari?\n\nassistant: Nzuri.\n\nuser: Asante.")
    assert shown(found.messages[0]) == [("user", "Habari?"), ("assistant", "Nzuri.")]


def test_another_template_is_read_as_it_was_written(read):
    text = "<|user|>\nHabari?<|end|>\n\n<|assistant|>\nNzuri.<|end|>"
    found = read(text, turn="<|{role}|>\n{content}<|end|>")
    assert shown(found.messages[0]) == [("user", "Habari?"), ("assistant", "Nzuri.")]


def test_what_the_sources_write_is_what_is_read(read):
    from emma500.sources.turns import written_turn

    turn = "{role}: {content}"
    written = [
        written_turn(turn, role, pa.array([text], pa.large_string()))[0].as_py()
        for role, text in (("user", "user: is a word"), ("assistant", "So it is."))
    ]
    found = read(BETWEEN.join(written), turn=turn)
    assert shown(found.messages[0]) == [("user", "user: is a word"), ("assistant", "So it is.")]


def test_a_document_without_roles_is_a_task_and_its_answer_if_it_has_two_paragraphs(read):
    found = read("Habari?\n\nNzuri.", "Hesabu:\n\n1 + 1\n\n2", "Neno moja.")
    assert shown(found.messages[0]) == [("user", "Habari?"), ("assistant", "Nzuri.")]
    assert len(found.messages) == 1
    assert found.left_out == {"no roles": 1, "no roles, more than two paragraphs": 1}


def test_the_first_paragraph_is_the_task_where_that_is_asked_for(read):
    found = read("Hesabu:\n\n1 + 1\n\n2", plain="first")
    assert shown(found.messages[0]) == [("user", "Hesabu:"), ("assistant", "1 + 1\n\n2")]


def test_documents_without_roles_are_skipped_where_that_is_asked_for(read):
    found = read("Habari?\n\nNzuri.", "user: Habari?\n\nassistant: Nzuri.", plain="skip")
    assert len(found.messages) == 1
    assert found.left_out == {"no roles": 1}


def test_a_conversation_without_a_task_or_an_answer_is_counted(read):
    found = read("user: Habari?", "assistant: Nzuri.", "system: Be brief.")
    assert found.messages == []
    assert found.left_out == {"no task and answer": 3}


def test_no_more_are_read_of_a_label_than_asked(read):
    found = read(*(f"user: {i}\n\nassistant: {i}" for i in range(9)), most=4)
    assert [each[0]["content"] for each in found.messages] == ["0", "1", "2", "3"]
