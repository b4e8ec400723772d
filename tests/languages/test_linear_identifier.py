"""Our own identifier: a small one trained here, and the one that ships."""

import pickle
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from emma500.errors import ConfigError, LanguageError, SourceError
from emma500.languages.identification.linear.corpus import TrainingConfig
from emma500.languages.identification.linear.features import (
    folding_of_this_python,
    packed,
    unpacked,
)
from emma500.languages.identification.linear.identifier import LanguageIdentifier
from emma500.languages.identification.linear.kernel import hash_features
from emma500.languages.identification.linear.scoring import SAMPLE_BYTES
from emma500.sources.embedded import embedded_source, gflanguages_passages

LANGUAGES = {
    "sv": "swe_Latn", "fi": "fin_Latn", "es": "spa_Latn", "it": "ita_Latn", "tr": "tur_Latn", "cy": "cym_Latn",
    "ru": "rus_Cyrl", "bg": "bul_Cyrl", "uk": "ukr_Cyrl", "kk": "kaz_Cyrl", "ar": "arb_Arab", "hi": "hin_Deva",
}  # fmt: skip
SMALL = TrainingConfig(features=8000, dimensions=16, steps=20_000, candidates=1500, seed=3)


@pytest.fixture(scope="module")
def texts():
    """The messages of Django in twelve languages, two sources a language."""
    rows: dict[str, list[str]] = defaultdict(list)
    for task in embedded_source("django").tasks():
        for batch in task.read():
            locale = batch.column("target_original_code")[0].as_py()
            if locale in LANGUAGES:
                rows[LANGUAGES[locale]] += batch.column("target_text").to_pylist()
    columns: dict[str, list[str]] = {"text": [], "label": [], "source": []}
    for label, messages in sorted(rows.items()):
        for at in range(0, len(messages), 12):
            columns["text"].append(" ".join(messages[at : at + 12]))
            columns["label"].append(label)
            columns["source"].append("django" if at % 24 else "gettext")
    return pa.table(columns)


@pytest.fixture(scope="module")
def small(texts):
    return LanguageIdentifier.train(texts, config=SMALL)


@pytest.fixture(scope="module")
def passages():
    """What gflanguages has in the same languages: text the small one was not trained on."""
    found = {f"{code}_{label[4:]}": label for code, label in LANGUAGES.items()}
    rows = [(row.text, found[row.code]) for row in gflanguages_passages() if row.code in found]
    return [text for text, _ in rows], [label for _, label in rows]


@pytest.fixture(scope="module")
def shipped():
    return LanguageIdentifier.load()


def named(identifier, texts):
    return identifier.identify(pa.array(texts, pa.string()))[0].to_pylist()


def hashes(text):
    data = np.frombuffer(text.encode(), np.uint8)
    out = np.zeros(7 * len(data) + 16, np.uint32)
    return out[: hash_features(data, 0, len(data), folding_of_this_python(), out)].tolist()


def test_training_on_messages_names_prose_in_the_same_languages(small, passages):
    texts, labels = passages
    found = named(small.restricted(small.labels), texts)
    assert np.mean([one == two for one, two in zip(found, labels, strict=True)]) > 0.9


def test_training_twice_gives_the_same_bytes(small, texts):
    again = LanguageIdentifier.train(texts.to_batches(max_chunksize=7), config=SMALL)
    assert again.model.to_bytes() == small.model.to_bytes()
    assert again.fingerprint() == small.fingerprint()


def test_another_seed_gives_another_model(small, texts):
    other = LanguageIdentifier.train(texts, config=TrainingConfig(
        features=8000, dimensions=16, steps=2000, candidates=1500, seed=4
    ))  # fmt: skip
    assert other.fingerprint() != small.fingerprint()


def test_a_saved_model_answers_as_before(small, passages, tmp_path):
    small.save(tmp_path / "model")
    assert (tmp_path / "model" / "README.md").read_text().startswith("---\nlibrary_name: emma500")
    for path in (tmp_path / "model", tmp_path / "model" / "model.safetensors"):
        again = LanguageIdentifier.load(path)
        for one, two in zip(again.identify(passages[0]), small.identify(passages[0]), strict=True):
            assert one.equals(two)
        assert again.fingerprint() == small.fingerprint()


