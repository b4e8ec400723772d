import pytest

from emma500.benchmarks import passages
from emma500.benchmarks.passages import Passages

pytest.importorskip("gflanguages")


class Sample:
    def __init__(self, **fields):
        for name in passages.FIELDS:
            setattr(self, name, fields.get(name, ""))


@pytest.fixture(scope="module")
def data():
    return Passages()


def test_it_has_hundreds_of_labels_and_one_of_two_ids_with_one_label(data):
    assert len(data.labels) > 700
    assert "swa_Latn" in data.labels  # gflanguages writes `sw`: the macrolanguage
    assert {item.id.split(":")[0] for item in data.read("yor_Latn")} == {"yo_Latn"}


def test_no_paragraph_stands_in_another_or_twice(data):
    for label in data.labels[::10]:
        texts = [item.text for item in data.read(label)]
        assert texts, label
        for index, text in enumerate(texts):
            others = texts[:index] + texts[index + 1 :]
            assert not any(text in other for other in others), (label, text)


def test_the_article_that_hausa_repeats_is_one_document(data):
    (item,) = data.read("hau_Latn")
    assert item.text.startswith("Duk ")
    assert item.text.count("haihuwarsu") == 1


def test_no_document_counts_as_a_translation_of_another(data):
    ids = [
        item.parallel_id
        for label in ("eng_Latn", "yor_Latn", "fra_Latn")
        for item in data.read(label)
    ]
    assert len(ids) == len(set(ids))


def test_white_space_is_normalised_and_prefixes_are_left_out():
    sample = Sample(
        tester="All  people",
        specimen_21="All people are born free.\nNo one.",
        specimen_16="No one.",
    )
    assert passages._paragraphs(sample) == [
        ("specimen_21", 1, "All people are born free."),
        ("specimen_21", 2, "No one."),
    ]
