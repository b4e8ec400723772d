"""Documents that hold benchmark items are found, whole or in part, in any script; others are not."""

import gzip
import json
import pickle
import random
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest

from emma500.benchmarks.registry import open_benchmark
from emma500.corpus.decontamination.benchmark_runs import COMMON
from emma500.corpus.decontamination.contamination import Contamination
from emma500.corpus.text.tokens import tokenise
from emma500.errors import ConfigError, EmmaError, SourceError
from emma500.languages.writing.normalisation import normalise

ITEM = "the quick brown fox of the north jumps over a lazy dog while nobody else in town is looking"
WORDS = ITEM.split()  # 19
SHORT = "Seven silver swans swam silently seaward on Sunday."  # 8 words
THAI = "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ"
CHINESE = "人人生而自由在尊严和权利上一律平等他们赋有理性和良心并应以兄弟关系的精神相对待"
SCRIPTS = {
    "eng_Latn", "tha_Thai", "zho_Hans", "jpn_Jpan", "mya_Mymr", "bod_Tibt", "arb_Arab", "nqo_Nkoo", "khm_Khmr",
    "lao_Laoo", "hin_Deva", "amh_Ethi", "kor_Hang", "zul_Latn", "yor_Latn", "vie_Latn", "dzo_Tibt",
}  # fmt: skip


def units(texts):
    return tokenise(normalise(texts))


def found(contamination, *texts):
    return contamination.find(units(list(texts))).to_pylist()


def index(*texts, name="bench", label="eng_Latn"):
    return Contamination.build((name, label, text) for text in texts)


def around(text):
    return f"Words before, of another kind altogether: {text} And words after it, as many again."


def test_thirteen_words_in_a_row_are_found_and_twelve_are_not():
    for first in range(len(WORDS) - 12):
        some = WORDS[first : first + 13]
        assert found(index(ITEM), around(" ".join(some)), around(" ".join(some[:12]))) == [
            "bench",
            None,
        ]
    broken = [*WORDS[:9], "red", *WORDS[9:]]
    assert found(index(ITEM), " ".join(broken)) == [None]


def test_case_signs_and_white_space_do_not_hide_an_item():
    shouted = "«" + ",\n\n ".join(each.upper() for each in WORDS) + "»!"
    assert found(index(ITEM), around(shouted)) == ["bench"]


def test_an_item_of_eight_to_twelve_words_is_found_whole_only():
    assert found(index(SHORT), around(SHORT), around(SHORT.replace("swans", "geese"))) == [
        "bench",
        None,
    ]
    assert found(index(SHORT), around(SHORT.removesuffix(" Sunday."))) == [None]
    assert found(index(SHORT), SHORT) == ["bench"]


def test_shorter_items_are_not_looked_for_inside_sentences_and_counted():
    contamination = index(
        "seven words are not enough to tell", "Three more words", SHORT, ITEM, ITEM
    )
    assert found(contamination, "seven words are not enough to tell, are they?") == [None]
    counts = contamination.counts["bench"]
    assert (counts.n_items, counts.n_short, counts.n_too_short, counts.n_labels) == (4, 1, 1, 1)


@pytest.mark.parametrize("text", [THAI, CHINESE])
def test_characters_count_where_no_spaces_are_written(text):
    contamination = index(text)
    long = text[: len(text) - 4]
    assert found(contamination, around(text), f"ก{long}ข", around(text[:20])) == [
        "bench",
        "bench",
        None,
    ]
    assert found(index(CHINESE[:18]), f"他说{CHINESE[:18]}吗", f"他说{CHINESE[:17]}吗") == [
        "bench",
        None,
    ]


def test_an_item_inside_a_text_of_another_script_is_found():
    filling = "ประเทศไทยมีจังหวัดมากมายและภาษาถิ่นหลากหลาย" * 40
    assert found(index(ITEM), filling + ITEM + filling) == ["bench"]
    assert found(index(CHINESE), (ITEM + "\n") * 40 + CHINESE) == ["bench"]


