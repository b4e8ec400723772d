import numpy as np
import pytest

from emma500.errors import UsageError
from emma500.evaluation.metrics.bertscore import bertscore


def by_hand(encoder, one, other, layer):
    """Greedy matching, written out for one pair without padding."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = (
        AutoTokenizer.from_pretrained(encoder),
        AutoModel.from_pretrained(encoder).eval(),
    )
    units = []
    for text in (one, other):
        with torch.inference_mode():
            hidden = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True)
        vectors = hidden.hidden_states[layer][0].numpy()
        units.append(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    cosine = units[0] @ units[1].T
    precision = (
        cosine[1:-1].max(axis=1).mean()
    )  # [CLS] and [SEP] have no weight, but can be matched
    recall = cosine[:, 1:-1].max(axis=0).mean()
    return 2 * precision * recall / (precision + recall)


def test_the_value_is_that_of_greedy_matching_whatever_the_batch(encoder):
    outputs, references = ["the cat sat", "dog ran far far"], ["the dog sat", "the cat"]
    found = bertscore(outputs, references, model=encoder, layer=2)
    expected = [by_hand(encoder, *pair, 2) for pair in zip(outputs, references, strict=True)]
    assert found.each == pytest.approx(expected, abs=1e-5)
    one_by_one = bertscore(outputs, references, model=encoder, layer=2, batch_size=1)
    assert one_by_one.each == pytest.approx(found.each, abs=1e-5)


def test_the_same_text_scores_one_and_an_empty_one_zero(encoder):
    found = bertscore(
        ["the cat", "", "the cat"], ["the cat", "the cat", " "], model=encoder, layer=1
    )
    assert found.each == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)
    assert bertscore([], [], model=encoder, layer=1).value is None


def test_a_layer_the_encoder_does_not_have_is_refused(encoder):
    with pytest.raises(UsageError, match="has layers 0 to 2, not 9"):
        bertscore(["the cat"], ["the cat"], model=encoder)
    with pytest.raises(UsageError, match="1 predictions and 0 references"):
        bertscore(["the cat"], [], model=encoder)
