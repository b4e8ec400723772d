"""The 939 labels of MaLA, their resource groups, and which label stands for which."""

from collections import Counter

import pytest

from emma500.languages.labels import (
    PAIR_GROUPS,
    RESOURCE_GROUPS,
    inventory,
    mala_compat,
    mala_match,
    matching,
    pair_inventory,
    resource_group,
)


def test_the_inventory_has_the_published_number_of_labels_in_each_group():
    counts = Counter(each.resource_group for each in inventory())
    assert [counts[group] for group in RESOURCE_GROUPS] == [27, 79, 68, 162, 210, 393]
    assert len(inventory()) == len({each.label for each in inventory()}) == 939


def test_the_inventory_has_the_published_sums():
    sums = {group: [0, 0, 0] for group in RESOURCE_GROUPS}
    for each in inventory():
        for place, n in enumerate((each.n_texts, each.n_words, each.n_segments)):
            sums[each.resource_group][place] += n
    assert sums["high"] == [524_461_469, 43_413_231_781, 2_646_350_471]
    assert sums["medium"] == [41_285_058, 2_747_484_380, 188_072_403]
    assert sums["unseen"] == [47_114, 4_132_526, 263_234]
    assert sum(each[1] for each in sums.values()) == 74_259_547_978


def test_an_entry_of_the_inventory_knows_its_language():
    entries = {each.label: each for each in inventory()}
    assert all(each.name and each.label == f"{each.iso639_3}_{each.script}" for each in inventory())
    swahili = entries["swh_Latn"]
    assert (swahili.name, swahili.autonym, swahili.macrolanguage) == (
        "Swahili (individual language)", "Kiswahili", "swa",
    )  # fmt: skip
    assert entries["swa_Latn"].macrolanguage == ""
    assert sum(bool(each.autonym) for each in inventory()) > 300


def test_the_inventory_of_pairs_has_the_published_number_in_each_group():
    counts = Counter(each.resource_group for each in pair_inventory())
    assert [counts[group] for group in PAIR_GROUPS] == [4, 83, 67, 281, 508, 655, 909]
    assert len({each.label for each in pair_inventory()}) == 2_507
    assert len({side for each in pair_inventory() for side in (each.source, each.target)}) == 314


def test_a_pair_has_its_published_counts(shared):
    pairs = {each.label: each for each in pair_inventory()}
    path = shared / "published" / "mala-bilingual-translation-corpus.csv"
    rows = path.read_text(encoding="utf-8").splitlines()[1:]
    for row in rows:
        label, *counts = row.split(",")
        pair = pairs[label]
        assert [int(each) for each in counts] == [
            pair.n_texts, pair.n_source_words, pair.n_source_segments,
            pair.n_texts, pair.n_target_words, pair.n_target_segments, pair.n_words,
        ]  # fmt: skip
    assert pairs["eng_Latn-fra_Latn"].resource_group == "very high"
    assert (pairs["eng_Latn-fra_Latn"].source, pairs["eng_Latn-fra_Latn"].target) == (
        "eng_Latn", "fra_Latn",
    )  # fmt: skip


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


@pytest.mark.parametrize(
    ("label", "own", "kind"),
    [
        ("swh_Latn", "swh_Latn", "exact"),
        ("pes_Arab", "fas_Arab", "macro"),
        ("zho_Hant", "zho_Hani", "script"),
        ("egl_Latn", "eml_Latn", "code"),
        ("ace_Arab", "ace_Latn", "script-differs"),
        ("tzm_Tfng", "ber_Latn", "collection"),
    ],
)
def test_the_match_with_mala_says_how_it_was_made(label, own, kind):
    match = mala_match(label)
    assert match is not None
    assert (match.left, match.right, match.kind) == (label, own, kind)
    group = {each.label: each.resource_group for each in inventory()}[own]
    assert resource_group(label) == (group if match.stands_in else "unseen")


def test_a_label_mala_has_nothing_of_meets_nothing():
    assert mala_match("nus_Latn") is None


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
        ("egl_Latn", ["eml_Latn"], ("eml_Latn", "code")),
        ("tzm_Tfng", ["ber_Latn"], None),
        ("python", ["python"], ("python", "exact")),
        ("python", ["pyt_Latn"], None),
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
