"""Small files of text that many tests build a corpus from."""

import json

import pytest

SWAHILI = (
    "Watu wote wamezaliwa huru, hadhi na haki zao ni sawa. Wote wamejaliwa akili na dhamiri,"
    " hivyo yapasa watendeane kindugu kila siku ya {}."
)
YORUBA = (
    "Gbogbo ènìyàn ni a bí ní òmìnira; iyì àti ẹ̀tọ́ kọ̀ọ̀kan sì dọ́gba."
    " Wọ́n ní ẹ̀bùn ti làákàyè àti ti ẹ̀rí-ọkàn ní ọjọ́ {}."
)
THAI = "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม {}"
NUMBERS = (
    "moja",
    "mbili",
    "tatu",
    "nne",
    "tano",
    "sita",
    "saba",
    "nane",
    "tisa",
    "kumi",
    "simba",
    "chui",
    "twiga",
)


TEMPLATES = {"yo": YORUBA, "tha": THAI}


def _rows(code, n):
    """N documents that are no near-duplicates of each other: each has words of its own."""
    for number in range(n):
        own = " ".join(f"{word}{number}" for word in NUMBERS)
        yield {"text": TEMPLATES.get(code, SWAHILI).format(number) + "\n" + own, "lang": code}


def _write_jsonl(path, records):
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def rows():
    return _rows


@pytest.fixture
def write_jsonl():
    return _write_jsonl


@pytest.fixture
def jsonl(tmp_path):
    """A file of 30 Swahili, 12 Yoruba and 3 Thai documents."""
    records = [*_rows("swh", 30), *_rows("yo", 12), *_rows("tha", 3)]
    return _write_jsonl(tmp_path / "texts.jsonl", records)
