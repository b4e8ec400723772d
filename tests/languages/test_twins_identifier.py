"""Twins: pairs of labels told apart by weights of their own."""

import random

import numpy as np
import pyarrow as pa
import pytest

from emma500.languages.identification.linear.corpus import TrainingConfig
from emma500.languages.identification.linear.identifier import LanguageIdentifier
from emma500.languages.identification.linear.twins import TWINS
from emma500.languages.identification.linear.twins_kernel import tell_apart

SMALL = TrainingConfig(features=4000, dimensions=16, steps=10_000, candidates=1500, seed=3)
SHARED = [
    "grad", "voda", "ruka", "noga", "dan", "nebo", "kuća", "more", "put", "brat", "sestra", "knjiga", "sunce", "riba",
]  # fmt: skip
TOPIC = [
    "virus", "bolest", "lijek", "liječnik", "zaraza", "cjepivo", "bolnica", "groznica", "kašalj", "pacijent",
]  # fmt: skip


def rows(label, source, marks, words, number):
    """Return texts of words, one in six of which is one that only the label has."""
    rng = random.Random(f"{label} {source}")
    return [
        (" ".join(rng.choice(marks if rng.random() < 1 / 6 else words) for _ in range(30)), label, source)
        for _ in range(number)
    ]  # fmt: skip


def table(*parts):
    columns = zip(*(row for part in parts for row in part), strict=True)
    return pa.table(dict(zip(("text", "label", "source"), map(list, columns), strict=True)))


BOTH = (
    rows("bos_Latn", "news", ["vazduh", "sedmica", "historija"], SHARED, 60),
    rows("hrv_Latn", "news", ["zrak", "tjedan", "povijest"], SHARED, 60),
    rows("swe_Latn", "news", ["och"], ["stad", "vatten", "hand", "fot", "dag", "himmel", "hus", "hav", "bror"], 60),
)  # fmt: skip
ONE_SIDED = rows("hrv_Latn", "medicine", ["zrak", "tjedan", "povijest"], TOPIC, 400)


@pytest.fixture(scope="module")
def trained():
    return LanguageIdentifier.train(table(*BOTH, ONE_SIDED), config=SMALL)


def best(identifier, texts):
    labels = identifier.restricted(identifier.labels).identify(pa.array(texts))[0]
    return labels.to_pylist()


def test_what_a_source_of_one_twin_is_about_does_not_speak_for_it(trained):
    texts = ["virus bolest vazduh bolnica sedmica lijek", "virus bolest zrak bolnica tjedan lijek"]
    assert best(trained, texts) == ["bos_Latn", "hrv_Latn"]
    one, two = (trained.model.labels[each] for each in trained.model.twins.pairs[0])
    assert (one, two) == ("bos_Latn", "hrv_Latn")


def test_twins_without_text_from_one_source_are_not_learned():
    apart = [(text, label, label) for part in BOTH for text, label, _ in part]
    model = LanguageIdentifier.train(table(apart), config=SMALL).model
    assert model.twins.pairs.shape == (0, 2)


def test_a_saved_model_tells_twins_apart_as_before(trained, tmp_path):
    again = LanguageIdentifier.load(trained.save(tmp_path))
    texts = [text for part in BOTH for text, _, _ in part]
    assert again.identify(pa.array(texts))[0] == trained.identify(pa.array(texts))[0]
    assert again.model.digest == trained.model.digest
    assert "`bos_Latn` and `hrv_Latn`" in (tmp_path / "README.md").read_text(encoding="utf-8")


def twins_of(*pairs, weights):
    return (
        np.array(pairs, np.int64),
        np.array([np.full(4, each) for each in weights], np.int8),
        np.ones(len(pairs), np.float32),
    )


def compared(scores, twins, excluded=()):
    scores = np.array(scores, np.float32)
    barred = np.isin(np.arange(len(scores)), excluded)
    hashes = np.arange(4, dtype=np.uint32)
    tell_apart(hashes, 4, twins, np.zeros(len(scores), np.float32), barred, 0, scores)
    return scores


def test_two_twins_keep_the_probability_they_have_together():
    before = np.array([3.0, 1.0, 2.5])
    after = compared(before, twins_of((0, 1), weights=[-2]))
    assert after.argmax() == 1
    assert after[2] == 2.5
    assert np.exp(after[:2]).sum() == pytest.approx(np.exp(before[:2]).sum(), rel=1e-5)
    assert after[0] - after[1] == pytest.approx(-4, rel=1e-5)


def test_the_better_of_two_twins_meets_its_own_twins():
    twins = twins_of((0, 1), (1, 2), weights=[-3, -3])
    assert compared([3, 1, 0, -5], twins).argmax() == 2
    assert compared([3, 1, 0, -5], twins, excluded=[1]).argmax() == 0


def test_labels_that_are_not_the_best_are_left_alone():
    scores = [1, 0.5, 3]
    assert compared(scores, twins_of((0, 1), weights=[-5])).tolist() == scores


def test_a_pair_is_two_labels_of_one_script_in_order_and_named_once():
    assert all(one < two and one[4:] == two[4:] for one, two in TWINS)
    assert list(TWINS) == sorted(set(TWINS))