def test_templates_numbers_and_refrains_are_no_items():
    template = (
        "Read the passage below carefully, then choose the one answer that fits it best of all four"
    )
    contamination = index(
        *(f"{template}: question {n} about thing {n * 7}" for n in range(COMMON + 1))
    )
    assert found(contamination, around(template)) == [None]
    assert contamination.counts["bench"].n_common_runs > 0
    few = index(*(f"{template}: question {n} about thing {n * 7}" for n in range(COMMON)))
    assert found(few, around(template)) == ["bench"]
    calendar = " ".join(str(day) for day in range(1, 32))
    eastern = calendar.translate({48 + digit: 0x660 + digit for digit in range(10)})
    assert found(index(calendar, "la " * 40, eastern), calendar, "la " * 99) == [None, None]


def test_of_two_benchmarks_with_one_run_the_first_is_named():
    contamination = Contamination.build(
        [("first", "eng_Latn", ITEM), ("second", "eng_Latn", ITEM), ("second", "x", SHORT)]
    )
    assert found(contamination, ITEM, SHORT, "nothing") == ["first", "second", None]
    owners, places = contamination.locate(units(["nothing", "one two " + ITEM]))
    assert (owners.tolist(), places.tolist()) == ([-1, 0], [-1, 2])


def test_an_empty_index_finds_nothing():
    assert found(Contamination.build([]), ITEM, "") == [None, None]
    assert found(index(""), ITEM, "") == [None, None]


def test_batches_make_no_difference():
    texts = [around(ITEM) if n % 3 == 0 else f"clean text number {n}" for n in range(50)]
    whole = found(index(ITEM), *texts)
    assert whole == [each for text in texts for each in found(index(ITEM), text)]
    sliced = normalise(texts).slice(7, 11)
    assert index(ITEM).find(tokenise(sliced)).to_pylist() == whole[7:18]


def test_a_saved_index_is_the_same_and_its_pickle_is_small(tmp_path):
    contamination = Contamination.of([], datasets=[_written(tmp_path / "mine.txt", ITEM, SHORT)])
    saved = contamination.save(tmp_path / "index")
    for again in (
        saved,
        pickle.loads(pickle.dumps(saved)),
        pickle.loads(pickle.dumps(contamination)),
    ):
        assert again.fingerprint() == contamination.fingerprint()
        assert again.report() == contamination.report()
        assert found(again, ITEM, "clean") == ["mine", None]
    assert len(pickle.dumps(saved)) < 1000
    assert index(ITEM).fingerprint() != index(SHORT).fingerprint()
    assert index(ITEM).fingerprint() != index(ITEM, name="other").fingerprint()


def _written(path, *lines):
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_data_sets_of_every_format_are_read_with_all_their_texts(tmp_path):
    import pyarrow.parquet as pq

    folder = tmp_path / "mine"
    folder.mkdir()
    texts = [f"{ITEM} {word}" for word in ("one", "two", "three", "four", "five", "six")]
    marks = [" ".join(f"{word}{n}" for word in WORDS) for n in range(6)]
    _written(folder / "a.txt", marks[0])
    _written(folder / "b.jsonl", json.dumps({"q": {"deep": ["x", marks[1]]}, "n": 1}))
    _written(folder / "c.tsv", "id\ttext", f'1\t"{marks[2]}"')
    _written(folder / "d.csv", "id,text", f'1,"{marks[3]}, and ""more"""')
    with gzip.open(folder / "e.json.gz", "wt") as file:
        json.dump([{"text": marks[4]}], file)
    pq.write_table(pa.table({"choices": [[marks[5]]]}), folder / "f.parquet")
    contamination = Contamination.of(
        [], datasets=[folder, f"named={_written(tmp_path / 'x.txt', *texts)}"]
    )
    assert found(contamination, *marks, ITEM) == ["mine"] * 6 + ["named"]
    assert contamination.counts["mine"].n_labels == 6


def test_data_sets_that_cannot_be_read_are_errors(tmp_path):
    with pytest.raises(SourceError, match=r"bad\.jsonl cannot be read as \.jsonl"):
        Contamination.of([], datasets=[_written(tmp_path / "bad.jsonl", "{")])
    (tmp_path / "none").mkdir()
    with pytest.raises(SourceError, match="none holds no file that ends in"):
        Contamination.of([], datasets=[tmp_path / "none"])
    with pytest.raises(EmmaError, match="is not found"):
        Contamination.of([], datasets=["nowhere-at-all"])
    mine = _written(tmp_path / "mine.txt", ITEM)
    with pytest.raises(ConfigError, match="two benchmarks mine"):
        Contamination.of([], datasets=[mine, mine])


