"""The batched langid gives the answers of langid itself."""

import pyarrow as pa
import pytest
from langid import langid

from emma500.languages.codes import Language
from emma500.languages.identification import LangidIdentifier


@pytest.fixture(scope="module")
def passages():
    from emma500.sources.embedded import gflanguages_passages

    pytest.importorskip("gflanguages", reason="gflanguages is not installed (extra demo)")
    return [row.text for row in gflanguages_passages()]


def test_the_answers_are_langids_own_on_real_texts(passages):
    texts = passages[::9]
    original = langid.LanguageIdentifier.from_modelstring(langid.model, norm_probs=True)
    expected = [original.classify(text) for text in texts]
    labels, scores = LangidIdentifier().identify(pa.array(texts))
    assert labels.to_pylist() == [Language.parse(code).iso639_3 for code, _ in expected]
    assert scores.to_pylist() == pytest.approx([score for _, score in expected], abs=1e-6)


def test_a_verdict_does_not_depend_on_the_texts_beside_it(passages):
    identifier, texts = LangidIdentifier(), passages[:50]
    labels, scores = identifier.identify(pa.array(texts))
    alone = [identifier.identify(pa.array([text])) for text in texts]
    assert labels.to_pylist() == [label[0].as_py() for label, _ in alone]
    assert scores.to_pylist() == [score[0].as_py() for _, score in alone]


def test_slices_nulls_and_empty_texts():
    texts = pa.array(["Das ist ein deutscher Satz.", None, "", "Ceci est une phrase en français."])
    labels, scores = LangidIdentifier().identify(texts)
    expected = langid.classify("")[0]
    assert labels.to_pylist() == ["deu", None, Language.parse(expected).iso639_3, "fra"]
    assert scores.to_pylist()[1] is None
    assert LangidIdentifier().identify(texts[3:])[0].to_pylist() == ["fra"]
    assert LangidIdentifier().identify(pa.array([], pa.string()))[0].to_pylist() == []
    assert LangidIdentifier().identify(pa.array(["", ""]))[0].to_pylist() == [labels[2].as_py()] * 2


def test_it_knows_macrolanguages_by_their_members_and_the_other_way_round():
    identifier = LangidIdentifier()
    assert len(identifier.labels) == 97
    assert {"swa", "eng", "zho"} <= identifier.labels
    assert identifier.knows("swa")
    assert identifier.knows("swh")
    assert identifier.knows("hbs")
    assert not identifier.knows("yor")
    assert not identifier.knows("und")
