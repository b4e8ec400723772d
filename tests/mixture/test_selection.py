import pytest

from emma500.errors import LanguageError
from emma500.mixture.planning.selection import select


@pytest.fixture
def corpus(make_corpus):
    text = [{"text": "x", "source": "web"}]
    pair = [{"source_text": "x", "target_text": "y", "source": "web"}]
    return make_corpus(
        {
            ("monolingual", "eng_Latn"): text,
            ("monolingual", "swa_Latn"): text,
            ("monolingual", "yor_Latn"): text,
            ("bilingual", "eng_Latn-kat_Geor"): pair,
            ("bilingual", "eng_Latn-yor_Latn"): pair,
            ("code", "python"): text,
        }
    )


def labels(chosen):
    return [(each.component, each.label) for each in chosen]


def test_without_languages_all_but_the_replayed_ones_are_trained_on(corpus):
    chosen = select(corpus, replay_languages=["eng_Latn"])
    assert labels(chosen) == [
        ("monolingual", "eng_Latn"),
        ("monolingual", "swa_Latn"),
        ("monolingual", "yor_Latn"),
        ("bilingual", "eng_Latn-kat_Geor"),
        ("bilingual", "eng_Latn-yor_Latn"),
    ]
    assert [each.label for each in chosen if each.replay] == ["eng_Latn"]


def test_a_pair_counts_for_its_side_that_is_trained_on(corpus):
    (pair,) = select(corpus, languages=["kat_Geor"])
    assert (pair.label, pair.language) == ("eng_Latn-kat_Geor", "kat_Geor")


def test_a_language_may_be_named_by_any_code(corpus):
    assert labels(select(corpus, languages=["yo", "Georgian"])) == [
        ("monolingual", "yor_Latn"),
        ("bilingual", "eng_Latn-kat_Geor"),
        ("bilingual", "eng_Latn-yor_Latn"),
    ]


def test_code_takes_part_whatever_the_languages(corpus):
    chosen = select(corpus, languages=["yor_Latn"], components=["monolingual", "code"])
    assert labels(chosen) == [("monolingual", "yor_Latn"), ("code", "python")]


def test_a_language_that_is_not_there_lists_the_nearest(corpus):
    with pytest.raises(LanguageError, match="tiny has no text in 'yor_Arab'; nearest: yor_Latn"):
        select(corpus, languages=["yor_Arab"])


def test_a_member_of_a_macrolanguage_is_named_but_not_taken(corpus):
    with pytest.raises(LanguageError, match="no text in 'swh_Latn', but in 'swa_Latn'"):
        select(corpus, languages=["swh_Latn"])


def test_a_replay_language_needs_monolingual_text(corpus):
    with pytest.raises(LanguageError, match="no text in 'kat_Geor'"):
        select(corpus, replay_languages=["kat_Geor"])


def test_nothing_but_replay_is_refused(corpus):
    with pytest.raises(
        LanguageError, match="no monolingual text to train on beside the replay languages"
    ):
        select(
            corpus,
            languages=["eng_Latn"],
            components=["monolingual"],
            replay_languages=["eng_Latn"],
        )


def test_a_language_only_in_a_component_left_out_is_not_there(corpus):
    with pytest.raises(LanguageError, match="no text in 'kat_Geor'"):
        select(corpus, languages=["kat_Geor"], components=["monolingual"])
