"""Language codes: the hard cases, and the rule that a valid three-letter code is never rewritten."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from iso639 import iter_langs

from emma500.errors import LanguageError
from emma500.languages import registry
from emma500.languages.codes import Language, candidates, parse, related
from emma500.languages.conventions import conventions
from emma500.languages.names import all_names
from emma500.tables import read_table

_REFUSED = {
    "unknown": "unknown language",
    "ambiguous": "ambiguous language",
    "withdrawn": "was withdrawn from ISO 639",
    "special": "names no language",
}


def _cases():
    text = (Path(__file__).parent / "data" / "codes.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return [tuple(row) for row in rows[1:]]


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


@pytest.mark.parametrize(
    ("code", "convention", "expected", "script", "where"),
    _cases(),
    ids=lambda value: str(value).encode("ascii", "backslashreplace").decode(),
)
def test_a_spelling_of_a_real_data_set_is_read_right(code, convention, expected, script, where):
    if expected in _REFUSED:
        with pytest.raises(LanguageError, match=_REFUSED[expected]):
            parse(code, convention=convention or None)
        return
    language = parse(code, convention=convention or None)
    assert language.iso639_3 == expected
    assert script in ("", language.script or "-")


def test_there_are_more_than_a_hundred_spellings_that_the_hard_cases_lack(shared):
    hard = (shared / "data" / "language_codes.tsv").read_text(encoding="utf-8").splitlines()
    assert len({case[:2] for case in _cases()} - {(line.split("\t")[0], "") for line in hard}) > 150


@pytest.mark.parametrize("convention", [each.name for each in conventions()])
def test_a_convention_rewrites_only_what_its_table_says(convention):
    followed, name = {"any"}, convention
    likes = {each.name: each.like for each in conventions()}
    while name:
        followed.add(name)
        name = likes[name]
    rows = [row for row in read_table("language_aliases") if row["convention"] in followed]
    told = {row["code"] for row in rows}
    codes = set(registry.all_codes()) - told
    if next(each for each in conventions() if each.name == convention).reads != "names":
        wrong = [code for code in codes if parse(code, convention=convention).iso639_3 != code]
        assert wrong == []
    for code in codes:
        assert parse(f"{code}_Latn", convention=convention).label == f"{code}_Latn"


def test_every_row_of_a_convention_is_read_by_it():
    names = {each.name for each in conventions()}
    for row in read_table("language_aliases"):
        convention = None if row["convention"] == "any" else row["convention"]
        assert convention is None or convention in names
        assert candidates(row["code"], convention) == tuple(sorted(row["iso639_3"].split()))
        assert all(registry.exact(code) for code in row["iso639_3"].split())


def test_a_convention_without_rows_of_its_own_is_known():
    told = {row["convention"] for row in read_table("language_aliases")}
    assert {"mc4", "cc100", "glot500", "tatoeba", "opus"} <= {e.name for e in conventions()} - told
    assert parse("iw", convention="mc4").iso639_3 == "heb"


def test_every_reference_name_of_iso_639_names_its_language():
    for code, entry in registry.entries().items():
        if entry.name != "Odia":  # of ory; the macrolanguage ori goes by the same name
            assert parse(entry.name, convention="names").iso639_3 == code


def test_a_name_of_several_languages_lists_them():
    with pytest.raises(
        LanguageError, match=r"ambiguous language 'Sotho': it names nso \(Pedi\), sot"
    ):
        parse("Sotho")
    assert candidates("Sotho") == ("nso", "sot")
    assert candidates("Yoruba") == ("yor",)
    assert candidates("notalang") == ()


def test_no_name_that_several_languages_share_is_given_to_one_of_them():
    # Without its accents a name may be that of a collection: `prākrit` of Prākrit, Magadhi.
    shared_names = [n for n, codes in all_names().items() if len(codes) > 1 and n.isascii()]
    told = {row["code"] for row in read_table("language_aliases")}
    assert len(shared_names) > 200
    for name in set(shared_names) - told:
        assert len(candidates(name, "names")) > 1


def test_only_language_error_comes_out_of_random_strings():
    rng = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyzABZ-_@.()[] ,'\u2019\u00e9\u0301\u4e2d\u200d\x00\ud800\u05d0\u0915\n"
    spellings = [case[0] for case in _cases()]
    names = [None, *(each.name for each in conventions())]
    for n in range(1500):
        text = "".join(rng.choice(letters) for _ in range(rng.randrange(24)))
        if n % 2:
            real = rng.choice(spellings)
            place = rng.randrange(len(real) + 1)
            text = real[:place] + text[:2] + real[place:]
        convention = rng.choice(names)
        try:
            language = parse(text, convention=convention)
        except LanguageError:
            continue
        assert candidates(text, convention) == (language.iso639_3,)


@pytest.mark.parametrize("code", [None, 3, b"en", ["en"]])
def test_what_is_no_string_is_refused(code):
    with pytest.raises(LanguageError, match="a language code is a string"):
        parse(code)


def test_reading_a_code_imports_nothing_heavy():
    code = (
        "import sys; from emma500.languages import parse; parse('swh_Latn'); parse('Swahili');"
        "print(*{'numpy', 'pandas', 'pyarrow', 'numba', 'torch'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_a_code_keeps_the_level_its_source_gave():
    swahili, member = Language.parse("sw"), Language.parse("swh")
    assert (swahili.iso639_3, swahili.members, swahili.macrolanguage) == ("swa", ("swc", "swh"), "")
    assert (member.iso639_3, member.members, member.macrolanguage) == ("swh", (), "swa")


def test_a_language_knows_its_names_and_its_label():
    yoruba = Language.parse("yo-Latn-NG")
    assert (yoruba.label, yoruba.name, yoruba.autonym) == ("yor_Latn", "Yoruba", "Èdè Yorùbá")
    assert Language.parse("swa").name == "Swahili"


def test_an_autonym_is_never_the_macrolanguages():
    assert Language.parse("abc").autonym == ""
    assert Language.parse("knc").autonym == ""
    assert Language.parse("din").autonym == Language.parse("dik").autonym == ""
    assert Language.parse("zho").autonym == "中文"
    assert Language.parse("cmn").autonym == "官话"
    assert Language.parse("swh").autonym == "Kiswahili"


def test_a_language_knows_its_resource_group():
    assert Language.parse("fas").resource_group == Language.parse("pes").resource_group
    assert Language.parse("pes").resource_group == "medium-high"
    assert Language.parse("nus_Latn").resource_group == "unseen"


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
    assert Language.parse("roa").iso639_3 == "roa"
    assert Language.parse("roa_Latn", convention="mala").label == "nap_Latn"


def test_an_unknown_code_is_refused_with_near_names():
    with pytest.raises(LanguageError, match=r"unknown language 'Swahilli'.*swahili \(swa\)"):
        Language.parse("Swahilli")


def test_a_code_that_was_split_names_its_heirs():
    with pytest.raises(LanguageError, match=r"'bhk_Latn' was withdrawn.*\[fbl\].*use one of these"):
        Language.parse("bhk_Latn")
    assert candidates("bhk_Latn") == ("fbl", "lbl", "rbl", "ubl")


def test_every_withdrawn_code_is_read_as_its_heir_or_refused_as_withdrawn():
    for code in ("mol", "kzj", "acc", "tnf", "jaw", "scc", "iw"):
        assert registry.exact(Language.parse(code).iso639_3) is not None
    with pytest.raises(
        LanguageError, match="'aay' was withdrawn from ISO 639: it has no successor"
    ):
        Language.parse("aay")


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
    with pytest.raises(LanguageError, match=r"unknown convention 'x'; known: aya, .*wikipedia"):
        Language.parse("yo", convention="x")


def test_a_macrolanguage_is_related_to_its_members_and_they_not_to_each_other():
    assert related("swa", "swh")
    assert related("swh", "swa")
    assert related("yor", "yor")
    assert not related("swc", "swh")
    assert not related("yor", "und")
