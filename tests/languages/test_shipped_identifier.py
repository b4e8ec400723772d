"""How right the identifier that ships is, and what it says of itself."""

import pyarrow as pa
import pytest

from emma500.languages.identification.linear.identifier import LanguageIdentifier


@pytest.fixture(scope="module")
def shipped():
    return LanguageIdentifier.load()


def named(identifier, texts):
    return identifier.identify(pa.array(texts))[0].to_pylist()


def test_the_shipped_model_is_small_and_its_card_names_its_sources(shipped):
    from importlib.resources import files

    folder = files("emma500.languages.identification.linear") / "shipped"
    assert len((folder / "model.safetensors").read_bytes()) <= 5_500_000
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"| {name} |" in text for name in ("udhr", "tatoeba", "tico19"))
    assert shipped.model.digest[:16] in text
    assert not {"sib200", "ntrex", "xquad", "ebible"} & {
        source for each in shipped.model.card["bytes_by_source"].values() for source in each
    }


def test_the_shipped_model_is_right_on_sib200(shipped, shared):
    right = answered = total = 0
    for label in sorted(shipped.labels):
        folder = shared / "data" / "sib200" / label
        if folder.is_dir():
            lines = (folder / "test.tsv").read_text(encoding="utf-8").split("\n")[1:40]
            found = named(shipped, [line.split("\t")[2] for line in lines])
            right += sum(each == label for each in found)
            answered += sum(not each.startswith("und") for each in found)
            total += len(found)
    assert total > 5000
    assert right / total > 0.78
    assert right / answered > 0.85


def test_turkish_in_the_words_of_the_declaration_is_not_salar(shipped):
    article = "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler."  # noqa: RUF001
    assert named(shipped, [article]) == ["tur_Latn"]
    assert "slr_Latn" not in shipped.labels


def test_cantonese_is_told_from_mandarin(shipped):
    answers = named(
        shipped,
        [
            "今日好熱我哋去邊度食飯呀你話佢哋嚟唔嚟",
            "今天很熱我們去哪裡吃飯呢你說他們來不來",
        ],
    )
    assert [each[:3] for each in answers] == ["yue", "cmn"]


def test_twins_are_told_apart_by_words_of_one_of_them(shipped):
    texts = [
        "Općina ima 400.000 stanovnika, a sljedeće sedmice se otvara nova fabrika hljeba i mlijeka.",
        "Općina ima 400.000 stanovnika, a sljedeći tjedan se otvara nova tvornica kruha i mlijeka.",
        "الراجل ده مش عايز يروح الشغل النهارده علشان تعبان.",
        "لا يريد هذا الرجل أن يذهب إلى العمل اليوم لأنه متعب.",
        "Men bu kitapnı tünevin oqudım ve pek begendim.",  # noqa: RUF001
        "Bu kitabı ben dün okumuştum.",  # noqa: RUF001
    ]
    found = named(shipped.restricted(shipped.labels), texts)
    assert [each[:3] for each in found] == ["bos", "hrv", "arz", "arb", "crh", "tur"]


def test_it_covers_six_hundred_languages(shipped):
    assert len({label[:3] for label in shipped.labels}) >= 600
