import json

import pytest

from emma500.benchmarks.base import Example, likely_label
from emma500.benchmarks.prompts import MODES, load_prompt
from emma500.benchmarks.registry import open_benchmark
from emma500.errors import ConfigError, SourceError
from emma500.tables import read_table
from tests.benchmarks.published_files import write


def reference(shared, name):
    """Yield task, document and the (context, continuation) strings of lm-evaluation-harness 0.4.13."""
    path = shared / "data" / "lm_eval_reference" / f"{name}-hf-float32.samples.jsonl"
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        yield row["task"], row["doc_id"], row["target"], [tuple(each) for each in row["arguments"]]


@pytest.mark.parametrize("name", ["xcopa-l10", "xcopa1-l120"])
def test_the_strings_of_xcopa_are_those_of_the_harness(shared, name):
    task = open_benchmark("xcopa", data_dir=str(shared / "data")).task
    labels = {
        code: likely_label(code)
        for code in ("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh")
    }
    n = 0
    for which, document, target, pairs in reference(shared, name):
        label = labels[which.removeprefix("xcopa_")]
        example = task.examples(label, "test")[document]
        prompt = load_prompt("xcopa", "lm-eval", label)
        assert (prompt.pairs(example), prompt.gold(example)) == (pairs, target)
        n += 1
    assert n in (110, 120)


@pytest.mark.parametrize("name", ["sib1-l24", "sib4-l3"])
def test_the_strings_of_sib200_are_those_of_the_harness(shared, name):
    task = open_benchmark("sib200", data_dir=str(shared / "data")).task
    for which, _, target, pairs in reference(shared, name):
        label = which.removeprefix("sib200_")
        every = [each for split in ("test", "shots") for each in task.examples(label, split)]
        by_text = {each.fields["text"]: each for each in every}
        *shown, asked = [
            part.partition('" is')[0] for part in pairs[0][0].split('The topic of the news "')[1:]
        ]
        prompt = load_prompt("sib200", "lm-eval", label)
        example = by_text[asked]
        assert prompt.pairs(example, [by_text[text] for text in shown]) == pairs
        assert prompt.gold(example) == target


def examples(name, folder, split="test"):
    task = open_benchmark(f"{name}={write(name, folder)}").task
    return task.labels[0], task.examples(task.labels[0], split)


def test_the_harness_prompts_of_each_benchmark_of_choices(tmp_path):
    wanted = {
        "xstorycloze": ("Sentence 0.1. Sentence 0.2. Sentence 0.3. Sentence 0.4.", " It ends."),
        "xwinograd": ("彼は犬", " を0回見た。"),
        "xnli": ("", "0 birds sing, sahihi? Ndiyo, it is loud"),
        "belebele": (
            "P: A passage 0.\nQ: What is it?\nA: answer 1\nB: answer 2\nC: answer 3\nD: answer 4\nAnswer:", " A"
        ),
        "arc": ("Question: What is 0. ?\nAnswer:", " one"),
        "global-mmlu": ("Which 0?\nA. a bone\nB. a nerve\nC. a vein\nD. a cell\nAnswer:", " A"),
    }  # fmt: skip
    for name, pair in wanted.items():
        label, items = examples(name, tmp_path / name)
        prompt = open_benchmark(f"{name}={tmp_path / name}").row["prompt"]
        assert load_prompt(prompt, "lm-eval", label).pairs(items[0])[0] == pair


def test_fixed_prompts_put_no_space_where_a_script_has_none(tmp_path):
    label, items = examples("xwinograd", tmp_path)
    assert load_prompt("xwinograd", "fixed", label).pairs(items[0])[0] == ("彼は犬", "を0回見た。")
    thai = Example(id="1", label="tha_Thai", parallel_id="1", options=("ก", "ข"), gold=0,
                   fields={"premise_cut": "ฝนต", "premise_open": "ฝนตก", "question": "effect", "text": ""})  # fmt: skip
    assert load_prompt("xcopa", "fixed", "tha_Thai").pairs(thai)[0] == ("ฝนตกดังนั้น", "ก")
    assert load_prompt("xcopa", "lm-eval", "tha_Thai").pairs(thai)[0] == ("ฝนต ดังนั้น", " ก")


def test_a_premise_without_a_full_stop_keeps_its_last_letter_but_for_the_harness(shared):
    task = open_benchmark("xcopa", data_dir=str(shared / "data")).task
    first = task.examples("tha_Thai", "test")[0]
    assert first.fields["premise_open"] == first.fields["premise_cut"] + "ก"
    estonian = task.examples("est_Latn", "test")[0]
    assert estonian.fields["premise_open"] == estonian.fields["premise_cut"]


