import pytest

from emma500.errors import ConfigError
from emma500.evaluation.likelihood import Request, encode_pair, encode_pairs, rolling_requests
from emma500.models import load_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tiny_model):
    return load_tokenizer(tiny_model)


def text(tokenizer, ids):
    return tokenizer.decode(list(ids))


def test_spaces_at_the_end_of_the_context_move_to_the_continuation(tokenizer):
    request = encode_pair(tokenizer, "Answer:  ", "yes")
    assert text(tokenizer, request.context) == "Answer:"
    assert text(tokenizer, request.continuation) == "  yes"


def test_the_whole_is_encoded_at_once_and_cut_after_the_tokens_of_the_context():
    class Merging:
        """Makes one token of "ab", wherever it stands."""

        bos_token = None
        bos_token_id, eos_token_id = None, 0

        def __call__(self, texts, **_):
            ids = [[ord(each) for each in text.replace("ab", "X")] for text in texts]
            return {"input_ids": ids}

    request = encode_pair(Merging(), "xa", "bc")
    assert request == Request((ord("x"), ord("a")), (ord("c"),))  # lm-eval's rule, b being lost
    with pytest.raises(ConfigError, match=r"the continuation 'b' has no tokens"):
        encode_pair(Merging(), "xa", "b")


def test_an_empty_context_is_the_prefix_token(tokenizer):
    request = encode_pair(tokenizer, "", "yes")
    assert request.context == (tokenizer.bos_token_id,)
    assert text(tokenizer, request.continuation) == "yes"


def test_a_context_of_spaces_goes_to_the_continuation(tokenizer):
    request = encode_pair(tokenizer, " ", "yes")
    assert request.context == (tokenizer.bos_token_id,)
    assert text(tokenizer, request.continuation) == " yes"


def test_the_prefix_token_is_not_doubled(tokenizer):
    request = encode_pair(tokenizer, "", "<s>yes")
    assert request.context == (tokenizer.bos_token_id,)
    assert text(tokenizer, request.continuation) == "yes"


@pytest.mark.parametrize("context", ["", "The topic is"])
def test_a_label_without_tokens_is_an_error(tokenizer, context):
    with pytest.raises(ConfigError, match=r"the continuation '' has no tokens"):
        encode_pair(tokenizer, context, "")


def test_an_empty_request_is_refused():
    with pytest.raises(ConfigError, match="the context of a request is empty"):
        Request((), (1,))
    with pytest.raises(ConfigError, match="the continuation of a request is empty"):
        Request((1,), ())


def test_pairs_keep_their_order(tokenizer):
    pairs = [("b", "c"), ("", "x"), ("a", "c"), ("b", "c")]
    assert encode_pairs(tokenizer, pairs) == [encode_pair(tokenizer, *pair) for pair in pairs]


def test_windows_of_a_long_text_are_those_of_lm_evaluation_harness():
    windows = rolling_requests(range(10), prefix=99, max_length=4)
    assert windows == [
        Request((99,), (0, 1, 2, 3)),
        Request((3,), (4, 5, 6, 7)),
        Request((5, 6, 7), (8, 9)),
    ]
    assert rolling_requests([1, 2], prefix=99, max_length=4) == [Request((99,), (1, 2))]
    assert rolling_requests([], prefix=99, max_length=4) == []
