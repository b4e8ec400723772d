"""Each defect of the paper's scripts reaches the values of the mode that follows them, and no other."""

import pytest

from emma500.evaluation import loaded
from emma500.evaluation.evaluate import EvalConfig, evaluate
from emma500.evaluation.likelihood import Scored
from emma500.evaluation.tasks.generation import Generated, Sampling
from emma500.evaluation.tasks.windows import window_nll
from emma500.models import load_tokenizer
from tests.benchmarks.published_files import jsonl, lines, write

INSTRUCTIONS = [
    {"id": n, "inputs": f"{n}", "targets": f"{n}", "language": "Swahili", "script": "Latn"}
    for n in range(4)
]


class Answers:
    """A model whose outputs are given, and which keeps how they were to be drawn."""

    def __init__(self, texts):
        self.texts, self.drawn = texts, []

    def generate(self, wanted, sampling=None, *, progress=None):
        self.drawn.append(sampling)
        return [Generated(text, False) for text, _ in zip(self.texts, wanted, strict=True)]


class Favourite:
    """A model that takes the same label for every item."""

    max_length = 2048

    def score(self, requests, *, names=None, progress=None):
        return [Scored(-float(n % 6), 1, False) for n in range(len(requests))]


@pytest.fixture
def answered(tiny_model, tmp_path, monkeypatch):
    def run(name, texts):
        model = Answers(texts)
        monkeypatch.setattr(loaded.Loaded, "generator", lambda _: model)
        config = EvalConfig(mode="both", device="cpu")
        return evaluate(tiny_model, [f"{name}={tmp_path}"], config=config), model

    return run


def by_mode(scores, metric):
    return {row["mode"]: row["value"] for row in scores.rows if row["metric"] == metric}


def test_the_paper_draws_outputs_and_the_fixed_mode_takes_the_likeliest(answered, tmp_path):
    write("mgsm", tmp_path)
    _, model = answered("mgsm", ["1"] * 6)
    assert model.drawn == [Sampling(temperature=0.6, top_p=0.9, seed=42), None]


def test_the_paper_compares_numbers_as_text(answered, tmp_path):
    lines(tmp_path / "mgsm_bn.tsv", ["প্রশ্ন\t18", "প্রশ্ন\t5"])
    scores, _ = answered("mgsm", ["১৮", "-5"])  # the harness does not read ১৮, and takes 5 for -5
    found = {row["mode"]: row["value"] for row in scores.rows if row["metric"] == "number_match"}
    assert found == {"faithful": 0.5, "fixed": 0.5}
    each = {
        mode: scores.measured("mgsm", "number_match", mode)["ben_Beng"].each.tolist()
        for mode in found
    }
    assert each == {"faithful": [0.0, 1.0], "fixed": [1.0, 0.0]}


def test_the_paper_takes_whole_chinese_sentences_for_words(answered, tmp_path):
    article = {"id": "1", "summary": "今天天气不好", "text": "今天"}
    jsonl(tmp_path / "chinese_simplified_test.jsonl", [article])
    scores, _ = answered("xlsum", ["今天天气很好"])
    assert by_mode(scores, "rouge_l") == {"faithful": 0.0, "fixed": pytest.approx(5 / 6)}


def test_the_paper_compares_a_text_with_one_other(answered, tmp_path):
    jsonl(tmp_path / "aya_human_annotated.jsonl", INSTRUCTIONS)
    one, other = "the cat sat on the mat here", "no word of it stands in there"
    scores, _ = answered("aya", [one, other, other.upper(), one])
    found = by_mode(scores, "self_bleu")
    assert found["fixed"] > 45  # two of four are copies of one another
    assert found["faithful"] < found["fixed"]


def test_the_paper_rounds_the_accuracies_of_taxi1500_before_it_averages(
    tiny_model, tmp_path, monkeypatch
):
    rows = [
        f"{n}\t{label}\tVerse {n}" for n, label in enumerate(("Recommendation", "Sin", "Faith"))
    ]
    lines(tmp_path / "swh_Latn/test.tsv", ["index_id\tcategory\ttext", *rows])
    monkeypatch.setattr(loaded.Loaded, "scorer", lambda _: Favourite())
    config = EvalConfig(mode="both", shots=0, device="cpu")
    scores = evaluate(tiny_model, [f"taxi1500={tmp_path}"], config=config)
    assert by_mode(scores, "accuracy") == {"faithful": 0.33, "fixed": pytest.approx(1 / 3)}
    means = {
        row["mode"]: row["value"]
        for row in scores.aggregates
        if (row["metric"], row["group"]) == ("accuracy", "all")
    }
    assert means == {"faithful": 0.33, "fixed": pytest.approx(1 / 3)}


def test_no_item_is_its_own_example_where_examples_are_taken_from_the_test(
    tiny_model, tmp_path, monkeypatch
):
    write("belebele", tmp_path)
    monkeypatch.setattr(loaded.Loaded, "scorer", lambda _: Favourite())
    for mode in ("fixed", "lm-eval", "faithful"):
        config = EvalConfig(mode=mode, shots=3, device="cpu")
        samples = evaluate(tiny_model, [f"belebele={tmp_path}"], config=config).samples.to_pylist()
        for each in samples:
            passages = [line for line in each["prompt"].splitlines() if line.startswith("P: ")]
            assert len(passages) == 4, mode
            assert passages[-1] not in passages[:-1], mode


def test_the_paper_joins_texts_with_an_empty_line(tiny_model):
    class Joined(Favourite):
        def score(self, requests, **_):
            self.ids = [*requests[0].context, *requests[0].continuation]
            return [Scored(-2.0, len(requests[0].continuation), False)]

    scorer, tokenizer = Joined(), load_tokenizer(tiny_model)
    window_nll(["one", "two"], tokenizer, scorer)
    assert tokenizer.decode(scorer.ids).endswith("one\n\ntwo")
