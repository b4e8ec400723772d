"""The forms of published records: a function of one record each, which gives the parts of an `Example`.

A missing column is a KeyError, which `Records` turns into an error that names the file.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Parts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """How records are read.

    Attributes:
        read: Takes a record and its number from 1.
        columns: The names of the columns of a table that has no header; the first is that of a line of text.
        is_quoted: Whether its tables quote as CSV does.
        is_code: Whether its labels are programming languages.
        is_pair: Whether its labels are two languages, as "eng_Latn-fin_Latn".
    """

    read: Callable[[Row, int], Parts]
    columns: tuple[str, ...] = ()
    is_quoted: bool = True
    is_code: bool = False
    is_pair: bool = False


def _topic(row: Row, number: int) -> Parts:
    name = str(row["index_id"])
    return {"id": name, "fields": {"text": row["text"]}, "targets": (row["category"],)}


def _copa(row: Row, number: int) -> Parts:
    premise, options = row["premise"], (row["choice1"], row["choice2"])
    return {
        "id": str(row["idx"]),
        "fields": {
            "text": f"{premise} {' '.join(options)}",
            "question": row["question"],
            "premise_cut": premise.strip()[:-1],
            "premise_open": _without_end(premise),
        },
        "options": tuple(each[0].lower() + each[1:] for each in options),
        "gold": _of(int(row["label"]), 2),
    }


def _cloze(row: Row, number: int) -> Parts:
    sentences = {f"sentence_{n}": row[f"input_sentence_{n}"] for n in range(1, 5)}
    endings = (row["sentence_quiz1"], row["sentence_quiz2"])
    return {
        "id": str(row["story_id"]),
        "fields": {"text": " ".join([*sentences.values(), *endings]), **sentences},
        "options": endings,
        "gold": _of(int(row["answer_right_ending"]) - 1, 2),
    }


def _winograd(row: Row, number: int) -> Parts:
    before, blank, after = row["sentence"].partition("_")
    if not blank:
        raise ValueError(f"the sentence {row['sentence']!r} has no blank _")
    return {
        "fields": {
            "text": row["sentence"],
            "before": before,
            "after": after.strip(),
            "after_as_is": after,
        },
        "options": (row["option1"], row["option2"]),
        "gold": _of(int(row["answer"]) - 1, 2),
    }


def _nli(row: Row, number: int) -> Parts:
    names = ("entailment", "neutral", "contradiction")
    label = row["label"]
    return {
        "id": str(row.get("pairID", row.get("id", number))),
        "fields": {key: row[key] for key in ("premise", "hypothesis")}
        | {"text": f"{row['premise']} {row['hypothesis']}"},
        "options": names,
        "gold": names.index(label) if label in names else _of(int(label), 3),
    }


def _passage(row: Row, number: int) -> Parts:
    answers = {f"answer_{n}": row[f"mc_answer{n}"] for n in range(1, 5)}
    name = f"{row['link']}:{row['question_number']}"
    return {
        "id": name,
        "fields": {
            "text": f"{row['flores_passage']} {row['question']}",
            "passage": row["flores_passage"],
            "question": row["question"].strip(),
            **answers,
        },
        "options": ("A", "B", "C", "D"),
        "gold": _of(int(row["correct_answer_num"]) - 1, 4),
    }


def _arc(row: Row, number: int) -> Parts:
    letters = "abcde"
    options = tuple(
        _okapi(row[f"option_{letter}"]) for letter in letters if row.get(f"option_{letter}")
    )
    return {
        "id": str(row["id"]),
        "fields": {"text": row["instruction"], "question": _okapi(row["instruction"])},
        "options": options,
        "gold": _of(tuple(letters.upper()).index(row["answer"]), len(options)),
    }


def _mmlu(row: Row, number: int) -> Parts:
    answers = {f"answer_{n}": row[f"option_{letter}"] for n, letter in enumerate("abcd", start=1)}
    return {
        "id": str(row["sample_id"]),
        "fields": {"text": row["question"], "question": row["question"].strip(), **answers},
        "options": ("A", "B", "C", "D"),
        "gold": tuple("ABCD").index(row["answer"]),
    }


def _sentence(row: Row, number: int) -> Parts:
    for column in ("id", "index_id"):
        if column in row:
            return {"id": str(row[column]), "fields": {"text": _text(row)}}
    return {"fields": {"text": _text(row)}}


def _text(row: Row) -> str:
    return str(row["sentence"] if "sentence" in row else row["text"])


def _verse(row: Row, number: int) -> Parts:
    verse, tab, text = row["text"].partition("\t")
    is_verse = tab and not verse.startswith("#")
    return {
        "id": verse if is_verse else f"line {number}",
        "fields": {"text": text if is_verse else ""},
    }


def _pair(row: Row, number: int) -> Parts:
    source, target = row["sourceString"], row["targetString"]
    return {"fields": {"text": target, "source": source}, "targets": (target,)}


def _math(row: Row, number: int) -> Parts:
    number_of = row["answer_number"] if row.get("answer_number") is not None else row["answer"]
    worked = (
        re.sub(r"^[^:\uff1a]{1,60}[:\uff1a]\s*", "", str(row["answer"] or ""))
        if "answer_number" in row
        else ""
    )
    question = (
        re.sub(r"^\w{1,20}\s?[:\uff1a]\s*", "", row["question"]) if worked else row["question"]
    )
    return {
        "fields": {"text": row["question"], "question": question, "worked": worked},
        "targets": (str(number_of).strip(),),
    }


def _summary(row: Row, number: int) -> Parts:
    name = str(row.get("id", row.get("url", number)))
    return {"id": name, "fields": {"text": row["text"]}, "targets": (row["summary"],)}


def _instruction(row: Row, number: int) -> Parts:
    name = f"{row.get('source_id', '')}:{row['id']}"
    return {"id": name, "fields": {"text": row["inputs"]}, "targets": (row["targets"],)}


def _writing(row: Row, number: int) -> Parts:
    name = str(row["uuid"])
    return {
        "id": name,
        "parallel_id": f"{row['category']}:{row['name']}",
        "fields": {"text": row["prompt_translated"]},
    }


def _python(row: Row, number: int) -> Parts:
    check = f"{row['test']}\ncheck({row['entry_point']})\n"
    fields = {
        "text": row["prompt"],
        "tests": check,
        "stop": "\nclass \f\ndef \f\n#\f\nif \f\nprint",
    }
    return {"id": row["task_id"], "fields": fields}


def _program(row: Row, number: int) -> Parts:
    fields = {
        "text": row["prompt"],
        "tests": row["tests"],
        "stop": "\f".join(row.get("stop_tokens") or []),
    }
    name = row["name"]
    return {"id": name, "parallel_id": re.sub(r"^(HumanEval_\d+).*", r"\1", name), "fields": fields}


def _okapi(text: str) -> str:
    """Clean a text as lm-evaluation-harness does for Okapi's translations."""
    return re.sub(r"\[.*?\]", "", text.strip().replace(" [title]", ". ")).replace("  ", " ")


