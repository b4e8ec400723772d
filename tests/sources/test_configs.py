"""How data sets name languages: configurations and files, written, found and read."""

import pytest

from emma500.languages.codes import Language
from emma500.sources import configs
from emma500.sources.catalogue import source


@pytest.mark.parametrize(
    ("name", "languages", "config"),
    [
        ("wikipedia", ("yor_Latn",), "20231101.yo"),
        ("wikipedia", ("gsw",), "20231101.als"),
        ("wikipedia", ("nob",), "20231101.no"),
        ("fineweb2", ("azb",), "azb_Arab"),
        ("fineweb2", ("sr_Latn",), "srp_Latn"),
        ("glotcc", ("yo",), "yor-Latn"),
        ("hplt-1.2", ("ur",), "ur_cleaned"),
        ("nllb", ("yor_Latn", "eng_Latn"), "eng_Latn-yor_Latn"),
        ("opus-100", ("fr", "en"), "en-fr"),
        ("smol", ("am",), "smolsent__en_am"),
        ("aya-collection", ("arb",), "standard_arabic"),
        ("aya-collection", ("sw",), "swahili"),
        ("the-stack-v2", ("COBOL",), "COBOL"),
        ("pes2o", ("en",), "v2"),
        ("culturay", ("fr",), ""),
    ],
)
def test_a_configuration_is_named_as_the_data_set_names_it(name, languages, config):
    assert source(name).config_for(*languages) == config


@pytest.mark.parametrize(
    ("name", "language", "available", "config"),
    [
        ("wikipedia", "swh", ["20231101.en", "20231101.sw"], "20231101.sw"),
        ("wikipedia", "en", ["20231101.en", "20231101.simple"], "20231101.en"),
        ("wikipedia", "als", ["20231101.als", "20231101.sq"], "20231101.sq"),
        ("fineweb2", "zh", ["arb_Arab", "cmn_Hani", "zzz_Zzzz"], "cmn_Hani"),
        ("fineweb2", "ar", ["arb_Arab", "arz_Latn"], "arb_Arab"),
        ("glotcc", "cmn_Hani", ["yor-Latn", "zho-Hani"], "zho-Hani"),
    ],
)
def test_a_configuration_is_found_among_those_there_are(name, language, available, config):
    assert source(name).config_for(language, available=available) == config


def test_of_two_spellings_of_a_language_the_pattern_s_own_is_found():
    javanese = Language.parse("jv")
    assert configs.find("{code}", javanese, ["jav", "jv"]) == "jv"
    assert configs.find("{code}", javanese, ["jav"]) == "jav"
    assert configs.find("{code}", javanese, ["yor"]) is None


def test_files_are_named_by_the_same_rule():
    assert source("madlad-400").files_for("yo") == "data/yo/yo_clean_*.jsonl.gz"
    assert source("mc4").files_for("bg_Latn") == "multilingual/c4-bg-Latn.tfrecord-*.json.gz"
    assert source("the-stack").files_for("python") == "data/python/*.parquet"
    assert source("fineopus").files_for("fra_Latn", "eng_Latn") == "fra_Latn-eng_Latn/*.parquet"
    address = source("opus").files_for("fr", "en", corpus="Books", version="v1")
    assert address == "https://object.pouta.csc.fi/OPUS-Books/v1/moses/en-fr.txt.zip"


def test_writing_and_reading_a_configuration_are_inverse():
    for name in ("wikipedia", "fineweb2", "glotcc", "hplt-1.2", "aya-collection"):
        entry = source(name)
        for code in ("fra", "yor", "hin", "rus", "gsw"):
            config = entry.config_for(code)
            found = configs.read(entry.config, config, convention=entry.convention)
            assert found is not None
            assert found.iso639_3 == code
    assert configs.read("20231101.{code}", "20220301.fr") is None
