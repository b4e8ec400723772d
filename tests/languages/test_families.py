"""Families of languages."""

from emma500.languages import registry
from emma500.languages.families import family_name, lineage
from emma500.tables import read_table


def test_a_language_has_its_families_the_nearest_first():
    assert [family_name(each) for each in lineage("sme")][-2:] == ["Saami", "Uralic"]
    assert family_name(lineage("yor")[-1]) == "Atlantic-Congo"
    assert lineage("swh")[-1] == lineage("yor")[-1]


def test_isolates_macrolanguages_and_what_is_no_code_have_none():
    assert [lineage(code) for code in ("eus", "ara", "und", "xx", "")] == [()] * 5
    assert lineage("nqo") == ()  # what Glottolog calls artificial is no family
    assert family_name("none0000") == ""


def test_every_parent_is_in_the_table_and_every_language_in_iso_639():
    rows = read_table("families")
    codes = [row["code"] for row in rows]
    assert len(set(codes)) == len(codes)
    assert {row["parent"] for row in rows} <= {*codes, ""}
    languages = [row["code"] for row in rows if not row["name"]]
    assert len(languages) > 7000
    assert all(code in registry.entries() for code in languages)
