import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF

from emma500.errors import SourceError, UsageError
from emma500.evaluation.metrics.translation import TOKENIZERS, bleu, bleu_score, chrf, chrf_score

OUTPUTS = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him.", ""]
REFERENCES = [
    ["The dog bit the man.", "The dog had bit the man."],
    ["It was not unexpected.", "No one was surprised."],
    ["The man bit him first.", "The man had bitten the dog."],
    ["Nothing.", "None."],
]


def streams(references):
    return [list(each) for each in zip(*references, strict=True)]


def test_the_example_of_sacrebleus_readme_has_its_published_score():
    assert bleu(OUTPUTS[:3], REFERENCES[:3]).value == pytest.approx(48.53, abs=0.005)


@pytest.mark.parametrize("tokenize", ["13a", "intl", "char", "zh", "none"])
def test_bleu_is_that_of_sacrebleu(tokenize):
    expected = BLEU(tokenize=tokenize).corpus_score(OUTPUTS, streams(REFERENCES))
    found = bleu(OUTPUTS, REFERENCES, tokenize=tokenize)
    assert found.value == pytest.approx(expected.score, abs=1e-9)
    assert f"tok:{tokenize}" in found.details["signature"]


@pytest.mark.parametrize("word_order", [0, 1, 2])
def test_chrf_is_that_of_sacrebleu(word_order):
    expected = CHRF(word_order=word_order).corpus_score(OUTPUTS, streams(REFERENCES))
    found = chrf(OUTPUTS, REFERENCES, word_order=word_order)
    assert found.value == pytest.approx(expected.score, abs=1e-9)
    assert f"nw:{word_order}" in found.details["signature"]


def test_each_sentence_has_the_score_it_has_alone():
    single = CHRF(word_order=2)
    expected = [
        single.sentence_score(output, wanted).score
        for output, wanted in zip(OUTPUTS, REFERENCES, strict=True)
    ]
    assert chrf(OUTPUTS, REFERENCES).each == pytest.approx(expected, abs=1e-9)


def test_the_scores_of_random_counts_are_those_of_sacrebleus_formulas():
    generator = np.random.default_rng(4)
    totals = generator.integers(0, 9, (300, 4)).astype(float)
    totals[:, 1:] = np.minimum.accumulate(totals, axis=1)[:, 1:]
    counts = np.floor(totals * generator.random((300, 4)))
    lengths = generator.integers(1, 12, (300, 2)).astype(float)
    rows = np.hstack([lengths, counts, totals])
    for order in (False, True):
        expected = [
            BLEU.compute_bleu(
                list(row[2:6]), list(row[6:]), *map(int, row[:2]), "exp", effective_order=order
            ).score
            for row in rows
        ]
        assert bleu_score(rows, effective_order=order) == pytest.approx(expected, abs=1e-9)
    grams = generator.integers(0, 6, (300, 24)).astype(float)
    expected = [CHRF(word_order=2)._compute_score_from_stats(list(row)).score for row in grams]
    assert chrf_score(grams) == pytest.approx(expected, abs=1e-9)


def test_items_may_have_different_numbers_of_references():
    found = chrf(["a cat", "a dog"], [["a cat", "the cat"], ["a dog"]])
    assert found.value == pytest.approx(100.0)


def test_an_empty_output_is_scored_and_not_dropped():
    assert chrf(["a cat", ""], ["a cat", "a dog"]).n == 2
    assert 0 < chrf(["a cat", ""], ["a cat", "a dog"]).each.mean() < 100


def test_no_items_have_no_value():
    for metric in (bleu, chrf):
        found = metric([], [])
        assert (found.value, found.stderr, found.n) == (None, None, 0)


def test_an_item_without_a_reference_is_refused():
    with pytest.raises(UsageError, match="item 1 has no reference"):
        bleu(["a", "b"], [["a"], []])
    with pytest.raises(UsageError, match="2 predictions and 1 references"):
        chrf(["a", "b"], ["a"])


def test_an_unknown_tokenizer_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=f"'ja'.*{', '.join(TOKENIZERS)}"):
        bleu(["a"], ["a"], tokenize="ja")


def test_spbleu_without_its_model_names_the_file_it_looks_for(monkeypatch, tmp_path):
    pytest.importorskip("sentencepiece")
    monkeypatch.setattr("sacrebleu.utils.SACREBLEU_DIR", str(tmp_path))
    with pytest.raises(SourceError, match=r"models/flores200sacrebleuspm.*SACREBLEU"):
        bleu(["a"], ["a"], tokenize="flores200")


def test_spbleu_is_that_of_sacrebleu_where_the_model_is_there(monkeypatch, tmp_path):
    pieces = pytest.importorskip("sentencepiece")
    text, folder = tmp_path / "text", tmp_path / "models"
    text.write_text("\n".join([*OUTPUTS, *(each for wanted in REFERENCES for each in wanted)]))
    folder.mkdir()
    pieces.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "x"), vocab_size=60, minloglevel=2, hard_vocab_limit=False
    )  # fmt: skip
    (folder / "x.model").rename(folder / "flores200sacrebleuspm")
    for module in ("utils", "tokenizers.tokenizer_spm"):
        monkeypatch.setattr(f"sacrebleu.{module}.SACREBLEU_DIR", str(tmp_path))
    found = bleu(OUTPUTS, REFERENCES, tokenize="flores200")
    expected = BLEU(tokenize="flores200").corpus_score(OUTPUTS, streams(REFERENCES))
    assert found.value == pytest.approx(expected.score, abs=1e-9)
    assert (found.name, "tok:flores200" in found.details["signature"]) == ("spbleu", True)
