"""Which label stands for another: the facts of the published tables, and every kind of match."""

import csv
import random

import pytest

from emma500.languages.joins import KINDS, STAND_INS, join, matching
from emma500.languages.labels import inventory

MALA = [each.label for each in inventory()]


def _labels(shared, pattern, first=2):
    (path,) = (shared / "published" / "evaluation_results").glob(pattern)
    with path.open(encoding="utf-8") as file:
        return next(csv.reader(file))[first:]


@pytest.fixture
def flores(shared):
    columns = _labels(shared, "FLORES-200/*X-Eng-chrF.csv")
    return sorted(each.removesuffix("-eng_Latn") for each in columns)


def test_28_of_203_flores_labels_are_not_malas_own(flores):
    found = join(flores, MALA)
    assert len(flores) == 203
    assert found.counts == {
        "exact": 175, "script": 4, "macro": 11, "script-differs": 6, "collection": 3,
    }  # fmt: skip
    assert found.unmatched_left == ("cjk_Latn", "lua_Latn", "nus_Latn", "umb_Latn")
    assert "203 labels with 939: 175 exact, 4 script, 11 macro; 6 script-differs" in repr(found)


def test_flores_labels_meet_those_of_mala_that_the_paper_means(flores):
    met = [each for each in join(flores, MALA) if each.kind != "exact"]
    # The dossier has ara_Arab for arb_Latn; arb_Arab is the language itself.
    assert " ".join(f"{each.left}>{each.right}" for each in met) == (
        "ace_Arab>ace_Latn acq_Arab>ara_Arab aeb_Arab>ara_Arab arb_Latn>arb_Arab ars_Arab>ara_Arab ayr_Latn>aym_Latn "
        "bjn_Arab>bjn_Latn dik_Latn>din_Latn fuv_Latn>ful_Latn gaz_Latn>orm_Latn jpn_Jpan>jpn_Japn kas_Deva>kas_Arab "
        "khk_Cyrl>mon_Cyrl knc_Arab>kau_Latn knc_Latn>kau_Latn min_Arab>min_Latn pes_Arab>fas_Arab taq_Latn>ber_Latn "
        "taq_Tfng>ber_Latn tzm_Tfng>ber_Latn uzn_Latn>uzb_Latn yue_Hant>yue_Hani zho_Hans>zho_Hani zho_Hant>zho_Hani"
    )


@pytest.mark.parametrize(
    ("pattern", "n_labels", "n_absent"),
    [
        ("Taxi-1500/*.csv", 1_507, 1_041),
        ("nll_glot500.csv", 534, 107),
        ("nll_pbc.csv", 370, 54),
        ("SIB-200/*.csv", 205, 28),
    ],
)
def test_as_many_labels_of_a_benchmark_are_absent_as_published(shared, pattern, n_labels, n_absent):
    labels = _labels(shared, pattern)
    found = join(labels, MALA)
    assert len(labels) == n_labels
    assert n_labels - found.counts["exact"] == n_absent
    assert len(found) + len(found.unmatched_left) == n_labels


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        ("swh_Latn", ["swa_Latn", "swh_Latn"], "exact"),
        ("egl_Latn", ["eml_Latn"], "code"),
        ("apc_Arab", ["ajp_Arab"], "code"),
        ("sw", ["swa_Latn"], "script"),
        ("zh-TW", ["zho_Hani"], "script"),
        ("zho_Hans", ["zho_Hani"], "script"),
        ("jpn_Jpan", ["jpn_Japn"], "script"),
        ("cmn_Hans", ["zho_Hani"], "macro"),
        ("swa_Latn", ["swh_Latn"], "macro"),
        ("zho_Hans", ["zho_Hant"], "script-differs"),
        ("knc_Arab", ["kau_Latn"], "script-differs"),
        ("tzm_Tfng", ["ber_Latn"], "collection"),
        ("bih_Deva", ["bho_Deva"], "collection"),
    ],
)
def test_a_match_says_how_it_was_made(left, right, kind):
    (match,) = join([left], right)
    assert match.kind == kind
    assert match.stands_in == (kind in STAND_INS)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("swh_Latn", "swc_Latn"),
        ("yor_Latn", "ibo_Latn"),
        ("python", "pyt_Latn"),
        ("eng_Latn-fra_Latn", "eng_Latn"),
        ("Swahili", "swa_Latn"),
    ],
)
def test_siblings_strangers_pairs_and_names_do_not_meet(left, right):
    found = join([left], [right])
    assert (found.matches, found.unmatched_left, found.unmatched_right) == ((), (left,), (right,))


def test_of_several_matches_the_best_is_the_largest_and_the_others_are_shown():
    (match,) = join(["swa_Latn"], ["swc_Latn", "swh_Latn", "yor_Latn"])
    assert (match.right, match.others) == ("swh_Latn", ("swc_Latn",))


def test_a_label_that_stands_for_several_is_named_with_them():
    found = join(["acq_Arab", "ars_Arab", "arb_Latn", "ara_Arab"], ["ara_Arab"])
    assert found.shared == {"ara_Arab": ("acq_Arab", "ars_Arab", "ara_Arab")}
    assert found.stand_ins == dict.fromkeys(("acq_Arab", "ars_Arab", "ara_Arab"), "ara_Arab")


def test_what_no_match_names_is_left_over():
    found = join(["swa_Latn", "nus_Latn"], ["swh_Latn", "swc_Latn", "yor_Latn"])
    assert (found.unmatched_left, found.unmatched_right) == (("nus_Latn",), ("yor_Latn",))


def test_the_order_of_the_right_side_and_repeated_labels_change_nothing():
    left, right = MALA[::3], list(MALA)
    found = join(left, right)
    random.Random(1).shuffle(right)
    assert join([*left, *left], [*right, *right]) == found


def test_matching_is_the_same_rule_without_what_stands_for_nothing():
    left = [*MALA[::7], "pes_Arab", "zho_Hans", "ace_Arab", "tzm_Tfng", "nus_Latn", "und_Latn"]
    right = MALA[::2]
    found = {each.left: each for each in join(left, right)}
    for label in left:
        match = found.get(label)
        expected = (match.right, match.kind) if match and match.stands_in else None
        assert matching(label, right) == expected


def test_a_join_is_a_table():
    table = join(
        ["pes_Arab", "prs_Arab", "ace_Arab", "nus_Latn"], ["fas_Arab", "ace_Latn", "yor_Latn"]
    ).to_pandas()
    assert table.to_numpy().tolist() == [
        ["pes_Arab", "fas_Arab", "macro", "", 2],
        ["prs_Arab", "fas_Arab", "macro", "", 2],
        ["ace_Arab", "ace_Latn", "script-differs", "", 0],
        ["nus_Latn", "", "none", "", 0],
        ["", "yor_Latn", "none", "", 0],
    ]


def test_a_join_of_nothing_is_empty():
    found = join([], [])
    assert (len(found), found.counts, found.to_pandas().empty) == (0, {}, True)
    assert set(found.counts) <= set(KINDS)
