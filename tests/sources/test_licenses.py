"""Licences: what they allow, alone, in expressions, and as a column of rows."""

import doctest

import pyarrow as pa
import pytest

from emma500.errors import SourceError
from emma500.publishing.metadata import hub_license
from emma500.sources import licenses as module
from emma500.sources.licenses import (
    GROUPS,
    allows,
    commercial_use,
    find_license,
    permitted,
    wanted_licenses,
)
from emma500.tables import read_table

WORDS = {"various", "unknown", "bsd", "cc", "gpl", "lgpl", "gemma", "openrail", "openrail++"}


def test_every_licence_is_of_spdx_or_of_the_hub_or_a_word_of_ours():
    spdx = pytest.importorskip("packaging.licenses._spdx").LICENSES
    for row in read_table("licenses"):
        name = row["license"]
        ours = name in WORDS or name.startswith(("LicenseRef-", "llama"))
        assert ours or spdx[name.casefold()]["id"] == name
        assert {row["commercial"], row["derivatives"], row["share_alike"]} <= {
            "yes",
            "no",
            "unknown",
        }


def test_what_a_licence_is_called_says_what_it_allows():
    for row in read_table("licenses"):
        name = row["license"]
        if name.startswith("CC-"):
            assert (row["commercial"] == "no") == ("-NC" in name)
            assert (row["derivatives"] == "no") == ("-ND" in name)
            assert (row["share_alike"] == "yes") == ("-SA" in name)


@pytest.mark.parametrize(
    ("license", "commercial", "permissive"),
    [
        ("MIT", "yes", True),
        ("mit", "yes", True),
        ("odc-by", "yes", True),
        ("CC BY-SA 4.0", "yes", False),
        ("CC-BY-NC-4.0", "no", False),
        ("CC-BY-ND-4.0", "no", False),
        ("GPL-2.0+", "yes", False),
        ("GPL-3.0-only WITH Classpath-exception-2.0", "yes", False),
        ("MIT OR CC-BY-NC-4.0", "yes", True),
        ("MIT AND CC-BY-NC-4.0", "no", False),
        ("MIT AND unknown", "unknown", False),
        ("(MIT AND CC-BY-NC-4.0) OR Apache-2.0", "yes", True),
        ("MIT AND (CC-BY-NC-4.0 OR Apache-2.0)", "yes", True),
        ("MIT or Apache-2.0 and CC-BY-NC-4.0", "yes", True),
        ("various", "unknown", False),
        ("unknown", "unknown", False),
        ("", "unknown", False),
        ("MIT AND", "unknown", False),
        ("(MIT", "unknown", False),
        ("MIT)", "unknown", False),
        ("Somebody's own", "unknown", False),
        ("LicenseRef-research-only", "no", False),
    ],
)
def test_a_licence_allows_what_it_says(license, commercial, permissive):
    assert commercial_use(license) == commercial
    assert allows(license, "commercial") is (commercial == "yes")
    assert allows(license, "permissive") is permissive
    assert allows(license, "any")


def test_licences_can_be_wanted_one_by_one():
    assert allows("cc0-1.0", "MIT, CC0-1.0")
    assert allows("CC0-1.0", ["cc0-1.0"])
    assert not allows("Apache-2.0", ["MIT"])
    assert allows("", "unknown")
    assert not allows("MIT AND Apache-2.0", "MIT")
    assert allows("MIT OR Apache-2.0", "MIT")
    assert wanted_licenses("odc-by,mit") == ("MIT", "ODC-By-1.0")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("apache2", "unknown licence 'apache2'.*near ones: .*Apache-2.0"),
        ("", "no licence is wanted: give one of any, commercial, permissive"),
        ([], "no licence is wanted"),
        ("commercial,MIT", None),
        (["any", "commercial"], "a group stands alone"),
    ],
)
def test_what_cannot_be_wanted_is_refused(wanted, message):
    with pytest.raises(SourceError, match=message or "commercial: a group stands alone"):
        wanted_licenses(wanted)


@pytest.mark.parametrize("wanted", [*GROUPS, "MIT,CC-BY-SA-3.0", "unknown"])
@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
)
def test_a_column_is_judged_as_its_rows_are(wanted, kind):
    names = [row["license"] for row in read_table("licenses")]
    rows = [*names, None, "", "MIT AND CC-BY-NC-4.0", "nobody's", *names]
    expected = [allows(row or "", wanted) for row in rows]
    column = pa.array(rows, pa.string()).cast(kind)
    assert permitted(column, wanted).to_pylist() == expected
    chunked = pa.chunked_array([column[:7], column[7:7], column[7:]])
    assert permitted(chunked, wanted).to_pylist() == expected
    assert permitted(column[:0], wanted).to_pylist() == []
    assert permitted(column[3:9], wanted).to_pylist() == expected[3:9]


def test_every_licence_the_hub_names_is_named_by_the_hub_on_a_card():
    for row in read_table("licenses"):
        if row["hub"]:
            assert hub_license([row["license"]]) == {"license": row["hub"]}
            found = find_license(row["hub"])
            assert found is not None
            assert found.hub == row["hub"]
        else:
            assert hub_license([row["license"]])["license"] == "other"


def test_the_examples_of_the_module_are_right():
    assert doctest.testmod(module).attempted >= 2
    assert doctest.testmod(module).failed == 0