def test_a_pickled_identifier_answers_as_before(small, passages):
    again = pickle.loads(pickle.dumps(small))
    assert again.identify(passages[0])[1].equals(small.identify(passages[0])[1])


def test_an_answer_depends_on_its_text_alone(shipped, passages):
    texts = [*passages[0], "", None, "12", *(text * 40 for text in passages[0][:9])]
    labels, scores = shipped.identify(pa.array(texts))
    for place in range(0, len(texts), 3):
        label, score = shipped.identify(pa.array(texts[place : place + 1], pa.string()))
        assert (label[0].as_py(), score[0].as_py()) == (
            labels[place].as_py(),
            scores[place].as_py(),
        )


def test_slices_and_large_strings_give_the_same_answers(shipped, passages):
    whole = pa.array(passages[0], pa.large_string())
    labels, scores = shipped.identify(whole)
    sliced_labels, sliced_scores = shipped.identify(whole[3:9].cast(pa.string()))
    assert sliced_labels.equals(labels[3:9])
    assert sliced_scores.equals(scores[3:9])


def test_null_stays_null_and_what_has_no_letters_is_no_language(shipped):
    labels, scores = shipped.identify(pa.array([None, "", "  \n\t", "3.14 — 2,71", "🙂🙃", "￿"]))
    assert labels.to_pylist()[:5] == [None, *["zxx_Zyyy"] * 4]
    assert scores.to_pylist()[:5] == [None, 1, 1, 1, 1]
    assert labels.to_pylist()[5][:3] in ("und", "zxx")
    assert [len(each) for each in shipped.identify(pa.array([], pa.string()))] == [0, 0]


def test_every_single_character_is_answered(shipped):
    characters = [chr(point) for point in range(1, 0x30000, 37) if not 0xD800 <= point < 0xE000]
    labels, scores = shipped.identify(pa.array(characters))
    assert labels.null_count == scores.null_count == 0
    assert 0 <= np.min(scores.to_numpy()) <= np.max(scores.to_numpy()) <= 1


def test_a_huge_text_is_looked_at_in_windows_from_its_begin_to_its_end(shipped):
    swedish = "Alla människor är födda fria och lika i värde och rättigheter. "
    russian = "Все люди рождаются свободными и равными в своём достоинстве и правах. "  # noqa: RUF001
    huge = swedish * 100_000
    noisy = "a" * 5_000_000
    assert named(shipped, [huge, swedish + russian * 2000]) == ["swe_Latn", "rus_Cyrl"]
    assert named(shipped, [noisy])[0].endswith("_Latn")


