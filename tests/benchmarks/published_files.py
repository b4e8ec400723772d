"""Files of the form in which benchmarks are published, a few items each."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def jsonl(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8"
    )


def parquet(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def lines(path: Path, rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def _copa(n):
    return {"premise": f"It rained {n}.", "choice1": "He got wet.", "choice2": "He was dry.", "question": "effect",
            "label": 0, "idx": n, "changed": False}  # fmt: skip


def _cloze(n):
    sentences = {f"input_sentence_{k}": f"Sentence {n}.{k}." for k in range(1, 5)}
    return {"story_id": f"s{n}", **sentences, "sentence_quiz1": "It ends.", "sentence_quiz2": "It goes on.",
            "answer_right_ending": 1 + n % 2}  # fmt: skip


def _nli(n):
    return {"premise": f"{n} birds sing", "hypothesis": "it is loud", "label": n % 3}


def _passage(n):
    answers = {f"mc_answer{k}": f"answer {k}" for k in range(1, 5)}
    return {"link": f"https://en.wikibooks.org/{n}", "question_number": 1, "flores_passage": f"A passage {n}.",
            "question": " What is it? ", **answers, "correct_answer_num": str(1 + n % 4), "dialect": "x"}  # fmt: skip


def _arc(n):
    return {"id": f"ARC-Challenge/test/{n}", "instruction": f"What is {n} [title]?", "option_a": "one",
            "option_b": "two", "option_c": "three", "option_d": "four", "option_e": None, "answer": "B"}  # fmt: skip


def _mmlu(n):
    return {"sample_id": f"anatomy/test/{n}", "subject": "anatomy", "question": f"Which {n}?", "option_a": "a bone",
            "option_b": "a nerve", "option_c": "a vein", "option_d": "a cell", "answer": "C"}  # fmt: skip


def _program(n):
    return {"name": f"HumanEval_{n}_add", "language": "sh", "prompt": "add() {\n", "tests": "}\n[ $(add 1 2) = 3 ]\n",
            "stop_tokens": ["\n}"]}  # fmt: skip


def write(name: str, root: Path) -> Path:
    """Write a few items of a benchmark under a folder, in the form its publisher has."""
    many = range(6)
    aya = {"language": "Swahili", "script": "Latn"}
    inputs = [
        {"id": n, "source_id": n, "inputs": f"Write {n}.", "targets": f"Text {n}.", **aya}
        for n in many
    ]
    articles = [{"text": f"Habari {n}.", "summary": "Fupi."} for n in many]
    verses = [f"0100100{n}\tMstari {n}" for n in many]
    flores = {
        "eng_Latn": "One sentence {n}.",
        "swh_Latn": "Sentensi {n}.",
        "fin_Latn": "Lause {n}.",
    }
    topic = ["index_id\tcategory\ttext", *(f"{n}\tFaith\tVerse {n}" for n in many)]
    writers = {
        "xcopa": lambda: jsonl(root / "data/sw/test.sw.jsonl", [_copa(n) for n in many]),
        "xstorycloze": lambda: parquet(root / "sw/eval/0000.parquet", [_cloze(n) for n in many]),
        "xwinograd": lambda: jsonl(root / "test/jp.jsonl", [
            {"sentence": f"彼は_を{n}回見た。", "option1": "犬", "option2": "猫", "answer": "2"} for n in many
        ]),
        "xnli": lambda: parquet(root / "sw/validation-00000-of-00001.parquet", [_nli(n) for n in many]),
        "americasnli": lambda: parquet(root / "quy/test-00000-of-00001.parquet", [_nli(n) for n in many]),
        "belebele": lambda: jsonl(root / "data/swh_Latn.jsonl", [_passage(n) for n in many]),
        "arc": lambda: [
            parquet(root / f"sw/{split}/0000.parquet", [_arc(n) for n in many]) for split in ("train", "test")
        ],
        "global-mmlu": lambda: [
            parquet(root / f"sw/{split}-00000-of-00001.parquet", [_mmlu(n) for n in many]) for split in ("dev", "test")
        ],
        "taxi1500": lambda: [lines(root / f"swh_Latn/{split}.tsv", topic) for split in ("train", "test")],
        "flores200": lambda: [
            lines(root / f"{split}/{label}.{split}", [text.format(n=n) for n in many])
            for label, text in flores.items() for split in ("dev", "devtest")
        ],
        "ntrex128": lambda: [
            lines(root / f"newstest2019-{name}.txt", [f"{name} {n}" for n in many])
            for name in ("src.eng", "ref.eng-GB", "ref.swa")
        ],
        "tatoeba": lambda: lines(
            root / "test/tatoeba-test-v2021-08-07.eng-swa.tsv", [f'eng\tswa\tHi "{n}\tHujambo {n}' for n in many]
        ),
        "mgsm": lambda: lines(root / "mgsm_sw.tsv", [f"Swali {n}\t1{n}" for n in many]),
        "mgsm-cot": lambda: [
            parquet(root / f"sw/{split}/0000.parquet", [
                {"question": f"Swali: {n}?" if split == "train" else f"{n}?", "answer_number": n,
                 "answer": f"Jibu la Hatua kwa Hatua: Ni {n}." if split == "train" else None}
                for n in many
            ])
            for split in ("train", "test")
        ],
        "xlsum": lambda: jsonl(root / "swahili_test.jsonl", [
            {"id": str(n), "url": "u", "summary": f"Fupi {n}.", "text": f"Habari ndefu {n}."} for n in many
        ]),
        "massivesumm-long": lambda: jsonl(root / "swh_Latn.jsonl", articles),
        "massivesumm-short": lambda: jsonl(root / "swh_Latn.jsonl", articles),
        "aya": lambda: parquet(root / "aya_human_annotated/test-00000-of-00001.parquet", inputs),
        "aya-dolly": lambda: parquet(root / "dolly_machine_translated/test-00000-of-00001.parquet", inputs),
        "polywrite": lambda: jsonl(root / "swh_Latn.jsonl", [
            {"category": "story", "name": f"p{n}", "prompt_translated": f"Andika {n}.", "uuid": f"u{n}", "bleu": 50.0}
            for n in many
        ]),
        "humaneval": lambda: jsonl(root / "HumanEval.jsonl", [
            {"task_id": f"HumanEval/{n}", "prompt": "def add(a, b):\n", "entry_point": "add", "canonical_solution": "",
             "test": "def check(f):\n    assert f(1, 2) == 3\n"} for n in many
        ]),
        "multipl-e": lambda: jsonl(root / "humaneval-sh-reworded.jsonl", [_program(n) for n in many]),
        "pbc": lambda: lines(root / "swh-x-bible-union.txt", ["# language_name: Swahili", "", *verses]),
        "glot500": lambda: lines(root / "swh_Latn.txt", [f"Sentensi {n}." for n in many]),
    }  # fmt: skip
    writers[name]()
    return root


NAMES = (
    "xcopa", "xstorycloze", "xwinograd", "xnli", "americasnli", "belebele", "arc", "global-mmlu", "taxi1500",
    "flores200", "ntrex128", "tatoeba", "mgsm", "mgsm-cot", "xlsum", "massivesumm-long", "massivesumm-short", "aya",
    "aya-dolly", "polywrite", "humaneval", "multipl-e", "pbc", "glot500",
)  # fmt: skip
"""All benchmarks of the table that are published somewhere, but for SIB-200, which is beside the repository."""