def test_the_paper_asks_after_a_new_line_and_taxi_in_other_words():
    item = Example(
        id="1", label="eng_Latn", parallel_id="1", fields={"text": "T"}, targets=("travel",)
    )
    shown = load_prompt("sib200", "faithful", "eng_Latn").pairs(item, [item])[1]
    assert shown == (
        "Topic Classification: science/technology, travel, politics, sports, health, entertainment, geography.\n\n"
        'The topic of the news "T" is travel\nThe topic of the news "T" is\n', " travel",
    )  # fmt: skip
    verse = Example(
        id="1", label="eng_Latn", parallel_id="1", fields={"text": "V"}, targets=("Sin",)
    )
    taxi = load_prompt("taxi1500", "faithful", "eng_Latn").context(verse, [verse])
    assert taxi.endswith('The topic of the verse "V" is Sin\nThe label of "V" is\n')
    mended = load_prompt("taxi1500", "fixed", "eng_Latn").context(verse, [verse])
    assert mended.endswith('The topic of the verse "V" is Sin\nThe topic of the verse "V" is')


def test_the_arabic_no_of_xnli_is_a_number_to_the_harness_alone():
    options = ("entailment", "neutral", "contradiction")
    item = Example(id="1", label="ara_Arab", parallel_id="1", options=options, gold=2,
                   fields={"premise": "أ", "hypothesis": "ب", "text": ""})  # fmt: skip
    assert "رقم" in load_prompt("xnli", "lm-eval", "ara_Arab").pairs(item)[2][1]
    assert load_prompt("xnli", "fixed", "ara_Arab").pairs(item)[2] == ("", "أ, صحيح? لا, ب")


def test_translations_are_asked_for_as_the_paper_did(tmp_path):
    task = open_benchmark(f"flores200-eng-x={write('flores200', tmp_path)}").task
    (shot, *_), (item, *_) = (task.examples("swh_Latn", split) for split in ("shots", "test"))
    prompt = load_prompt("translation", "faithful", "swh_Latn")
    assert prompt.context(item, [shot]) == (
        "[English]: One sentence 0.\n[Swahili]: Sentensi 0.\n"
        "Translate the following sentence from English to Swahili\n[English]: One sentence 0.\n[Swahili]:"
    )
    assert prompt.stops(item) == ("\n",)


def test_mathematics_is_asked_in_the_words_of_the_language(tmp_path):
    label, (item, *_) = examples("mgsm-cot", tmp_path)
    prompt = load_prompt("mgsm-cot", "lm-eval", label)
    assert prompt.context(item) == "Swali: 0?\nJibu la Hatua kwa Hatua:"
    assert prompt.stops(item) == ("Swali:", "</s>", "<|im_end|>")
    assert load_prompt("mgsm", "fixed", "ben_Beng").context(item).endswith("\nউত্তর:")
    assert load_prompt("mgsm", "lm-eval", "ben_Beng").context(item).endswith("\nAnswer:")


def test_summaries_are_asked_for_in_45_languages_and_mended_where_the_words_were_not():
    labels = {row["label"] for row in read_table("prompt_words") if row["prompt"] == "xlsum"} - {
        "*"
    }
    assert len(labels) == 45
    item = Example(id="1", label="eng_Latn", parallel_id="1", fields={"text": "T"})
    assert load_prompt("xlsum", "faithful", "eng_Latn").context(item).endswith("summary::")
    assert load_prompt("xlsum", "fixed", "eng_Latn").context(item).endswith("single summary:")
    assert "&#39;" in load_prompt("xlsum", "faithful", "pan_Guru").context(item)
    assert "&#39;" not in load_prompt("xlsum", "fixed", "pan_Guru").context(item)


def test_every_benchmark_with_a_task_has_a_prompt_in_every_mode():
    for row in read_table("benchmarks"):
        if row["prompt"]:
            for mode in MODES:
                assert load_prompt(row["prompt"], mode, "eng_Latn").name == row["prompt"]
    for row in read_table("prompts"):
        assert set(row["sets"].split()) <= set(MODES)


def test_what_a_prompt_lacks_is_named():
    item = Example(id="7", label="fin_Latn", parallel_id="7", options=("a", "b"), gold=0,
                   fields={"premise_open": "p", "question": "cause", "text": ""})  # fmt: skip
    with pytest.raises(ConfigError, match=r"xcopa has no word 'cause' in fin_Latn"):
        load_prompt("xcopa", "fixed", "fin_Latn").pairs(item)
    other = Example(
        id="7", label="eng_Latn", parallel_id="7", fields={"text": "t"}, targets=("weather",)
    )
    with pytest.raises(
        SourceError, match=r"item 7 of eng_Latn is of the class 'weather', which is none of science"
    ):
        load_prompt("sib200", "fixed", "eng_Latn").gold(other)
    with pytest.raises(ConfigError, match=r"unknown mode 'exact'"):
        load_prompt("sib200", "exact", "eng_Latn")
