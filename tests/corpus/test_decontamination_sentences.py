"""Items too short to be told from chance inside a sentence are found where they stand as one."""

import gzip
import json
import random

import numpy as np
import pyarrow as pa
import pytest

from emma500.benchmarks.registry import open_benchmark
from emma500.corpus.build import BuildConfig, build_mala
from emma500.corpus.decontamination import benchmark_runs
from emma500.corpus.decontamination.benchmark_runs import COMMON, LETTERS, SENTENCE, SHORTEST
from emma500.corpus.decontamination.contamination import Contamination
from emma500.corpus.text.tokens import tokenise
from emma500.languages.writing.normalisation import normalise
from emma500.languages.writing.segmentation import sentences
from tests.corpus.results import excluded

ITEM = "The old ferryman crossed at midnight."
ENDS = ".。།።။।؟ "
# An item, what stands before it and after it, and what makes it a part of a longer sentence.
SCRIPTS = {
    "English": (ITEM, "It rained. ", " Nobody saw him!", ("Then ", "")),
    "Swahili": ("Mvuvi mzee alivuka mto usiku.", "Ilinyesha! ", " Nani alimwona?", ("Huyu ", "")),
    "Hindi": ("बूढ़े मछुआरे ने नदी पार की।", "बारिश हुई। ", " किसी ने नहीं देखा।", ("तब ", "")),
    "Urdu": ("بوڑھے ملاح نے دریا پار کیا؟", "بارش ہوئی؟ ", " کس نے دیکھا؟", ("پھر ", "")),
    "Arabic": ("هل عبر الصياد العجوز النهر ليلا؟", "نعم! ", " لا أحد يعرف.", ("قالوا ", "")),
    "Amharic": ("ሽማግሌው ጀልባ ቀዛፊ ወንዙን በእኩለ ሌሊት ተሻገረ።", "ዘነበ። ", " ማንም አላየውም።", ("ከዚያ ", "")),
    "Tibetan": ("གྲུ་པས་གཙང་ཆེན་མོ་བརྒལ་སོང་།", "ཆར་པ་བབས་སོང་། ", " སུས་མཐོང་ངམ།", ("དེ་ནས་", "")),
    "Korean": ("늙은 뱃사공이 한밤중에 깊은 강을 조용하게 건너갔습니다.", "비가 왔다. ", " 못 봤다.", ("그때 ", "")),
    "Chinese": ("老船夫在半夜里渡过了河。", "下雨了。", "没有人看见他。", ("后来", "")),
    "Japanese": ("老人は夜中に川を渡った。", "雨が降った。", "誰も見なかった。", ("その後", "")),
    "Burmese": ("အဘိုးအိုသည်မြစ်ကိုကူးခဲ့သည်။", "မိုးရွာသည်။", "မည်သူမျှမမြင်။", ("ထို့နောက်", "")),
    "Thai": ("ชายชราข้ามแม่น้ำ", "ฝนตกหนักมาก\n", "\nไม่มีใครเห็นเขา", ("แล้ว", "เช้า")),
}  # fmt: skip


def units(texts):
    return tokenise(normalise(texts))


def found(contamination, *texts):
    return contamination.find(units(list(texts))).to_pylist()


def index(*texts, name="bench", label="eng_Latn"):
    return Contamination.build((name, label, text) for text in texts)


@pytest.mark.parametrize("language", SCRIPTS)
def test_a_short_item_is_found_as_a_sentence_or_line_of_its_own_and_not_inside_a_longer_one(
    language,
):
    item, before, after, (first, last) = SCRIPTS[language]
    contamination = index(item)
    assert contamination.counts["bench"].n_short == 1
    own = [item, before + item, item + after, before + item + after, f"{before}\n{item}\n{after}"]
    assert found(contamination, *own) == ["bench"] * len(own)
    longer = first + item.rstrip(ENDS) + last
    inside = [longer, before + longer, f"{before}\n{longer}\n{after}", before + after]
    assert found(contamination, *inside) == [None] * len(inside)


def test_a_short_item_is_not_found_in_a_sentence_that_goes_on():
    bare = ITEM.removesuffix(".")
    texts = [
        f"{bare}, and came back.",
        f"{bare} 3.5 times.",
        f"{bare}.org is a site.",
        f"{ITEM[:-1]}: nobody saw him.",
        ITEM.replace("old ", ""),
        ITEM.replace("midnight", "noon"),
    ]
    assert found(index(ITEM), *texts) == [None] * len(texts)


