"""Our own identifier names parts of a text with the whole."""

import random
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from emma500.languages.identification.identifiers import Parting
from emma500.languages.identification.langid_identifier import LangidIdentifier
from emma500.languages.identification.linear.identifier import LanguageIdentifier
from emma500.languages.identification.linear.kernel import cut_parts
from emma500.languages.writing.strings import buffers

SWEDISH = "Alla människor är födda fria och lika i värde och rättigheter, och de är utrustade med förnuft. "
FINNISH = (
    "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan kuten tiedetään. "
)
RUSSIAN = "Все люди рождаются свободными и равными в своём достоинстве и правах, как известно. "  # noqa: RUF001


@pytest.fixture(scope="module")
def identifier():
    return LanguageIdentifier.load()


def test_the_parts_of_a_text_are_named_with_it(identifier):
    texts = [SWEDISH * 4, SWEDISH * 4 + FINNISH * 3, SWEDISH * 40 + RUSSIAN * 16]
    labels, scores, parts = identifier.identify_parts(pa.array(texts), 8)
    assert labels.to_pylist() == ["swe_Latn"] * 3
    assert min(scores.to_pylist()) > 0.9
    assert set(parts[0].as_py()) == {"swe_Latn"}
    assert len(parts[0]) == 6  # 388 characters
    mixed = parts[1].as_py()
    assert len(mixed) == 8
    assert mixed[:4] == ["swe_Latn"] * 4
    assert mixed[-3:] == ["fin_Latn"] * 3
    assert parts[2].as_py()[-1] == "rus_Cyrl"  # a part may be in another script than the whole


def test_short_and_missing_texts_and_texts_without_letters_have_no_parts(identifier):
    labels, _, parts = identifier.identify_parts(
        pa.array([None, "", "kort text", "12 %", SWEDISH]), 8
    )
    assert labels.to_pylist()[0] is None
    assert [len(each) for each in parts] == [0] * 5
    assert identifier.identify_parts(pa.array([], pa.string()), 8)[2].to_pylist() == []


def test_the_whole_is_the_same_with_and_without_its_parts(identifier):
    words = (SWEDISH + FINNISH + RUSSIAN).split()
    draw = random.Random(7)
    texts = pa.array([" ".join(draw.choices(words, k=draw.randint(1, 400))) for _ in range(300)])
    labels, scores = identifier.identify(texts)
    with_parts = identifier.identify_parts(texts, 8)
    assert with_parts[0].to_pylist() == labels.to_pylist()
    assert np.allclose(with_parts[1], scores, atol=1e-3)
    alone = [identifier.identify_parts(texts.slice(each, 1), 8)[2][0] for each in range(0, 300, 37)]
    assert alone == [with_parts[2][each] for each in range(0, 300, 37)]


def test_parts_are_the_text_cut_between_words():
    texts = [RUSSIAN * 3, "a" * 900, "", "界" * 70 + " " + "世" * 70, "ett två"]
    data, offsets = buffers(pa.array(texts, pa.large_string()))
    bounds, counts = np.empty(8 * len(texts) + 1, np.int64), np.empty(len(texts), np.int64)
    n_parts = cut_parts(data, offsets, 8, 60, bounds, counts)
    assert counts.sum() == n_parts
    assert bounds[0] == 0
    parts = [bytes(data[a:b]).decode() for a, b in pairwise(bounds[: n_parts + 1])]
    ends = np.cumsum(counts)
    found = [parts[end - n : end] for end, n in zip(ends, counts, strict=True)]
    assert ["".join(each) for each in found] == texts
    assert counts[0] == 4
    assert all(part.startswith(" ") for part in found[0][1:])
    assert found[3] == ["界" * 70, " " + "世" * 70]
    assert counts[2] == counts[4] == 1


def test_only_an_identifier_that_names_parts_is_asked_for_them(identifier):
    assert isinstance(identifier, Parting)
    assert not isinstance(LangidIdentifier(), Parting)
    assert pc.is_null(
        identifier.identify_parts(pa.array([None], pa.string()), 8)[0]
    ).to_pylist() == [True]
