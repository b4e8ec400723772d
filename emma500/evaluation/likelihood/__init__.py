"""Requests (context, continuation) -> log-likelihoods, each token computed once.

requests.py   texts -> token ids, as lm-evaluation-harness splits them; rolling windows
trie.py       distinct sequences in order, and what neighbours share
plan.py       which pieces of the trie are computed once and kept, which are packed into rows
batches.py    pieces -> token ids, positions, tree mask and targets of a forward pass
forward.py    one forward pass: output layer at the targets only, log-softmax in float32
cache.py      responses on disk by content: model, dtype, tokenizer, tokens
scorer.py     all of it: `LikelihoodScorer`
"""

from emma500.evaluation.likelihood.cache import (
    OutputCache,
    ResponseCache,
    TextCache,
    response_model,
)
from emma500.evaluation.likelihood.requests import (
    Request,
    Scored,
    encode_pair,
    encode_pairs,
    rolling_requests,
)
from emma500.evaluation.likelihood.scorer import LikelihoodScorer, Work

__all__ = [
    "LikelihoodScorer",
    "OutputCache",
    "Request",
    "ResponseCache",
    "Scored",
    "TextCache",
    "Work",
    "encode_pair",
    "encode_pairs",
    "response_model",
    "rolling_requests",
]