def test_case_quotes_and_brackets_do_not_hide_a_short_item():
    texts = [
        f'He said so. "{ITEM.upper()}" Nobody answered.',
        f"It rained… ({ITEM}) It was cold.",
        f"Really?! {ITEM.replace('.', '?!')} Yes.",
        f"- {ITEM.replace('.', '')}\n- Something else",
        f"It rained. {ITEM.replace(' ', chr(10), 1)} It was cold.",
    ]
    assert found(index(ITEM), *texts) == ["bench"] * len(texts)


def test_a_short_item_of_several_sentences_is_found():
    item = "Mr. Ferryman, wait! It rains."
    contamination = index(item, "Version 3.5 of the program crashed.")
    texts = [
        f"It was late. {item} Nobody came.",
        "Sorry. Version 3.5 of the program crashed. Again.",
    ]
    assert found(contamination, *texts) == ["bench", "bench"]
    assert found(contamination, "It was late. Mr. Ferryman, wait! It rains cats.") == [None]


def test_items_that_are_shorter_than_a_sentence_are_never_found():
    items = [
        "Yes.",
        "What is your name?",
        "The International Ferrymen",
        "不可殺人。",
        "1989 1990 1991 1992 1993 1994",
    ]
    contamination = index(*items)
    assert found(contamination, *items) == [None] * len(items)
    counts = contamination.counts["bench"]
    assert (counts.n_items, counts.n_short, counts.n_too_short) == (len(items), 0, len(items))


@pytest.mark.parametrize(("unit", "fewest", "most"), [
    (lambda n: f"word{chr(97 + n)} ", SENTENCE[0], SHORTEST[0]),
    (lambda n: "人民生而自由在尊严和权利上一律平等"[n], SENTENCE[1], SHORTEST[1]),
])  # fmt: skip
def test_a_sentence_of_every_length_is_found(unit, fewest, most):
    for n in range(fewest - 1, most):
        item = "".join(map(unit, range(n)))
        wanted = "bench" if n >= fewest else None
        assert found(index(item), f"zero. {item}. after", f"zero {item}.") == [wanted, None]


def test_answers_that_many_questions_have_are_no_items():
    answer = "None of the above are correct."
    questions = [f"Question {n} asks what is the case here today?" for n in range(COMMON + 1)]
    asked = [text for each in questions for text in (each, answer)]
    contamination = index(*asked)
    assert found(contamination, answer, questions[0]) == [None, "bench"]
    assert contamination.counts["bench"].n_common_runs == 1
    assert found(index(*asked[2:]), answer) == ["bench"]


def test_a_run_goes_before_a_sentence_and_the_first_benchmark_before_the_second():
    run = "Seven silver swans swam silently seaward on Sunday."
    contamination = Contamination.build(
        [("first", "x", ITEM), ("second", "x", ITEM), ("second", "y", run)]
    )
    assert found(contamination, ITEM, f"{ITEM} {run}", run) == ["first", "second", "second"]
    owners, places = contamination.locate(units(["", "one. two!", f"It rained. {ITEM}", ITEM]))
    assert (owners.tolist(), places.tolist()) == ([-1, -1, 0, 0], [-1, -1, 2, 0])


def test_a_side_of_a_pair_is_a_line_of_its_own():
    joined = pa.array(
        [f"Le vieux passeur\n\0\n{ITEM}", f"Le vieux passeur {ITEM}"], pa.large_string()
    )
    assert index(ITEM).find(tokenise(joined)).to_pylist() == ["bench", None]


def test_the_rules_of_short_items_are_part_of_what_identifies_an_index(monkeypatch):
    before = index(ITEM).fingerprint()
    assert index(ITEM).fingerprint() == before
    monkeypatch.setattr("emma500.corpus.decontamination.contamination.LETTERS", LETTERS + 1)
    assert index(ITEM).fingerprint() != before


def test_a_build_refuses_the_document_in_which_a_short_item_stands_as_a_sentence(
    tmp_path, rows, write_jsonl
):
    records = [*rows("swh", 6)]
    records[2]["text"] += f"\nIlinyesha. {ITEM} Nani alimwona?"
    records[4]["text"] += f"\nThen {ITEM[:-1]} again."
    path = write_jsonl(tmp_path / "texts.jsonl", records)
    held_out = write_jsonl(tmp_path / "held-out.jsonl", [{"question": ITEM, "answer": "No."}])
    config = BuildConfig(
        identify="off", decontaminate=["off"], decontaminate_datasets=[str(held_out)]
    )
    corpus = build_mala(path, tmp_path / "mala", config=config)
    assert excluded(corpus) == {"contaminated:held-out": 1}
    assert corpus.manifest["decontamination"]["covered"] == [
        {"name": "held-out", "n_labels": 1, "n_items": 2, "n_short": 1, "n_too_short": 1, "n_common_runs": 0,
         "revision": ""}
    ]  # fmt: skip


