"""Pairs of sentences: two files of the same lines, TMX, two columns, a column of both sides."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emma500.errors import SourceError
from emma500.sources.listing import pair_in_path
from tests.sources.rows import opened, read, seen

SIDES = ("original_code", "text", "target_original_code", "target_text", "reason")


@pytest.fixture
def write(tmp_path):
    def write(name, data):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write


def test_two_files_side_by_side_are_pairs_and_their_source_is_bilingual(write):
    write("corpus.sw", "Habari\r\nAsante\n")
    path = write("corpus.en", "Hello\nThank you")
    assert opened(path.parent).info.component == "bilingual"
    rows = read(path.parent)
    assert seen(rows, "origin", *SIDES) == [
        ("corpus:1", "en", "Hello", "sw", "Habari", None),
        ("corpus:2", "en", "Thank you", "sw", "Asante", None),
    ]
    assert {row["component"] for row in rows} == {"bilingual"}


def test_the_name_of_two_files_says_which_side_is_first(write):
    write("Europarl.fr-pl.pl.gz", gzip.compress("Dzień dobry\n".encode()))
    path = write("Europarl.fr-pl.fr.gz", gzip.compress(b"Bonjour\n"))
    assert seen(read(path.parent), *SIDES) == [("fr", "Bonjour", "pl", "Dzień dobry", None)]


def test_of_several_files_of_one_stem_each_is_paired_with_the_english_one(write):
    for code, text in (("amh_Ethi", "ሰላም"), ("eng_Latn", "Hello")):
        write(f"dev.{code}", text + "\n")
    path = write("dev.swh_Latn", "Habari\n")
    assert seen(read(path.parent), "origin", "original_code", "target_original_code") == [
        ("dev.eng_Latn-amh_Ethi:1", "eng_Latn", "amh_Ethi"),
        ("dev.eng_Latn-swh_Latn:1", "eng_Latn", "swh_Latn"),
    ]


def test_files_of_different_length_are_no_pair(write):
    write("c.en", "one\ntwo\nthree\n")
    path = write("c.sw", "moja\nmbili\n")
    with pytest.raises(
        SourceError, match=r"c\.en has 3 lines and .*c\.sw 2: line by line they are no"
    ):
        read(path.parent)


def test_source_files_whose_endings_are_language_codes_are_no_pair(write):
    write("main.ml", "let x = 1\n")
    path = write("main.mli", "val x : int\n")
    with pytest.raises(SourceError, match="holds no readable file"):
        read(path.parent)


def test_a_bad_line_of_a_pair_costs_its_own_pair_alone(write):
    lines = [b"one", b"caf\xe9", b"", b"x" * 3000, b"five"]
    write("c.en", b"\n".join(lines) + b"\n")
    path = write("c.sw", b"moja\nmbili\ntatu\nnne\ntano\n")
    assert seen(
        read(path.parent, max_document_bytes=1000), "origin", "text", "target_text", "reason"
    ) == [
        ("c:1", "one", "moja", None),
        ("c:2", None, None, "invalid_utf8"),
        ("c:3", None, None, "no_text"),
        ("c:4", None, None, "too_long"),
        ("c:5", "five", "tano", None),
    ]


def test_lines_stay_side_by_side_however_the_files_are_cut(write):
    write("c.en", "".join(f"line {n} {'x' * (n % 90)}\n" for n in range(5000)))
    path = write("c.sw", "".join(f"mstari {n}\n" for n in range(5000)))
    for limit in (100, 1000, 2**20):
        rows = read(path.parent, max_document_bytes=limit)
        assert [row["target_text"] for row in rows] == [f"mstari {n}" for n in range(5000)]
        assert all(row["text"].split()[1] == row["target_text"].split()[1] for row in rows)
        assert rows[4999]["origin"] == "c:5000"


PAIRS = [("Hello", "Habari"), ("Thank you", "Asante")]
WANTED = [("en", "Hello", "sw", "Habari", None), ("en", "Thank you", "sw", "Asante", None)]


def as_lines(records):
    return "".join(json.dumps(each) + "\n" for each in records)


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("a.jsonl", [{"translation": {"sw": sw, "en": en}} for en, sw in PAIRS]),
        ("set.en-sw.jsonl", [{"src": en, "tgt": sw} for en, sw in PAIRS]),
        ("a.jsonl", [{"source_text": en, "target_text": sw, "source_lang": "en", "target_lang": "sw"}
                     for en, sw in PAIRS]),
    ],
)  # fmt: skip
def test_pairs_are_found_by_the_usual_columns_in_json_and_parquet(write, tmp_path, name, records):
    assert seen(read(write(name, as_lines(records))), *SIDES) == WANTED
    parquet = tmp_path / "parquet" / name.replace("jsonl", "parquet")
    parquet.parent.mkdir()
    pq.write_table(pa.Table.from_pylist(records), parquet)
    assert seen(read(parquet), *SIDES) == WANTED


@pytest.mark.parametrize(("name", "sign"), [("a.tsv", "\t"), ("a.csv", ",")])
def test_pairs_in_two_columns_called_by_their_languages(write, name, sign):
    text = "\n".join([f"en{sign}sw", *(f"{en}{sign}{sw}" for en, sw in PAIRS)])
    rows = read(write(name, text), columns=(("source", "en"), ("target", "sw")))
    assert seen(rows, *SIDES) == WANTED


def test_a_file_of_two_columns_without_a_header(write):
    path = write("wikimatrix.en-sw.tsv", "1.1\tHello\tHabari\n1.05\tThank you\tAsante\n")
    rows = read(path, column_names=("score", "src", "tgt"))
    assert seen(rows, *SIDES) == WANTED


def test_the_languages_of_pairs_can_be_said(write):
    path = write("a.jsonl", as_lines([{"src": en, "tgt": sw} for en, sw in PAIRS]))
    assert seen(read(path), "original_code", "target_original_code")[0] == ("und", "und")
    assert seen(read(path, language="en-sw"), *SIDES) == WANTED


def test_a_bad_pair_is_judged_the_same_alone_and_among_good_ones(write):
    bad = [
        (b'{"translation": {"en": "x"}}', "no_text"),
        (b'{"translation": {"en": "x", "sw": 7}}', "no_text"),
        (b'{"translation": null}', "no_text"),
        (b'{"translation": {"en": "x", "sw": "half \\ud83d"}}', "invalid_utf8"),
        (b'{"translation": {"en": "x", "sw": "caf\xe9"}}', "invalid_utf8"),
        (b'{"translation": ["x"]}', "no_text"),
        (b"{", "invalid_json"),
    ]
    good = b'{"translation": {"en": "Hello", "sw": "Habari"}}'
    for line, reason in bad:
        rows = read(write("a.jsonl", b"\n".join([good, line, good])))
        assert seen(rows, "text", "target_text", "reason") == [
            ("Hello", "Habari", None),
            (None, None, reason),
            ("Hello", "Habari", None),
        ], line


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("CCAligned.en-sw.tsv", ("en", "sw")),
        ("eng_Latn-yor_Latn", ("eng_Latn", "yor_Latn")),
        ("en-zh-Hant", ("en", "zh-Hant")),
        ("train.jsonl", ("und", "und")),
        ("pre-train", ("und", "und")),
        ("sr-Latn", ("und", "und")),
    ],
)
def test_the_pair_a_name_says(name, codes):
    assert pair_in_path([name]) == codes


TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="en" datatype="plaintext"/><body>
<tu tuid="1"><tuv xml:lang="sw"><seg>Habari &amp; karibu</seg></tuv>
<tuv xml:lang="en"><seg>Hello &amp; welcome</seg></tuv></tu>
<tu><prop type="x">p</prop>
<tuv xml:lang="en"><seg>Press <bpt i="1">&lt;b&gt;</bpt><hi>Save</hi><ept i="1">x</ept> now</seg></tuv>
<tuv lang="fr"><seg>Enregistrez</seg></tuv><tuv xml:lang="sw"><seg>Hifadhi</seg></tuv></tu>
%s<tu><tuv xml:lang="en"><seg>last</seg></tuv><tuv xml:lang="sw"><seg>mwisho</seg></tuv></tu>
</body></tmx>
"""


