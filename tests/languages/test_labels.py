"""The 939 labels of MaLA, their resource groups, and which label stands for which."""

from collections import Counter

import pytest

from emma500.languages.labels import (
    RESOURCE_GROUPS,
    inventory,
    mala_compat,
    matching,
    resource_group,
)


def test_the_inventory_has_the_published_number_of_labels_in_each_group():
    counts = Counter(each.resource_group for each in inventory())
    assert [counts[group] for group in RESOURCE_GROUPS] == [27, 79, 68, 162, 210, 393]
    assert len(inventory()) == len({each.label for each in inventory()}) == 939


def test_every_entry_of_the_inventory_has_a_name():
    assert all(each.name and each.label == f"{each.iso639_3}_{each.script}" for each in inventory())


@pytest.mark.parametrize("entry", inventory()[::37], ids=lambda each: each.label)
def test_a_label_of_mala_has_its_own_group(entry):
    assert resource_group(entry.label) == entry.resource_group


@pytest.mark.parametrize(
    ("label", "same_as"),
    [
        ("jpn_Jpan", "jpn_Japn"),
        ("zho_Hans", "zho_Hani"),
        ("kor_Kore", "kor_Hang"),
        ("yor_Zyyy", "yor_Latn"),
    ],
)
def test_a_label_in_iso_scripts_has_the_group_of_malas_own(label, same_as):
    assert resource_group(label) == resource_group(same_as) != "unseen"


def test_a_member_has_the_group_of_its_macrolanguage():
    assert "swc_Latn" not in {each.label for each in inventory()}
    assert resource_group("swc_Latn") == resource_group("swa_Latn") == "medium-high"


def test_a_withdrawn_code_of_mala_is_found_by_todays():
    assert resource_group("egl_Latn") == resource_group("eml_Latn") == "medium-low"


@pytest.mark.parametrize("label", ["tlh_Piqd", "yor_Cyrl", "nonsense", "und_Latn", ""])
def test_what_mala_lacks_is_unseen(label):
    assert resource_group(label) == "unseen"


@pytest.mark.parametrize(
    ("label", "available", "found"),
    [
        ("swh_Latn", ["swa_Latn", "swh_Latn"], ("swh_Latn", "exact")),
        ("swh_Latn", ["swa_Latn", "swc_Latn"], ("swa_Latn", "macro")),
        ("swa_Latn", ["swc_Latn", "swh_Latn"], ("swh_Latn", "macro")),
        ("zho_Hans", ["zho_Hani"], ("zho_Hani", "script")),
        ("zho_Hani", ["zho_Hant"], ("zho_Hant", "script")),
        ("srp_Zyyy", ["srp_Latn", "srp_Cyrl"], ("srp_Cyrl", "script")),
        ("zho_Hans", ["zho_Hant"], None),
        ("swh_Latn", ["swc_Latn"], None),
        ("swh_Arab", ["swa_Latn"], None),
        ("yor_Latn", [], None),
    ],
)
def test_matching_says_which_label_stands_for_another_and_how(label, available, found):
    assert matching(label, available) == found
    assert matching(label, reversed(available)) == found


def test_mala_compat_folds_scripts_and_nothing_else():
    labels = ["zho_Hans", "yue_Hant", "jpn_Jpan", "kor_Kore", "yor_Latn", "python"]
    assert [mala_compat(each) for each in labels] == [
        "zho_Hani", "yue_Hani", "jpn_Japn", "kor_Hang", "yor_Latn", "python",
    ]  # fmt: skip