def reference(items, text):
    """Return whether a sentence of a text, or some in a row, are an item: words, `.` and line ends alone."""
    words = [word for line in text.split("\n") for word in [*line.split(), "\n"]]
    cut, last = [], []
    for word in words:
        last += [word.strip(".")] if word.strip(".\n") else []
        if word.endswith((".", "\n")):
            cut.append(last)
            last = []
    runs = {
        tuple(word for each in cut[first:stop] for word in each)
        for first in range(len(cut))
        for stop in range(first + 1, len(cut) + 1)
    }
    return any(tuple(item.split()) in runs for item in items)


def test_random_texts_agree_with_a_plain_search():
    """Words of a small vocabulary, cut at random: 300 texts in one batch, about half of which hold an item."""
    generator = random.Random(7)
    vocabulary = [f"{letter}aword" for letter in "abcd"]

    def words(n):
        return [generator.choice(vocabulary) for _ in range(n)]

    drawn = {" ".join(words(generator.randrange(4, 8))) for _ in range(250)}
    items = [item for item in sorted(drawn) if len(set(item.split())) >= 3]
    texts = [
        "".join(
            word + generator.choice([" "] * 4 + [". ", ".\n", "\n", " . "]) for word in words(20)
        )
        for _ in range(300)
    ]
    wanted = [reference(items, text) for text in texts]
    assert 60 < sum(wanted) < 240
    is_found = index(*items).find(units(texts)).is_valid().to_pylist()
    assert is_found == wanted
    alone = [found(index(*items), text) for text in texts[:20]]
    assert [each == ["bench"] for each in alone] == wanted[:20]


@pytest.fixture(scope="module")
def sib(shared):
    benchmark = open_benchmark("sib200", data_dir=str(shared / "data"))
    data = benchmark.data
    return [("sib200", label, item.text) for label in data.labels for item in data.read(label)]


@pytest.fixture(scope="module")
def documents(shared):
    path = shared / "data" / "bench_open" / "part-00001.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if not row["source"].startswith("sib200")]
    return [row["text"] for row in rows]


def test_every_short_item_of_sib200_is_found_as_a_line_and_as_a_sentence(sib, documents):
    """All that are looked for, in all languages; 24 of 41,820 are not: most have lost their spaces."""
    contamination = Contamination.build(sib)
    counts = contamination.counts["sib200"]
    assert counts.n_short > 400
    assert counts.n_too_short <= 24
    tokens = units([text for _, _, text in sib])
    is_short = tokens.n_units < np.where(tokens.is_unspaced, SHORTEST[1], SHORTEST[0])
    short = [text for (_, _, text), each in zip(sib, is_short.tolist(), strict=True) if each]
    generator = random.Random(4)
    planted = []
    for text, plain in zip(short, generator.sample(documents, len(short)), strict=True):
        lines = plain.split("\n")
        lines.insert(generator.randrange(len(lines) + 1), text)
        planted += ["\n".join(lines), f"{plain.rstrip('.')}. {text}\nA line after it."]
    is_found = contamination.find(units(planted)).is_valid()
    assert is_found.true_count == 2 * (len(short) - counts.n_too_short)


def test_ordinary_sentences_are_hardly_ever_those_of_another_text(shared):
    """Short sentences of Tatoeba, were they a benchmark: one document of others in 29,000 has one by chance."""
    path = shared / "data" / "bench_open" / "part-00002.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [(row["source"].startswith("tatoeba"), row["text"]) for row in map(json.loads, file)]
    ours = sentences([text for is_ours, text in rows if is_ours])
    contamination = index(*(each for some in ours.to_pylist() for each in some))
    assert contamination.counts["bench"].n_short > 5000
    others = [text for is_ours, text in rows if not is_ours]
    assert contamination.find(units(others)).is_valid().true_count <= 0.0002 * len(others)


def test_a_benchmark_is_read_alike_in_pieces(monkeypatch):
    texts = [f"{ITEM.replace('old', f'old{n % 50}')}" for n in range(120)]
    whole = index(*texts)
    monkeypatch.setattr(benchmark_runs, "_ITEMS_AT_ONCE", 7)
    pieces = index(*texts)
    assert pieces.fingerprint() == whole.fingerprint()
    assert pieces.counts == whole.counts
    assert whole.counts["bench"].n_short == 50