def test_benchmarks_that_cannot_be_read_are_told_and_those_named_are_errors():
    contamination = Contamination.of()
    assert "sib200" in contamination.not_covered
    assert contamination.report()["covered"] == []
    with pytest.raises(EmmaError, match="sib200"):
        Contamination.of(["sib200"])
    with pytest.raises(ConfigError, match="unknown benchmark"):
        Contamination.of(["nonsense"])


def test_a_benchmark_that_is_a_source_of_the_corpus_is_left_out(tmp_path):
    (tmp_path / "sib200").mkdir()
    _written(tmp_path / "sib200" / "eng_Latn.txt", ITEM)
    (tmp_path / "sib200" / "eng_Latn").mkdir()
    _written(tmp_path / "sib200" / "eng_Latn" / "test.tsv", "index_id\ttext", f"1\t{ITEM}")
    wanted = [f"sib200={tmp_path / 'sib200'}"]
    assert found(Contamination.of(wanted), ITEM) == ["sib200"]
    for source in ("sib200", "facebook/flores", "Davlan/SIB200:eng"):
        contamination = Contamination.of(wanted, sources=[source])
        assert (contamination.own_sources, found(contamination, ITEM)) == (("sib200",), [None])
    assert Contamination.of(["gflanguages"], sources=["udhr"]).own_sources == ("gflanguages",)


@pytest.fixture(scope="module")
def sib(shared):
    return open_benchmark("sib200", data_dir=str(shared / "data"))


@pytest.fixture(scope="module")
def of_sib(sib):
    return Contamination.build(
        ("sib200", label, item.text) for label in sib.data.labels for item in sib.data.read(label)
    )


def test_every_planted_sentence_of_sib200_is_found_and_nothing_else(shared, sib, of_sib):
    """Each sentence of 17 languages is planted in a document of bench_open of another source."""
    clean = _documents(shared, lambda row: row["source"] != "sib200")
    generator = random.Random(500)
    planted, is_planted = [], []
    for label in sorted(SCRIPTS & set(sib.data.labels)):
        for item, plain in zip(sib.data.read(label), generator.sample(clean, 200), strict=False):
            lines = plain.split("\n")
            lines.insert(generator.randrange(len(lines) + 1), item.text)
            planted += [plain, "\n".join(lines)]
            is_planted += [False, True]
    tokens = units(planted)
    assert sum(is_planted) > 3000
    is_found = of_sib.find(tokens).is_valid().to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(is_found != np.array(is_planted))
    assert not is_found[np.array(is_planted) == 0].any()
    assert len(wrong) <= of_sib.counts["sib200"].n_too_short < 0.01 * sum(is_planted)


def test_documents_of_other_sources_are_clean(shared, of_sib):
    clean = _documents(shared, lambda row: row["source"] != "sib200")
    assert len(clean) > 10_000
    assert of_sib.find(units(clean)).null_count == len(clean)


def test_a_benchmark_of_bible_verses_takes_its_chapters_and_no_other_text(shared):
    """Verses are formulas: of 2,000 of them, none may be in texts that are no Bibles."""
    by_source = defaultdict(list)
    for source, text in _documents(shared, lambda row: True, with_source=True):
        by_source[source].append(text)
    bibles = by_source["bible-christos"] + by_source["ebible"]
    verses = [line for text in bibles[::4] for line in text.split("\n")][:2000]
    contamination = index(*verses, name="verses")
    others = [
        text
        for source in ("ntrex", "tico19", "sib200", "tatoeba", "lingua")
        for text in by_source[source]
    ]
    assert contamination.find(units(others)).null_count == len(others)
    hit = contamination.find(units(bibles))
    assert 0 < len(hit) - hit.null_count < 0.6 * len(bibles)


def _documents(shared, wanted, with_source=False):
    with gzip.open(
        shared / "data" / "bench_open" / "part-00001.jsonl.gz", "rt", encoding="utf-8"
    ) as file:
        rows = [row for row in map(json.loads, file) if wanted(row)]
    return [
        (row["source"].partition(":")[0], row["text"]) if with_source else row["text"]
        for row in rows
    ]
