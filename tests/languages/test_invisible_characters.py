# ruff: noqa: RUF001  letters of other scripts are what is tested
"""Joiners, marks and spaces that nobody sees: where they are orthography they stay, elsewhere they go."""

import unicodedata

import pytest

from tests.languages.normalised import LRM, RLM, VS16, WJ, ZWJ, ZWNJ, ZWSP, normalised


def stays(value):
    return normalised(value) == unicodedata.normalize("NFC", value)


@pytest.mark.parametrize(
    "value",
    [
        f"می{ZWNJ}خواهم",  # Persian: inside a word
        f"HTML{ZWNJ}ها ۵{ZWNJ}ساله",  # and before a suffix
        f"۱۴۰۲ ه{ZWJ} ش",  # the initial form alone
        f"क्{ZWJ}ष क्{ZWNJ}ष र्{ZWJ}य",  # half letter, virama seen, eyelash
        f"অর্থাত্{ZWJ} র{ZWJ}্য ত্{ZWNJ}",
        f"ශ්{ZWJ}රී",
        f"അവന്{ZWJ} പാല്{ZWJ}",
        f"ಸಾಫ್ಟ್{ZWNJ}ವೇರ್ ರ{ZWJ}್ಕ",
        f"సాఫ్ట్{ZWNJ}వేర్",
        f"ប៊{ZWNJ}ី",
        f"ߒߞߏ{ZWNJ}ߛ ߏ{ZWJ}",
        f"ܐ{ZWNJ}ܒ",
        f"וֹ{ZWNJ}א",
        "ᠮᠣᠩᠭᠣᠯ\u202fᠤᠨ ᠬᠠᠭᠠᠨ\u180eᠠ ᠭ\u180bᠠ",  # suffix space, vowel separator, variant
        f"ក្រុម{ZWSP}ហ៊ុន{ZWSP}ABC ไทย{ZWSP}คำ ကို{WJ}က",
        "\u1780\u17b4\u1781\u17b5",  # Khmer inherent vowels
        f"אב{RLM}! (C++{LRM}) ב",
        "قال \u2067abc\u2069 ثم\u061c 5",
        f"👩{ZWJ}🚀 ❤{VS16}{ZWJ}🔥 🏳{VS16}{ZWJ}🌈 1{VS16}\u20e3 🙂{ZWJ}↔{VS16}",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "葛\U000e0100 ≨︀ ꡂ\ufe00",
        "བོད་ཀྱི་ཡིག།",
        "a\u034fb ᄒᅠ",
        "\ufffd",
    ],
)
def test_invisible_characters_stay_where_they_are_orthography(value):
    assert stays(value)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (f"Auf{ZWNJ}lage fi{ZWJ}t сло{ZWNJ}во λό{ZWJ}γος", "Auflage fit слово λόγος"),
        (f"漢{ZWSP}字 カ{ZWJ}ナ 한{ZWNJ}글", "漢字 カナ 한글"),
        (f"web{ZWSP}site a{WJ}b", "website ab"),
        (f"ก {ZWSP} ข{ZWSP} ค{ZWSP}", "ก ข ค"),  # beside white space it parts nothing
        (f"می{ZWNJ}{ZWNJ}خواهم", f"می{ZWNJ}خواهم"),
        (f" {ZWNJ}خانه", "خانه"),
        (f"left{LRM} {RLM}\u202aand\u202c \u2066right\u2069", "left and right"),
        (f"שלום{RLM}\nhello{RLM}", f"שלום{RLM}\nhello"),  # by line
        (f"{VS16}a", "a"),
        ("a\u202fb !\u202f?", "a b ! ?"),
        ("a\u180eb", "ab"),
        ("x\U000e0068\U000e0069\U000e007f", "x"),  # text hidden in tags
        ("🏴\U000e0067\U000e0062", "🏴"),
        ("🏴" + "\U000e0061" * 9 + "\U000e007f", "🏴"),
        ("🏴" + "\U000e0061" * 7 + "\U000e007f", "🏴"),
        ("🏴" + "\U000e0061" * 2 + "\U000e007f", "🏴"),
        (f"🚀{ZWJ} x", "🚀 x"),
    ],
)
def test_invisible_characters_go_where_they_mean_nothing(value, wanted):
    assert normalised(value) == wanted
