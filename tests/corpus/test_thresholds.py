"""Limits by label: whose row holds, what a file changes, what is wrong with a file."""

import pickle

import pytest

from emma500.corpus.filtering.decisions import LIMITS
from emma500.corpus.filtering.thresholds import (
    COLUMNS,
    PRESETS,
    Thresholds,
    least_score,
    read_words,
)
from emma500.errors import UsageError

MALA = Thresholds.of("mala")


def written(tmp_path, text):
    path = tmp_path / "limits.tsv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("label", "macrolanguage", "column", "limit"),
    [
        ("vie_Latn", "", "min_words", 30),
        ("arz_Arab", "ara", "min_words", 20),  # its macrolanguage in its script
        ("arz_Latn", "ara", "min_words", 10),  # in another script it is not
        ("yue_Hant", "zho", "max_word_repetition", 0.96),
        ("yor_Latn", "", "min_words", 10),
        ("eng_Latn", "", "max_character_repetition", 0.106),
        ("urd_Arab", "", "word_ngram", 7),
    ],
)
def test_a_label_has_its_own_row_or_its_macrolanguages_or_its_scripts_or_the_general_one(
    label, macrolanguage, column, limit
):
    assert MALA.row("monolingual", label, macrolanguage)[column] == limit


def test_a_label_without_a_row_has_that_of_its_nearest_family_in_its_script(tmp_path):
    rows = ["label\tmin_words", "ural1272_Latn\t3", "saam1281_Latn\t5", "gmq_Latn\t1"]
    (tmp_path / "limits.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    limits = Thresholds.of("mala", tmp_path / "limits.tsv")
    assert limits.row("monolingual", "sme_Latn", "")["min_words"] == 5
    assert limits.row("monolingual", "fin_Latn", "")["min_words"] == 3
    assert limits.row("monolingual", "sme_Cyrl", "")["min_words"] == 10
    assert limits.row("monolingual", "sqi_Latn", "")["min_words"] == 10


def test_strings_and_programs_have_rows_of_their_own_and_other_prose_that_of_its_language():
    assert MALA.row("code", "python", "") == {
        "min_words": 10, "max_words": 1_000_000, "max_mean_line_length": 100, "max_longest_line": 1000,
        "min_alphanumeric_share": 0.25,
    }  # fmt: skip
    assert "max_special_share" not in MALA.row("bilingual", "eng_Latn-yor_Latn", "")
    assert MALA.row("books", "vie_Latn", "") == MALA.row("monolingual", "vie_Latn", "")


def test_fineweb2_has_the_numbers_of_its_configurations_and_gophers_elsewhere():
    fineweb2 = Thresholds.of("fineweb2")
    assert fineweb2.row("monolingual", "rus_Cyrl", "")["min_punctuated_line_share"] == 0.231
    assert fineweb2.row("monolingual", "swh_Latn", "swa")["max_top_2gram_share"] == 0.396
    assert fineweb2.row("monolingual", "zul_Latn", "")["max_duplicate_10gram_share"] == 0.344
    general = fineweb2.row("monolingual", "yid_Hebr", "")
    assert [general[f"max_top_{n}gram_share"] for n in (2, 3, 4)] == [0.2, 0.18, 0.16]
    assert "max_mean_word_length" not in fineweb2.row("monolingual", "tha_Thai", "")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_column_of_a_preset_is_a_limit_or_a_setting(preset):
    columns = {name for row in Thresholds.of(preset).rows.values() for name in row}
    known = {column for column, _, _ in LIMITS} | {"min_lid_score", "character_ngram", "word_ngram"}
    assert columns <= known
    assert known <= COLUMNS
    assert pickle.loads(pickle.dumps(Thresholds.of(preset))) == Thresholds.of(preset)


def test_the_rows_of_a_file_go_before_those_of_the_preset(tmp_path):
    path = written(
        tmp_path,
        "# mine\nlabel\tmin_words\tstop_words\tnote\nyor_Latn\t7\tní ti\tx\n*_Thai\t9\t\tx\n",
    )
    found = Thresholds.of("mala", path)
    assert found.row("monolingual", "yor_Latn", "") == {"min_words": 7}
    assert found.row("monolingual", "tha_Thai", "") == {"min_words": 9}
    assert found.row("monolingual", "vie_Latn", "") == MALA.row("monolingual", "vie_Latn", "")
    assert found.stop_words["yor_Latn"] == ("ní", "ti")
    assert found.least_score("yor_Latn") == 0.7  # the file has none
    assert found.fingerprint() != MALA.fingerprint() == Thresholds.of("mala").fingerprint()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label\tmax_speed\nyor_Latn\t7\n", "max_speed"),
        ("label\tmin_words\nyor_Latn\tmany\n", "many"),
        ("name\tmin_words\nyor_Latn\t7\n", "label"),
        ("label\tmin_words\nyor_Latn\n", "1 cells, not 2"),
        ("", "no header"),
    ],
)
def test_a_file_that_is_no_table_of_limits_is_refused(tmp_path, text, said):
    with pytest.raises(UsageError, match=said):
        Thresholds.of("mala", written(tmp_path, text))


def test_a_preset_or_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="mala, fineweb2"):
        Thresholds.of("malla")
    with pytest.raises(UsageError, match=r"none\.tsv"):
        Thresholds.of("mala", tmp_path / "none.tsv")


def test_flagged_words_come_from_a_file_by_label(tmp_path):
    path = written(tmp_path, "label\twords\neng_Latn\tbad worse\n*\tworst\n")
    assert read_words(path) == {"eng_Latn": ("bad", "worse"), "": ("worst",)}
    lists = MALA.lists(read_words(path))
    assert [end - start for start, end in (lists.flagged["eng_Latn"], lists.flagged[""])] == [2, 1]
    with pytest.raises(UsageError, match="label and words"):
        read_words(written(tmp_path, "label\tword\neng_Latn\tbad\n"))


def test_an_identifier_is_believed_from_the_score_of_the_language_it_names():
    assert least_score("arz_Arab") == 0.81
    assert least_score("und_Latn") == least_score("yor_Latn") == 0.7
    assert Thresholds.of("fineweb2").least_score("vie_Latn") == 0.7


def test_stop_words_ship_for_hundreds_of_labels_and_few_for_each():
    words = MALA.stop_words
    assert len(words) > 300
    assert {"the", "and", "of"} <= set(words["eng_Latn"])
    assert max(map(len, words.values())) <= 12
    assert not {"tha_Thai", "zho_Hans", "jpn_Jpan", "mya_Mymr", "khm_Khmr", "lao_Laoo"} & set(words)