def test_tmx_gives_a_pair_for_each_language_of_a_unit(write):
    path = write("a.tmx", TMX % "")
    assert seen(read(path), "origin", *SIDES) == [
        ("a.tmx:1", "en", "Hello & welcome", "sw", "Habari & karibu", None),
        ("a.tmx:2:fr", "en", "Press Save now", "fr", "Enregistrez", None),
        ("a.tmx:2:sw", "en", "Press Save now", "sw", "Hifadhi", None),
        ("a.tmx:3", "en", "last", "sw", "mwisho", None),
    ]


@pytest.mark.parametrize(
    ("unit", "reason"),
    [
        (b'<tu><tuv xml:lang="en"><seg>a & b</seg></tuv><tuv xml:lang="sw"><seg>x</seg></tuv></tu>', "malformed"),
        (b'<tu><tuv xml:lang="en"><seg>caf\xe9</seg></tuv><tuv xml:lang="sw"><seg>x</seg></tuv></tu>', "invalid_utf8"),
        (b'<tu><tuv xml:lang="en"><seg>a</seg></tuv></tu>', "no_text"),
        (b'<tu><tuv xml:lang="en"><seg>a</seg></tuv><tuv xml:lang="sw"><seg> </seg></tuv></tu>', "no_text"),
        (b'<tu><tuv xml:lang="en"><seg>a</tuv></tu>', "malformed"),
        (b'<tu><tuv xml:lang="en"><seg>&lol9;</seg></tuv><tuv xml:lang="sw"><seg>x</seg></tuv></tu>', "malformed"),
        (b'<tu><tuv xml:lang="en"><seg>' + b"x" * 5000 + b"</seg></tuv></tu>", "too_long"),
    ],
)  # fmt: skip
def test_a_bad_unit_of_tmx_is_told_and_its_neighbours_are_kept(write, unit, reason):
    path = write("a.tmx", TMX.encode().replace(b"%s", unit))
    rows = read(path, max_document_bytes=4000)
    assert [row["reason"] for row in rows] == [None, None, None, reason, None]
    assert rows[4]["origin"] == "a.tmx:4"


