# ruff: noqa: RUF001  letters of other scripts are what is tested
"""Entities and mojibake: what is mended, and what only looks as if it had to be."""

import sys
import time

import numpy as np
import pyarrow as pa
import pytest

from emma500.errors import MissingExtraError
from emma500.languages.writing import normalisation
from emma500.languages.writing.mending import decoded
from emma500.languages.writing.normalisation import normalise
from tests.languages.normalised import ZWNJ, normalised


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("AT&amp;T &lt;b&gt; caf&eacute; &#233; &#xE9; &hellip;", "AT&T <b> café é é …"),
        ("a&nbsp;&nbsp;b&shy;c&ensp;", "a bc"),
        ("&amp;amp;lt; &#38;amp; &amp;eacute;", "< & é"),  # an entity in an entity too
        ("&#146;", "’"),
        ("e&#x301;", "é"),
        ("می&zwnj;خواهم Auf&zwnj;lage", f"می{ZWNJ}خواهم Auflage"),
    ],
)
def test_entities_are_decoded_until_none_is_left(value, wanted):
    assert normalised(value) == wanted


@pytest.mark.parametrize(
    "value",
    [
        "R&B; Tom & Jerry",
        "?a=1&copy=2&lt=3",
        "&nosuch; &;",
        "&#; &#x; &#xD800; &#0; &#9999999;",
        "&ammp;",
        "& amp;",
    ],
)
def test_what_is_no_entity_stays(value):
    assert normalised(value) == value


def test_nested_ampersands_take_no_time():
    start = time.process_time()
    assert decoded("&" + "amp;" * 100_000 + "lt;") == "<"
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("schÃ¶n, donâ€™t", "schön, don’t"),
        ("РџСЂРёРІРµС‚, РјРёСЂ", "Привет, мир"),
        ("caf√© d√©j√†", "café déjà"),
        ("spÃ\x83Â©cial", "spécial"),
        ("Ã&copy;t&Atilde;&copy;", "été"),
    ],
)
def test_mojibake_is_repaired_if_asked_for(value, wanted):
    pytest.importorskip("ftfy")
    assert normalised(value, repair=True) == wanted
    assert normalised(value) != wanted


@pytest.mark.parametrize(
    "value",
    [
        "’a ʼa “b” ﬁ Ａ，！ ¿Ñ? SÃO PAULO Â gingo",
        "yáˆ téeˈ˜ TAKPEKPEGÃ LE GBEƑÃ",  # ftfy alone would spoil these
        "Він Сіль її «Різдво» Спаß“ É” à»",
    ],
)
def test_what_only_looks_like_mojibake_stays(value):
    pytest.importorskip("ftfy")
    assert normalised(value, repair=True) == value


def test_texts_that_cannot_be_mojibake_never_reach_the_slow_repair():
    texts = [
        "Сіль і Різдво, Від Рівного до Сєвєродонецька",
        "Œuvre: « déjà » É.",
        "ÄÖÜ ß São Ñandú",
        "Ḥā",
    ]
    found = normalisation._inspected(pa.array(texts), np.zeros(len(texts), bool), is_repaired=True)
    assert found.tolist() == [0] * len(texts)


def test_repair_without_ftfy_says_what_to_install(monkeypatch):
    from emma500.languages.writing.mending import repairer

    repairer.cache_clear()
    monkeypatch.setitem(sys.modules, "ftfy", None)
    with pytest.raises(MissingExtraError, match=r"emma500\[repair\]"):
        normalise(["a"], repair_mojibake=True)
    repairer.cache_clear()
