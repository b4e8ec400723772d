import gzip
import json

import pytest

from emma500.benchmarks.registry import as_text, directions, names, open_benchmark, select
from emma500.errors import ConfigError, SourceError
from tests.benchmarks.published_files import NAMES, jsonl, lines, write


def opened(name, folder):
    return open_benchmark(f"{name}={folder}")


def test_every_benchmark_of_the_table_has_a_file_of_its_published_form_here():
    assert set(NAMES) == set(names()) - {
        "gflanguages",
        "validation",
        "validation-pairs",
        "sib200",
        "text",
    }


@pytest.mark.parametrize("name", NAMES)
def test_files_as_published_give_items_with_a_text_each(name, tmp_path):
    benchmark = opened(name, write(name, tmp_path))
    for label in benchmark.data.labels:
        items = list(benchmark.data.read(label))
        assert len(items) == 6
        assert len({item.id for item in items}) == 6
        assert all(item.text for item in items)
    if benchmark.task is not None:
        label = benchmark.task.labels[0]
        examples = benchmark.task.examples(label, "test")
        assert len(examples) == 6
        for example in examples:
            assert not example.options or 0 <= example.gold < len(example.options)


def test_sib200_is_205_languages_of_three_splits(shared):
    benchmark = open_benchmark("sib200", data_dir=str(shared / "data"))
    assert len(benchmark.task.labels) == 205
    test, train = (benchmark.task.examples("swh_Latn", split) for split in ("test", "shots"))
    assert (len(test), len(train)) == (204, 701)
    assert {each.targets[0] for each in test} == {
        "science/technology", "travel", "politics", "sports", "health", "entertainment", "geography",
    }  # fmt: skip
    english = {each.id for each in benchmark.task.examples("eng_Latn", "test")}
    assert {each.parallel_id for each in test} == english


def test_xcopa_and_mgsm_are_read_whole(shared):
    xcopa = open_benchmark("xcopa", data_dir=str(shared / "data"))
    assert len(xcopa.task.labels) == 11
    assert {len(xcopa.task.examples(label, "test")) for label in xcopa.task.labels} == {500}
    assert {len(xcopa.task.examples(label, "shots")) for label in xcopa.task.labels} == {100}
    mgsm = open_benchmark("mgsm", data_dir=str(shared / "data"))
    assert {len(mgsm.task.examples(label, "test")) for label in mgsm.task.labels} == {250}
    assert len(mgsm.task.labels) == 11
    assert mgsm.task.examples("eng_Latn", "test")[0].targets == ("18",)


def test_a_translation_pairs_sentences_by_what_they_share(tmp_path):
    folder = write("flores200", tmp_path)
    into = open_benchmark(f"flores200-eng-x={folder}").task
    assert into.labels == ("fin_Latn", "swh_Latn")
    first = into.examples("swh_Latn", "test")[0]
    assert (first.fields["source"], first.targets) == ("One sentence 0.", ("Sentensi 0.",))
    assert (first.fields["source_name"], first.fields["target_name"]) == ("English", "Swahili")
    back = open_benchmark(f"flores200-x-eng={folder}").task.examples("fin_Latn", "test")[2]
    assert (back.fields["source"], back.targets) == ("Lause 2.", ("One sentence 2.",))
    other = open_benchmark(f"flores200-fin-swh={folder}").task
    assert (other.labels, other.examples("swh_Latn", "test")[1].fields["source"]) == (
        ("swh_Latn",),
        "Lause 1.",
    )


def test_pairs_of_tatoeba_are_read_in_both_directions(tmp_path):
    folder = write("tatoeba", tmp_path)
    into = open_benchmark(f"tatoeba-eng-x={folder}").task
    assert into.labels == ("swa_Latn",)
    assert into.examples("swa_Latn", "test")[0].targets == ("Hujambo 0",)
    back = open_benchmark(f"tatoeba-x-eng={folder}").task.examples("swa_Latn", "test")[0]
    assert (back.fields["source"], back.targets) == ("Hujambo 0", ('Hi "0',))


def test_a_translation_without_a_direction_stands_for_both_with_english():
    assert directions("flores200=here", None) == ["flores200-eng-x=here", "flores200-x-eng=here"]
    assert directions("flores200-x-x", ["swh", "fin"]) == ["flores200-swh-x", "flores200-fin-x"]
    assert directions("xcopa", ["swh"]) == ["xcopa"]
    assert (as_text("sib200=here"), as_text("gflanguages")) == ("sib200-text=here", "gflanguages")
    with pytest.raises(ConfigError, match="needs languages"):
        directions("flores200-x-x", None)


def test_what_is_no_direction_is_refused(tmp_path):
    folder = write("flores200", tmp_path)
    with pytest.raises(ConfigError, match="no 'nonsense'"):
        open_benchmark(f"flores200-nonsense={folder}")
    with pytest.raises(ConfigError, match="needs languages to go through"):
        open_benchmark(f"flores200-x-x={folder}")
    with pytest.raises(ConfigError, match=r"no text in yor_Latn.*in 3 languages"):
        open_benchmark(f"flores200-yor-x={folder}")


def test_variants_of_english_are_left_out_where_the_benchmark_has_it_thrice(tmp_path):
    assert opened("ntrex128", write("ntrex128", tmp_path)).data.labels == ("eng_Latn", "swa_Latn")


