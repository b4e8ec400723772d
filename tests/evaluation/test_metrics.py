import math

import pytest

from emma500.evaluation.metrics import BitsPerByte, NegativeLogLikelihood

TEXTS = ["abcd", "ọ̀", "abcdefgh"]  # 4, 5 and 8 bytes
NATS = [8 * math.log(2), 10 * math.log(2), 16 * math.log(2)]


def test_bits_per_byte_counts_utf8_bytes():
    found = BitsPerByte(keep_in_memory=True).compute(predictions=NATS, references=TEXTS)
    assert found["bits_per_byte"] == pytest.approx(2.0)
    assert found["bits_per_byte_stderr"] == pytest.approx(0.0, abs=1e-12)
    assert found["n"] == 3


def test_negative_log_likelihood_is_the_mean_of_documents():
    found = NegativeLogLikelihood(keep_in_memory=True).compute(predictions=NATS, references=TEXTS)
    assert found["nll"] == pytest.approx(34 / 3 * math.log(2))


def test_batches_add_up(tmp_path):
    metric = BitsPerByte(cache_dir=str(tmp_path))
    for nats, text in zip(NATS, TEXTS, strict=True):
        metric.add(predictions=nats, references=text)
    assert metric.compute()["bits_per_byte"] == pytest.approx(2.0)