def _without_end(sentence: str) -> str:
    """Return a sentence without the punctuation at its end."""
    text = sentence.strip()
    while text and unicodedata.category(text[-1]) in {"Po", "Pe"}:
        text = text[:-1].rstrip()
    return text


def _of(place: int, n: int) -> int:
    if not 0 <= place < n:
        raise ValueError(f"the right answer is number {place} from 0, of {n}")
    return place


FORMS: dict[str, Form] = {
    "topic": Form(_topic, ("index_id", "category", "text")),
    "copa": Form(_copa),
    "cloze": Form(_cloze),
    "winograd": Form(_winograd),
    "nli": Form(_nli),
    "passage": Form(_passage),
    "arc": Form(_arc),
    "mmlu": Form(_mmlu),
    "sentence": Form(_sentence, ("text",)),
    "verse": Form(_verse, ("text",)),
    "pair": Form(
        _pair,
        ("sourceLang", "targetlang", "sourceString", "targetString"),
        is_quoted=False,
        is_pair=True,
    ),
    "math": Form(_math, ("question", "answer"), is_quoted=False),
    "summary": Form(_summary),
    "instruction": Form(_instruction),
    "writing": Form(_writing),
    "python": Form(_python, is_code=True),
    "program": Form(_program, is_code=True),
}
"""The forms of the table's column `form`."""
