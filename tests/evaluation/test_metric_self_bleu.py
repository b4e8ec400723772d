import random

import pytest
from sacrebleu.metrics import BLEU

from emma500.errors import UsageError
from emma500.evaluation.metrics.self_bleu import self_bleu

TEXTS = ["the cat sat on the mat", "the cat sat on the mat", "a dog ran in the park", "birds fly"]


def against_all(texts):
    metric = BLEU(effective_order=True)
    return [
        metric.sentence_score(text, texts[:at] + texts[at + 1 :]).score
        for at, text in enumerate(texts)
    ]


def test_every_text_is_compared_with_all_others_as_sacrebleu_does():
    generator = random.Random(11)
    texts = [" ".join(generator.choices("abcdef", k=generator.randint(0, 14))) for _ in range(60)]
    assert self_bleu(texts).each == pytest.approx(against_all(texts), abs=1e-9)
    assert self_bleu(TEXTS).each == pytest.approx(against_all(TEXTS), abs=1e-9)


def test_paper_mode_looks_at_one_other_text_as_the_scripts_did():
    metric = BLEU()
    expected = [
        metric.corpus_score([text], [TEXTS[:at] + TEXTS[at + 1 :]]).score
        for at, text in enumerate(TEXTS)
    ]
    assert self_bleu(TEXTS, mode="paper").each == pytest.approx(expected, abs=1e-9)


def test_two_copies_among_four_texts_are_seen_by_one_mode_and_not_by_the_other():
    texts = ["birds fly over the wide sea", *TEXTS[:2], "x y z w v u"]
    assert self_bleu(texts).each[1:3] == pytest.approx([100.0, 100.0])
    assert self_bleu(texts, mode="paper").each.mean() < 10


def test_empty_outputs_count_but_in_the_papers_mode():
    assert self_bleu([*TEXTS, "", "..."]).n == 6
    assert self_bleu([*TEXTS, "", "..."], mode="paper").n == 4


def test_fewer_than_two_texts_have_no_value():
    for mode in ("all", "paper"):
        assert (self_bleu(["a b c"], mode=mode).value, self_bleu([], mode=mode).n) == (None, 0)


def test_an_unknown_tokenizer_is_refused():
    with pytest.raises(UsageError, match="unknown tokenizer 'words'"):
        self_bleu(TEXTS, tokenize="words")