def test_programs_are_asked_for_by_programming_language(tmp_path):
    benchmark = opened("multipl-e", write("multipl-e", tmp_path))
    assert select(benchmark, ["sh", "swh"]).labels == ("sh",)
    assert select(benchmark, ["swh"]).labels == ("sh",)


def test_a_missing_column_is_named_with_those_there_are(tmp_path):
    jsonl(tmp_path / "data/sw/test.sw.jsonl", [{"premise": "It rained.", "choice1": "a", "idx": 0}])
    with pytest.raises(
        SourceError,
        match=r"test.sw.jsonl, record 1, has no column 'choice2'.*xcopa.*premise",
    ):
        opened("xcopa", tmp_path).task.examples("swa_Latn", "test")


def test_a_record_of_another_form_is_named(tmp_path):
    jsonl(
        tmp_path / "test/en.jsonl",
        [{"sentence": "No blank.", "option1": "a", "option2": "b", "answer": "1"}],
    )
    with pytest.raises(SourceError, match=r"en.jsonl, record 1, is not of the form.*has no blank"):
        opened("xwinograd", tmp_path).task.examples("eng_Latn", "test")
    jsonl(
        tmp_path / "mmlu/test/sw.jsonl",
        [{"sample_id": "1", "question": "?", "answer": ""} | {f"option_{n}": n for n in "abcd"}],
    )
    with pytest.raises(SourceError, match=r"sw.jsonl, record 1, is not of the form"):  # and not A
        opened("global-mmlu", tmp_path / "mmlu").task.examples("swa_Latn", "test")
    (tmp_path / "test/en.jsonl").write_text("{broken\n")
    with pytest.raises(SourceError, match=r"en.jsonl cannot be read"):
        opened("xwinograd", tmp_path).task.examples("eng_Latn", "test")


def test_two_records_with_one_id_are_refused(tmp_path):
    row = {"id": "1", "text": "long", "summary": "short"}
    jsonl(tmp_path / "swahili_test.jsonl", [row, row])
    with pytest.raises(SourceError, match=r"xlsum has two records with the id '1' in swh_Latn"):
        opened("xlsum", tmp_path).task.examples("swh_Latn", "test")


def test_missing_files_say_what_is_looked_for_and_missing_folders_what_to_give(tmp_path):
    with pytest.raises(
        SourceError, match=r"xlsum is not in .*no file .*swahili|xlsum is not in .*no file"
    ):
        opened("xlsum", tmp_path)
    with pytest.raises(ConfigError, match=r"'taxi1500' needs a folder: taxi1500=FOLDER"):
        open_benchmark("taxi1500")
    with pytest.raises(
        SourceError, match=r"xcopa is not in the cache|cannot be reached|xcopa.*cannot be read"
    ):
        open_benchmark("xcopa")


def test_compressed_files_and_files_without_a_header_are_read(tmp_path):
    content = "".join(f"{n}\tFaith\tVerse {n}\n" for n in range(3))
    (tmp_path / "swh_Latn").mkdir()
    with gzip.open(tmp_path / "swh_Latn/test.tsv.gz", "wt") as file:
        file.write(content)
    examples = opened("taxi1500", tmp_path).task.examples("swh_Latn", "test")
    assert [(each.id, each.fields["text"]) for each in examples] == [
        (str(n), f"Verse {n}") for n in range(3)
    ]


def test_verses_keep_their_numbers_and_comments_are_no_verses(tmp_path):
    lines(
        tmp_path / "swh-x-bible-union.txt", ["# year: 1890", "01001001\tHapo mwanzo", "01001002\t"]
    )
    data = opened("pbc", tmp_path).data
    assert data.labels == ("swh_Latn",)  # the code alone says no script; the text does
    (item,) = data.read("swh_Latn")
    assert (item.id, item.parallel_id, item.text) == ("01001001", "01001001", "Hapo mwanzo")


def test_a_worked_answer_loses_the_words_before_it(tmp_path):
    task = opened("mgsm-cot", write("mgsm-cot", tmp_path)).task
    shot = task.examples("swa_Latn", "shots")[3]
    assert (shot.fields["question"], shot.fields["worked"], shot.targets) == ("3?", "Ni 3.", ("3",))
    assert task.examples("swa_Latn", "test")[3].fields["question"] == "3?"


def test_a_retired_code_and_its_heir_stay_apart(tmp_path):
    for label in ("ajp_Arab", "apc_Arab"):
        rows = ["index_id\tcategory\ttext", f"1\ttravel\t{label}"]
        lines(tmp_path / label / "test.tsv", rows)
    task = opened("sib200", tmp_path).task
    texts = {label: task.examples(label, "test")[0].fields["text"] for label in task.labels}
    assert texts == {"ajp_Arab": "ajp_Arab", "apc_Arab": "apc_Arab"}


def test_a_file_of_many_languages_is_parted_by_its_columns(tmp_path):
    rows = [
        {"id": n, "source_id": n, "inputs": "Write.", "targets": "Text.", "language": language, "script": "Latn"}
        for n, language in enumerate(("Swahili", "Finnish", "Swahili", "Gibberish"))
    ]  # fmt: skip
    (tmp_path / "aya_human_annotated.jsonl").write_text("\n".join(map(json.dumps, rows)))
    task = opened("aya", tmp_path).task
    assert task.labels == ("fin_Latn", "swa_Latn")
    assert [each.id for each in task.examples("swa_Latn", "test")] == ["0:0", "2:2"]