def test_entities_of_a_document_type_are_never_expanded(write):
    bomb = '<!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    units = "".join(
        f'<tu><tuv xml:lang="en"><seg>&{name};</seg></tuv><tuv xml:lang="sw"><seg>x</seg></tuv></tu>'
        for name in "bc"
    )
    path = write("a.tmx", (TMX % units).replace('<!DOCTYPE tmx SYSTEM "tmx14.dtd">', bomb))
    assert [row["reason"] for row in read(path)] == [
        None,
        None,
        None,
        "malformed",
        "malformed",
        None,
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "iso-8859-1"])
def test_tmx_in_other_encodings(write, encoding):
    text = (TMX % "").replace("UTF-8", encoding.removesuffix("-sig")).replace("Hifadhi", "café")
    rows = read(write("a.tmx", text.encode(encoding)))
    assert len(rows) == 4
    assert rows[2]["target_text"] == "café"


def test_a_large_tmx_is_cut_without_loss_and_one_cut_short_keeps_what_is_whole(write):
    variant = '<tuv xml:lang="{}"><seg>{} {{0}} {{1}}</seg></tuv>'
    unit = f"<tu>{variant.format('en', 'sentence')}{variant.format('sw', 'sentensi')}</tu>\n"
    text = TMX % "".join(unit.format(n, "x" * 100) for n in range(30_000))
    rows = read(write("a.tmx.gz", gzip.compress(text.encode())))
    assert len(rows) == 30_004
    assert all(row["text"].split()[1] == row["target_text"].split()[1] for row in rows[3:-1])
    rows = read(write("cut.tmx", text.encode()[: len(text) // 2]))
    assert sum(row["reason"] is None for row in rows) > 14_000
    assert [row["reason"] for row in rows if row["reason"]] == ["malformed"]


def test_a_tmx_without_a_unit_is_no_record(write):
    with pytest.raises(SourceError, match="holds no record"):
        read(write("a.tmx", '<?xml version="1.0"?><tmx><header/><body></body></tmx>'))
