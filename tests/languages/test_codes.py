"""Language codes: the hard cases, and the rule that a valid three-letter code is never rewritten."""

import pytest
from iso639 import iter_langs

from emma500.errors import LanguageError
from emma500.languages import registry
from emma500.languages.codes import Language, related


def test_every_hard_case_is_read_right(shared):
    wrong = []
    for line in (shared / "data" / "language_codes.tsv").read_text(encoding="utf-8").splitlines():
        code, expected, script, note = line.split("\t")
        try:
            language = Language.parse(code)
            found = (language.iso639_3, language.script)
        except LanguageError:
            found = ("None", "")
        if found[0] != expected or (script and found[1] != script):
            wrong.append((code, expected, script, note, found))
    assert wrong == []


def test_a_valid_three_letter_code_is_never_rewritten():
    codes = [each.pt3 for each in iter_langs() if each.pt3 and each.pt3 not in registry.SPECIAL]
    assert len(codes) > 7900
    for spell in (str, str.upper, "{}_Latn".format, "{}-Cyrl".format):
        assert [code for code in codes if Language.parse(spell(code)).iso639_3 != code] == []


@pytest.mark.parametrize("convention", ["wikipedia", "mala"])
def test_a_convention_rewrites_only_what_its_table_says(convention):
    from emma500.tables import read_table

    told = {
        row["code"] for row in read_table("language_aliases") if row["convention"] == convention
    }
    codes = set(registry.all_codes()) - told
    assert all(Language.parse(code, convention=convention).iso639_3 == code for code in codes)


def test_a_code_keeps_the_level_its_source_gave():
    swahili, member = Language.parse("sw"), Language.parse("swh")
    assert (swahili.iso639_3, swahili.members, swahili.macrolanguage) == ("swa", ("swc", "swh"), "")
    assert (member.iso639_3, member.members, member.macrolanguage) == ("swh", (), "swa")


def test_a_language_knows_its_names_and_its_label():
    yoruba = Language.parse("yo-Latn-NG")
    assert (yoruba.label, yoruba.name, yoruba.autonym) == ("yor_Latn", "Yoruba", "Èdè Yorùbá")
    assert Language.parse("swa").name == "Swahili"
    assert Language.parse("abc").autonym == ""


def test_a_script_nobody_named_stays_open():
    serbian = Language.parse("sr")
    assert (serbian.script, serbian.label, serbian.likely_script) == ("", "srp_Zyyy", "Cyrl")
    assert Language.parse("srp_Zyyy") == serbian


def test_a_region_tells_the_script():
    assert Language.parse("zh-HK").script == "Hant"
    assert Language.parse("pa_PK").script == "Arab"


def test_the_argument_gives_the_script_only_where_the_code_names_none():
    assert Language.parse("sr", script="Latn").script == "Latn"
    assert Language.parse("sr_Cyrl", script="Latn").script == "Cyrl"


def test_the_same_code_means_another_language_in_wikipedia():
    assert Language.parse("als").iso639_3 == "als"
    assert Language.parse("als", convention="wikipedia").iso639_3 == "gsw"
    assert Language.parse("roa_Latn", convention="mala").iso639_3 == "roa"
    assert Language.parse("roa", convention="mala").iso639_3 == "nap"


def test_an_unknown_code_is_refused_with_near_names():
    with pytest.raises(LanguageError, match=r"unknown language 'Swahilli'.*swahili \(swa\)"):
        Language.parse("Swahilli")


def test_a_code_that_was_split_names_its_heirs():
    with pytest.raises(LanguageError, match=r"'bhk_Latn' was withdrawn.*\[fbl\].*use one of these"):
        Language.parse("bhk_Latn")


@pytest.mark.parametrize("code", ["mul", "und_Latn", "zxx"])
def test_a_code_for_no_language_is_refused(code):
    with pytest.raises(LanguageError, match="names no language"):
        Language.parse(code)


@pytest.mark.parametrize("code", ["eng-fra", "eng_Latn-yor_Latn", "en_Abcd", "", "  ", "_Latn"])
def test_what_is_no_code_is_refused(code):
    with pytest.raises(LanguageError, match="unknown language"):
        Language.parse(code)


def test_an_unknown_script_is_refused():
    with pytest.raises(LanguageError, match="unknown script 'Abcd': a script is an ISO 15924 code"):
        Language.parse("yo", script="Abcd")


def test_an_unknown_convention_lists_the_known_ones():
    with pytest.raises(LanguageError, match="unknown convention 'x'; known: any, mala, wikipedia"):
        Language.parse("yo", convention="x")


def test_a_macrolanguage_is_related_to_its_members_and_they_not_to_each_other():
    assert related("swa", "swh")
    assert related("swh", "swa")
    assert related("yor", "yor")
    assert not related("swc", "swh")
    assert not related("yor", "und")