def test_text_of_just_over_the_sample_is_not_cut_within_a_character(shipped):
    for size in range(SAMPLE_BYTES - 3, SAMPLE_BYTES + 8):
        labels, _ = shipped.identify(pa.array(["ж" * (size // 2) + "a" * (size % 2), "界" * size]))
        assert labels.null_count == 0


def test_no_answer_is_in_a_script_the_text_is_not_in(shipped):
    texts = [
        "Ännu en mening på svenska",
        "ещё одно предложение",
        "यह एक वाक्य है",
        "これは日本語の文です。",
        "ქართული",
    ]
    answers = named(shipped, texts)
    assert [each[4:] for each in answers] == ["Latn", "Cyrl", "Deva", "Jpan", "Geor"]


def test_a_script_no_label_has_is_und_in_that_script(small):
    labels, scores = small.identify(pa.array(["ქართული ენა", "ภาษาไทย"]))
    assert labels.to_pylist() == ["und_Geor", "und_Thai"]
    assert scores.to_pylist() == [0, 0]


def test_a_language_alone_in_its_script_keeps_features_in_a_small_model(texts):
    greek = {"text": ["Καλημέρα κόσμε, τι κάνεις σήμερα;"], "label": ["ell_Grek"], "source": [""]}
    few = replace(SMALL, features=400, steps=4000)
    found = LanguageIdentifier.train(pa.concat_tables([texts, pa.table(greek)]), config=few)
    assert named(found.restricted(found.labels), ["τι κάνεις;"]) == ["ell_Grek"]


def test_code_and_noise_are_no_language(shipped):
    code = "for (int i = 0; i < n; i++) { sum += a[i]; } if (x == NULL) { return -1; }"
    markup = '<div class="row"><span id="a1">x</span><td></td><tr></tr><br/></div>' * 3
    noise = "aGVsbG8gd29ybGQgZm9vYmFy0k3J9xQ2Zt8PqLmN7vB1cXyUeRwSdFgHjKlZxCvBnM" * 3
    assert [each[:3] for each in named(shipped, [code, markup, noise])] == ["zxx"] * 3


def test_labels_can_be_confined_and_scores_are_then_among_them(small, passages):
    narrow = small.restricted(frozenset({"spa_Latn", "ita_Latn", "xxx_Latn"}))
    assert narrow.labels == {"spa_Latn", "ita_Latn"}
    assert set(named(narrow, passages[0])) <= {
        "spa_Latn",
        "ita_Latn",
        *(f"und_{s}" for s in ("Cyrl", "Arab", "Deva")),
    }
    assert narrow.knows("spa")
    assert not narrow.knows("swe")
    assert narrow.fingerprint() != small.fingerprint()
    with pytest.raises(LanguageError, match="none of the labels"):
        small.restricted(frozenset({"deu_Latn"}))


def test_priors_move_an_even_answer(small):
    word = ["no"]
    both = small.restricted(frozenset({"spa_Latn", "ita_Latn"}))
    assert named(both.with_priors({"spa_Latn": 1e9}), word) == ["spa_Latn"]
    assert named(both.with_priors({"ita_Latn": 1e9}), word) == ["ita_Latn"]
    with pytest.raises(LanguageError, match="over 0"):
        small.with_priors({"spa_Latn": 0})
    with pytest.raises(LanguageError, match="deu_Latn"):
        small.with_priors({"deu_Latn": 2})


def test_knowing_is_aware_of_macrolanguages(shipped):
    assert shipped.knows("swe")
    assert shipped.knows("zho")
    assert shipped.knows("cmn")
    assert not shipped.knows("vol")
    assert all(label[3] == "_" and label[:3] not in ("zxx", "und") for label in shipped.labels)


def test_the_features_of_a_word_do_not_depend_on_case_or_apostrophe():
    assert hashes("L'Été") == hashes("l\u2019été")
    assert hashes("(Hej)!") == hashes("hej")
    assert hashes("'hej'") == hashes("hej")
    assert hashes("no, no") == 2 * hashes("no")
    assert len(hashes("ab")) == len({"a", "_a", "b", "ab", "_ab", "b_", "ab_", "_ab_"})
    assert hashes("x=1")[-1] != hashes("x=(")[-1]
    assert hashes("می\u200cشود") != hashes("می شود")


def test_the_folding_survives_packing():
    folding = folding_of_this_python()
    assert (unpacked(packed(folding)) == folding).all()
    assert len(packed(folding)) < 6000


@pytest.mark.parametrize(
    "table", [{"text": ["a"], "label": ["swe_Latn"]}, {"text": [], "label": []}]
)
def test_training_needs_two_labels(table):
    with pytest.raises(SourceError, match="two labels or more"):
        LanguageIdentifier.train(
            pa.table(table).cast(pa.schema([("text", pa.string()), ("label", pa.string())]))
        )


def test_training_needs_its_columns():
    with pytest.raises(SourceError, match="label"):
        LanguageIdentifier.train(pa.table({"text": ["a"]}))


def test_two_lines_are_enough_to_train_something_that_does_not_crash():
    table = pa.table(
        {"text": ["hej på dig", "привет", None], "label": ["swe_Latn", "rus_Cyrl", None]}
    )
    tiny = LanguageIdentifier.train(table, config=TrainingConfig(steps=100, dimensions=4))
    assert named(tiny, ["hej", "привет", "12"]) == ["swe_Latn", "rus_Cyrl", "zxx_Zyyy"]


@pytest.mark.parametrize(
    "options", [{"dimensions": 3}, {"steps": 0}, {"dropout": 1.0}, {"max_characters": 5}]
)
def test_a_setting_that_breaks_its_rule_is_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        TrainingConfig(**options)


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no model at"):
        LanguageIdentifier.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not a model")
    with pytest.raises(SourceError, match="cannot be read"):
        LanguageIdentifier.load(tmp_path)


def test_the_repr_says_what_it_is(shipped):
    assert repr(shipped).startswith("LanguageIdentifier('emma500': ")
